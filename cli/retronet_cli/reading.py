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
    from hw_sim.chips.cost.sliding import SlidTime
    from hw_sim.chips.spec import ChipSpec
    from hw_sim.plan.plan import PrecisionPlan
    from retronet.datasets import DigitSets
    from retronet.network import NetworkSpec
    from retronet.reading.forms import Form
    from retronet.reading.read import Answer, ReadDigit, Stages
    from retronet.reading.slide import Slide, SlidWork
    from retronet.reading.strip import Strip
    from retronet.reading.work import StageWork
    from retronet.runs.checkpoint import Checkpoint
    from retronet.trained import Trained


@dataclass(frozen=True)
class Arithmetic:
    """What answers, in which arithmetic, and what answers slid over a field, if it can slide."""

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
        from hw_sim.chips.answer import answer_options, reader_on

        if not quiet:
            talk(f"Reading with the chip {chip.name} in its own arithmetic …")
        options = options_of(chip, chip_choices, answer_options(chip))
        reader = reader_on(chip, trained, digits, threads=os.cpu_count() or 1, **options)
        return Arithmetic(chip.name, reader.answer, reader.slide)
    if not choices.given and not retrained(folder):
        from retronet.reading.slide import slid_outputs

        return Arithmetic(
            "floating point", trained.outputs, lambda fields, _=0: slid_outputs(trained, fields)
        )
    from hw_sim.fixed_point.quantize import quantize
    from hw_sim.fixed_point.simulate import run_integers

    plan, own = plan_for(choices, folder, trained, digits.train, quiet)
    integers = quantize(trained, plan)
    name = "fixed point, the run's own plan" if own else "fixed point"
    return Arithmetic(
        name,
        lambda images: run_integers(integers, images).outputs,
        lambda fields, _=0: _slid_integers(trained, plan, fields),
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
    InputError
        If a chip is named that can not slide.
    click.UsageError
        If the number of digits is not known.
    """
    if not scan:
        return
    if chip is not None:
        from hw_sim.chips.answer import check_slides

        check_slides(chip)
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


@dataclass(frozen=True)
class Placing:
    """How a run's network reads: its form, and, where it is slid, how far apart its places lie."""

    form: "Form"
    step: int | None

    def strips(self, ink: "NDArray[np.bool_]") -> "list[Strip]":
        """Return the lines of a picture for a network that is slid; none for one that is not.

        Raises
        ------
        InputError
            See `retronet.reading.strip.strips_of`.
        """
        from retronet.reading.strip import strips_of

        return [] if self.step is None else strips_of(ink, self.form, self.step)


def placing_of(checkpoint: "Checkpoint", scan: bool) -> Placing:
    """Return how the network of a run reads, slid or not.

    Raises
    ------
    InputError
        If digits can not be normalised for it, or it can not slide.
    """
    from retronet.reading.forms import form_of
    from retronet.reading.slide import slid_network, step_of

    header = checkpoint.header
    form = form_of(header.network, header.data[0].name, header.recipe.preparation)
    if not scan:
        return Placing(form, None)
    slid_network(header.network, *header.network.input[1:])
    return Placing(form, step_of(header.network))


def scan_lines(
    strips: "Sequence[Sequence[Strip]]",
    checkpoint: "Checkpoint",
    placing: Placing,
    digits: int,
    arithmetic: Arithmetic,
    quiet: bool,
) -> "list[list[tuple[ReadDigit, ...]]]":
    """Return the digits that a slid network reads in each line of each picture, given as strips."""
    from retronet.reading.align import scans
    from retronet_cli.terminal import progress

    assert arithmetic.slide is not None
    assert placing.step is not None
    every = [strip for each in strips for strip in each]
    recipe = checkpoint.header.recipe
    lines = scans(every, arithmetic.slide, recipe, placing.form, placing.step, digits)
    with progress(not quiet) as bar:
        read = iter(list(bar.track(lines, len(every), description="Scanning the lines")))
    return [[next(read) for _ in each] for each in strips]


@dataclass(frozen=True)
class Seen:
    """A picture as far as the network needs it, its lines as strips, and the work that it took."""

    stages: "Stages"
    strips: "list[Strip]"
    work: "tuple[StageWork, ...]"


def see(path: Path, digits: int | None, placing: Placing, keep: bool) -> Seen:
    """Load a picture and do what comes before the network.

    Parameters
    ----------
    path
        Its file.
    digits
        How many digits each line has, if that is known.
    placing
        How the network reads.
    keep
        Whether its pixels are wanted afterwards, as for drawing them.

    Raises
    ------
    InputError
        If it is no picture, or there is no digit in it.
    """
    from retronet.reading.pictures import load_picture
    from retronet.reading.read import check_legible, stages
    from retronet.reading.work import work_of_stages

    made = stages(load_picture(path), digits, form=placing.form)
    check_legible(str(path), made)
    strips = placing.strips(made.ink)
    work = work_of_stages(made, placing.form.box, None if placing.step is None else strips)
    return Seen(made if keep else made.without_pictures, strips, work)


def timed(seen: "Sequence[Seen]", digits: int, network: "NetworkSpec") -> "PipelineTimes":
    """Return the work of reading so many `digits` in some pictures, and its modelled time, for a digit."""
    from hw_sim.chips.cost.reading import pipeline_times
    from retronet.reading.work import summed

    return pipeline_times(summed([each.work for each in seen]), digits, network, fields_in(seen))


def fields_in(seen: "Sequence[Seen]") -> list[tuple[int, int]]:
    """Return rows and columns of the lines that a network is slid over."""
    return [strip.field.shape for each in seen for strip in each.strips]


def slid_fields(network: "NetworkSpec", seen: "Sequence[Seen]") -> "tuple[SlidWork, tuple[SlidTime, ...]]":
    """Return what sliding over the lines of some pictures takes beside separate windows."""
    from hw_sim.chips.cost.reading import BOARDS
    from hw_sim.chips.cost.sliding import all_slid_work, slid_times
    from hw_sim.chips.load import load_chip

    fields = fields_in(seen)
    chips = [load_chip(beside or host) for host, beside in BOARDS.values()]
    return all_slid_work(network, fields), slid_times(chips, network, fields)
