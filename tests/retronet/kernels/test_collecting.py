"""No garbage is collected while Numba compiles; before and after, whatever was so is so."""

import gc
from collections.abc import Callable

import numba
import pytest
from numba.extending import overload

import retronet.kernels

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")


def watched(seen: list[bool]) -> Callable[[float], float]:
    """Return a function that notes whether garbage is collected while it is compiled, in `seen`."""

    def noted(value: float) -> float:
        return value

    @overload(noted)  # type: ignore[untyped-decorator]
    def _noted(value):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202, ARG001 - as Numba compares it
        seen.append(gc.isenabled())
        return lambda value: value

    @numba.njit
    def inner(value: float) -> float:
        return noted(value)

    @numba.njit
    def outer(value: float) -> float:
        return inner(value) + noted(value)

    return outer


@pytest.mark.parametrize("enabled", [True, False])
def test_collecting_waits_for_compiling(enabled: bool) -> None:
    assert retronet.kernels.__doc__
    seen: list[bool] = []
    if not enabled:
        gc.disable()
    try:
        assert watched(seen)(1.0) == 2.0
        assert seen
        assert not any(seen)
        assert gc.isenabled() == enabled
    finally:
        gc.enable()


def test_collecting_goes_on_when_compiling_fails() -> None:
    @numba.njit
    def wrong(value: float) -> float:
        return value + "no number"  # type: ignore[operator, no-any-return]

    with pytest.raises(numba.TypingError):
        wrong(1.0)
    assert gc.isenabled()
