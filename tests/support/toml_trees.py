"""Descriptions with something wrong in them, as text: what a loader may refuse, but never stumble over."""

import copy
import json
from datetime import date
from typing import Any

from hypothesis import strategies as st

ODD: list[Any] = [
    0, -1, 1, 2, 3, 7, 2**31, 2**62, 2**64, -(2**64), 10**30, 0.0, -0.5, 1e-320, 1e308,
    float("inf"), float("-inf"), float("nan"), True, False, date(1989, 12, 1),
    "", "x", "tanh", "s8.6", "s999999999999.9", "{0:9999999999:1}", "p9.9", "é\n\x00`", "a" * 5000,
    [], {}, [[]], [0], [-1], [2**64], ["x"], [[0, 1], [2**64]], {"kind": "tanh"}, {"kind": "nonesuch"},
    {"kind": 5}, {"kind": "conv"}, {"value": 1.0}, {"form": "s8.6"}, {"form": 1},
]  # fmt: skip


def written(value: Any) -> str:
    """Return a value as TOML has it."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value)
        case dict():
            pairs = (f"{json.dumps(key)} = {written(each)}" for key, each in value.items())
            return "{ " + ", ".join(pairs) + " }"
        case list() | tuple():
            return "[" + ", ".join(map(written, value)) + "]"
        case date():
            return value.isoformat()
        case _:
            return repr(value)


def document(content: dict[str, Any]) -> str:
    """Return a table as a TOML document."""
    return "".join(f"{json.dumps(key)} = {written(value)}\n" for key, value in content.items())


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return where everything stands in `value`."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [each for key, part in inner for each in paths(part, (*path, key))]


@st.composite
def damaged(draw: st.DrawFn, content: dict[str, Any]) -> str:
    """Return `content` as TOML after one to three changes anywhere in it."""
    content = copy.deepcopy(content)
    for _ in range(draw(st.integers(1, 3))):
        *parents, last = draw(st.sampled_from(paths(content)))
        sized: Any = content
        for step in parents:
            sized = sized[step]
        match draw(st.sampled_from(["other", "other", "other", "nested", "lost", "added"])):
            case "other":
                sized[last] = copy.deepcopy(draw(st.sampled_from(ODD)))
            case "nested":
                for _ in range(draw(st.integers(1, 60))):
                    sized[last] = [sized[last]] if draw(st.booleans()) else {"kind": sized[last]}
            case "lost":
                del sized[last]
            case "added" if isinstance(sized, dict):
                key = draw(st.sampled_from(["kind", "extra", "", "é.\n", "units"]))
                sized[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
            case _:
                sized.append(copy.deepcopy(draw(st.sampled_from(ODD))))
        if not content:
            break
    text = document(content)
    if draw(st.integers(0, 9)) == 0:
        cut = draw(st.integers(0, len(text)))
        ends = ["", "[" * 2000, "\x00", "9" * 5000, "\n" + "a." * 3000 + "b = 1", "{", '"""']
        text = text[:cut] + draw(st.sampled_from(ends))
    return text
