"""How a digit lies in what a network reads: as its training digits did, normalised as USPS or as MNIST is."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from retronet.datasets.catalogue import find_source
from retronet.datasets.prepare import PREPARATIONS
from retronet.errors import InputError
from retronet.network import NetworkSpec
from retronet.reading.normalise import SIZE, normalised

MNIST_BOX, MNIST_FIELD = 20, 28
"""MNIST's own normalisation: a box of 20×20, its centre of mass in the middle of 28×28.

All its digits have theirs from 14 up to 15, in pixels from the edge: the first place not before the middle.
"""


@dataclass(frozen=True)
class Form:
    """Digits of `rows` and `columns`, of which a full digit takes `height` rows, made of USPS or MNIST ones.

    `preparation` is a name in `retronet.datasets.prepare.PREPARATIONS`: of digits that stand alone, whatever
    stood beside those that the network was trained on.
    """

    of: Literal["usps", "mnist"]
    preparation: str
    rows: int
    columns: int
    height: float

    @property
    def box(self) -> int:
        """Rows and columns of the square that a digit is normalised into."""
        return SIZE if self.of == "usps" else MNIST_BOX

    @property
    def levels(self) -> tuple[np.float32, np.float32]:
        """The numbers that stand for paper and for full ink."""
        if self.of == "usps":
            return np.float32(-1), np.float32(1)
        digits = np.stack([np.full((MNIST_FIELD, MNIST_FIELD), level) for level in (0, 255)])
        paper, ink = PREPARATIONS[MNIST_FIELD, MNIST_FIELD][self.preparation](digits)
        return paper[self.rows // 2, self.columns // 2], ink[self.rows // 2, self.columns // 2]

    def placed(self, ink: NDArray[np.generic]) -> NDArray[np.float32]:
        """Return the digit in `ink` (rows, columns), 0 being paper, as the network reads it.

        Raises
        ------
        InputError
            If there is no ink.
        """
        if self.of == "usps":
            digit = normalised(ink)
            around = ((self.rows - SIZE) // 2, (self.columns - SIZE) // 2)
            placed: NDArray[np.float32] = np.pad(digit, [(each, each) for each in around], constant_values=-1)
            return placed
        prepare = PREPARATIONS[MNIST_FIELD, MNIST_FIELD][self.preparation]
        prepared: NDArray[np.float32] = prepare(as_mnist(ink)[np.newaxis])[0]
        return prepared


def as_mnist(ink: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Return a digit as MNIST has it: 28×28, 0 paper to 255 ink.

    Raises
    ------
    InputError
        If there is no ink.
    """
    share = (normalised(ink, MNIST_BOX).astype(np.float64) + 1) / 2
    levels = np.rint(255 * share).astype(np.uint8)
    weights, places = levels.astype(np.int64), np.arange(MNIST_BOX)
    total, room = int(weights.sum()), MNIST_FIELD - MNIST_BOX
    starts = []
    for axis in (1, 0):
        # Twice the centre of mass, of pixels whose middles lie at a half, in whole numbers.
        twice = 2 * int((weights.sum(axis=axis) * places).sum()) + total
        start = -((twice - MNIST_FIELD * total) // (2 * total))
        starts.append(min(max(start, 0), room))
    field = np.zeros((MNIST_FIELD, MNIST_FIELD), np.uint8)
    field[starts[0] : starts[0] + MNIST_BOX, starts[1] : starts[1] + MNIST_BOX] = levels
    return field


USPS16 = Form("usps", "none", SIZE, SIZE, SIZE)
SHRUNK = MNIST_BOX * 16 / MNIST_FIELD
USPS28 = Form("usps", "bipolar28", 28, 28, SIZE)
MNIST28 = Form("mnist", "bipolar28", 28, 28, SHRUNK)
FORMS = {
    (SIZE, SIZE): {"none": USPS16, "bipolar28": USPS28, "neighbours28": USPS28},
    (MNIST_FIELD, MNIST_FIELD): {
        "bipolar16": Form("mnist", "bipolar16", 16, 16, SHRUNK),
        "antialiased16": Form("mnist", "antialiased16", 16, 16, SHRUNK),
        "bipolar28": MNIST28,
        "neighbours28": MNIST28,
        "unit28": Form("mnist", "unit28", 28, 28, MNIST_BOX),
        "standard28": Form("mnist", "standard28", 28, 28, MNIST_BOX),
        "lenet5_32": Form("mnist", "lenet5_32", 32, 32, MNIST_BOX),
        "unit32": Form("mnist", "unit32", 32, 32, MNIST_BOX),
    },
}
"""By the size of the data set's own digits, and their preparation; the first of each is the natural one."""


def form_of(network: NetworkSpec, data: str, preparation: str | None = None) -> Form:
    """Return the form in which a network reads digits that was trained on the data set `data`.

    Raises
    ------
    InputError
        If there is no such data set or preparation, or the network reads digits of another size.
    """
    known = FORMS[find_source(data).size]
    form = known.get(preparation or next(iter(known)))
    if form is None or network.input != (1, form.rows, form.columns):
        planes, rows, columns = network.input
        raise InputError(
            f"Digits can not be normalised for network '{network.name}': it reads {planes} plane(s) of "
            f"{rows}×{columns}, and was trained on {data} prepared as '{preparation or next(iter(known))}'; "
            f"{', '.join(f'{name} ({each.rows}×{each.columns})' for name, each in known.items())} are "
            "allowed. Train it with one of those."
        )
    return form
