"""How Sphinx makes a site of these pages: `sphinx-build -W docs site`.

Two pages are completed while it does, from what they are about, so that they can not be out of date: the help
of every command in `commands.md`, what is in every module in `modules.md`. A name in braces says where.
"""

import ast
import os
import re
from collections.abc import Iterator
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

import click

project = "retronet"
author = "The retronet developers"
version = release = version_of("retronet")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = f"retronet {version}"
exclude_patterns = ["site"]
myst_heading_anchors = 3
# Pages are read on their own too: their links to README, sources and benchmarks lead out of this folder.
suppress_warnings = ["myst.xref_missing"]
autodoc_typehints = "description"
autodoc_member_order = "bysource"
napoleon_google_docstring = False

ROOT = Path(__file__).parents[1]


def commands(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every command below and including `command`: its words, and its help as 80 columns show it."""
    context = click.Context(
        command, info_name=" ".join(path), terminal_width=80, help_option_names=["-h", "--help"]
    )
    yield path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from commands(inner, (*path, name))


def help_of_commands() -> str:
    """Return the help of every command as Markdown, a section a command."""
    from retronet_cli.main import cli

    # What an environment sets would stand there as a default.
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("RETRONET_")}
    try:
        return "\n".join(
            f"{'#' * min(len(path) + 1, 3)} {' '.join(path)}\n\n```text\n{text}\n```\n"
            for path, text in commands(cli, ("retronet",))
        )
    finally:
        os.environ |= kept


def contents(path: Path) -> str:
    """Return what a module is about and what it has, as Markdown."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    lines = [_sentence(tree), ""]
    for node in tree.body:
        match node:
            case ast.ClassDef() | ast.FunctionDef() if not node.name.startswith("_"):
                lines.append(f"- `{node.name}`: {_sentence(node)}".removesuffix(": "))
            case _:
                pass
    return "\n".join(lines)


def _sentence(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> str:
    """Return the first paragraph of a docstring as Markdown."""
    text = " ".join((ast.get_docstring(node) or "").partition("\n\n")[0].split())
    text = re.sub(r":\w+:`~?([^`]*)`", r"`\1`", text).replace("``", "`")
    # A name between plain bars or stars is no emphasis, nor is what stands in brackets a link.
    return re.sub(r"`[^`]*`|[*_\[\]<|]", lambda each: each[0] if len(each[0]) > 1 else f"\\{each[0]}", text)


def modules() -> str:
    """Return every module of the library as Markdown, a section each."""
    parts = []
    for package in ("retronet", "hw_sim"):
        parts.append(f"## {package}\n")
        for path in sorted((ROOT / package).rglob("*.py")):
            words = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(words[:-1] if words[-1] == "__init__" else words)
            if name != package:
                parts.append(f"### {name}\n\n{contents(path)}\n")
    return "\n".join(parts)


MADE = {"commands": ("{commands}", help_of_commands), "modules": ("{modules}", modules)}


def complete(_app: object, name: str, source: list[str]) -> None:
    """Put into a page that is being read what belongs in the place of its name in braces."""
    if name in MADE:
        place, make = MADE[name]
        source[0] = source[0].replace(f"\n{place}\n", f"\n{make()}\n")


def setup(app: Any) -> None:  # noqa: ANN401 - Sphinx has no types for this
    """Let Sphinx complete pages."""
    app.connect("source-read", complete)
