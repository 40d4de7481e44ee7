"""A trained network simulated on a chip: which chips can be simulated, and what is printed of each."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from retronet.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from hw_sim.chip import ChipSpec
    from hw_sim.dsp32c import TanhRoutine
    from retronet.checkpoint import Checkpoint
    from retronet.datasets import DigitSets

SHARED = {"run", "chip", "data", "data_dir", "runs", "as_json", "quiet"}
"""Options that mean the same with a chip as without one."""


@dataclass(frozen=True)
class Asked:
    """What a chip's simulation is given: a trained network, its digits, and the options of the chip."""

    chip: "ChipSpec"
    checkpoint: "Checkpoint"
    digits: "DigitSets"
    tanh: "TanhRoutine"


@dataclass(frozen=True)
class Answer:
    """What a chip's simulation gives back: fields of the JSON object, tables, and what it assumes."""

    fields: dict[str, Any]
    tables: "list[Table]"
    assumptions: tuple[str, ...]


def _dsp32c(asked: Asked) -> Answer:
    import msgspec

    from hw_sim.dsp32c_report import dsp_report
    from retronet_cli.runs import title_of
    from retronet_cli.views.emulation import answers_table, drift_table

    network, parameters = asked.checkpoint.header.network, asked.checkpoint.state.parameters
    found = dsp_report(network, parameters, asked.digits.test, asked.tanh)
    title = f"{title_of(asked.checkpoint)} on {found.images:,} test digits of " + (
        asked.digits.test.provenance.name
    )
    return Answer(
        msgspec.to_builtins(found),
        [answers_table(title, found, asked.digits.notice), drift_table(found)],
        found.assumptions,
    )


SIMULATIONS: dict[str, tuple[Callable[[Asked], Answer], frozenset[str]]] = {
    # chip: (its simulation, the options that it takes besides those that all have)
    "dsp32c-80ns": (_dsp32c, frozenset({"tanh"})),
    "dsp32c-100ns": (_dsp32c, frozenset({"tanh"})),
}


def simulated_on_chip(
    name: str | None,
    run: Path | None,
    runs: Path,
    data: str | None,
    data_dir: Path | None,
    tanh: "TanhRoutine",
    as_json: bool,
    quiet: bool,
) -> bool:
    """Simulate a run on the chip called `name`, print what came out, and what the cost model says of it.

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
    import msgspec

    from hw_sim.chip import load_chip
    from hw_sim.cost import cost
    from retronet_cli.runs import take_digits, take_run
    from retronet_cli.terminal import print_assumptions, print_json, print_table
    from retronet_cli.views.costs import totals_table

    if name is None:
        _refuse_options_of_chips()
        return False
    chip = load_chip(name)
    simulation, takes = _simulation_of(chip)
    _refuse_options(chip.name, takes)
    folder, checkpoint = take_run(run, runs, quiet)
    modelled = cost(chip, checkpoint.header.network)
    digits = take_digits(checkpoint, data, data_dir)
    answer = simulation(Asked(chip, checkpoint, digits, tanh))
    if as_json:
        found = {
            "run": str(folder),
            "dataset": digits.test.provenance.name,
            "chip": chip.name,
            "simulated": answer.fields,
            "modelled": msgspec.to_builtins(modelled),
        }
        print_json("chip-simulation", found)
        return True
    for table in answer.tables:
        print_table(table)
    print_table(totals_table(f"What {chip.name} would take: modelled, not measured", [modelled]))
    print_assumptions(answer.assumptions)
    return True


def _simulation_of(chip: "ChipSpec") -> tuple[Callable[[Asked], Answer], frozenset[str]]:
    if chip.name not in SIMULATIONS:
        raise InputError(
            f"The chip '{chip.name}' can not be simulated: its arithmetic is not implemented; that of "
            f"{', '.join(sorted(SIMULATIONS))} is. Choose one of those, or see what it would cost with "
            f"`retronet report --chip {chip.name}`."
        )
    return SIMULATIONS[chip.name]


def _refuse_options_of_chips() -> None:
    """Refuse what only a chip takes."""
    given = _given() & frozenset[str]().union(*(takes for _, takes in SIMULATIONS.values()))
    if given:
        raise click.UsageError(f"--{min(given)} goes with --chip alone. Name a chip, or leave it out.")


def _refuse_options(chip: str, takes: frozenset[str]) -> None:
    """Refuse what this chip would ignore."""
    left = _given() - SHARED - takes
    if left:
        raise click.UsageError(
            f"--{min(left).replace('_', '-')} does not go with --chip {chip}, whose arithmetic is its own. "
            "Leave one of them out."
        )


def _given() -> set[str]:
    """Return the parameters that stand on the command line."""
    context = click.get_current_context()
    names = [parameter.name or "" for parameter in context.command.params]
    return {name for name in names if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
