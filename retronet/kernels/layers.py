"""Forward and backward through a row of layers that live in a few flat vectors.

The backward pass is linear in the deltas it is given. Fed with derivatives of the loss it yields gradients;
fed with second derivatives, and with weights, inputs and slopes squared, it yields the Gauss–Newton diagonal
(PIEEE98 App. C, eqs 22–25; SN's Levenberg–Marquardt form). So there is one body for both.

Layers are rows of a table, not types: one compiled form serves every network.
"""

from typing import Any, NamedTuple, get_type_hints

import numpy as np
from numpy.typing import NDArray

from retronet.kernels.jit import njit, part
from retronet.kernels.separate import call
from retronet.kernels.units import multiply
from retronet.kernels.vectors import add8, first8, load8, splat8, store8, sum8

Floats = NDArray[np.floating]
_0, _8 = np.uint64(0), np.uint64(8)

DENSE, TAPS_INNER, POSITIONS_INNER = 0, 1, 2
SUBSAMPLE, CODES, MAX_POOL, AVERAGE_POOL = 3, 4, 5, 6  # these have no product of matrices


class Layer(NamedTuple):
    """A row of the wiring's table: sizes of a layer's arrays and where they start in the flat vectors.

    Weights (maps, taps) and biases (maps, biases) lie in the parameters; ``biases`` is 1 or positions. Rows
    of taps may be longer than what is read of them. The state below (planes, plane), the padded planes
    (planes, padded_plane), the field gathered from them in strips, the outputs and the slopes (maps,
    positions) lie in the activity. A field is (positions, taps), or (taps, positions) if the kind is
    POSITIONS_INNER; a dense layer's is the state below itself. A subsampling layer has none, and its
    ``strip`` is the length of a row of outputs. Maps are even in number, the last perhaps empty. Outputs at
    fixed codes have these where others have padded planes, and one map more than codes
    (:mod:`retronet.kernels.codes`); pools have a field of their own kind (:mod:`retronet.kernels.pooling`),
    and their strips are the taps of each position. ``units`` are those of the maps that are not empty. Planes
    without a border need no copy: the state below is theirs. At ``factors`` starts in the activity what
    states and slopes are multiplied by, for dropout; it is −1 in layers that have none. ``first`` and
    ``second`` are the constants of the squashing function: amplitude and gain, or its limits.
    """

    kind: int
    squashing: int
    maps: int
    positions: int
    taps: int
    biases: int
    planes: int
    plane: int
    padded_plane: int
    strip: int
    weight: int
    bias: int
    state: int
    padded: int
    field: int
    output: int
    slope: int
    first_place: int
    first_strip: int
    stop_strip: int
    first_pair: int
    first_four: int
    first_hole: int
    stop_hole: int
    factors: int
    units: int
    first: float
    second: float


LAYER = np.dtype([(name, np.dtype(kind)) for name, kind in get_type_hints(Layer).items()])
"""A row as numpy holds it: whole numbers of 64 bits, and doubles."""


class Loops(NamedTuple):
    """Addresses of the loops that layers run through, 0 where the network has no use for one.

    Of those that squash there is one for each code of :mod:`retronet.kernels.units`.
    """

    squash: tuple[int, ...]
    rows_by_columns: int
    rows_by_rows: int
    add_subsampled: int
    measure_distances: int
    columns: int
    backward_subsampled: int
    send_down_distances: int
    take_largest: int
    take_mean: int
    send_to_largest: int
    send_to_all: int
    fill_field: int
    empty_field: int
    forward_unmultiplied: int
    backward_unmultiplied: int


class Wiring(NamedTuple):
    """What reads what; nothing in it changes in training.

    ``table`` (layers,) holds one :class:`Layer` a row. ``places`` say where each unit of a plane lies in the
    padded plane, or in which block of a subsampling layer; ``strips`` where each strip of a field starts in
    the padded planes. ``runs`` and ``sent`` are those of :mod:`retronet.kernels.products` for pairs and fours
    of maps; ``holes`` (holes, 3) are row and range of the taps in a pair's runs that only its other map
    reads.
    """

    table: NDArray[Any]
    places: NDArray[np.uint32]
    strips: NDArray[np.uint32]
    runs: NDArray[np.uint64]
    sent: NDArray[np.uint64]
    holes: NDArray[np.int64]
    loops: Loops


