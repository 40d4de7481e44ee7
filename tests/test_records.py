"""`docs/records.md` tells every key of every record that commands print and keep, and no other."""

import ast
import importlib
import json
import pkgutil
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import msgspec
import numba
import pytest
from msgspec import inspect as types
from safetensors import safe_open
from support.every_record import COMMAND_LINES, kept_records, tell_all
from support.record_page import ALL, Kind, Page, outside_types

import hw_sim
import retronet
from retronet.datasets.catalogue import SOURCES
from retronet.runs import checkpoint, configuration
from retronet_cli.main import cli


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """Return the page, every command and every file held against it."""
    if numba.config.DISABLE_JIT:
        pytest.skip("this many commands need compiled code")
    pytest.importorskip("onnx")
    page, wrong = Page(), []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("records"))
        patch.setenv("RETRONET_OFFLINE", "1")
        for told in tell_all(patch):
            schema = told.document["schema"]
            if schema not in page.records:
                wrong.append(f"{told.line}: nothing is said of {schema}")
                continue
            wrong += page.record_problems(told.document, schema, told.line, page.seen)
            known = page.tables.get(schema, {})
            page.seen |= {(schema, f"table {name}") for name in told.tables}
            for name, rows in told.tables.items():
                place = f"{told.line}: {name}"
                wrong += [] if name in known else [f"{place}: nothing is said of this table"]
                wrong += [each for row in rows for each in page.row_problems(row, known.get(name, []), place)]
        for section, path, record in kept_records():
            wrong += page.record_problems(record, section, str(path), page.seen)
        for path in sorted(Path().glob("*/checkpoint.safetensors")):
            wrong += check_checkpoint(page, path)
    assert not wrong, "\n".join(sorted(set(wrong)))
    return page


def check_checkpoint(page: Page, path: Path) -> list[str]:
    """Return what is wrong with metadata and arrays of a checkpoint."""
    with safe_open(path, "numpy") as file:
        header = json.loads(file.metadata()["retronet"])
        wrong = page.record_problems(header, "checkpoint.safetensors", str(path), page.seen)
        told = arrays_told(page)
        for name in file.keys():  # noqa: SIM118 - no dictionary
            general = re.sub(r"^(\w+)\..*\.(weight|bias)$", r"\1.LAYER.\2", name)
            wrong += [] if general in told else [f"{path}: nothing is said of the array {name}"]
            page.seen.add(("arrays", general))
    return wrong


def arrays_told(page: Page) -> set[str]:
    """Return the names of the arrays of checkpoints that the page has."""
    section = page.text.partition("### checkpoint.safetensors")[2].partition("\n## ")[0]
    rows = section.partition("| array | shape | when | what |")[2].partition("\n\n")[0]
    return {
        name
        for line in rows.splitlines()
        for name in re.findall(r"`([\w.]+)`", line.split("|")[1] if line else "")
    }


def test_every_key_is_told_and_every_key_that_is_told_appears(page: Page) -> None:
    """The fixture fails where a key is not told, is of another type or is missing."""
    outside = {
        (name, f"{ALL}{kinds[0][0].partition(':')[2]}")
        for name in page.records
        for _, key, kinds in page.keys(name)
        if key == ALL
    }
    told = {
        (owner, key) for name in page.records for owner, key, _ in page.keys(name) if key != ALL
    } | outside
    told |= {("arrays", name) for name in arrays_told(page)}
    told |= {(schema, f"table {name}") for schema, tables in page.tables.items() for name in tables}

    left = sorted(told - page.seen)
    assert not left, "\n".join(map(str, left))


def test_every_command_that_prints_records_is_asked() -> None:
    asked = [line.split() for line in COMMAND_LINES.strip().splitlines()]

    def lacking(command: click.Command, path: tuple[str, ...]) -> list[str]:
        if isinstance(command, click.Group):
            context = click.Context(command)
            below = ((command.get_command(context, name), name) for name in command.list_commands(context))
            return [each for inner, name in below if inner for each in lacking(inner, (*path, name))]
        prints = {"as_json", "form"} & {parameter.name for parameter in command.params}
        return (
            [" ".join(path)] if prints and list(path) not in [words[: len(path)] for words in asked] else []
        )

    assert lacking(cli, ()) == []


