"""How the kernels of this package are compiled."""

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def njit(**options: object) -> Callable[[Function], Function]:
    """Return numba.njit with these options, for functions that make no array.

    Code is kept on disk. References to arrays are not counted: the caller holds them all, and counting takes
    a tenth of the time to compile.
    """
    compiler: Callable[[Function], Function] = numba.njit(  # type: ignore[call-overload]
        cache=True, _nrt=False, **options
    )
    return compiler