@part(later=True)
def set_biases(layer: Layer, parameters: Floats, activity: Floats) -> None:
    """Start the sums with the biases: one a unit, or one a map."""
    out, bias, positions = np.uint64(layer.output), np.uint64(layer.bias), np.uint64(layer.positions)
    if layer.biases == layer.positions:
        for k in range(_0, np.uint64(layer.maps) * positions, _8):
            store8(activity, out + k, load8(parameters, bias + k))
        return
    for m in range(np.uint64(layer.maps)):
        one = splat8(parameters[bias + m])
        # What is written too much, the next map puts right.
        for k in range(_0, positions, _8):
            store8(activity, out + k, one)
        out += positions


@part(later=True)
def add_bias_gradient(layer: Layer, received: Floats, gradient: Floats) -> None:
    """Add the gradient of the biases."""
    delta, bias, positions = np.uint64(layer.output), np.uint64(layer.bias), np.uint64(layer.positions)
    if layer.biases == layer.positions:
        for k in range(_0, np.uint64(layer.maps) * positions, _8):
            store8(gradient, bias + k, add8(load8(gradient, bias + k), load8(received, delta + k)))
        return
    whole = positions // _8 * _8
    for m in range(np.uint64(layer.maps)):
        total = splat8(received.dtype.type(0))
        for k in range(_0, whole, _8):
            total = add8(total, load8(received, delta + k))
        if whole < positions:
            total = add8(total, first8(load8(received, delta + whole), positions - whole))
        gradient[bias + m] += sum8(total)
        delta += positions


@part(later=True)
def squash_layer(loops: Loops, t: Layer, activity: Floats) -> None:
    """Make states of a layer's sums, and multiply them and their slopes by the factors of dropout."""
    first, second = activity.dtype.type(t.first), activity.dtype.type(t.second)
    call(loops.squash[t.squashing], (first, second, activity, t.output, t.slope, t.units))
    if t.factors >= 0:
        multiply(activity, t.output, activity, t.factors, t.units)
        multiply(activity, t.slope, activity, t.factors, t.units)


@njit(no_cpython_wrapper=True)
def forward_unmultiplied(wiring: Wiring, t: Layer, parameters: Floats, activity: Floats) -> None:
    """Fill the sums of a layer that has no product of matrices, or the distances to its codes."""
    loops, out = wiring.loops, t.output
    if t.kind == CODES:
        call(loops.measure_distances, (activity, t.state, t.padded, t.field, out, t.planes, t.taps))
    elif t.kind == SUBSAMPLE:
        places = wiring.places[t.first_place : t.first_place + t.plane]
        sizes = (t.maps, t.planes, t.plane, t.positions, t.strip)
        call(loops.add_subsampled, (parameters, t.weight, t.bias, activity, t.state, out, *sizes, places))
    else:
        taps = wiring.strips[t.first_strip : t.stop_strip]
        loop = loops.take_largest if t.kind == MAX_POOL else loops.take_mean
        call(loop, (activity, t.state, t.field, out, t.planes, t.plane, t.positions, taps))


