"""What commands that read pictures have in common: in which arithmetic the network answers."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from retronet_cli.chip_options import ChipChoices, options_of, refuse_options, refuse_options_of_chips
from retronet_cli.precision import Choices, plan_for

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hw_sim.chips.cost.reading import PipelineTimes
    from hw_sim.chips.spec import ChipSpec
    from hw_sim.plan.plan import PrecisionPlan
    from retronet.datasets import DigitSets
    from retronet.network import NetworkSpec
    from retronet.reading.align import Slide
    from retronet.reading.forms import Form
    from retronet.reading.read import Answer, ReadDigit, Stages
    from retronet.reading.slide import SlidWork
    from retronet.runs.checkpoint import Checkpoint
    from retronet.trained import Trained


@dataclass(frozen=True)
class Arithmetic:
    """What answers, in which arithmetic, and what answers slid over a field; a chip does not slide."""

    name: str
    answer: "Answer"
    slide: "Slide | None"


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
        return Arithmetic(chip.name, answer, None)
    if not choices.given and not retrained(folder):
        from retronet.reading.slide import slid_outputs

        return Arithmetic("floating point", trained.outputs, lambda fields: slid_outputs(trained, fields))
    from hw_sim.fixed_point.quantize import quantize
    from hw_sim.fixed_point.simulate import run_integers

    plan, own = plan_for(choices, folder, trained, digits.train, quiet)
    integers = quantize(trained, plan)
    name = "fixed point, the run's own plan" if own else "fixed point"
    return Arithmetic(
        name,
        lambda images: run_integers(integers, images).outputs,
        lambda fields: _slid_integers(trained, plan, fields),
    )


def _slid_integers(
    trained: "Trained", plan: "PrecisionPlan", fields: "NDArray[np.float32]"
) -> "NDArray[np.float64]":
    from hw_sim.fixed_point.quantize import quantize
    from hw_sim.fixed_point.simulate import run_integers
    from retronet.network import sized_layers
    from retronet.reading.slide import slid

    wide = slid(trained, *fields.shape[1:])
    outputs = run_integers(quantize(wide, plan), fields).outputs
    return outputs.reshape(len(fields), *sized_layers(wide.network)[-1].output)


def check_scan(scan: bool, digits: int | None, chip: "ChipSpec | None") -> None:
    """Refuse what --scan does not go with, and ask for what it needs.

    Raises
    ------
    click.UsageError
        If a chip is named, or the number of digits is not known.
    """
    if not scan:
        return
    if chip is not None:
        raise click.UsageError(
            f"--scan does not go with --chip {chip.name}: chips are simulated on single digits. "
            "Leave one of them out."
        )
    if digits is None:
        raise click.UsageError(
            "--scan must know how many digits a line has. Give --digits, as 5 for a zip code."
        )


scan_option = click.option(
    "--scan",
    is_flag=True,
    help="Slide the network over each line, and choose the best places of --digits digits, in place of "
    "parting the ink. For networks that can slide, such as lenet1.",
)


def scan_lines(
    inks: "Sequence[NDArray[np.bool_]]",
    checkpoint: "Checkpoint",
    form: "Form",
    digits: int,
    arithmetic: Arithmetic,
) -> "tuple[list[list[tuple[ReadDigit, ...]]], list[SlidWork]]":
    """Return the digits that a slid network reads in each line of each picture, given where their ink is.

    Beside them stands the work for each line, in the order of the lines.

    Raises
    ------
    InputError
        If the network can not slide.
    """
    from retronet.reading.align import scanned
    from retronet.reading.slide import slid_network, slid_work, step_of
    from retronet.reading.strip import strips_of

    network, recipe = checkpoint.header.network, checkpoint.header.recipe
    slid_network(network, *network.input[1:])
    step = step_of(network)
    strips = [strips_of(ink, form, step) for ink in inks]
    assert arithmetic.slide is not None
    every = [strip for each in strips for strip in each]
    lines = iter(scanned(every, arithmetic.slide, recipe, form, step, digits))
    work = [slid_work(network, *strip.field.shape) for strip in every]
    return [[next(lines) for _ in each] for each in strips], work


def timed(pictures: "Sequence[Stages]", network: "NetworkSpec") -> "PipelineTimes":
    """Return the work of reading some pictures, and its modelled time, both for a digit."""
    from hw_sim.chips.cost.reading import pipeline_times
    from retronet.reading.work import summed, work_of_stages

    work = summed([work_of_stages(each) for each in pictures])
    digits = sum(len(each.normalised) for each in pictures)
    return pipeline_times(work, digits, network)
