"""A network slid over a field larger than its own, as one large convolution: a space-displacement network.

MATAN91: the recogniser is replicated over the input, and what neighbouring places share is computed once. A
dense layer becomes a convolution whose kernel is the plane that it reads.
"""

import math
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from retronet.engines.layout import adds_alike
from retronet.engines.workspace import Workspace
from retronet.errors import ChoiceError
from retronet.kernels.passes import run_forward
from retronet.network import Conv, Dense, NetworkSpec, Padding, Rbf, SizedLayer, sized_layers
from retronet.trained import Trained

BATCH = 512
"""Fields that are slid over at once: many times what any arithmetic runs side by side."""


class Slide(Protocol):
    """A network slid over fields, in any arithmetic."""

    def __call__(self, fields: NDArray[np.float32], before: int = 0, /) -> NDArray[np.floating]:
        """Return outputs (n, classes, places down, places across) for fields (n, rows, columns).

        `before` is how many fields were slid over before these, a multiple of `BATCH`: what is drawn for a
        field, such as a chip's noise, is drawn for its place among all of them.
        """


def step_of(network: NetworkSpec) -> int:
    """Return how many pixels apart the places are at which a slid network answers."""
    return math.prod(sized.stride for sized in sized_layers(network))


def slid_network(network: NetworkSpec, rows: int, columns: int) -> NetworkSpec:
    """Return `network` on a field of `rows` and `columns`: at every place what it answers to a window there.

    Raises
    ------
    InputError
        If the network can not slide, or its places do not fit the field.
    """
    sized = sized_layers(network)
    for each in sized:
        why = _stays(each)
        if why:
            raise ChoiceError(
                f"Network '{network.name}' can not slide: layer '{each.name}' {why}. Choose a network of "
                "convolutions without border and with one bias a map, subsampling, pools and dense layers, "
                "such as lenet1."
            )
    planes, own_rows, own_columns = network.input
    step = step_of(network)
    if rows < own_rows or columns < own_columns or (rows - own_rows) % step or (columns - own_columns) % step:
        raise ChoiceError(
            f"Network '{network.name}' can not slide over {rows}×{columns}: its own field is "
            f"{own_rows}×{own_columns} and it moves by {step} pixels. Add a multiple of {step} to a side."
        )
    layers = tuple(
        Conv(each.name, each.layer.units, each.input[1], each.layer.activation)
        if isinstance(each.layer, Dense)
        else each.layer
        for each in sized
    )
    return replace(network, name=f"{network.name} slid", input=(planes, rows, columns), layers=layers)


def _stays(sized: SizedLayer) -> str | None:
    """Return why a layer can not slide, or None."""
    match sized.layer:
        case Conv(bias="unit"):
            return "has a bias for each unit, so that it answers otherwise at each place"
        case _ if sized.padding != Padding():
            return "has a border, which inside a larger field would be its neighbours' pixels"
        case Dense() if sized.input[1] != sized.input[2]:
            return f"reads planes of {sized.input[1]}×{sized.input[2]}, which no square kernel covers"
        case Rbf():
            return "measures distances to codes, which are no convolution"
        case _:
            return None


def slid(trained: Trained, rows: int, columns: int) -> Trained:
    """Return a trained network slid over a larger field, with the same numbers.

    Its outputs are (classes, places down, places across), flattened. On integers they are those of separate
    windows. In floating point a convolution adds up in another order than a dense layer; `slid_outputs` does
    not.

    Raises
    ------
    InputError
        See `slid_network`.
    """
    network = slid_network(trained.network, rows, columns)
    shapes = {f"{each.name}.weight": each.weight_shape for each in sized_layers(network)}
    parameters = {
        name: array.reshape(shapes[name]) if name in shapes else array
        for name, array in trained.parameters.items()
    }
    return Trained(network, parameters, trained.recipe)


