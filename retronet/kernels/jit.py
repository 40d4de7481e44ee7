"""How the kernels are compiled.

Code is kept on disk. References to arrays are not counted where none is made: the caller holds them all, and
counting takes a tenth of the time to compile.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.core.compiler import CompilerBase, DefaultPassBuilder

Function = TypeVar("Function", bound=Callable[..., Any])


class _PartCompiler(CompilerBase):
    """Numba's compiler, but for the library that it fills: not optimised here, but where it lands, once."""

    def define_pipelines(self) -> list[Any]:
        """Return the passes."""
        state = self.state
        state.library = state.targetctx.codegen().create_library(state.func_id.func_qualname)
        # Numba's own name: one without it would optimise here too, which costs time alone.
        state.library._optimize_final_module = lambda: None
        state.library.enable_object_caching()
        return [DefaultPassBuilder.define_nopython_pipeline(state)]  # type: ignore[no-untyped-call]


def njit(
    *, allocates: bool = False, optional: bool = False, **options: object
) -> Callable[[Function], Function]:
    """Return numba.njit with these options, for functions that Python calls, or `call` by their address.

    Parameters
    ----------
    allocates
        Whether the function makes an array.
    optional
        Whether the function asks which of its arguments are None: it is compiled without the branches for
        others. Numba does that where it also rewrites what kernels do not have, which takes a twelfth of the
        time to compile.
    options
        Others of Numba's.
    """
    compiler: Callable[[Function], Function] = numba.njit(  # type: ignore[call-overload]
        cache=True, _nrt=allocates, no_cfunc_wrapper=True, no_rewrites=not optional, **options
    )
    return compiler


def entry(*, nogil: bool = False) -> Callable[[Function], Function]:
    """Return numba.njit likewise, for loops that take many arrays and that Python calls, but no kernel.

    Nothing is compiled for calls from Python either: see :mod:`retronet.kernels.entering`.

    Parameters
    ----------
    nogil
        Let other threads of Python run meanwhile: for loops whose arrays no two threads share.
    """
    return lambda loop: enter(njit(no_cpython_wrapper=True)(loop), nogil=nogil)


def enter(loop: Function, *, nogil: bool = False) -> Function:
    """Return a compiled function without a way in from Python as one that has it; see `entry`."""
    if not hasattr(loop, "py_func"):  # Numba is told to compile nothing
        return loop
    from retronet.kernels.entering import Entry

    return cast("Function", Entry(loop, nogil))


def part(*, later: bool = False, **options: Any) -> Callable[[Function], Function]:  # noqa: ANN401
    """Return numba.njit likewise, for functions that nothing but other kernels calls.

    Nothing is compiled for calls from Python, which would end the process.

    Parameters
    ----------
    later
        Optimise the function where it lands inside others, not by itself before. That saves a fifth of the
        time to compile, and costs loops their vectors where these are for the compiler to find.
    options
        Those of `njit`.
    """
    if later:
        options["pipeline_class"] = _PartCompiler
    return njit(no_cpython_wrapper=True, **options)
