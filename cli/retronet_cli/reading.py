"""What commands that read pictures have in common: in which arithmetic the network answers."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retronet_cli.chip_options import ChipChoices, options_of, refuse_options, refuse_options_of_chips
from retronet_cli.precision import Choices, plan_for

if TYPE_CHECKING:
    from hw_sim.chips.spec import ChipSpec
    from hw_sim.plan.plan import PrecisionPlan
    from retronet.datasets import DigitSets
    from retronet.reading.read import Answer
    from retronet.runs.checkpoint import Checkpoint


@dataclass(frozen=True)
class Arithmetic:
    """What answers, and in which arithmetic; `plan` is that of fixed point, if it is that."""

    name: str
    answer: "Answer"
    plan: "PrecisionPlan | None" = None


def chip_of(choices: ChipChoices) -> "ChipSpec | None":
    """Return the chip that was named, before anything that takes seconds is done.

    Raises
    ------
    InputError
        If there is no such chip, or it can not be simulated.
    click.UsageError
        If an option is given that the chip does not take, or one of a chip without a chip.
    """
    if choices.chip is None:
        refuse_options_of_chips()
        return None
    from hw_sim.chips.load import load_chip

    chip = load_chip(choices.chip)
    from hw_sim.chips.answer import answer_options

    refuse_options(chip, answer_options(chip))
    return chip


def arithmetic_of(
    chip: "ChipSpec | None",
    chip_choices: ChipChoices,
    choices: Choices,
    run: "tuple[Path, Checkpoint]",
    digits: "DigitSets",
    quiet: bool,
) -> Arithmetic:
    """Return what answers: the chip; fixed point where formats are asked for or the run's own; else float.

    Raises
    ------
    InputError
        If the options do not suit the network.
    """
    from retronet_cli.runs import retrained
    from retronet_cli.terminal import talk

    folder, checkpoint = run
    trained = checkpoint.trained
    if chip is not None:
        from hw_sim.chips.answer import answer_on, answer_options

        if not quiet:
            talk(f"Reading with the chip {chip.name} in its own arithmetic …")
        options = options_of(chip, chip_choices, answer_options(chip))
        answer = answer_on(chip, trained, digits, threads=os.cpu_count() or 1, **options)
        return Arithmetic(chip.name, answer)
    if not choices.given and not retrained(folder):
        return Arithmetic("floating point", trained.outputs)
    from hw_sim.fixed_point.quantize import quantize
    from hw_sim.fixed_point.simulate import run_integers

    plan, own = plan_for(choices, folder, trained, digits.train, quiet)
    integers = quantize(trained, plan)
    name = "fixed point, the run's own plan" if own else "fixed point"
    return Arithmetic(name, lambda images: run_integers(integers, images).outputs, plan)
