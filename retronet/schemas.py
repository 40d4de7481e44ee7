"""The JSON Schema of a description, for editors and checkers: what its type allows, place by place."""

import inspect
from typing import Any

import msgspec

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(kind: type[msgspec.Struct], title: str) -> Schema:
    """Return the JSON Schema of files that are read as a value of the type `kind`.

    What only holds together as a whole, such as that a layer fits on the one below it, no schema says.

    Parameters
    ----------
    kind
        The type of the description.
    title
        What such a file is called.
    """
    # Through JSON, which has lists where defaults are tuples.
    content = _told(msgspec.json.decode(msgspec.json.encode(msgspec.json.schema(kind))))
    return {"$schema": DIALECT, "title": title, **content}


def _told(content: Any) -> Any:  # noqa: ANN401 - tables, lists and plain values
    """Return a schema with texts on lines of their own and patterns that every dialect of them knows."""
    if isinstance(content, dict):
        told = {key: _told(value) for key, value in content.items()}
        if isinstance(told.get("description"), str):
            told["description"] = inspect.cleandoc(told["description"]).replace("``", "").replace("`", "")
        if isinstance(told.get("pattern"), str):
            told["pattern"] = told["pattern"].replace(r"\Z", "$")
        return told
    return [_told(value) for value in content] if isinstance(content, list) else content
