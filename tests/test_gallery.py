"""The gallery: pictures that are there and small, each under a command that `retronet` takes."""

import re
import shlex
from pathlib import Path

import click

from retronet_cli.main import cli

DOCS = Path(__file__).parents[1] / "docs"
TEXT = (DOCS / "gallery.md").read_text(encoding="utf-8")


def test_six_pictures_are_there_and_small() -> None:
    names = re.findall(r"\]\((gallery/\w+\.svg)\)", TEXT)

    assert len(set(names)) == len(names) == 6
    assert {f"gallery/{path.name}" for path in (DOCS / "gallery").iterdir()} == set(names)
    for name in names:
        content = (DOCS / name).read_bytes()
        assert len(content) < 150_000
        assert content.rstrip().endswith(b"</svg>")
        assert b"<image" not in content or name == "gallery/kernels.svg", "only kernels are drawn as pixels"


def test_each_picture_has_the_command_that_draws_it() -> None:
    drawn = []
    for line in re.findall(r"^\$ (retronet .*)$", TEXT, flags=re.MULTILINE):
        words = shlex.split(line)[1:]
        command: click.Command = cli
        while isinstance(command, click.Group):
            following = command.get_command(click.Context(command), words.pop(0))
            assert following is not None, line
            command = following
        # A command keeps the help option of the context that it was first called in.
        given = command.make_context(line, words, help_option_names=["-h", "--help"]).params
        drawn += [f"gallery/{given['output']}"] if " plot " in line else []
    assert drawn == re.findall(r"\]\((gallery/\w+\.svg)\)", TEXT)
