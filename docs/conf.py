"""How Sphinx makes a site of these pages: `sphinx-build -W docs site`.

Three pages are completed while it does, from what they are about, so that they can not be out of date: the help of
every command in `commands.md`, every module in `modules-retronet.md` and `modules-hw-sim.md`. A line with a name in
braces says where.
"""

import importlib
import os
import pkgutil
from collections.abc import Iterator
from importlib.metadata import version as version_of
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
suppress_warnings = [
    "myst.xref_missing",
    "ref.python",  # words in the shapes of arrays, such as units, are no names of anything
]
autodoc_typehints = "description"
autodoc_member_order = "bysource"
napoleon_google_docstring = False


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


def modules_of(package: str) -> Iterator[str]:
    """Yield the modules of a package but for its compiled loops, whose functions are told by comments beside them."""
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if "kernels" not in module.name.split("."):
            yield module.name


def library(package: str) -> str:
    """Return the reference of a package as Markdown, a section a module."""
    directive = "```{{eval-rst}}\n.. automodule:: {0}\n   :members:\n```\n"
    return "\n".join(f"## {name}\n\n{directive.format(name)}" for name in modules_of(package))


MADE = {
    "commands": ("{commands}", help_of_commands),
    "modules-retronet": ("{modules}", lambda: library("retronet")),
    "modules-hw-sim": ("{modules}", lambda: library("hw_sim")),
}


def complete(_app: object, name: str, source: list[str]) -> None:
    """Put into a page that is being read what belongs in the place of its name in braces."""
    if name in MADE:
        place, make = MADE[name]
        source[0] = source[0].replace(f"\n{place}\n", f"\n{make()}\n")


def setup(app: Any) -> None:  # noqa: ANN401 - Sphinx has no types for this
    """Let Sphinx complete pages."""
    app.connect("source-read", complete)
