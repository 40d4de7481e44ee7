"""What a parser says of a value that it refuses, completed: where it stands, what it is and what is allowed.

msgspec names the place and the broken rule; tomllib names a line. What was found there and the names that are
allowed come from the content and the type.
"""

import re
import tomllib
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from retronet.errors import InputError, one_line

T = TypeVar("T")
LARGEST_TEXT = 1 << 20
"""Characters of a description; the longest of the package has 20,000."""

SHOWN = 60
"""Characters of a refused value that a message shows."""

_PLACE = re.compile(r" - at `(?:key in )?\$([^`]*)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
# Each dot of a key is a table in a table, and tomllib takes quadratic time over them.
_DEEP_KEY = re.compile(r"""(?<![\w"'-])(?:[\w"'-]++[ \t]*\.[ \t]*){50}""")


def parse_toml(text: str) -> dict[str, Any]:
    """Return the content of the TOML `text`.

    Raises
    ------
    InputError
        If it is not TOML, is too long or nests too deep; half a sentence, for the caller to complete.
    """
    if len(text) > LARGEST_TEXT:
        raise InputError(f"it has {len(text):,} characters, at most {LARGEST_TEXT:,} are allowed")
    if _DEEP_KEY.search(text):
        raise InputError("it has a key of more than 50 parts, a description nests fewer than 10 deep")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise InputError("it nests lists or tables too deep, fewer than 10 levels are needed") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"it is not TOML: {_short(str(error))}") from error
    except ValueError as error:  # of int()
        raise InputError("it has a number of thousands of digits, 64 bits are the most") from error


def as_kind(content: object, kind: type[T], root: str = "$", *, words: bool = False) -> T:
    """Return `content`, as TOML or JSON has it, as a value of the type `kind`.

    Parameters
    ----------
    content
        Tables, lists and plain values.
    kind
        The type wanted.
    root
        What the place of `content` in its file is called.
    words
        Whether numbers may be written as words, as on a command line.

    Raises
    ------
    InputError
        If a value at any depth is not allowed; the message names its place, what stands there and what may,
        and is half a sentence, for the caller to complete.
    """
    try:
        return msgspec.convert(content, kind, strict=not words)
    except msgspec.ValidationError as error:
        raise InputError(explain(str(error), content, kind, root)) from error
    except RecursionError:
        raise InputError("it nests lists or tables too deep, fewer than 10 levels are needed") from None


def place_of(message: str) -> list[str | int]:
    """Return the keys and indices that lead to the place that msgspec's `message` names."""
    match = _PLACE.search(message)
    steps = _STEP.findall(match[1]) if match else []
    return [key if key else int(index) for key, index in steps]


def explain(message: str, content: object, kind: Any, root: str = "$") -> str:  # noqa: ANN401
    """Return msgspec's `message` with what was found and what is allowed at the place that it names."""
    steps = place_of(message)
    problem = _short(_PLACE.sub("", message).rstrip("."))
    where = root + "".join(f".{step[:SHOWN]}" if isinstance(step, str) else f"[{step}]" for step in steps)
    found, allowed = _at(content, inspect.type_info(kind), steps)
    if problem.startswith("Object missing required field"):
        name = problem.split("`")[1]
        allowed = _field(_choose(allowed, found), name) or allowed
        return f"{problem} - at `{where}`; {_described(allowed)} is needed"
    if problem.startswith("Object contains unknown field"):
        keys = ", ".join(_keys(_choose(allowed, found)))
        return f"{problem} - at `{where}`; allowed are {keys}"
    if not re.match(r"Expected|Invalid|Number|Object|Integer", problem):
        return f"{problem} - at `{where}`"  # the type's own sentence says what was found and what is allowed
    if problem.startswith("Invalid"):  # and quotes what it found, however long
        problem = f"{problem.split(' value ')[0]} value {shown(found)}"
        return f"{problem} - at `{where}`; allowed is {_described(allowed)}"
    return f"{problem} - at `{where}`; found {shown(found)}, allowed is {_described(allowed)}"


def shown(value: object) -> str:
    """Return a refused value, briefly, on one line."""
    match value:
        case dict():
            return "a table" + (f" of kind {shown(value['kind'])}" if "kind" in value else "")
        case list() | tuple():
            return f"a list of {len(value)}"
        case bool():
            return "true" if value else "false"
        case int() if value.bit_length() > 200:
            return f"a whole number of {value.bit_length():,} bits"
        case str():
            return repr(value if len(value) <= SHOWN else value[: SHOWN - 1] + "…")
        case _:
            return str(value)


