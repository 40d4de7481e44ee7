"""The options that go with a chip to simulate, and what is refused of them."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Literal

import click
import msgspec
from click.core import ParameterSource

from retronet_cli.forms import FORM_PARAMETERS
from retronet_cli.options import SEED, as_record, complete_chip

if TYPE_CHECKING:
    from hw_sim.chips.spec import ChipSpec

SHARED = {"run", "chip", "data", "data_dir", "runs", "quiet"} | FORM_PARAMETERS
READING = {
    "pictures",
    "digits",
    "least_confidence",
    "steps",
    "work",
    "scan",
    "count",
    "codes_seed",
    "difficulty",
}
"""Options that mean the same with a chip as without one, and the chip itself; then those of reading."""

OWN = frozenset({"tanh", "chips", "seed", "precisions", "retraining"})
"""Options of a simulation that --set does not take as a whole: they have an option of their own, or none."""

RETRAINING = ("retraining.passes", "retraining.rate")
"""What --set takes of how the layers beside an analog chip learn again."""


class ChipChoices(msgspec.Struct, frozen=True):
    """The options that go with a chip, as they were given."""

    chip: str | None
    tanh: Literal["exact", "sn"]
    seed: int
    settings: tuple[str, ...]
    chips: int = 1
    precisions: bool = False


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
        type=SEED,
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

one_chip_options = as_record(ChipChoices, "chip_choices", [OPTIONS[place] for place in (0, 1, 3, 4)])
"""The same for a command that reads with one chip."""


def options_of(
    chip: "ChipSpec", choices: ChipChoices, names: Collection[str] | None = None
) -> dict[str, object]:
    """Return the options of a simulation on `chip` that were given, by name; those of --set are still text.

    `names` are the options there are, if not all of the chip's.

    Raises
    ------
    InputError
        If the chip has no such option.
    click.UsageError
        If --set is not followed by KEY=VALUE, or an option has no use beside --precisions.
    """
    from hw_sim.chips.simulate import no_option, option_names

    names = option_names(chip) if names is None else names
    settable = [name for name in names if name not in OWN]
    settable += RETRAINING if "retraining" in names else ()
    settings: dict[str, Any] = {}
    for setting in choices.settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise click.UsageError(f"--set takes KEY=VALUE, such as noise=0.05; found '{setting}'.")
        if key not in settable:
            raise no_option(chip, key, settable)
        whole, dot, part = key.partition(".")
        settings[whole] = {**settings.get(whole, {}), part: value} if dot else value
    if choices.precisions:
        _refuse_besides_precisions({*settings, *given_options()})
        return {"precisions": True, **settings}
    return {name: getattr(choices, name) for name in ("tanh", "chips", "seed") if name in names} | settings


def refuse_options_of_chips() -> None:
    """Refuse what only a chip takes."""
    given = given_options() & (set(ChipChoices.__struct_fields__) - {"chip"})
    if given:
        raise click.UsageError(f"--{_word(given)} goes with --chip alone. Name a chip, or leave it out.")


def refuse_options(chip: "ChipSpec", names: Collection[str]) -> None:
    """Refuse what this chip would ignore; `names` are those of its simulation's options."""
    takes = OWN.intersection(names) | ({"settings"} if set(names) - OWN else set())
    left = given_options() - SHARED - READING - takes
    if left:
        raise click.UsageError(
            f"--{_word(left)} does not go with --chip {chip.name}, whose arithmetic is its own. "
            "Leave one of them out."
        )


def _refuse_besides_precisions(given: set[str]) -> None:
    """Refuse what a table of precisions sets itself, or has no use for."""
    from hw_sim.chips.simulate import SET_BY_PRECISIONS

    left = [name for name in SET_BY_PRECISIONS if name in given]
    if left:
        raise click.UsageError(
            f"'{left[0]}' does not go with --precisions, which draws no chips and sets the bits itself. "
            "Leave one of them out."
        )


def _word(names: set[str]) -> str:
    """Return the option that the first of `names` is typed as."""
    return {"settings": "set"}.get(min(names), min(names)).replace("_", "-")


def given_options() -> set[str]:
    """Return the parameters that stand on the command line."""
    context = click.get_current_context()
    names = [parameter.name or "" for parameter in context.command.params]
    return {name for name in names if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
