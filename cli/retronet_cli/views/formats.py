"""The files that people write: the JSON Schema of each, and a page that lists every key."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import inspect as types

from hw_sim.chips.spec import ChipSpec
from hw_sim.plan.plan import PrecisionPlan
from hw_sim.plan.plan_schema import plan_schema
from retronet.network import NetworkSpec
from retronet.recipe import Recipe
from retronet.refusals import described
from retronet.schemas import Schema, json_schema

KINDS: dict[str, tuple[type[msgspec.Struct], str, str]] = {
    "network": (NetworkSpec, "A network", "retronet show network lecun1989 --toml"),
    "recipe": (Recipe, "A recipe", "retronet show recipe lecun1989 --toml"),
    "chip": (ChipSpec, "A chip", "retronet show chip anna --toml"),
    "plan": (PrecisionPlan, "A precision plan", "retronet show plan --toml"),
}
"""The type of each kind of file, what it is called, and the command that prints one."""

SCHEMAS: dict[str, Callable[[], Schema]] = {"plan": plan_schema}

INTRODUCTION = """# Formats of files

Networks, recipes, chips and plans are TOML files. This page lists every key; `retronet show formats` prints
it from
the types that read the files. For each kind there is a file to begin with (`--toml`) and a JSON Schema for
editors
(`retronet show schema network > network.schema.json`); a file whose first line is
`#:schema ./network.schema.json` is checked while it is typed by editors that know TOML schemas.

Unknown keys are refused, and a refusal names the place, what stands there and what is allowed.
"""

PLAN_FORMS = """
A plan's file may be short. A format is a table or text: `"s8.6"`, `"u8.8:TRN:WRAP"`, `"{-1,0,1}"`,
`"p3.0"`. An
accumulator is a format or a table; a scale is a number or a list. Layers that are not listed have the keys of
`[defaults]`, a table like that of a layer without its name. Where they are absent, the activation is the
network's,
and a bias has the format of the accumulator, or 32 bits with the step of a product.
"""


def schema_of(kind: str) -> Schema:
    """Return the JSON Schema of a kind of file, one of `KINDS`."""
    made = SCHEMAS.get(kind)
    if made is not None:
        return made()
    described_type, title, _ = KINDS[kind]
    return json_schema(described_type, title)


def formats_page() -> str:
    """Return the reference of all kinds of files as Markdown."""
    parts = [INTRODUCTION]
    told: set[str] = set()
    for kind, (described_type, title, command) in KINDS.items():
        parts.append(f"## {title}\n\n`{command}` prints one; `retronet show schema {kind}` its schema.\n")
        if kind == "plan":
            parts.append(PLAN_FORMS.lstrip())
        for table in _tables(types.type_info(described_type)):
            if table.cls.__name__ not in told:
                told.add(table.cls.__name__)
                parts.append(_section(table))
    return "\n".join(parts)


def _tables(node: Any) -> list[types.StructType]:  # noqa: ANN401 - any of msgspec's nodes
    """Return the tables that a type is made of, from the outside in, each once."""
    tables: dict[type, types.StructType] = {}

    def visit(node: Any) -> None:  # noqa: ANN401
        if isinstance(node, types.StructType):
            if node.cls in tables:
                return
            tables[node.cls] = node
            for field in node.fields:
                visit(field.type)
        for part in ("type", "item_type", "value_type"):
            if hasattr(node, part):
                visit(getattr(node, part))
        for part in (*getattr(node, "types", ()), *getattr(node, "item_types", ())):
            visit(part)

    visit(node)
    return list(tables.values())


def _section(table: types.StructType) -> str:
    """Return heading, words and keys of a table."""
    name = table.cls.__name__
    heading = f'### {name}: `{table.tag_field} = "{table.tag}"`' if table.tag_field else f"### {name}"
    lines = [heading, "", _words(table.cls), ""]
    if table.fields:
        lines += ["| key | allowed | if absent |", "|---|---|---|"]
        lines += [
            f"| `{field.encode_name}` | {_cell(described(field.type))} | {_absent(field)} |"
            for field in table.fields
        ]
        lines.append("")
    return "\n".join(lines)


def _words(kind: type) -> str:
    """Return the docstring of a type as Markdown, what it raises left out."""
    text = inspect.cleandoc(kind.__doc__ or "")
    text = re.split(r"\n\nRaises\n-+\n", text)[0]
    text = re.sub(r"(?m)^(\w+)\n-{3,}$", r"**\1**\n", text)
    text = re.sub(r"(?m)^([a-z]\w*(?:, [a-z]\w*)*)\n((?:    .*\n?)+)", _item, text)
    return re.sub(r"``", "`", text).strip()


def _item(entry: re.Match[str]) -> str:
    words = " ".join(line.strip() for line in entry[2].strip().splitlines())
    return f"- {', '.join(f'`{name}`' for name in entry[1].split(', '))}: {words}\n"


def _absent(field: types.Field) -> str:
    if field.required:
        return "needed"
    default = field.default
    if field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory()
    if default is None or default in ("", ()):
        return "nothing"
    return f"`{_cell(str(msgspec.to_builtins(default)))}`"


def _cell(text: str) -> str:
    text = re.sub(r"matches (\^.*?\\Z)", r"matches `\1`", text)
    return (
        text.replace("|", "\\|")
        .replace("2,147,483,647", "2³¹ − 1")
        .replace("9,223,372,036,854,775,807", "2⁶³ − 1")
    )
