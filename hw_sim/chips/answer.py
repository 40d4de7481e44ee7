"""A trained network on one simulated chip as a function from digits to outputs, to read pictures with."""

from collections.abc import Callable

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from hw_sim.chips.analog.drawn_chips import States
from hw_sim.chips.analog.host_layers import HostLayers, HostRetraining
from hw_sim.chips.anna import report as anna
from hw_sim.chips.anna.network import anna_network
from hw_sim.chips.anna.options import anna_options
from hw_sim.chips.dsp32c.network import dsp_layers, run_dsp
from hw_sim.chips.dsp32c.report import DspOptions
from hw_sim.chips.graf54.report import GrafOptions, graf_answer
from hw_sim.chips.net32k import report as net32k
from hw_sim.chips.net32k.network import net32k_network
from hw_sim.chips.net32k.options import net32k_options
from hw_sim.chips.simulate import Drawing, GrafSeed, changed_options, no_option, not_simulated, option_names
from hw_sim.chips.sizes import check_processor
from hw_sim.chips.spec import ChipSpec
from retronet.datasets import DigitSets
from retronet.trained import Trained

Images = NDArray[np.float32]
Answer = Callable[[Images], NDArray[np.floating]]

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


def answer_on(
    chip: ChipSpec, trained: Trained, digits: DigitSets, *, threads: int = 1, **options: object
) -> Answer:
    """Return what answers digits (n, rows, columns) with outputs (n, classes), on one simulated chip.

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
        option, or it can not have this value; if the network can not run on the chip.
    """
    known = answer_options(chip)
    for name in options:
        if name not in known:
            raise no_option(chip, name, known)
    match chip.arithmetic:
        case "dsp32c":
            check_processor(chip)
            return _dsp_answer(trained, changed_options(chip, DspOptions(), options), threads)
        case "anna":
            how = changed_options(chip, Drawing(retraining=anna.HOST_RETRAINING), options)
            own = changed_options(chip, anna_options(chip), options)
            host = HostLayers(trained, len(trained.network.layers) - own.float_layers)
            mapped = anna_network(chip, trained, digits.train.images, own)
            return _beside(anna.anna_states(mapped), host, digits, how.seed, how.retraining)
        case "net32k":
            how = changed_options(chip, Drawing(retraining=net32k.HOST_RETRAINING), options)
            layout = changed_options(chip, net32k_options(chip), options)
            host = HostLayers(trained, layout.layers)
            network = net32k_network(chip, trained, digits.train.images, layout)
            return _beside(net32k.net32k_states(network), host, digits, how.seed, how.retraining)
        case "graf":
            graf = changed_options(chip, GrafOptions(), options)
            seed = changed_options(chip, GrafSeed(), options).seed
            return graf_answer(chip, digits, replace(graf, chips=1), seed)
        case _:
            raise not_simulated(chip)


def _dsp_answer(trained: Trained, options: DspOptions, threads: int) -> Answer:
    layers = dsp_layers(trained, options.tanh)
    classes = layers[-1].sized.units
    return lambda images: run_dsp(trained.network, layers, images, threads)[:, -classes:]


def _beside(
    states: States, host: HostLayers, digits: DigitSets, seed: int, retraining: HostRetraining | None
) -> Answer:
    """Return the answer of a drawn chip and the layers beside it."""
    chip = (seed, 0)
    learnt = None
    if retraining is not None:
        learnt = host.retrained(states(chip, digits.train.images, 1), digits.train.labels, retraining)
    return lambda images: host.outputs(states(chip, images, PICTURES), learnt)