@njit(no_cpython_wrapper=True)
def forward(wiring: Wiring, parameters: Floats, activity: Floats) -> None:
    """Fill every state from the input state up.

    Parameters
    ----------
    wiring
        The network.
    parameters
        Flat vector, read.
    activity
        Flat vector that begins with the input state; the rest is filled.
    """
    runs, loops = wiring.runs, wiring.loops
    for row in range(len(wiring.table)):
        t = wiring.table[row]
        if t.kind > POSITIONS_INNER:
            call(loops.forward_unmultiplied, (wiring, t, parameters, activity))
            if t.kind != CODES:
                squash_layer(loops, t, activity)
            continue
        set_biases(t, parameters, activity)
        if t.kind != DENSE:
            call(loops.fill_field, (t, activity, wiring.places, wiring.strips))
        inner = t.kind == POSITIONS_INNER
        loop = loops.rows_by_columns if inner else loops.rows_by_rows
        product = (t.taps, t.positions, t.maps // 2)
        vectors = (parameters, t.weight, activity, t.field, activity, t.output)
        call(loop, (*vectors, *product, runs, t.first_pair, inner))
        squash_layer(loops, t, activity)


@njit(inline="always")
def send_down(wiring: Wiring, t: Layer, parameters: Floats, received: Floats) -> None:
    """Send the deltas through the weights to the states below."""
    w, d, f, loop = t.weight, t.output, t.field, wiring.loops.columns
    if t.kind == POSITIONS_INNER:
        sizes = (t.maps, t.taps, t.positions)
        call(loop, (parameters, w, received, d, received, f, *sizes, wiring.sent, t.first_four))
    else:
        sizes = (t.maps, t.positions, t.taps)
        call(loop, (received, d, parameters, w, received, f, *sizes, wiring.sent, t.first_four))
    if t.kind != DENSE:
        call(wiring.loops.empty_field, (t, received, wiring.places, wiring.strips))


@njit(no_cpython_wrapper=True)
def backward_unmultiplied(
    wiring: Wiring,
    t: Layer,
    down: bool,
    parameters: Floats,
    activity: Floats,
    received: Floats,
    gradient: Floats,
) -> None:
    """Do the same for a layer that `forward_unmultiplied` runs; a pool sends `down` what it received."""
    loops, d = wiring.loops, t.output
    if t.kind == CODES:
        call(loops.send_down_distances, (activity, received, t.state, t.field, d, t.maps, t.taps))
        return
    multiply(received, d, activity, t.slope, t.maps * t.positions)
    if t.kind == SUBSAMPLE:
        add_bias_gradient(t, received, gradient)
        places = wiring.places[t.first_place : t.first_place + t.plane]
        states = (parameters, t.weight, activity, received, gradient, t.state, d)
        sizes = (t.planes, t.plane, t.positions, t.strip)
        call(loops.backward_subsampled, (*states, *sizes, places))
    elif down:
        taps = wiring.strips[t.first_strip : t.stop_strip]
        loop = loops.send_to_largest if t.kind == MAX_POOL else loops.send_to_all
        call(loop, (activity, received, t.state, t.field, d, t.planes, t.plane, t.positions, taps))


@njit(no_cpython_wrapper=True)
def backward(
    wiring: Wiring, parameters: Floats, activity: Floats, received: Floats, gradient: Floats
) -> None:
    """Add the gradients of all weights and biases, given the top layer's derivatives by its *outputs*.

    Each layer's deltas are multiplied by its slopes on the way. Nothing is sent down to the input. A layer's
    weights are read before its gradient is written, so the two may be the same vector: see `train_sgd`.

    Parameters
    ----------
    wiring
        The network.
    parameters, activity
        Flat vectors, read.
    received
        Flat vector laid out like activity: derivatives by what lies there; filled, but for the top outputs.
    gradient
        Flat vector laid out like parameters, added to.
    """
    runs, loops = wiring.runs, wiring.loops
    for row in range(len(wiring.table) - 1, -1, -1):
        t = wiring.table[row]
        if t.kind > POSITIONS_INNER:
            states = (parameters, activity, received, gradient)
            call(loops.backward_unmultiplied, (wiring, t, row > 0, *states))
            continue
        multiply(received, t.output, activity, t.slope, t.maps * t.positions)
        add_bias_gradient(t, received, gradient)
        if row > 0:
            send_down(wiring, t, parameters, received)
        inner = t.kind == POSITIONS_INNER
        loop = loops.rows_by_rows if inner else loops.rows_by_columns
        product = (t.positions, t.taps, t.maps // 2)
        vectors = (received, t.output, activity, t.field, gradient, t.weight)
        call(loop, (*vectors, *product, runs, t.first_pair, inner))
        for hole in range(t.first_hole, t.stop_hole):
            start = t.weight + wiring.holes[hole, 0] * t.taps
            for k in range(start + wiring.holes[hole, 1], start + wiring.holes[hole, 2]):
                gradient[k] = 0
