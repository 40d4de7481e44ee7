"""A word while something loads: on a terminal, after a while, and only if nothing else was said."""

import sys
import time

import click
import pytest

from retronet_cli import waiting
from retronet_cli.terminal import talk
from retronet_cli.waiting import QUIET, loading

WORD = "Loading …\n"


@pytest.mark.parametrize(
    ("terminal", "quiet", "speaks", "told"),
    [
        (True, False, False, WORD),
        (True, True, False, ""),
        (False, False, False, ""),
        (True, False, True, "so\n"),
    ],
)
def test_the_word_comes_where_it_helps(
    terminal: bool,
    quiet: bool,
    speaks: bool,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(waiting, "PATIENCE_S", 0.05)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    context = click.Context(click.Command("a"))
    context.meta[QUIET] = quiet
    with loading(context):
        if speaks:
            talk("so")
        time.sleep(0.3)

    assert capsys.readouterr().err == told


def test_a_quick_command_says_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(waiting, "PATIENCE_S", 0.2)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with loading(click.Context(click.Command("a"))):
        pass
    time.sleep(0.4)

    assert capsys.readouterr().err == ""
