"""A trained network simulated on a chip: the options that were given, and what is printed of the report."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from retronet_cli.chip_options import ChipChoices, options_of, refuse_options, refuse_options_of_chips
from retronet_cli.forms import Form, give
from retronet_cli.runs import retrained, take_digits, take_run, title_of

if TYPE_CHECKING:
    from hw_sim.chips.cost.network_cost import CostReport
    from hw_sim.chips.spec import ChipSpec
    from retronet_cli.views.on_chip import View


def simulated_on_chip(
    choices: ChipChoices,
    run: Path | None,
    runs: Path,
    data: str | None,
    data_dir: Path | None,
    form: Form,
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
    if choices.chip is None:
        refuse_options_of_chips()
        return False
    import msgspec

    from hw_sim.chips.load import load_chip

    chip = load_chip(choices.chip)  # before what takes seconds to import
    from hw_sim.chips.ahead import to_simulate_on
    from hw_sim.chips.simulate import cost_as_run, option_names, simulate_on
    from retronet_cli.ahead import compile_ahead
    from retronet_cli.terminal import talk, working
    from retronet_cli.views.costs import cost_records
    from retronet_cli.views.on_chip import view

    refuse_options(chip, option_names(chip))
    folder, checkpoint = take_run(run, runs, quiet)
    if not quiet and retrained(folder):
        talk(f"The run was retrained under a plan of its own; the formats of {chip.name} take its place.")
    trained, options = checkpoint.trained, options_of(chip, choices)
    compile_ahead(*to_simulate_on(chip, trained))
    digits = take_digits(checkpoint, data, data_dir)
    with working(f"simulating {chip.name}", enabled=not quiet):
        report = simulate_on(chip, trained, digits, threads=os.cpu_count() or 1, **options)
    modelled = cost_as_run(chip, trained.network, report)
    name = digits.test.provenance.name
    title = f"{title_of(checkpoint)} on {len(digits.test.images):,} test digits of {name}"
    shown = view(chip, trained.network, report, title, digits.notice)
    if shown.note and not quiet:
        talk(shown.note)
    if form.given:
        fields = {
            "run": str(folder),
            "dataset": name,
            "chip": chip.name,
            "simulated": msgspec.to_builtins(report),
            "modelled": msgspec.to_builtins(modelled),
        }
        tables = {
            "simulated": [fields["simulated"]],
            "modelled": [] if modelled is None else cost_records([modelled]),
        }
        # Of what the report lists, such as its layers or the chips drawn, each has a table of its own.
        tables |= {
            key: rows
            for key, rows in fields["simulated"].items()
            if isinstance(rows, list | tuple) and rows and isinstance(rows[0], dict)
        }
        give(form, "chip-simulation", fields, tables)
    else:
        _print(chip, shown, modelled)
    return True


def _print(chip: "ChipSpec", shown: "View", modelled: "CostReport | None") -> None:
    from retronet_cli.terminal import print_assumptions, print_table
    from retronet_cli.views.costs import totals_table

    print_assumptions(shown.assumptions)
    if modelled is not None:
        title = f"What {chip.name} would take for {modelled.network}: modelled, not measured"
        print_table(totals_table(title, [modelled]))
    for table in reversed(shown.tables):  # the first is the answer: it stays on the screen
        print_table(table)
