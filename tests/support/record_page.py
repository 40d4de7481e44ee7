"""`docs/records.md` as data: what it says of every record, held against values."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect as types

from retronet_cli.views import formats

PAGE = Path(__file__).parents[2] / "docs" / "records.md"
ALL = "…"
HEAD = "| key | type | unit | meaning |\n"
LINK = re.compile(r"\[(\w+)\]\((formats\.md)?#([\w-]+)\)")
SCALARS: dict[str, tuple[type, ...]] = {
    "text": (str,), "integer": (int,), "number": (int, float), "flag": (bool,), "null": (type(None),),
}  # fmt: skip
ABSENT = "absent"

Marks = set[tuple[str, str]]
Kind = tuple[str, ...]
"""One alternative of a type from the outside in: ``("list", "record:Score")``."""


def parse_kinds(text: str) -> list[Kind]:
    """Return the alternatives of a type as the page writes them."""
    kinds = []
    for alternative in text.split(" or "):
        rest, parts = alternative.strip(), []
        while match := re.match(r"(list|table) of ", rest):
            parts.append(match[1])
            rest = rest[match.end() :]
        if link := LINK.fullmatch(rest):
            assert link[1].lower() == link[3], text
            rest = f"{'outside' if link[2] else 'record'}:{link[1]}"
        assert ":" in rest or rest in SCALARS or rest == ABSENT, text
        kinds.append((*parts, rest))
    return kinds


@dataclass
class Page:
    """Records by name, the rows of each document's tables, and the keys that values have had."""

    text: str = field(default_factory=lambda: PAGE.read_text(encoding="utf-8"))
    seen: Marks = field(default_factory=set)

    @cached_property
    def records(self) -> dict[str, list[tuple[str, list[Kind]]]]:
        """Keys and types of each record in order."""
        found = {}
        for name, body in self._sections.items():
            if HEAD in body:
                lines = body.partition(HEAD)[2].partition("\n\n")[0].strip().splitlines()[1:]
                rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
                found[name] = [(key.strip("`"), parse_kinds(kind)) for key, kind, _unit, _meaning in rows]
        return found

    @cached_property
    def tables(self) -> dict[str, dict[str, list[Kind]]]:
        """For each document what a row of each of its tables is."""
        found: dict[str, dict[str, list[Kind]]] = {}
        for name, body in self._sections.items():
            if listed := re.search(r"^Tables: (.*?)\.(?:\n\n|\Z)", body, flags=re.MULTILINE | re.DOTALL):
                entries = re.findall(
                    r"`(\w+)`,\s+a\s+row\s+is\s+an?\s+(.*?)(?:;|$|, whose)", " ".join(listed[1].split())
                )
                found[name] = {table: parse_kinds(kind) for table, kind in entries}
        return found

    @cached_property
    def _sections(self) -> dict[str, str]:
        parts = re.split(r"^### (.*)$", self.text, flags=re.MULTILINE)
        assert len(set(parts[1::2])) == len(parts[1::2]), "two sections have the same name"
        return dict(
            zip(
                parts[1::2],
                (re.split(r"^## ", each, flags=re.MULTILINE)[0] for each in parts[2::2]),
                strict=True,
            )
        )

    # --- documents

    def problems(self, value: Any, kinds: list[Kind], place: str, marks: Marks) -> list[str]:
        """Return what is wrong with a value that is to be of one of `kinds`; add what it has to `marks`."""
        wrong: list[str] = []
        tables = [kind[1:] for kind in kinds if kind[0] == "table"]
        if isinstance(value, dict) and len(tables) > 1:  # values of several types beside each other
            for name, item in value.items():
                wrong += self.problems(item, tables, f"{place}.{name}", marks)
            return wrong
        for kind in kinds:
            own: Marks = set()
            found = self._problems(value, kind, place, own)
            if not found:
                marks |= own
                return []
            wrong += found
        return wrong or [f"{place}: nothing is said of it"]

    def _problems(self, value: Any, kind: Kind, place: str, marks: Marks) -> list[str]:
        head, inner = kind[0], [kind[1:]]
        if head == "list" and isinstance(value, list):
            return [
                each
                for index, item in enumerate(value)
                for each in self.problems(item, inner, f"{place}[{index}]", marks)
            ]
        if head == "table" and isinstance(value, dict):
            return [
                each
                for name, item in value.items()
                for each in self.problems(item, inner, f"{place}.{name}", marks)
            ]
        what, _, name = head.partition(":")
        if what == "record" and isinstance(value, dict):
            return self.record_problems(value, name, place, marks)
        if what == "outside":
            return outside_problems(value, name, place)
        if fits(value, head):
            return []
        return [f"{place}: {str(value)[:60]!r} is not {' of '.join(kind)}"]

    def record_problems(self, value: dict[str, Any], name: str, place: str, marks: Marks) -> list[str]:
        """Return what is wrong with an object that is to be the record `name`."""
        rest, wrong = dict(value), []
        for owner, key, kinds in self.keys(name):
            if key == ALL:  # a description that another page tells
                outside = kinds[0][0].partition(":")[2]
                wrong += outside_problems(rest, outside, place)
                marks.add((owner, f"{ALL}{outside}"))
                rest = {}
            elif key in rest:
                wrong += self.problems(
                    rest.pop(key), [k for k in kinds if k != (ABSENT,)], f"{place}.{key}", marks
                )
                marks.add((owner, key))
            elif (ABSENT,) not in kinds:
                wrong.append(f"{place}: {name} has no {key}")
        return wrong + [f"{place}: {key} is not among the keys of {name}" for key in rest]

    def keys(self, name: str) -> Iterator[tuple[str, str, list[Kind]]]:
        """Yield record, key and type of all keys of a record, those of another page last."""
        outside = []
        for key, kinds in self.records[name]:
            what, _, other = kinds[0][0].partition(":")
            if key != ALL:
                yield name, key, kinds
            elif what == "record":
                yield from self.keys(other)
            else:
                outside.append((name, key, kinds))
        yield from outside

    # --- rows

    def row_problems(self, row: dict[str, Any], kinds: list[Kind], place: str) -> list[str]:
        """Return what is wrong with a row of a table, its keys joined."""
        wrong: list[str] = []
        for kind in kinds:
            what, _, name = kind[0].partition(":")
            marks: Marks = set()
            if what == "outside":
                found = [each for each in row if each not in outside_columns(name)]
            else:
                found = [key for key, cell in row.items() if not self._has_column(name, key, cell, marks)]
            if not found:
                self.seen |= marks
                return []
            wrong += [f"{place}: the column {key} ({row[key]!r}) is not of {name}" for key in found]
        return wrong

    def _has_column(self, name: str, column: str, cell: Any, marks: Marks) -> bool:
        for owner, key, kinds in self.keys(name):
            rest = column.removeprefix(f"{key}_")
            for kind in kinds:
                if column == key and (fits(cell, kind[0]) or (kind[0] == "list" and isinstance(cell, str))):
                    marks.add((owner, key))
                    return True
                # What may be absent has empty cells in the rows that lack it.
                lacks = cell is None and (ABSENT,) in kinds
                if rest != column and (lacks or self._has_inner(kind, rest, cell, marks)):
                    marks.add((owner, key))
                    return True
        return False

    def _has_inner(self, kind: Kind, column: str, cell: Any, marks: Marks) -> bool:
        what, _, name = kind[0].partition(":")
        if what == "record":
            return self._has_column(name, column, cell, marks)
        if what != "table":
            return False
        if kind[1] in SCALARS:
            return fits(cell, kind[1])
        cuts = [match.end() for match in re.finditer("_", column)]
        return any(self._has_inner(kind[1:], column[cut:], cell, marks) for cut in cuts)


def fits(value: Any, name: str) -> bool:
    """Return whether a value of JSON is of a plain type; a flag is no number."""
    return (
        name in SCALARS and isinstance(value, SCALARS[name]) and (name == "flag") == isinstance(value, bool)
    )


def outside_types() -> dict[str, type[msgspec.Struct]]:
    """Return the types that the page of formats lists."""
    every = (formats._tables(types.type_info(kind)) for kind, _, _ in formats.KINDS.values())
    return {table.cls.__name__: table.cls for tables in every for table in tables}


def outside_columns(name: str) -> tuple[str, ...]:
    """Return the keys of such a type."""
    return outside_types()[name].__struct_encode_fields__


def outside_problems(value: Any, name: str, place: str) -> list[str]:
    """Return what is wrong with a value that is to be of a type of the page of formats."""
    try:
        msgspec.convert(value, outside_types()[name])
    except msgspec.ValidationError as error:
        return [f"{place}: no {name}: {error}"]
    return []
