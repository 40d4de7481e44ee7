"""Eight numbers at a time, and multiply-adds with one rounding: arithmetic that no compiler may rearrange.

Loops over these say in which order every sum is taken, so that each processor gives the same bytes, whatever
its registers hold: eight numbers are one register with AVX, two with SSE, half of one with AVX-512. A
processor that has no fused multiply-add calls the C library's function, which rounds once too; that is slow,
and the same.

The eight partial sums of a dot product are joined as ``i`` and ``i + 4``, then ``i`` and ``i + 2``, then the
two that are left.

Blocks that reach beyond the numbers that are meant read and write what lies behind them: a flat vector has
eight numbers to spare.
"""

from typing import TYPE_CHECKING

from numba import config

if TYPE_CHECKING or config.DISABLE_JIT:
    from retronet.kernels.interpreted import (
        add8,
        add_halves,
        at_least8,
        chain8,
        div8,
        first4,
        first8,
        fma,
        fma4,
        fma8,
        fma_to_first4,
        load4,
        load8,
        lower_twice,
        mul8,
        same4,
        splat4,
        splat8,
        store8,
        store_first8,
        sub8,
        sum4,
        sum8,
        sums_of_eight,
        sums_of_pairs,
        upper_twice,
    )
else:
    from retronet.kernels.compiled import (
        add8,
        add_halves,
        at_least8,
        div8,
        first8,
        fma,
        fma8,
        load8,
        lower_twice,
        mul8,
        splat8,
        store8,
        store_first8,
        sub8,
        sum8,
        sums_of_pairs,
        upper_twice,
    )
    from retronet.kernels.fours import (
        chain8,
        first4,
        fma4,
        fma_to_first4,
        load4,
        same4,
        splat4,
        sum4,
        sums_of_eight,
    )

__all__ = [
    "add8",
    "add_halves",
    "at_least8",
    "chain8",
    "div8",
    "first4",
    "first8",
    "fma",
    "fma4",
    "fma8",
    "fma_to_first4",
    "load4",
    "load8",
    "lower_twice",
    "mul8",
    "same4",
    "splat4",
    "splat8",
    "store8",
    "store_first8",
    "sub8",
    "sum4",
    "sum8",
    "sums_of_eight",
    "sums_of_pairs",
    "upper_twice",
]
