"""Compiles the loops that a network and a recipe need, and no others."""

import numpy as np
from numpy.typing import NDArray

from retronet.kernels.codes import measure_distances, send_down_distances
from retronet.kernels.fields import empty_field, fill_field
from retronet.kernels.layers import (
    AVERAGE_POOL,
    CODES,
    MAX_POOL,
    POSITIONS_INNER,
    SUBSAMPLE,
    TAPS_INNER,
    Loops,
    Wiring,
    backward,
    backward_unmultiplied,
    forward,
    forward_unmultiplied,
)
from retronet.kernels.losses import LOSSES
from retronet.kernels.passes import Flat, Goal, Machine
from retronet.kernels.pooling import send_to_all, send_to_largest, take_largest, take_mean
from retronet.kernels.products import columns, rows_by_columns, rows_by_rows
from retronet.kernels.separate import address_of
from retronet.kernels.subsampling import add_subsampled, backward_subsampled
from retronet.kernels.units import SQUASHING

Floats = NDArray[np.floating]

CONVOLUTIONS = {TAPS_INNER, POSITIONS_INNER}
UNMULTIPLIED = {SUBSAMPLE, CODES, MAX_POOL, AVERAGE_POOL}

NO_LOOPS = Loops((0,) * len(SQUASHING), *(0 for _ in Loops._fields[1:]))
"""What a wiring has before its loops are compiled."""


def answering(wiring: Wiring, flat: Flat) -> Machine:
    """Return the network with what it takes to run forward; `wiring` may have loops already."""
    vector = flat.activity
    one, runs, places = vector.dtype.type(1), wiring.runs, wiring.places
    kinds, squashing = set(wiring.table["kind"].tolist()), set(wiring.table["squashing"].tolist())
    squash = [SQUASHING[kind][vector.itemsize > 4] for kind in range(len(SQUASHING))]
    pooled = (vector, 1, 1, 1, 1, 1, 1, wiring.strips)
    moved = (wiring.table[0], vector, places, wiring.strips)
    product = (vector, 1, vector, 1, vector, 1, 1, 1, 1, runs, 1, True)
    loops = Loops(
        squash=tuple(
            address_of(loop, one, one, vector, 1, 1, 1) if kind in squashing else 0
            for kind, loop in enumerate(squash)
        ),
        rows_by_columns=address_of(rows_by_columns, *product),
        rows_by_rows=address_of(rows_by_rows, *product),
        add_subsampled=address_of(add_subsampled, vector, 1, 1, vector, 1, 1, 1, 1, 1, 1, 1, places)
        if SUBSAMPLE in kinds
        else 0,
        measure_distances=address_of(measure_distances, vector, 1, 1, 1, 1, 1, 1) if CODES in kinds else 0,
        columns=0,
        backward_subsampled=0,
        send_down_distances=0,
        take_largest=address_of(take_largest, *pooled) if MAX_POOL in kinds else 0,
        take_mean=address_of(take_mean, *pooled) if AVERAGE_POOL in kinds else 0,
        send_to_largest=0,
        send_to_all=0,
        fill_field=address_of(fill_field, *moved) if kinds & CONVOLUTIONS else 0,
        empty_field=0,
        forward_unmultiplied=0,
        backward_unmultiplied=0,
    )
    wiring = wiring._replace(loops=loops)
    if kinds & UNMULTIPLIED:
        address = address_of(forward_unmultiplied, wiring, wiring.table[0], vector, vector)
        wiring = wiring._replace(loops=loops._replace(forward_unmultiplied=address))
    return Machine(wiring, flat, address_of(forward, wiring, vector, vector), 0)


def learning(machine: Machine) -> Machine:
    """Return the network with what it takes to run backward, too."""
    wiring, vector = machine.wiring, machine.flat.activity
    kinds = set(wiring.table["kind"].tolist())
    matrices = (vector, 1, vector, 1, vector, 1)
    pooled = (vector, vector, 1, 1, 1, 1, 1, 1, wiring.strips)
    moved = (wiring.table[0], vector, wiring.places, wiring.strips)
    # Nothing is sent down from the lowest layer.
    above = set(wiring.table["kind"][1:].tolist())
    loops = wiring.loops._replace(
        columns=address_of(columns, *matrices, 1, 1, 1, wiring.sent, 1) if above else 0,
        backward_subsampled=address_of(
            backward_subsampled, vector, 1, vector, vector, vector, 1, 1, 1, 1, 1, 1, wiring.places
        )
        if SUBSAMPLE in kinds
        else 0,
        send_down_distances=address_of(send_down_distances, vector, vector, 1, 1, 1, 1, 1)
        if CODES in kinds
        else 0,
        send_to_largest=address_of(send_to_largest, *pooled) if MAX_POOL in kinds else 0,
        send_to_all=address_of(send_to_all, *pooled) if AVERAGE_POOL in kinds else 0,
        empty_field=address_of(empty_field, *moved) if above & CONVOLUTIONS else 0,
    )
    wiring = wiring._replace(loops=loops)
    if kinds & UNMULTIPLIED:
        address = address_of(backward_unmultiplied, wiring, wiring.table[0], True, *(vector,) * 4)
        wiring = wiring._replace(loops=loops._replace(backward_unmultiplied=address))
    return machine._replace(
        wiring=wiring, backward=address_of(backward, wiring, vector, vector, vector, vector)
    )


def goal_for(targets: Floats, kind: int, scale: float) -> Goal:
    """Return what training aims at.

    Parameters
    ----------
    targets
        The wanted outputs, one row a class.
    kind
        SQUARED, SOFTMAX, BINARY or POSTERIOR.
    scale
        The constant of the loss; see :mod:`retronet.kernels.losses`.
    """
    row = targets[0]
    return Goal(targets, address_of(LOSSES[kind], 1.0, row, row, row, row), scale)
