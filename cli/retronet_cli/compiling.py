"""Says that a command is compiling, or waits for code, where that takes longer than a moment."""

import sys
from threading import Timer
from time import monotonic

from numba.core import event

from retronet.kernels.making import WAITING
from retronet_cli.start import is_program
from retronet_cli.terminal import talk

BLAS = "scipy.linalg.cython_blas"
"""What Numba imports as soon as anything is compiled or read back."""
PATIENCE_S = 1.0
"""What is over sooner, all compilations together, is not worth a word."""


class _Watch(event.Listener):
    """Speaks once, when compilations have lasted for a while."""

    def __init__(self) -> None:
        self._depth = 0
        self._spoken = False
        self._spent_s = 0.0
        self._since = 0.0
        self._timer = Timer(0, self._speak)

    def on_start(self, _event: object) -> None:
        """Wait with a compilation; those of the functions it calls lie within it."""
        if self._depth == 0 and not self._spoken:
            self._since = monotonic()
            self._timer = Timer(max(PATIENCE_S - self._spent_s, 0.0), self._speak)
            self._timer.daemon = True
            self._timer.start()
        self._depth += 1

    def on_end(self, _event: object) -> None:
        """Wait no longer, and keep what has been waited."""
        self._depth -= 1
        if self._depth == 0:
            self._timer.cancel()
            self._spent_s += monotonic() - self._since

    def _speak(self) -> None:
        self._spoken = True
        talk("Compiling the loops of this run: some seconds, the first time only.")


def leave_out_blas() -> None:
    """Have Numba start without a library of linear algebra: importing one takes longer than all else of it.

    No kernel uses any. Nothing is done in another program than `retronet`, whose own functions might.
    """
    if is_program() and BLAS not in sys.modules:
        # Python's import takes this for a module that is not there.
        sys.modules[BLAS] = None  # type: ignore[assignment]
        try:
            import numba.np.arraymath  # noqa: F401
        finally:
            del sys.modules[BLAS]


_WATCHES: list[_Watch] = []


def tell_of_compiling() -> None:
    """Say so on standard error when this process compiles for longer than `PATIENCE_S`; once at most."""
    if not _WATCHES:
        _WATCHES.append(_Watch())
        for kind in ("numba:compile", WAITING):
            event.register(kind, _WATCHES[0])  # type: ignore[no-untyped-call]
