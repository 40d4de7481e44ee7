"""A trained network simulated on a chip: which chips can be simulated, and what is printed of each."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from retronet.errors import InputError
from retronet_cli.chip_options import (
    ChipChoices,
    options_of,
    refuse_besides_precisions,
    refuse_options,
    refuse_options_of_chips,
)
from retronet_cli.runs import take_digits, take_run, title_of

if TYPE_CHECKING:
    from rich.table import Table

    from hw_sim.chips.cost.network_cost import CostReport
    from hw_sim.chips.spec import ChipSpec
    from retronet.datasets import DigitSets
    from retronet.runs.checkpoint import Checkpoint


WEIGHTS_AND_MOST_STATE_BITS = (("1-bit", 3), ("ternary", 3), ("2-bit", 3), ("3-bit", 2), ("4-bit", 2))
"""A weight takes a block a bit, and so does what it reads; eight join. Ternary weights take two."""


class Asked(msgspec.Struct, frozen=True):
    """What a chip's simulation is given: the chip, a trained network, its digits and the options."""

    chip: "ChipSpec"
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

    ``modelled`` is what the cost model says of what ran; absent if it was not the network of the run.
    """

    report: object
    tables: "list[Table]"
    assumptions: tuple[str, ...]
    modelled: "CostReport | None"
    note: str = ""


Simulation = Callable[[Asked], Answer]


def _dsp32c(asked: Asked) -> Answer:
    from hw_sim.chips.cost.network_cost import cost
    from hw_sim.chips.dsp32c.report import dsp_report
    from retronet_cli.views.emulation import answers_table, drift_table

    network, parameters = asked.checkpoint.header.network, asked.checkpoint.state.parameters
    found = dsp_report(network, parameters, asked.digits.test, asked.choices.tanh)
    tables = [answers_table(asked.title, found, asked.digits.notice), drift_table(found)]
    return Answer(found, tables, found.assumptions, cost(asked.chip, network))


def _anna(asked: Asked) -> Answer:
    from hw_sim.chips.anna.report import AnnaOptions, run_anna
    from hw_sim.chips.cost.network_cost import cost
    from retronet_cli.views import analog, anna

    header, choices = asked.checkpoint.header, asked.choices
    found = run_anna(
        header.network,
        asked.checkpoint.state.parameters,
        asked.digits,
        options_of(AnnaOptions, choices),
        choices.chips,
        choices.seed,
        threads=os.cpu_count() or 1,
        targets=header.recipe.targets,
    )
    tables = [
        analog.scores_table(asked.title, found, asked.digits.notice),
        anna.chain_table(found),
        anna.layers_table(found),
        analog.options_table(found.options),
    ]
    chip = _as_run(asked.chip, found.options.float_layers)
    return Answer(found, tables, found.assumptions, cost(chip, header.network))


def _as_run(chip: "ChipSpec", beside: int) -> "ChipSpec":
    """Return `chip` with as many layers beside it as were run there."""
    if chip.companion is None:
        return chip
    last_layers = replace(chip.companion.last_layers, value=float(beside))
    return replace(chip, companion=replace(chip.companion, last_layers=last_layers))


def _net32k(asked: Asked) -> Answer:
    from hw_sim.chips.cost.network_cost import cost
    from hw_sim.chips.net32k.report import Net32kOptions, run_net32k
    from retronet_cli.views import analog, net32k

    if asked.choices.precisions:
        return _precisions(asked)
    header, choices = asked.checkpoint.header, asked.choices
    found = run_net32k(
        header.network,
        asked.checkpoint.state.parameters,
        asked.digits,
        options_of(Net32kOptions, choices),
        choices.chips,
        choices.seed,
        threads=os.cpu_count() or 1,
        targets=header.recipe.targets,
    )
    tables = [
        analog.scores_table(asked.title, found, asked.digits.notice),
        net32k.spread_table(found),
        net32k.layers_table(found),
        analog.options_table(found.options),
    ]
    options = found.options
    names = ", ".join(layer.layer for layer in found.layers)
    first = replace(
        header.network,
        name=f"{names} of {header.network.name}",
        layers=header.network.layers[: options.layers],
    )
    modelled = cost(
        asked.chip,
        first,
        weight_bits=len(options.cell_factors),
        state_bits=max(options.state_bits, options.input_bits),
    )
    return Answer(found, tables, found.assumptions, modelled)


def _precisions(asked: Asked) -> Answer:
    """Return how far a little precision in the first layers goes, without analog errors."""
    from hw_sim.chips.net32k.report import ASSUMPTIONS, Net32kOptions, precision_rows
    from retronet.engines.forward import outputs
    from retronet.engines.workspace import Workspace
    from retronet.evaluate import score
    from retronet_cli.views.net32k import precision_table

    refuse_besides_precisions(asked.choices)
    header, parameters = asked.checkpoint.header, asked.checkpoint.state.parameters
    targets, test = header.recipe.targets, asked.digits.test
    options = options_of(Net32kOptions, asked.choices)
    grid = tuple(
        replace(options, weights=weights, state_bits=bits)
        for weights, most in WEIGHTS_AND_MOST_STATE_BITS
        for bits in range(1, most + 1)
    )
    rows = list(precision_rows(header.network, parameters, asked.digits, grid, targets=targets))
    workspace = Workspace(header.network)
    workspace.load(parameters)
    floating = score(outputs(workspace, test.images), test.labels, targets)
    names = ", ".join(layer.name for layer in header.network.layers[: options.layers])
    title = f"{names} on NET32K, pixels of {options.input_bits} bits: {asked.title}"
    table = precision_table(title, rows, floating, asked.digits.notice)
    report = {"network": header.network.name, "options": options, "float": floating, "rows": rows}
    return Answer(report, [table], ASSUMPTIONS, None)


def _graf54(asked: Asked) -> Answer:
    from hw_sim.chips.graf54.report import GrafOptions, run_graf
    from retronet_cli.views import analog, graf

    choices = asked.choices
    options = options_of(GrafOptions, choices, chips=choices.chips)
    found = run_graf(asked.digits, options, choices.seed)
    tables = [
        graf.scores_table(found, asked.digits.notice),
        *([graf.drawn_table(found)] if found.chips else []),
        graf.figures_table(found),
        graf.work_table(found),
        analog.options_table(options),
    ]
    standing = (f"Templates {each}." for each in found.standing)
    note = "Graf's chip has a network of its own behind it: of the run only the digits are used."
    if not found.chips:
        note += " No chips are drawn, since both deviations are 0."
    return Answer(found, tables, (*found.assumptions, *standing), None, note)


_ANALOG = frozenset({"chips", "seed", "settings"})
SIMULATIONS: dict[str, tuple[Simulation, frozenset[str]]] = {
    # chip: (its simulation, the options that it takes besides those that all have)
    "dsp32c-80ns": (_dsp32c, frozenset({"tanh"})),
    "dsp32c-100ns": (_dsp32c, frozenset({"tanh"})),
    "anna": (_anna, _ANALOG),
    "net32k": (_net32k, _ANALOG | {"precisions"}),
    "graf54": (_graf54, _ANALOG),
}


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
    from hw_sim.chips.spec import load_chip
    from retronet_cli.terminal import print_assumptions, print_json, print_table, talk
    from retronet_cli.views.costs import totals_table

    if choices.chip is None:
        refuse_options_of_chips()
        return False
    chip = load_chip(choices.chip)
    simulation, takes = _simulation_of(chip)
    refuse_options(chip.name, takes)
    folder, checkpoint = take_run(run, runs, quiet)
    digits = take_digits(checkpoint, data, data_dir)
    answer = simulation(Asked(chip, checkpoint, digits, choices))
    modelled = answer.modelled
    if answer.note and not quiet:
        talk(answer.note)
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
    if modelled is not None:
        print_table(
            totals_table(
                f"What {chip.name} would take for {modelled.network}: modelled, not measured", [modelled]
            )
        )
    print_assumptions(answer.assumptions)
    return True


def _simulation_of(chip: "ChipSpec") -> tuple[Simulation, frozenset[str]]:
    if chip.name not in SIMULATIONS:
        raise InputError(
            f"The chip '{chip.name}' can not be simulated: its arithmetic is not implemented; that of "
            f"{', '.join(sorted(SIMULATIONS))} is. Choose one of those, or see what it would cost with "
            f"`retronet report --chip {chip.name}`."
        )
    return SIMULATIONS[chip.name]
