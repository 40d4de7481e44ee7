"""What `vectors` offers, as instructions: for kernels that are compiled.

A function marked as intrinsic returns the types that Numba asks for, and what writes the instructions. What
it does is said in :mod:`retronet.kernels.interpreted`.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from retronet.kernels.lanes import (
    LANES,
    EightType,
    write_below,
    write_fma,
    write_load,
    write_place,
    write_shuffle,
    write_splat,
    write_store,
)


@intrinsic
def fma(_context: Any, a: Any, _b: Any, _c: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return write_fma(builder, *given)

    return a(a, a, a), generate


@intrinsic
def splat8(_context: Any, value: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return write_splat(builder, given[0])

    return EightType(value)(value), generate


@intrinsic
def load8(_context: Any, values: Any, first: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = signature.args[0]
        return write_load(builder, write_place(context, builder, kind, given[0], given[1], LANES), kind)

    return EightType(values.dtype)(values, first), generate


@intrinsic
def store8(_context: Any, values: Any, first: Any, eight: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = signature.args[0]
        write_store(builder, given[2], write_place(context, builder, kind, given[0], given[1], LANES), kind)
        return context.get_dummy_value()

    return types.void(values, first, eight), generate


@intrinsic
def first8(_context: Any, eight: Any, count: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        zeros = ir.Constant(given[0].type, None)
        return builder.select(write_below(builder, given[1]), given[0], zeros)

    return eight(eight, count), generate


@intrinsic
def store_first8(_context: Any, values: Any, first: Any, eight: Any, old: Any, count: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        array, start, new, kept, number = given
        kind = signature.args[0]
        mixed = builder.select(write_below(builder, number), new, kept)
        write_store(builder, mixed, write_place(context, builder, kind, array, start, LANES), kind)
        return context.get_dummy_value()

    return types.void(values, first, eight, old, count), generate


@intrinsic
def at_least8(_context: Any, a: Any, b: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        lanes = builder.fcmp_ordered(">=", *given)
        return builder.zext(builder.bitcast(lanes, ir.IntType(LANES)), ir.IntType(64))

    return types.int64(a, b), generate


def _of_two(a: Any, b: Any, operation: str) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return getattr(builder, operation)(*given)

    return a(a, b), generate


@intrinsic
def add8(_context: Any, a: Any, b: Any) -> Any:
    return _of_two(a, b, "fadd")


@intrinsic
def mul8(_context: Any, a: Any, b: Any) -> Any:
    return _of_two(a, b, "fmul")


@intrinsic
def sub8(_context: Any, a: Any, b: Any) -> Any:
    return _of_two(a, b, "fsub")


@intrinsic
def div8(_context: Any, a: Any, b: Any) -> Any:
    return _of_two(a, b, "fdiv")


@intrinsic
def fma8(_context: Any, a: Any, _b: Any, _c: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return write_fma(builder, *given)

    return a(a, a, a), generate


@intrinsic
def sum8(_context: Any, eight: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        (all8,) = given
        four = builder.fadd(
            write_shuffle(builder, all8, all8, 0, 1, 2, 3), write_shuffle(builder, all8, all8, 4, 5, 6, 7)
        )
        two = builder.fadd(write_shuffle(builder, four, four, 0, 1), write_shuffle(builder, four, four, 2, 3))
        ends = [builder.extract_element(two, ir.IntType(32)(lane)) for lane in (0, 1)]
        return builder.fadd(*ends)

    return eight.dtype(eight), generate


@intrinsic
def add_halves(_context: Any, values: Any, first: Any, second: Any, eight: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = signature.args[0]
        for start, lanes in ((given[1], (0, 1, 2, 3)), (given[2], (4, 5, 6, 7))):
            place = write_place(context, builder, kind, given[0], start, 4)
            four = write_shuffle(builder, given[3], given[3], *lanes)
            write_store(builder, builder.fadd(write_load(builder, place, kind), four), place, kind)
        return context.get_dummy_value()

    return types.void(values, first, second, eight), generate


@intrinsic
def sums_of_pairs(_context: Any, a: Any, _b: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return builder.fadd(
            write_shuffle(builder, *given, *range(0, 2 * LANES, 2)),
            write_shuffle(builder, *given, *range(1, 2 * LANES, 2)),
        )

    return a(a, a), generate


@intrinsic
def lower_twice(_context: Any, eight: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return write_shuffle(builder, given[0], given[0], 0, 0, 1, 1, 2, 2, 3, 3)

    return eight(eight), generate


@intrinsic
def upper_twice(_context: Any, eight: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return write_shuffle(builder, given[0], given[0], 4, 4, 5, 5, 6, 6, 7, 7)

    return eight(eight), generate