def said_by(error: Exception) -> str:
    """Return what another's `error` says, in part of a sentence; its class where it says nothing."""
    text = one_line(str(error)).strip().rstrip(".")
    text = text if isinstance(error, InputError) else _short(text)
    return text if text else f"it is damaged ({type(error).__name__})"


def _short(text: str) -> str:
    """Return what a parser says without most of a long value that it quotes."""
    return text if len(text) <= 4 * SHOWN else f"{text[: 2 * SHOWN]} … {text[-2 * SHOWN :]}"


def _at(content: Any, node: inspect.Type, steps: list[str | int]) -> tuple[Any, Any]:  # noqa: ANN401
    """Return value and type at the end of `steps`; a tag has the type of what it tells apart."""
    for step in steps:
        chosen: Any
        if isinstance(step, int):
            chosen = _element(node, step)
        else:
            table = _choose(node, content)
            chosen = _field(table, step) if table is not None else None
            chosen = node if chosen is None else chosen
        node = chosen
        try:
            content = content[step]
        except (KeyError, IndexError, TypeError):
            content = None
    return content, node


def _parts(node: Any) -> list[Any]:  # noqa: ANN401
    """Return the types that `node` may be, without none."""
    if isinstance(node, inspect.Metadata):
        return _parts(node.type)
    parts = node.types if isinstance(node, inspect.UnionType) else (node,)
    return [part for part in parts if not isinstance(part, inspect.NoneType)]


def _choose(node: Any, content: object) -> inspect.StructType | None:  # noqa: ANN401
    """Return the type of a table: the only one, or the one that its tag names."""
    tables = [part for part in _parts(node) if isinstance(part, inspect.StructType)]
    if len(tables) == 1:
        return tables[0]
    tags = {part.tag: part for part in tables}
    tag = content.get(tables[0].tag_field) if tables and isinstance(content, dict) else None
    return tags.get(tag) if isinstance(tag, str) else None


def _field(table: inspect.StructType | None, name: str) -> inspect.Type | None:
    fields = table.fields if table is not None else ()
    return next((field.type for field in fields if field.encode_name == name), None)


def _keys(table: inspect.StructType | None) -> list[str]:
    if table is None:
        return []
    tag = [table.tag_field] if table.tag_field else []
    return [*tag, *(field.encode_name for field in table.fields)]


def _element(node: Any, index: int) -> Any:  # noqa: ANN401
    for part in _parts(node):
        if isinstance(part, inspect.VarTupleType | inspect.ListType):
            return part.item_type
        if isinstance(part, inspect.TupleType) and index < len(part.item_types):
            return part.item_types[index]
    return inspect.AnyType()


def _described(node: Any) -> str:  # noqa: ANN401
    """Return in words what `node` allows."""
    parts = _parts(node)
    tags = [str(part.tag) for part in parts if isinstance(part, inspect.StructType) and part.tag is not None]
    words = [f"a table with kind = {' or '.join(map(repr, sorted(tags)))}"] if tags else []
    words += [_one(part) for part in parts if getattr(part, "tag", None) is None]
    return " or ".join(dict.fromkeys(words))


def _one(part: Any) -> str:  # noqa: ANN401
    match part:
        case inspect.LiteralType():
            return "one of " + ", ".join(sorted(map(str, part.values)))
        case inspect.EnumType():
            return "one of " + ", ".join(str(each.value) for each in part.cls)
        case inspect.StructType():
            return f"a table of {', '.join(_keys(part))}"
        case inspect.DictType():
            return "a table"
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return "a whole number" + _range(part)
        case inspect.FloatType():
            return "a number" + _range(part)
        case inspect.StrType():
            return "text" + (f" that matches {part.pattern}" if part.pattern else "")
        case inspect.TupleType():
            return f"a list of {len(part.item_types)}, each {_described(part.item_types[0])}"
        case inspect.VarTupleType() | inspect.ListType():
            least = f" of {part.min_length} or more" if part.min_length else ""
            most = f" of at most {part.max_length}" if part.max_length else ""
            return f"a list{least}{most}, each {_described(part.item_type)}"
        case _:
            return "another value"


def _range(part: inspect.IntType | inspect.FloatType) -> str:
    low = (
        f" from {part.ge:g}" if part.ge is not None else f" above {part.gt:g}" if part.gt is not None else ""
    )
    high = f" to {part.le:,}" if part.le is not None else f" below {part.lt:g}" if part.lt is not None else ""
    return low + high