def test_every_kind_of_document_in_the_source_has_a_section() -> None:
    """Also those that no command above prints: what `give` and `print_json` are told, word for word."""
    told, found = Page().records, set()
    for path in (Path(__file__).parents[1] / "cli").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            place = {"give": 1, "print_json": 0, "report_checked": 0}.get(
                getattr(getattr(call, "func", None), "id", "")
            )
            if isinstance(call, ast.Call) and place is not None and len(call.args) > place:
                what = call.args[place]
                found |= {what.value} if isinstance(what, ast.Constant) else set()
    assert len(found) > 25
    assert {f"retronet/{what}/1" for what in found} - set(told) == set()
    files = {configuration.SCHEMA, configuration.FIRST_SCHEMA, checkpoint.SCHEMA, checkpoint.FIRST_SCHEMA}
    assert files & set(told) == set(), "a file and a document of the same schema"


# --- records that have a type of the same name


def structs() -> dict[str, type[msgspec.Struct]]:
    """Return the records of the two packages by name."""
    found: dict[str, type[msgspec.Struct]] = {}

    def visit(package: ModuleType) -> None:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for name, value in vars(importlib.import_module(module.name)).items():
                if (
                    isinstance(value, type)
                    and issubclass(value, msgspec.Struct)
                    and value.__module__ == module.name
                ):
                    found[name] = value

    visit(retronet)
    visit(hw_sim)
    return found


def kinds_of(node: Any) -> set[Kind]:
    """Return a type as the page would write it."""
    match node:
        case types.UnionType():
            return {kind for inner in node.types for kind in kinds_of(inner)}
        case types.NoneType():
            return {("null",)}
        case types.BoolType():
            return {("flag",)}
        case types.IntType():
            return {("integer",)}
        case types.FloatType():
            return {("number",)}
        case types.StrType() | types.EnumType():
            return {("text",)}
        case types.LiteralType():
            return {("text",) if isinstance(value, str) else ("integer",) for value in node.values}
        case types.ListType() | types.VarTupleType():
            return {("list", *kind) for kind in kinds_of(node.item_type)}
        case types.TupleType():
            return {("list", *kind) for item in node.item_types for kind in kinds_of(item)}
        case types.DictType():
            return {("table", *kind) for kind in kinds_of(node.value_type)}
        case types.StructType():
            name = node.cls.__name__
            return {(f"{'outside' if name in outside_types() else 'record'}:{name}",)}
    return {("table", "any")} if isinstance(node, types.AnyType) else {(type(node).__name__,)}


def test_records_with_a_type_have_its_keys_and_types() -> None:
    page, compared = Page(), 0
    for name, kind in structs().items():
        if name not in page.records:
            continue
        info = types.type_info(kind)
        assert isinstance(info, types.StructType)
        fields = {each.encode_name: kinds_of(each.type) for each in info.fields}
        if info.tag_field:
            fields[info.tag_field] = {("text",)}
        told = {key: set(map(tuple, kinds)) - {("absent",)} for _, key, kinds in page.keys(name)}
        assert set(told) == set(fields), name
        free = {
            key
            for key, kinds in fields.items()
            if ("table", "table", "any") in kinds or ("table", "any") in kinds or "Any" in str(kinds)
        }
        assert {key: told[key] for key in told if key not in free} == {
            key: kinds for key, kinds in fields.items() if key not in free
        }, name
        compared += 1
    assert compared > 60


def test_every_file_of_the_data_folder_is_told() -> None:
    section = Page().text.partition("## The data folder")[2].partition("\n## ")[0]
    told = {name.replace("s-idx", "s.idx") for name in re.findall(r"`(\w+/[\w.-]+)`", section)}
    names = {
        f"{file.folder}/{re.sub(r'[.](gz|bz2)$', '', name)}".replace("s-idx", "s.idx")
        for source in SOURCES.values()
        for file in source.files
        for name in file.names
    }
    assert told == names


def test_anchors_of_types_lead_to_sections() -> None:
    page = Page()
    records = {kind[-1] for fields in page.records.values() for _, kinds in fields for kind in kinds}
    records |= {kind[-1] for tables in page.tables.values() for kinds in tables.values() for kind in kinds}
    assert {name.partition(":")[2] for name in records if name.startswith("record:")} <= set(page.records)
    assert {name.partition(":")[2] for name in records if name.startswith("outside:")} <= set(outside_types())
    assert len(page.records) > 100
