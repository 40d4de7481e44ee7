"""Every number that a command takes has two limits: both are taken, and nothing beyond them."""

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from retronet_cli.main import cli
from retronet_cli.options import MOST_NUMBERS, Numbers

RANGES = (click.IntRange, click.FloatRange)


def commands(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command and how it is called."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        yield from commands(inner, (*path, name))


def numeric() -> list[tuple[tuple[str, ...], click.Parameter]]:
    """Return every parameter that is a number, or a list of them, with its command."""
    numbers = (*RANGES, Numbers, type(click.INT), type(click.FLOAT))
    return [
        (path, parameter)
        for path, command in commands(cli)
        for parameter in command.params
        if isinstance(parameter.type, numbers)
    ]


def limits(kind: click.ParamType[object]) -> tuple[float, float]:
    span = kind.range if isinstance(kind, Numbers) else kind
    assert isinstance(span, RANGES), f"{kind} has no limits"
    assert span.min is not None, f"{kind} lacks a limit"
    assert span.max is not None, f"{kind} lacks a limit"
    return span.min, span.max


NUMERIC = numeric()
NAMES = [" ".join((*path, parameter.opts[0])) for path, parameter in NUMERIC]


@pytest.mark.parametrize(("path", "parameter"), NUMERIC, ids=NAMES)
def test_both_limits_are_taken_and_no_more(path: tuple[str, ...], parameter: click.Parameter) -> None:
    low, high = limits(parameter.type)
    for taken in (low, high):
        assert parameter.type.convert(str(taken), parameter, None) in (taken, (taken,))
    further = 1.01 * high if isinstance(high, float) else high + 1
    beyond = [str(further), str(low - 1), "nan", "inf", "-inf", "9" * 5000, "²", "", "x", "1e999"]
    for typed in [*beyond, f"{low}-{'9' * 20}", f"0-{MOST_NUMBERS}"]:
        called = CliRunner().invoke(cli, [*path, f"{parameter.opts[0]}={typed}"])
        assert called.exit_code == 2, (typed, called.output)
        assert "Traceback" not in called.output
        assert isinstance(called.exception, SystemExit)
        assert parameter.opts[0] in called.stderr


def test_the_range_is_named_by_what_refuses() -> None:
    for typed, said in (("33", "2<=x<=32"), ("nan", "is not a valid")):
        called = CliRunner().invoke(cli, ["simulate", "--weight-bits", typed])
        assert said in called.stderr
    for typed, said in (("nan", "1e-30<=x<=3.4e+38"), ("0", "1e-30<=x<=3.4e+38")):
        assert said in CliRunner().invoke(cli, ["retrain", "--rate", typed]).stderr
    assert (
        f"{MOST_NUMBERS:,} are allowed" in CliRunner().invoke(cli, ["train", "--seeds", f"0-{10**12}"]).stderr
    )
