"""Python's way into loops that take a network: their arguments go over as numbers and addresses.

What Numba compiles for a call from Python takes a network's sixty arrays and numbers apart in machine code of
its own, which is a third and more of what it takes to compile such a loop. Here Python takes them apart, by
the layout that Numba gives its arguments. A call takes some tens of microseconds longer so, and goes over
thousands of patterns.
"""

import ctypes
from collections.abc import Iterable, Iterator
from functools import update_wrapper
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.callconv import RETCODE_NONE, RETCODE_OK
from numba.core.registry import cpu_target

from retronet.kernels.addresses import compiled_for, kinds_of


class Call(NamedTuple):
    """The machine code of a loop for arguments of certain types, and the type of what it returns."""

    function: Any
    result: type[Any]


class Apart(NamedTuple):
    """An argument, what tells its type from others, and what machine code takes for it."""

    argument: object
    forms: list[object]
    numbers: list[object]


class Entry:
    """A loop that Python calls without a wrapper, and no kernel calls.

    A network, which comes first where there is one, is not taken apart again if it is that of the last call.

    Other threads wait meanwhile, unless `nogil` lets them run: a trained network has one set of flat vectors,
    whoever asks it for states.
    """

    def __init__(self, loop: Any, nogil: bool) -> None:  # noqa: ANN401 - Numba's
        self._prototype = ctypes.CFUNCTYPE if nogil else ctypes.PYFUNCTYPE
        update_wrapper(self, loop.py_func)
        self._name = loop.py_func.__qualname__
        self.compile, self.overloads, self._cache = loop.compile, loop.overloads, loop._cache
        self._calls: dict[tuple[object, ...], Call] = {}
        self._last: Apart | None = None

    def __call__(self, *arguments: object) -> float | None:
        """Run the loop, compiled for the types of these arguments, and return its number if it has one.

        Raises
        ------
        RuntimeError
            If the loop ends with an error, which none should.
        """
        first, *others = arguments
        last = self._last
        if last is None or last.argument is not first:
            last = Apart(first, *_taken_apart((first,)))
            if isinstance(first, tuple):
                self._last = last
        forms, numbers = _taken_apart(others)
        form = (*last.forms, *forms)
        if form not in self._calls:
            self._calls[form] = _prepare(self, self._prototype, arguments)
        function, result = self._calls[form]
        value, error = result(), ctypes.c_void_p()
        status = function(ctypes.byref(value), ctypes.byref(error), *last.numbers, *numbers)
        if status not in (RETCODE_OK.constant, RETCODE_NONE.constant):
            raise RuntimeError(f"{self._name} ended with status {status}")
        return None if result is ctypes.c_void_p else value.value


RESULTS = {types.float64: ctypes.c_double, types.none: ctypes.c_void_p}


def _prepare(entry: Entry, prototype: Any, arguments: Iterable[object]) -> Call:  # noqa: ANN401
    kinds = kinds_of(arguments)
    compiled, address = compiled_for(entry, kinds)
    members = [_as_c(member) for kind in kinds for member in _members(_layout(kind))]
    function = prototype(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *members)
    return Call(function(address), RESULTS[compiled.signature.return_type])


def _layout(kind: Any) -> Any:  # noqa: ANN401
    """Return what an argument becomes, a type of LLVM or tuples of them."""
    return cpu_target.target_context.data_model_manager[kind].get_argument_type()


def _members(layout: Any) -> Iterator[Any]:  # noqa: ANN401
    if isinstance(layout, tuple | list):
        for member in layout:
            yield from _members(member)
    else:
        yield layout


def _as_c(kind: Any) -> Any:  # noqa: ANN401
    match kind:
        case ir.PointerType():
            return ctypes.c_void_p
        case ir.FloatType():
            return ctypes.c_float
        case ir.DoubleType():
            return ctypes.c_double
        case ir.IntType(width=64):
            return ctypes.c_int64
        case ir.IntType(width=width) if width <= 8:
            return ctypes.c_bool
        case _:
            raise TypeError(f"an argument of type {kind}")


def _taken_apart(arguments: Iterable[object]) -> tuple[list[object], list[object]]:
    forms: list[object] = []
    numbers: list[object] = []
    _take_apart(arguments, forms, numbers)
    return forms, numbers


def _take_apart(arguments: Iterable[object], forms: list[object], numbers: list[object]) -> None:
    """Add to `numbers` what machine code takes, and to `forms` what tells the types of arguments apart.

    Asking Numba for the types would take longer than all else of a call.
    """
    for argument in arguments:
        if isinstance(argument, np.ndarray):
            forms.append((argument.dtype, argument.ndim, argument.flags.num))
            numbers += (None, None, argument.size, argument.itemsize, argument.ctypes.data)
            numbers += argument.shape
            numbers += argument.strides
        elif isinstance(argument, tuple):
            forms.append((type(argument), len(argument)))
            _take_apart(argument, forms, numbers)
        else:
            forms.append(type(argument))
            numbers.append(argument.item() if isinstance(argument, np.generic) else argument)
