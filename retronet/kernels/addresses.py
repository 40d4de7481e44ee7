"""What `separate` offers, as instructions: for kernels that are compiled.

What each does is said in :mod:`retronet.kernels.interpreted`.
"""

from collections.abc import Iterable
from typing import Any

from numba import typeof, types
from numba.core import cgutils
from numba.extending import intrinsic


def address_of(loop: Any, *arguments: object) -> int:
    _, address = compiled_for(loop, kinds_of(arguments))
    return address


def kinds_of(arguments: Iterable[object]) -> tuple[Any, ...]:
    return tuple(_as_passed(typeof(argument)) for argument in arguments)


def compiled_for(loop: Any, kinds: tuple[Any, ...]) -> tuple[Any, int]:
    loop.compile(kinds)
    compiled = loop.overloads[kinds]
    return compiled, int(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name))


def _as_passed(kind: Any) -> Any:
    return types.int64 if isinstance(kind, types.Integer) else types.unliteral(kind)


def _call(given: Any, result: Any) -> Any:
    kinds = tuple(_as_passed(kind) for kind in given.types)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        members = cgutils.unpack_tuple(builder, values[1], len(kinds))
        arguments = [
            context.cast(builder, member, before, after)
            for member, before, after in zip(members, signature.args[1].types, kinds, strict=True)
        ]
        kind = context.call_conv.get_function_type(result, kinds)
        function = builder.inttoptr(values[0], kind.as_pointer())
        status, value = context.call_conv.call_function(builder, function, result, kinds, arguments)
        with cgutils.if_unlikely(builder, status.is_error):
            context.call_conv.return_status_propagate(builder, status)
        return context.get_dummy_value() if result == types.none else value

    return result(types.int64, given), generate


@intrinsic
def call(_context: Any, _address: Any, arguments: Any) -> Any:
    return _call(arguments, types.none)


@intrinsic
def call_for_float(_context: Any, _address: Any, arguments: Any) -> Any:
    return _call(arguments, types.float64)
