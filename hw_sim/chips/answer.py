"""A trained network on one simulated chip as a function from digits to outputs, to read pictures with.

Some chips also answer slid over a field larger than a digit, as one large convolution.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from hw_sim.chips.analog.drawn_chips import States
from hw_sim.chips.analog.host_layers import HostLayers, HostRetraining
from hw_sim.chips.anna import report as anna
from hw_sim.chips.anna.network import anna_network, slid_anna
from hw_sim.chips.anna.options import anna_options
from hw_sim.chips.dsp32c.network import dsp_layers, run_dsp
from hw_sim.chips.dsp32c.report import DspOptions
from hw_sim.chips.graf54.report import GrafOptions, graf_answer
from hw_sim.chips.net32k import report as net32k
from hw_sim.chips.net32k.network import net32k_network, slid_net32k
from hw_sim.chips.net32k.options import net32k_options
from hw_sim.chips.simulate import Drawing, GrafSeed, changed_options, no_option, not_simulated, option_names
from hw_sim.chips.sizes import check_processor
from hw_sim.chips.spec import ChipSpec
from retronet.datasets import DigitSets
from retronet.errors import ChoiceError
from retronet.network import SizedLayer, sized_layers
from retronet.reading.slide import Slide, at_each_place, slid, slid_network
from retronet.trained import Trained

Images = NDArray[np.float32]
Answer = Callable[[Images], NDArray[np.floating]]
Layers = tuple[SizedLayer, ...]

OF_MANY = ("chips", "precisions")
"""Options of a simulation that have no use where one chip answers."""
PICTURES = 2
"""What noise is drawn from besides seed and chip, where 1 are the training digits and 0 the test digits."""


def answer_options(chip: ChipSpec) -> tuple[str, ...]:
    """Return the options that `answer_on` takes for `chip`.

    Raises
    ------
    InputError
        If the chip states no arithmetic.
    """
    return tuple(name for name in option_names(chip) if name not in OF_MANY)


@dataclass(frozen=True)
class ChipReader:
    """A network on one chip: what answers digits, and what answers slid over fields.

    Attributes
    ----------
    answer
        Outputs (n, classes) for digits (n, rows, columns).
    slide
        Outputs (n, classes, places down, places across) for fields (n, rows, columns); None where
        `check_slides` refuses the chip. A sum that several places share is made once, so that on a chip with
        noise it errs alike for all of them; without noise every bit is that of `answer` for the window there.
        Batches of fields are answered as all of them at once, if each is told how many were before.
    """

    answer: Answer
    slide: Slide | None


def check_slides(chip: ChipSpec) -> None:
    """Refuse a chip that can not slide over a field.

    Raises
    ------
    ChoiceError
        If it is of the arithmetic ``graf``.
    """
    if chip.arithmetic == "graf":
        raise ChoiceError(
            f"The chip '{chip.name}' can not scan a line: it brings each digit into a frame of its own and "
            "thins it there, so that no two places share work. Choose a chip that runs the network itself, "
            "such as anna or dsp32c-80ns, or part the line into digits."
        )


def answer_on(
    chip: ChipSpec, trained: Trained, digits: DigitSets, *, threads: int = 1, **options: object
) -> Answer:
    """Return what answers digits (n, rows, columns) with outputs (n, classes), on one simulated chip.

    See `reader_on`.
    """
    return reader_on(chip, trained, digits, threads=threads, **options).answer


def reader_on(
    chip: ChipSpec, trained: Trained, digits: DigitSets, *, threads: int = 1, **options: object
) -> ChipReader:
    """Return what answers digits, and slides over fields, on one simulated chip.

    An analog chip is the first one that `hw_sim.chips.simulate.simulate_on` draws from its ``seed``, and the
    layers beside it have learnt again on its own states of the training digits, unless ``retraining`` is
    None.

    Parameters
    ----------
    chip
        A chip with an ``arithmetic``.
    trained
        The network. Graf's chip has a network of its own behind it: nothing of `trained` is used there.
    digits
        Whatever is fitted or taught sees the training digits alone.
    threads
        Threads to share the work, where the chip's arithmetic shares it; they never change a result.
    options
        Those of `answer_options`, by name; numbers may be text.

    Raises
    ------
    InputError
        If the chip states no arithmetic, or a size that its arithmetic can not take; if there is no such
        option, or it can not have this value; if the network can not run on the chip. Sliding: if the network
        can not slide, or not over this field.
    """
    known = answer_options(chip)
    for name in options:
        if name not in known:
            raise no_option(chip, name, known)
    match chip.arithmetic:
        case "dsp32c":
            check_processor(chip)
            return _on_dsp(trained, changed_options(chip, DspOptions(), options), threads)
        case "anna":
            how = changed_options(chip, Drawing(retraining=anna.HOST_RETRAINING), options)
            own = changed_options(chip, anna_options(chip), options)
            host = HostLayers(trained, len(trained.network.layers) - own.float_layers)
            mapped = anna_network(chip, trained, digits.train.images, own)
            return _beside(
                trained, host, (how.seed, 0), anna.anna_states(mapped),
                lambda wide: anna.anna_states(slid_anna(mapped, wide)), digits, how.retraining,
            )  # fmt: skip
        case "net32k":
            how = changed_options(chip, Drawing(retraining=net32k.HOST_RETRAINING), options)
            layout = changed_options(chip, net32k_options(chip), options)
            host = HostLayers(trained, layout.layers)
            network = net32k_network(chip, trained, digits.train.images, layout)
            return _beside(
                trained, host, (how.seed, 0), net32k.net32k_states(network),
                lambda wide: net32k.net32k_states(slid_net32k(network, wide)), digits, how.retraining,
            )  # fmt: skip
        case "graf":
            graf = changed_options(chip, GrafOptions(), options)
            seed = changed_options(chip, GrafSeed(), options).seed
            return ChipReader(graf_answer(chip, digits, replace(graf, chips=1), seed), None)
        case _:
            raise not_simulated(chip)


def _on_dsp(trained: Trained, options: DspOptions, threads: int) -> ChipReader:
    layers = dsp_layers(trained, options.tanh)

    def answer(images: Images) -> NDArray[np.floating]:
        return run_dsp(trained.network, layers, images, threads, last_only=True)

    def slide(fields: Images, before: int = 0) -> NDArray[np.floating]:  # noqa: ARG001 (nothing is noisy)
        wide = slid(trained, *fields.shape[1:])
        last = sized_layers(wide.network)[-1]
        outputs = run_dsp(wide.network, dsp_layers(wide, options.tanh), fields, threads, last_only=True)
        return outputs.reshape(len(fields), *last.output)

    return ChipReader(answer, slide)


def _beside(
    trained: Trained,
    host: HostLayers,
    chip: tuple[int, int],
    states: States,
    slid_states: Callable[[Layers], States],
    digits: DigitSets,
    retraining: HostRetraining | None,
) -> ChipReader:
    """Return what answers with a drawn chip and the layers beside it.

    `states` gives those of the chip's layers, `slid_states` what gives them on a larger field.
    """
    learnt = None
    if retraining is not None:
        learnt = host.retrained(states(chip, digits.train.images, 1), digits.train.labels, retraining)

    def answer(images: Images) -> NDArray[np.floating]:
        return host.outputs(states(chip, images, PICTURES), learnt)

    def slide(fields: Images, before: int = 0) -> NDArray[np.floating]:
        own = sized_layers(trained.network)
        wide = sized_layers(slid_network(trained.network, *fields.shape[1:]))
        first = len(own) - host.layers
        below = slid_states(wide)(chip, fields, PICTURES, before).reshape(
            len(fields), *wide[first - 1].output
        )
        return at_each_place(below, own[first:], lambda each: host.outputs(each, learnt))

    return ChipReader(answer, slide)
