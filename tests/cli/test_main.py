"""Exit codes, versions, and what help does not load."""

import importlib
import subprocess
import sys
from importlib.metadata import version

import click
import pytest
from click.testing import CliRunner

from retronet.errors import CheckError, DataError, DivergedError, InputError
from retronet_cli import main
from retronet_cli.main import COMMANDS, cli


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch):  # noqa: ANN201
    """Put a command `fail` in place that raises what it is given."""

    def place(error: BaseException) -> None:
        @click.command()
        def fail() -> None:
            raise error

        monkeypatch.setattr(main, "fail", fail, raising=False)
        monkeypatch.setitem(COMMANDS, "fail", ("retronet_cli.main", "fail", "Fail."))

    return place


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (DivergedError("It diverged."), 1, "Error: It diverged.\n"),
        (DataError("No digits."), 3, "Error: No digits.\n"),
        (CheckError("Too many misses."), 4, "Error: Too many misses.\n"),
        (KeyboardInterrupt(), 130, "Interrupted.\n"),
        (InputError("There is no 'a\nb\x1b[31m'."), 1, "Error: There is no 'a b [31m'.\n"),
        (InputError("There is no 'a\udc9b31m'."), 1, "Error: There is no 'a 31m'.\n"),
    ],
)
def test_errors_become_a_sentence_and_a_code(failing, error: BaseException, code: int, said: str) -> None:  # noqa: ANN001
    failing(error)

    result = CliRunner().invoke(cli, ["fail"])

    assert result.exit_code == code
    assert (result.stdout, result.stderr) == ("", said)


def test_debug_shows_the_traceback(failing) -> None:  # noqa: ANN001
    failing(DataError("No digits."))

    assert "Traceback" in CliRunner().invoke(cli, ["--debug", "fail"]).stderr


def test_programming_errors_keep_their_traceback(failing) -> None:  # noqa: ANN001
    failing(ZeroDivisionError())

    assert isinstance(CliRunner().invoke(cli, ["fail"]).exception, ZeroDivisionError)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("trian", "train"), ("Simulate", "simulate"), ("sweeps", "sweep"), ("imprt", "import")],
)
def test_a_mistyped_command_is_told_the_nearest(typed: str, meant: str) -> None:
    result = CliRunner().invoke(cli, [typed, "--json"])

    assert result.exit_code == 2
    assert f"There is no command '{typed}'. Did you mean '{meant}'? Known: train, " in result.stderr


def test_a_word_near_to_none_is_told_all() -> None:
    result = CliRunner().invoke(cli, ["zzzz"])

    assert result.exit_code == 2
    assert f"There is no command 'zzzz'. Known: {', '.join(COMMANDS)}." in result.stderr


def test_wrong_usage_is_2() -> None:
    assert CliRunner().invoke(cli, ["nonesuch"]).exit_code == 2
    assert CliRunner().invoke(cli, ["data", "list", "--nonesuch"]).exit_code == 2


def test_version_names_what_the_results_depend_on() -> None:
    lines = CliRunner().invoke(cli, ["--version"]).stdout.splitlines()

    assert lines[0] == f"retronet {version('retronet')}"
    for package in ("numpy", "numba", "torch"):
        assert f"{package} {version(package)}" in lines


@pytest.mark.parametrize("name", COMMANDS)
def test_short_help_is_the_commands_own(name: str) -> None:
    module, attribute, short = COMMANDS[name]
    command = getattr(importlib.import_module(module), attribute)

    assert command.help.partition("\n")[0] == short
    assert f"{name} " in CliRunner().invoke(cli, ["-h"]).stdout


def test_help_and_version_load_nothing_slow() -> None:
    code = (
        "import sys\nfrom retronet_cli.main import cli\n"
        "cli([{!r}], standalone_mode=False)\n"
        "sys.exit(any(name in sys.modules for name in ('numpy', 'numba', 'torch', 'rich')))"
    )
    for option in ("--help", "--version"):
        ran = subprocess.run([sys.executable, "-c", code.format(option)], check=False, capture_output=True)
        assert ran.returncode == 0, ran.stderr


def test_module_and_script_are_the_same_command() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "retronet_cli", "--help"], check=True, capture_output=True, text=True
    )

    assert ran.stdout.startswith("Usage: retronet ")
