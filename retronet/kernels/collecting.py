"""Puts off the collection of garbage while Numba compiles.

Compiling makes millions of objects that live on for a while; looking through them again and again took a
fifth of its time.
"""

import gc

from numba.core import event


class _Pause(event.Listener):
    """No collection from the first beginning to the last end; Numba compiles on one thread at a time."""

    def __init__(self) -> None:
        self._depth = 0
        self._paused = False

    def on_start(self, _event: object) -> None:
        """Stop collecting, if it goes on."""
        if self._depth == 0 and gc.isenabled():
            gc.disable()
            self._paused = True
        self._depth += 1

    def on_end(self, _event: object) -> None:
        """Go on collecting, if it was stopped here."""
        self._depth -= 1
        if self._depth == 0 and self._paused:
            gc.enable()
            self._paused = False


_pause = _Pause()


def put_off_collecting() -> None:
    """Stop the collection of garbage during each compilation of this process."""
    event.register("numba:compile", _pause)  # type: ignore[no-untyped-call]
