"""Fields: the inputs of a convolution, gathered so that its products run over contiguous rows.

A state goes into its field in two steps. Its units go to their places in planes with a border; from these the
field is copied in strips of adjacent numbers, each as long as the kernel is wide (or the output, if positions
lie innermost). The field is one strip after the other; ``strips`` says where each comes from.
"""

import numpy as np
from numpy.typing import NDArray

from retronet.kernels.jit import part
from retronet.kernels.layers import POSITIONS_INNER, Layer
from retronet.kernels.vectors import add8, first8, load8, splat8, store8

Floats = NDArray[np.floating]
Places = NDArray[np.uint32]
_0, _1, _8 = np.uint64(0), np.uint64(1), np.uint64(8)

LANES = 8
"""Strips are copied this many numbers at a time; fields and padded planes need as many to spare."""


@part(later=True)
def pad(
    flat: Floats, state: int, padded: int, planes: int, plane: int, padded_plane: int, places: Places
) -> None:
    """Copy the planes of a state to their places in padded planes; all start there in the flat vector."""
    source, target = np.uint64(state), np.uint64(padded)
    for _ in range(planes):
        for unit in range(np.uint64(plane)):
            flat[target + places[unit]] = flat[source + unit]
        source += np.uint64(plane)
        target += np.uint64(padded_plane)


@part(later=True)
def unpad(
    flat: Floats, state: int, padded: int, planes: int, plane: int, padded_plane: int, places: Places
) -> None:
    """Copy the planes of a state back from padded planes."""
    target, source = np.uint64(state), np.uint64(padded)
    for _ in range(planes):
        for unit in range(np.uint64(plane)):
            flat[target + unit] = flat[source + places[unit]]
        target += np.uint64(plane)
        source += np.uint64(padded_plane)


@part(later=True)
def gather(flat: Floats, padded: int, field: int, rows: int, row: int, length: int, strips: Places) -> None:
    """Copy the strips of padded planes into the field, `rows` rows of `row` numbers."""
    start, step, each = np.uint64(padded), np.uint64(length), np.uint64(strips.size // rows)
    strip = _0
    # What is copied too much, the next strip puts right.
    for place in range(np.uint64(field), np.uint64(field + rows * row), np.uint64(row)):
        for k in range(place, place + each * step, step):
            s = start + strips[strip]
            store8(flat, k, load8(flat, s))
            if step > _8:
                for more in range(_8, step, _8):
                    store8(flat, k + more, load8(flat, s + more))
            strip += _1


@part(later=True)
def scatter(
    flat: Floats, padded: int, padded_size: int, field: int, rows: int, row: int, length: int, strips: Places
) -> None:
    """Clear the padded planes and add the strips of a field to them."""
    start, step, each = np.uint64(padded), np.uint64(length), np.uint64(strips.size // rows)
    zeros, strip = splat8(flat.dtype.type(0)), _0
    for k in range(start, start + np.uint64(padded_size), _8):
        store8(flat, k, zeros)
    for place in range(np.uint64(field), np.uint64(field + rows * row), np.uint64(row)):
        for k in range(place, place + each * step, step):
            s = start + strips[strip]
            if step > _8:
                for more in range(_0, step, _8):
                    part = first8(load8(flat, k + more), step - more)
                    store8(flat, s + more, add8(load8(flat, s + more), part))
            else:
                store8(flat, s, add8(load8(flat, s), first8(load8(flat, k), step)))
            strip += _1


@part()
def fill_field(t: Layer, flat: Floats, places: Places, strips: Places) -> None:
    """Put the planes of a layer's state into its field.

    Parameters
    ----------
    t
        The layer.
    flat
        Flat vector: the activity, or what is laid out like it.
    places, strips
        Of all layers; see :class:`retronet.kernels.layers.Wiring`.
    """
    rows, row = (t.taps, t.positions) if t.kind == POSITIONS_INNER else (t.positions, t.taps)
    if t.padded != t.state:
        own = places[t.first_place : t.first_place + t.plane]
        pad(flat, t.state, t.padded, t.planes, t.plane, t.padded_plane, own)
    gather(flat, t.padded, t.field, rows, row, t.strip, strips[t.first_strip : t.stop_strip])


@part()
def empty_field(t: Layer, flat: Floats, places: Places, strips: Places) -> None:
    """Put the sums of what a layer's field holds for each unit into the planes of its state."""
    rows, row = (t.taps, t.positions) if t.kind == POSITIONS_INNER else (t.positions, t.taps)
    own = strips[t.first_strip : t.stop_strip]
    scatter(flat, t.padded, t.planes * t.padded_plane, t.field, rows, row, t.strip, own)
    if t.padded != t.state:
        own = places[t.first_place : t.first_place + t.plane]
        unpad(flat, t.state, t.padded, t.planes, t.plane, t.padded_plane, own)
