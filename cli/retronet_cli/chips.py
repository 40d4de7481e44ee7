"""A trained network simulated on a chip: which chips can be simulated, and what is printed of each."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click
import msgspec
from click.core import ParameterSource
from msgspec.structs import replace

from retronet.errors import InputError
from retronet_cli.options import complete_chip
from retronet_cli.runs import take_digits, take_run, title_of

if TYPE_CHECKING:
    from rich.table import Table

    from hw_sim.chip import ChipSpec
    from retronet.checkpoint import Checkpoint
    from retronet.datasets import DigitSets

Options = TypeVar("Options", bound=msgspec.Struct)

SHARED = {"run", "chip", "data", "data_dir", "runs", "as_json", "quiet"}
"""Options that mean the same with a chip as without one, and the chip itself."""

Command = Callable[..., Any]


class ChipChoices(msgspec.Struct, frozen=True):
    """The options that go with a chip, as they were given."""

    chip: str | None
    tanh: Literal["exact", "sn"]
    chips: int
    seed: int
    settings: tuple[str, ...]


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
)


def chip_options(command: Command) -> Command:
    """Give `command` the options of `ChipChoices`."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def take_chip_choices(options: dict[str, Any]) -> ChipChoices:
    """Take the options of `ChipChoices` out of all that were given."""
    return ChipChoices(*(options.pop(name) for name in ChipChoices.__struct_fields__))


class Asked(msgspec.Struct, frozen=True):
    """What a chip's simulation is given: a trained network, its digits and the options."""

    checkpoint: "Checkpoint"
    digits: "DigitSets"
    choices: ChipChoices

    @property
    def title(self) -> str:
        """What was run on what."""
        test = self.digits.test
        on = f"{len(test.images):,} test digits of {test.provenance.name}"
        return f"{title_of(self.checkpoint)} on {on}"


class Answer(msgspec.Struct, frozen=True):
    """What a chip's simulation gives back: its report, the tables of it, and what it assumes.

    ``beside`` is the number of layers that ran beside the chip, if that was an option.
    """

    report: msgspec.Struct
    tables: "list[Table]"
    assumptions: tuple[str, ...]
    beside: int | None = None


Simulation = Callable[[Asked], Answer]


def _dsp32c(asked: Asked) -> Answer:
    from hw_sim.dsp32c_report import dsp_report
    from retronet_cli.views.emulation import answers_table, drift_table

    network, parameters = asked.checkpoint.header.network, asked.checkpoint.state.parameters
    found = dsp_report(network, parameters, asked.digits.test, asked.choices.tanh)
    tables = [answers_table(asked.title, found, asked.digits.notice), drift_table(found)]
    return Answer(found, tables, found.assumptions)


def _anna(asked: Asked) -> Answer:
    from hw_sim.anna import AnnaOptions, run_anna
    from retronet_cli.views import anna

    header, choices = asked.checkpoint.header, asked.choices
    found = run_anna(
        header.network,
        asked.checkpoint.state.parameters,
        asked.digits,
        _options(AnnaOptions, choices),
        choices.chips,
        choices.seed,
        threads=os.cpu_count() or 1,
        targets=header.recipe.targets,
    )
    tables = [
        anna.scores_table(asked.title, found, asked.digits.notice),
        anna.chain_table(found),
        anna.layers_table(found),
        anna.options_table(found.options),
    ]
    return Answer(found, tables, found.assumptions, found.options.float_layers)


_ANALOG = frozenset({"chips", "seed", "settings"})
SIMULATIONS: dict[str, tuple[Simulation, frozenset[str]]] = {
    # chip: (its simulation, the options that it takes besides those that all have)
    "dsp32c-80ns": (_dsp32c, frozenset({"tanh"})),
    "dsp32c-100ns": (_dsp32c, frozenset({"tanh"})),
    "anna": (_anna, _ANALOG),
}


def _options(kind: type[Options], choices: ChipChoices) -> Options:
    """Return the options of an analog chip with what was set.

    Raises
    ------
    InputError
        If there is no such option, or it can not have this value.
    """
    values: dict[str, object] = {}
    for setting in choices.settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise click.UsageError(f"--set takes KEY=VALUE, such as noise=0.05; found '{setting}'.")
        if key not in kind.__struct_fields__:
            known = ", ".join(kind.__struct_fields__)
            raise InputError(f"The chip '{choices.chip}' has no option '{key}'. It has: {known}.")
        values[key] = value
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise InputError(
            f"The options of the chip '{choices.chip}' can not be changed so: {error}. Give another value."
        ) from error


def simulated_on_chip(
    choices: ChipChoices,
    run: Path | None,
    runs: Path,
    data: str | None,
    data_dir: Path | None,
    as_json: bool,
    quiet: bool,
) -> bool:
    """Simulate a run on the chip that was named, print what came out, and what the cost model says of it.

    Returns
    -------
    bool
        Whether a chip was named; else nothing is done.

    Raises
    ------
    InputError
        If there is no such chip, or it can not be simulated.
    click.UsageError
        If an option is given that the chip does not take, or one of a chip without a chip.
    """
    from hw_sim.chip import load_chip
    from hw_sim.cost import cost
    from retronet_cli.terminal import print_assumptions, print_json, print_table
    from retronet_cli.views.costs import totals_table

    if choices.chip is None:
        _refuse_options_of_chips()
        return False
    chip = load_chip(choices.chip)
    simulation, takes = _simulation_of(chip)
    _refuse_options(chip.name, takes)
    folder, checkpoint = take_run(run, runs, quiet)
    digits = take_digits(checkpoint, data, data_dir)
    answer = simulation(Asked(checkpoint, digits, choices))
    modelled = cost(_as_run(chip, answer.beside), checkpoint.header.network)
    if as_json:
        found = {
            "run": str(folder),
            "dataset": digits.test.provenance.name,
            "chip": chip.name,
            "simulated": msgspec.to_builtins(answer.report),
            "modelled": msgspec.to_builtins(modelled),
        }
        print_json("chip-simulation", found)
        return True
    for table in answer.tables:
        print_table(table)
    print_table(totals_table(f"What {chip.name} would take: modelled, not measured", [modelled]))
    print_assumptions(answer.assumptions)
    return True


def _as_run(chip: "ChipSpec", beside: int | None) -> "ChipSpec":
    """Return `chip` with as many layers beside it as were run there."""
    if beside is None or chip.companion is None:
        return chip
    last_layers = replace(chip.companion.last_layers, value=float(beside))
    return replace(chip, companion=replace(chip.companion, last_layers=last_layers))


def _simulation_of(chip: "ChipSpec") -> tuple[Simulation, frozenset[str]]:
    if chip.name not in SIMULATIONS:
        raise InputError(
            f"The chip '{chip.name}' can not be simulated: its arithmetic is not implemented; that of "
            f"{', '.join(sorted(SIMULATIONS))} is. Choose one of those, or see what it would cost with "
            f"`retronet report --chip {chip.name}`."
        )
    return SIMULATIONS[chip.name]


def _refuse_options_of_chips() -> None:
    """Refuse what only a chip takes."""
    given = _given() & (set(ChipChoices.__struct_fields__) - {"chip"})
    if given:
        raise click.UsageError(f"--{_word(given)} goes with --chip alone. Name a chip, or leave it out.")


def _refuse_options(chip: str, takes: frozenset[str]) -> None:
    """Refuse what this chip would ignore."""
    left = _given() - SHARED - takes
    if left:
        raise click.UsageError(
            f"--{_word(left)} does not go with --chip {chip}, whose arithmetic is its own. "
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
