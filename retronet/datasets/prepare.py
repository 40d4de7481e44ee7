"""Turns decoded digits into what a network reads. A preparation is a function and a line in `PREPARATIONS`.

Every result is the float32 nearest to the exact value, whatever the machine: the 16×16 reductions are sums
of whole numbers below 2²⁴, which float32 holds exactly in any order, and one division.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from retronet.datasets.neighbours import between_neighbours
from retronet.errors import InputError, unknown_name

Images = NDArray[np.float32]
Whole = NDArray[np.integer]


def bipolar16(digits: Whole) -> Images:
    """Return 16×16 images in [−1, 1]: pixels/127.5 − 1, bilinear, ends not aligned, no antialias (R1)."""
    return _reduce(digits, reach=1.0)


def antialiased16(digits: Whole) -> Images:
    """Return 16×16 images in [−1, 1] as `bipolar16`, with the triangle widened to the step of 1.75 (R4)."""
    return _reduce(digits, reach=28 / 16)


def bipolar28(digits: Whole) -> Images:
    """Return the `bipolar16` picture in the middle of 28×28, background −1 (NIPS89: 16×16 inside 28×28)."""
    return _centre(bipolar16(digits))


def unit28(digits: Whole) -> Images:
    """Return the digits at 28×28 in [0, 1]: pixels/255 (R5)."""
    return np.divide(digits, np.float32(255), dtype=np.float32)


def standard28(digits: Whole) -> Images:
    """Return the digits at 28×28 as (pixels/255 − 0.1307)/0.3081: mean and deviation in PyTorch's example."""
    table = ((np.arange(256) / 255 - 0.1307) / 0.3081).astype(np.float32)
    return table[digits]


def unit32(digits: Whole) -> Images:
    """Return the digits in the middle of 32×32 in [0, 1]: pixels/255."""
    return np.pad(unit28(digits), ((0, 0), (2, 2), (2, 2)))


def lenet5_32(digits: Whole) -> Images:
    """Return the digits in the middle of 32×32 as (pixels/255 − 0.078)/0.78: −0.1 to 1.182 (R6)."""
    table = ((np.arange(256) / 255 - 0.078) / 0.78).astype(np.float32)
    return table[np.pad(digits, ((0, 0), (2, 2), (2, 2)))]


def usps_values(places: Whole) -> Images:
    """Return USPS grid places as values in [−1, 1], nothing else done to them."""
    return (places.astype(np.float32) - np.float32(1000)) / np.float32(1000)


def usps_centred28(places: Whole) -> Images:
    """Return the USPS picture in the middle of 28×28, background −1 (NIPS89)."""
    return _centre(usps_values(places))


def neighbours28(digits: Whole) -> Images:
    """Return the `bipolar28` pictures with parts of others beside them: see `between_neighbours`."""
    return between_neighbours(bipolar28(digits))


def usps_neighbours28(places: Whole) -> Images:
    """Return the `usps_centred28` pictures with parts of others beside them: see `between_neighbours`."""
    return between_neighbours(usps_centred28(places))


PREPARATIONS: dict[tuple[int, int], dict[str, Callable[[Whole], Images]]] = {
    (16, 16): {"none": usps_values, "bipolar28": usps_centred28, "neighbours28": usps_neighbours28},
    (28, 28): {
        "bipolar16": bipolar16,
        "antialiased16": antialiased16,
        "bipolar28": bipolar28,
        "neighbours28": neighbours28,
        "unit28": unit28,
        "standard28": standard28,
        "lenet5_32": lenet5_32,
        "unit32": unit32,
    },
}
"""By the size of the decoded digits; the first of each is the natural form for a 16×16 network."""

NATURAL = {
    (16, 16): {(16, 16): "none", (28, 28): "bipolar28"},
    (28, 28): {(16, 16): "bipolar16", (28, 28): "unit28", (32, 32): "lenet5_32"},
}
"""By the size of the decoded digits, the form that a network of another input size takes unless told."""


def preparations_to(size: tuple[int, int], wanted: tuple[int, int]) -> list[str]:
    """Return the preparations that bring digits of `size` to the size `wanted`."""
    blank = np.zeros((1, *size), np.int64)
    return [name for name, prepare in PREPARATIONS[size].items() if prepare(blank).shape[1:] == wanted]


def natural(size: tuple[int, int], wanted: tuple[int, int]) -> str:
    """Return the preparation that brings digits of `size` to a network that reads `wanted`.

    Raises
    ------
    InputError
        If there is none.
    """
    name = NATURAL[size].get(wanted)
    if name is None:
        offered = ", ".join(f"{rows}×{columns}" for rows, columns in NATURAL[size])
        raise InputError(
            f"Digits of {size[0]}×{size[1]} can not be brought to {wanted[0]}×{wanted[1]}, which the network "
            f"reads; {offered} are allowed. Choose another data set, or a network of one of these sizes."
        )
    return name


def preparation(size: tuple[int, int], name: str | None) -> tuple[str, Callable[[Whole], Images]]:
    """Return name and function of a preparation of digits of `size`; None means the natural one.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    known = PREPARATIONS[size]
    chosen = next(iter(known)) if name is None else name
    if chosen not in known:
        raise unknown_name(f"preparation of {size[0]}×{size[1]} digits", chosen, known, "retronet data list")
    return chosen, known[chosen]


def _reduce(digits: Whole, reach: float) -> Images:
    """Return 28×28 reduced to 16×16 by triangles of half-width `reach`, pixels 0 … 255 → −1 … 1."""
    centres = (np.arange(16) + 0.5) * 28 / 16 - 0.5
    distances = np.abs(np.arange(28) - centres[:, np.newaxis])
    # Centres lie on eighths of a pixel, so that eight times a weight is whole.
    weights = (8 * np.maximum(reach - distances, 0)).astype(np.float32)
    sums = weights @ (digits.astype(np.float32) @ weights.T)
    totals = weights.sum(axis=1)
    full = np.float32(255) * np.outer(totals, totals)
    return (2 * sums - full) / full


def _centre(images: Images) -> Images:
    return np.pad(images, ((0, 0), (6, 6), (6, 6)), constant_values=-1)
