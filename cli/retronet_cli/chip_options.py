"""The options that go with a chip to simulate, and what is refused of them."""

from typing import Literal, TypeVar

import click
import msgspec
from click.core import ParameterSource

from retronet.errors import InputError
from retronet_cli.options import as_record, complete_chip

SHARED = {"run", "chip", "data", "data_dir", "runs", "as_json", "quiet"}
"""Options that mean the same with a chip as without one, and the chip itself."""

Options = TypeVar("Options", bound=msgspec.Struct)


class ChipChoices(msgspec.Struct, frozen=True):
    """The options that go with a chip, as they were given."""

    chip: str | None
    tanh: Literal["exact", "sn"]
    chips: int
    seed: int
    settings: tuple[str, ...]
    precisions: bool


OPTIONS = (
    click.option(
        "--chip",
        metavar="NAME",
        shell_complete=complete_chip,
        help="Simulate this chip of `retronet show chips` in its own arithmetic, in place of fixed point.",
    ),
    click.option(
        "--tanh",
        type=click.Choice(["exact", "sn"]),
        default="exact",
        show_default=True,
        help="The squashing function on a DSP-32C: the exact one rounded, or the SN simulator's formula.",
    ),
    click.option(
        "--chips",
        type=click.IntRange(min=1, max=1000),
        default=20,
        show_default=True,
        metavar="N",
        help="Chips to draw where a chip is analog.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        metavar="N",
        help="What analog chips are drawn from.",
    ),
    click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="KEY=VALUE",
        help="Change an assumption of an analog chip, such as noise=0.05; its table names them all.",
    ),
    click.option(
        "--precisions",
        is_flag=True,
        help="On NET32K: tabulate the bits of its weights and states, in place of drawing chips.",
    ),
)


chip_options = as_record(ChipChoices, "chip_choices", OPTIONS)
"""Gives a command the options, which it takes as one argument `chip_choices`."""


def options_of(kind: type[Options], choices: ChipChoices, **others: object) -> Options:
    """Return the options of an analog chip with what was set; `others` are those that --set does not take.

    Raises
    ------
    InputError
        If there is no such option, or it can not have this value.
    """
    values = dict(others)
    for setting in choices.settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise click.UsageError(f"--set takes KEY=VALUE, such as noise=0.05; found '{setting}'.")
        if key in others or key not in kind.__struct_fields__:
            known = ", ".join(name for name in kind.__struct_fields__ if name not in others)
            raise InputError(f"The chip '{choices.chip}' has no option '{key}'. It has: {known}.")
        values[key] = value
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise InputError(
            f"The options of the chip '{choices.chip}' can not be changed so: {error}. Give another value."
        ) from error


def refuse_options_of_chips() -> None:
    """Refuse what only a chip takes."""
    given = _given() & (set(ChipChoices.__struct_fields__) - {"chip"})
    if given:
        raise click.UsageError(f"--{_word(given)} goes with --chip alone. Name a chip, or leave it out.")


def refuse_options(chip: str, takes: frozenset[str]) -> None:
    """Refuse what this chip would ignore."""
    left = _given() - SHARED - takes
    if left:
        raise click.UsageError(
            f"--{_word(left)} does not go with --chip {chip}, whose arithmetic is its own. "
            "Leave one of them out."
        )


def refuse_besides_precisions(choices: ChipChoices) -> None:
    """Refuse what a table of precisions sets itself, or has no use for."""
    settings = {setting.partition("=")[0] for setting in choices.settings}
    left = sorted(_given() & {"chips", "seed"}) + sorted(
        settings & {"weights", "state_bits", "law", "accuracy"}
    )
    if left:
        raise click.UsageError(
            f"'{left[0]}' does not go with --precisions, which draws no chips and sets the bits itself. "
            "Leave one of them out."
        )


def _word(names: set[str]) -> str:
    """Return the option that the first of `names` is typed as."""
    return {"settings": "set"}.get(min(names), min(names)).replace("_", "-")


def _given() -> set[str]:
    """Return the parameters that stand on the command line."""
    context = click.get_current_context()
    names = [parameter.name or "" for parameter in context.command.params]
    return {name for name in names if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