def slid_outputs(trained: Trained, fields: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return in single precision what a network answers at every place of larger fields (n, rows, columns).

    Every bit is that of `Trained.outputs` for the window there: layers are computed once for the whole field
    up to the first whose sums would have another order there, such as a dense one; the rest at each place.

    Returns
    -------
    ndarray of float32, shape (n, classes, places down, places across)

    Raises
    ------
    InputError
        See `slid_network`.
    """
    network = trained.network
    slid_network(network, *fields.shape[1:])
    sized = sized_layers(network)
    first = next((index for index, each in enumerate(sized) if not adds_alike(each)), len(sized))
    below = fields[:, np.newaxis]
    if first:
        front = replace(network, input=(1, *fields.shape[1:]), layers=network.layers[:first])
        names = {f"{each.name}.{part}" for each in front.layers for part in ("weight", "bias")}
        own = {name: array for name, array in trained.parameters.items() if name in names}
        below = Trained(front, own, trained.recipe).outputs(fields)
        below = below.reshape(len(fields), *sized_layers(front)[-1].output)
    if first == len(sized):
        return below
    rest = replace(network, input=sized[first].input, layers=network.layers[first:])
    workspace = Workspace(rest)
    kept = {f"{each.name}.{part}" for each in rest.layers for part in ("weight", "bias")}
    workspace.load({name: array for name, array in trained.parameters.items() if name in kept})
    units = np.array([each.units for each in workspace.sized_layers])

    def answer(states: NDArray[np.float32]) -> NDArray[np.float32]:
        outputs = np.empty((len(states), int(units[-1])), np.float32)
        planes = states.reshape(len(states), -1, rest.input[2])
        run_forward(workspace.answering, planes, len(units) - 1, units, outputs)
        return outputs

    return at_each_place(below, sized[first:], answer)


def at_each_place(
    below: NDArray[np.float32],
    rest: Sequence[SizedLayer],
    answer: Callable[[NDArray[np.float32]], NDArray[np.float32]],
) -> NDArray[np.float32]:
    """Return what the last layers of a network, which do not slide, answer at every place.

    Parameters
    ----------
    below : ndarray of float32, shape (n, planes, rows, columns)
        States of the layers that slid, on the whole field.
    rest
        The last layers in their own network: the first says what it reads.
    answer
        What makes outputs (windows, classes) of states (windows, units).

    Returns
    -------
    ndarray of float32, shape (n, classes, places down, places across)
    """
    _, rows, columns = rest[0].input
    every = np.lib.stride_tricks.sliding_window_view(below, (rows, columns), axis=(2, 3))
    step = math.prod(each.stride for each in rest)
    windows = every.transpose(0, 2, 3, 1, 4, 5)[:, ::step, ::step]  # n, down, across, planes, rows, columns
    count, down, across = windows.shape[:3]
    outputs = answer(np.ascontiguousarray(windows).reshape(count * down * across, -1))
    return outputs.reshape(count, down, across, -1).transpose(0, 3, 1, 2)


class SlidWork(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Multiply-accumulates of a network slid over a field, beside those of separate windows."""

    windows: int
    slid_macs: int
    separate_macs: int


def slid_work(network: NetworkSpec, rows: int, columns: int) -> SlidWork:
    """Return what sliding saves.

    Raises
    ------
    InputError
        See `slid_network`.
    """
    layers = sized_layers(slid_network(network, rows, columns))
    windows = layers[-1].positions
    alone = sum(each.macs for each in sized_layers(network))
    return SlidWork(windows, sum(each.macs for each in layers), windows * alone)


def windows_of(fields: NDArray[np.float32], network: NetworkSpec) -> NDArray[np.float32]:
    """Return every window that a slid network answers to, row by row of places, of fields (n, rows, columns).

    Returns
    -------
    ndarray of float32, shape (n, places down, places across, rows, columns)
    """
    _, rows, columns = network.input
    step = step_of(network)
    every = np.lib.stride_tricks.sliding_window_view(fields, (rows, columns), axis=(1, 2))
    return np.ascontiguousarray(every[:, ::step, ::step])
