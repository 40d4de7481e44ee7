"""The pages of the reference that are made with the site: all commands, all modules, the verbs."""

import ast
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import hw_sim
import retronet
from retronet_cli.main import COMMANDS, cli

pytest.importorskip("myst_parser")
REPOSITORY = Path(__file__).parents[1]
DOCS = REPOSITORY / "docs"
CONFIGURATION: dict[str, Any] = runpy.run_path(str(DOCS / "conf.py"))


def made(name: str) -> str:
    """Return a page as Sphinx reads it."""
    source = [(DOCS / f"{name}.md").read_text(encoding="utf-8")]
    CONFIGURATION["complete"](None, name, source)
    return source[0]


def test_every_command_is_told_as_its_help_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words, options and examples, line by line, whatever the environment sets."""
    before = made("commands")
    monkeypatch.setenv("RETRONET_RUNS_DIR", "elsewhere")
    page = made("commands")
    assert page == before
    assert "{commands}" not in page

    sections = re.findall(
        r"^#+ (retronet[\w -]*)\n\n```text\n(.*?)\n```$", page, flags=re.MULTILINE | re.DOTALL
    )
    monkeypatch.delenv("RETRONET_RUNS_DIR")
    for name, text in sections:
        words = name.split()[1:]
        shown = CliRunner().invoke(cli, [*words, "--help"], prog_name="retronet", terminal_width=80)
        assert text == shown.stdout.rstrip("\n")
        assert re.search(r"^  Examples?:$", text, flags=re.MULTILINE), name
    names = {name for name, _ in sections}
    assert len(names) == len(sections)
    assert {f"retronet {name}" for name in COMMANDS} | {"retronet", "retronet export rtl"} <= names
    assert len(names) == page.count("Usage: retronet")


def test_every_module_is_told_with_all_that_it_has() -> None:
    page = made("modules")
    parts = re.split(r"^### (.*)$", page, flags=re.MULTILINE)
    told = dict(zip(parts[1::2], parts[2::2], strict=True))
    paths = [path for package in ("retronet", "hw_sim") for path in (REPOSITORY / package).rglob("*.py")]
    assert len(told) == len(paths) - 2
    for path in paths:
        name = ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")
        tree = ast.parse(path.read_text(encoding="utf-8"))
        kinds = (ast.ClassDef, ast.FunctionDef)
        own = [node.name for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]
        if name in told:
            assert re.findall(r"^- `(\w+)`(?:: \S|$)", told[name], flags=re.MULTILINE) == own, name
        else:
            assert name in ("retronet", "hw_sim")


def test_every_verb_is_told_in_full() -> None:
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\.\. auto(?:function|class|exception):: (.*)$", page, flags=re.MULTILINE)
    wanted = []
    for package in (retronet, hw_sim):
        objects = [getattr(package, name) for name in dir(package) if name != "__version__"]
        wanted += [f"{each.__module__}.{each.__qualname__}" for each in objects]
    assert sorted(set(wanted) - set(listed)) == []
    assert len(set(listed)) == len(listed)


def test_the_reference_is_in_the_contents() -> None:
    contents = (DOCS / "index.md").read_text(encoding="utf-8")
    pages = ("commands", "number-formats", "formats", "records", "benchmarks", "api", "modules", "changelog")
    for name in pages:
        assert re.search(rf"^{name}$", contents, flags=re.MULTILINE), name
    assert "../benchmarks/README.md" in (DOCS / "benchmarks.md").read_text(encoding="utf-8")
