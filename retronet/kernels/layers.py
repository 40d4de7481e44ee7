"""Forward and backward through a row of layers, given as tuples of arrays with one entry a layer.

The backward pass is linear in the deltas it is given. Fed with derivatives of the loss it yields gradients;
fed with second derivatives, and with weights, inputs and slopes squared, it yields the Gauss–Newton diagonal
(PIEEE98 App. C, eqs 22–25; SN's Levenberg–Marquardt form). So there is one body for both.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from retronet.kernels.products import columns, rows_by_columns, rows_by_rows
from retronet.kernels.units import squash

Floats = NDArray[np.floating]
Each = tuple[Floats, ...]
"""One array for each layer."""

DENSE, TAPS_INNER, POSITIONS_INNER, SUBSAMPLE = 0, 1, 2, 3


class Wiring(NamedTuple):
    """What reads what; nothing in it changes in training.

    A convolution's ``links[l]`` (links, 2) pair a place of its flat field with the unit below that it holds;
    places with no link lie on the border and keep its value. A subsampling layer's (positions, taps) lead into
    one plane. A dense layer reads the state below as it is and has none. ``runs[l]`` are those of
    :mod:`retronet.kernels.products`; ``holes[l]`` (holes, 3) are row and range of the taps in a pair's runs
    that only its other map reads.
    """

    kinds: NDArray[np.int64]
    links: tuple[NDArray[np.uint32], ...]
    runs: tuple[NDArray[np.uint64], ...]
    holes: tuple[NDArray[np.uint64], ...]
    squashing: NDArray[np.int64]
    constants: Floats


class Values(NamedTuple):
    """What the forward pass fills: flat states from the input up, and per layer views of them.

    ``outputs`` (maps, positions) are the states above; ``fields`` the gathered inputs, also ``flat``;
    ``slopes`` the derivatives of the squashing functions. Maps are even in number, the last perhaps empty.
    """

    states: Each
    outputs: Each
    fields: Each
    flat_fields: Each
    slopes: Each


class Adjoint(NamedTuple):
    """What the backward pass reads (the first four) and fills.

    ``below[l]`` (units) collects what layer l sends down; ``deltas[l]`` (maps, positions) is what it receives.
    """

    weights: Each
    states: Each
    fields: Each
    slopes: Each
    below: Each
    deltas: Each
    field_deltas: Each
    flat_field_deltas: Each
    weight_gradients: Each
    bias_gradients: Each


@njit(cache=True)
def add_subsampled(state: Floats, sources: NDArray[np.uint32], weight: Floats, out: Floats) -> None:
    """Add to `out` (maps, positions) each map's coefficient times the sum of its blocks."""
    plane = np.uint64(sources.size)
    for m in range(state.size // sources.size):
        start = np.uint64(m) * plane
        for p in range(out.shape[1]):
            total = state.dtype.type(0)
            for t in range(sources.shape[1]):
                total += state[start + sources[p, t]]
            out[m, p] += weight[m, 0] * total


@njit(cache=True)
def forward(wiring: Wiring, weights: Each, biases: Each, values: Values) -> None:
    """Fill every state from the input state up."""
    for layer in range(wiring.kinds.size):
        out, bias = values.outputs[layer], biases[layer]
        if bias.shape[1] == out.shape[1]:
            for m in range(out.shape[0]):
                for p in range(out.shape[1]):
                    out[m, p] = bias[m, p]
        else:
            for m in range(out.shape[0]):
                for p in range(out.shape[1]):
                    out[m, p] = bias[m, 0]
        kind, links = wiring.kinds[layer], wiring.links[layer]
        if kind == SUBSAMPLE:
            add_subsampled(values.states[layer], links, weights[layer], out)
        else:
            if kind != DENSE:
                state, flat_field = values.states[layer], values.flat_fields[layer]
                for link in range(links.shape[0]):
                    flat_field[links[link, 0]] = state[links[link, 1]]
            if kind == POSITIONS_INNER:
                rows_by_columns(weights[layer], values.fields[layer], wiring.runs[layer], True, out)
            else:
                rows_by_rows(weights[layer], values.fields[layer], wiring.runs[layer], False, out)
        constants = wiring.constants
        squash(wiring.squashing[layer], constants[layer, 0], constants[layer, 1], out, values.slopes[layer])


@njit(cache=True)
def add_bias_gradient(delta: Floats, out: Floats) -> None:
    """Add the gradient of the biases: one a unit, or one a map."""
    if out.shape[1] == delta.shape[1]:
        for m in range(delta.shape[0]):
            for p in range(delta.shape[1]):
                out[m, p] += delta[m, p]
    else:
        for m in range(delta.shape[0]):
            total = delta.dtype.type(0)
            for p in range(delta.shape[1]):
                total += delta[m, p]
            out[m, 0] += total


@njit(cache=True)
def backward_subsampled(
    delta: Floats,
    state: Floats,
    sources: NDArray[np.uint32],
    weight: Floats,
    gradient: Floats,
    below: Floats,
    sends_down: bool,
) -> None:
    """Add the gradient of the coefficients and, if wanted, send the deltas to the blocks below."""
    plane = np.uint64(sources.size)
    for m in range(state.size // sources.size):
        start = np.uint64(m) * plane
        total = delta.dtype.type(0)
        for p in range(delta.shape[1]):
            block = delta.dtype.type(0)
            for t in range(sources.shape[1]):
                block += state[start + sources[p, t]]
                if sends_down:
                    below[start + sources[p, t]] += weight[m, 0] * delta[m, p]
            total += delta[m, p] * block
        gradient[m, 0] += total


@njit(cache=True)
def backward(wiring: Wiring, adjoint: Adjoint) -> None:
    """Add the gradients of all weights and biases, given the top layer's derivatives by its *outputs*.

    Each layer's deltas are multiplied by its slopes on the way. Nothing is sent down to the input. A layer's
    weights are read before its gradient is written, so the two may be the same arrays: see `train_online`.
    """
    for layer in range(wiring.kinds.size - 1, -1, -1):
        delta, slope = adjoint.deltas[layer], adjoint.slopes[layer]
        for m in range(delta.shape[0]):
            for p in range(delta.shape[1]):
                delta[m, p] *= slope[m, p]
        add_bias_gradient(delta, adjoint.bias_gradients[layer])
        kind, links, field = wiring.kinds[layer], wiring.links[layer], adjoint.fields[layer]
        weight, gradient, below = adjoint.weights[layer], adjoint.weight_gradients[layer], adjoint.below[layer]
        if layer > 0:
            below[:] = 0
        if kind == SUBSAMPLE:
            backward_subsampled(delta, adjoint.states[layer], links, weight, gradient, below, layer > 0)
            continue
        if layer > 0:
            if kind == POSITIONS_INNER:
                columns(weight, delta, adjoint.field_deltas[layer])
            else:
                columns(delta, weight, adjoint.field_deltas[layer])
            if kind != DENSE:
                flat_field_delta = adjoint.flat_field_deltas[layer]
                for link in range(links.shape[0]):
                    below[links[link, 1]] += flat_field_delta[links[link, 0]]
        if kind == POSITIONS_INNER:
            rows_by_rows(delta, field, wiring.runs[layer], True, gradient)
        else:
            rows_by_columns(delta, field, wiring.runs[layer], False, gradient)
        holes = wiring.holes[layer]
        for hole in range(holes.shape[0]):
            for k in range(holes[hole, 1], holes[hole, 2]):
                gradient[holes[hole, 0], k] = 0
