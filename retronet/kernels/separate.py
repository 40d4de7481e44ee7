"""Loops that are compiled by themselves and called by their address.

Numba compiles what a function calls once more with each function that calls it, used or not. A loop that is
called by address is compiled once, and only where a network or a recipe needs it: `address_of` does that,
and 0 stands for a loop that is never reached. Whole numbers are handed over as 64-bit integers. Nobody checks
that a call's arguments are those that the loop was compiled for: :mod:`retronet.kernels.compiling` is the one
place that takes addresses.
"""

from typing import TYPE_CHECKING

from numba import config

if TYPE_CHECKING or config.DISABLE_JIT:
    from retronet.kernels.interpreted import address_of, call, call_for_float
else:
    from retronet.kernels.addresses import address_of, call, call_for_float

__all__ = ["address_of", "call", "call_for_float"]
