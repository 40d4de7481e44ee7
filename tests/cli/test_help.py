"""Help that is complete, true to the commands, and quick."""

import shlex
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from retronet_cli.main import cli

Words = tuple[str, ...]


def commands(group: click.Group, path: Words = ()) -> Iterator[tuple[Words, click.Command]]:
    """Yield every command with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


EVERY = dict(commands(cli))
LEAVES = {path: command for path, command in EVERY.items() if not isinstance(command, click.Group)}


@pytest.mark.parametrize("path", [(), *EVERY], ids=" ".join)
def test_help_names_every_option(path: Words) -> None:
    long, short = (CliRunner().invoke(cli, [*path, option]) for option in ("--help", "-h"))

    assert long.exit_code == 0
    assert long.stdout == short.stdout
    assert long.stdout.startswith("Usage: ")
    command = EVERY.get(path, cli)
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert parameter.opts[-1] in long.stdout


def examples() -> list[tuple[Words, str]]:
    """Return each line under "Examples:" with the command it stands in."""
    found = []
    for path, command in EVERY.items():
        _, _, after = (command.help or "").partition("Example")
        lines = [line.strip() for line in after.splitlines()[1:]]
        found += [(path, line) for line in lines if line.startswith("retronet ")]
    return found


@pytest.mark.parametrize("path", [(), *EVERY], ids=" ".join)
def test_the_help_of_every_command_has_an_example(path: Words) -> None:
    page = CliRunner().invoke(cli, [*path, "--help"]).stdout
    _, _, after = page.partition("Example")

    assert " ".join(("retronet", *path)) in after


@pytest.mark.parametrize(
    "path", [(), *(path for path, command in EVERY.items() if isinstance(command, click.Group))], ids=" ".join
)
def test_a_list_of_commands_ends_no_sentence_early(path: Words) -> None:
    listed = CliRunner().invoke(cli, [*path, "--help"]).stdout.partition("Commands:")[2]

    assert listed
    assert "..." not in listed


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("simulate", "[default: 8, or a retrained run's own plan]"),
        ("read", "[default: floating point, or a retrained run's own plan]"),
        ("codes", "[default: floating point, or a retrained run's own plan]"),
        ("retrain", "[default: 3, or 8 beside another format]"),
    ],
)
def test_help_says_what_bits_there_are_without_the_option(name: str, said: str) -> None:
    page = CliRunner().invoke(cli, [name, "--help"]).stdout

    assert said in " ".join(page.split())


def test_retronet_alone_shows_five_commands_that_it_takes() -> None:
    result = CliRunner().invoke(cli, [])
    lines = [
        line.strip().split("  ")[0] for line in result.stdout.splitlines() if line.startswith("  retronet")
    ]

    assert result.exit_code == 0
    assert len(lines) == len({line.split()[1] for line in lines}) == 5
    assert max(map(len, result.stdout.splitlines())) < 80
    assert len(result.stdout.splitlines()) < 24
    for line in lines:
        _, name, *words = shlex.split(line)
        EVERY[(name,)].make_context(name, words)


def test_examples_are_ones_the_commands_take() -> None:
    """Parsed as typed, without being run: wrong options and values are refused here."""
    for path, line in examples():
        words = shlex.split(line.partition(" > ")[0])[1:]
        assert tuple(words[: len(path)]) == path, line
        command: click.Command = cli
        while isinstance(command, click.Group):
            found = command.get_command(click.Context(command), words.pop(0))
            assert found is not None, line
            command = found
        command.make_context(line, words)


def test_help_lists_the_exit_codes() -> None:
    text = " ".join(CliRunner().invoke(cli, ["--help"]).stdout.split())

    assert (
        "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 data not available or not the known one, "
        "4 a requested check did not hold, 130 interrupted."
    ) in text


def printed_by(code: str) -> str:
    """Return what `code` prints in a process of its own."""
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_no_help_page_and_no_package_import_loads_compilers() -> None:
    """Numba, torch and scipy take seconds to import; whoever asks for help or imports a package waits not."""
    code = f"""
import contextlib, io, sys
import retronet, hw_sim, retronet_cli
from retronet_cli.main import cli
for path in {[list(path) for path in [(), *EVERY]]!r}:
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        cli([*path, "--help"], standalone_mode=False)
    assert printed.getvalue().startswith("Usage: "), path
cli(["--version"], standalone_mode=False)
print(sorted({{"numba", "torch", "scipy", "llvmlite", "safetensors"}} & sys.modules.keys()))
"""
    assert printed_by(code).splitlines()[-1] == "[]"


def test_showing_and_dry_runs_load_no_compiler() -> None:
    """What only reads descriptions answers at once too."""
    code = """
import contextlib, io, sys
from retronet_cli.main import cli
for line in (
    "show recipes", "show networks", "show network lecun1989", "show chip anna", "report",
    "train --dry-run", "data list",
):
    with contextlib.redirect_stdout(io.StringIO()):
        cli(line.split(), standalone_mode=False)
print(sorted({"numba", "torch"} & sys.modules.keys()))
"""
    assert printed_by(code).splitlines()[-1] == "[]"
