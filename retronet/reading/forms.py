"""How a normalised digit lies in what a network reads: the form that its training digits were prepared in."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retronet.errors import InputError
from retronet.network import NetworkSpec
from retronet.reading.normalise import SIZE, normalised


@dataclass(frozen=True)
class Form:
    """A digit's square of `size` in the middle of `rows` and `columns`; paper and ink are two numbers."""

    size: int
    rows: int
    columns: int
    paper: float = -1.0
    ink: float = 1.0

    def placed(self, ink: NDArray[np.generic]) -> NDArray[np.float32]:
        """Return the digit in `ink` (rows, columns), 0 being paper, as the network reads it.

        Raises
        ------
        InputError
            If there is no ink.
        """
        # In double precision, so that −1 and +1 for paper and ink change no bit.
        share = (normalised(ink, self.size).astype(np.float64) + 1) / 2
        digit = (self.paper + share * (self.ink - self.paper)).astype(np.float32)
        down, right = (self.rows - self.size) // 2, (self.columns - self.size) // 2
        below, beyond = self.rows - self.size - down, self.columns - self.size - right
        return np.pad(digit, ((down, below), (right, beyond)), constant_values=np.float32(self.paper))


BIPOLAR = Form(SIZE, 16, 16)
FORMS = {
    None: BIPOLAR,
    "none": BIPOLAR,
    "bipolar16": BIPOLAR,
    "antialiased16": BIPOLAR,
    "bipolar28": Form(SIZE, 28, 28),
    "unit28": Form(20, 28, 28, 0.0, 1.0),
    "lenet5_32": Form(20, 32, 32, -0.1, 1.182051),
}
"""By the preparation of the training digits. Of MNIST's own form the box is centred here, not its ink."""


def form_of(network: NetworkSpec, preparation: str | None) -> Form:
    """Return the form of a network whose training digits had this preparation.

    Raises
    ------
    InputError
        If the network reads digits of another size than the preparation makes.
    """
    form = FORMS.get(preparation)
    if form is None or network.input != (1, form.rows, form.columns):
        planes, rows, columns = network.input
        raise InputError(
            f"Digits can not be normalised for network '{network.name}': it reads {planes} plane(s) of "
            f"{rows}×{columns} prepared as '{preparation or 'none'}'; one of 16×16, 28×28 or 32×32 in a "
            "known preparation is needed. Train it with one of `retronet data list`."
        )
    return form
