"""The part of `compiled` for four times eight numbers, which tiles of matrix products hold at once."""

from collections.abc import Iterable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

from retronet.kernels.lanes import (
    LANES,
    EightType,
    vector_of,
    write_below,
    write_fma,
    write_load,
    write_place,
    write_shuffle,
    write_splat,
)


class FourType(types.Type):
    """Four times eight numbers."""

    def __init__(self, dtype: types.Float) -> None:
        self.dtype = dtype
        super().__init__(name=f"Four({dtype})")


@register_model(FourType)
class FourModel(models.PrimitiveModel):
    """How four times eight numbers are held."""

    def __init__(self, manager: Any, kind: FourType) -> None:
        super().__init__(manager, kind, ir.ArrayType(vector_of(kind.dtype, LANES), 4))


def _eights(builder: Any, four: Any) -> list[Any]:
    """Return the eights of a four; one that is an eight itself stands for four of it."""
    if isinstance(four.type, ir.VectorType):
        return [four] * 4
    return [builder.extract_value(four, place) for place in range(4)]


def _four(builder: Any, eights: Iterable[Any]) -> Any:
    first, *rest = eights
    four = builder.insert_value(ir.Constant(ir.ArrayType(first.type, 4), ir.Undefined), first, 0)
    for place, eight in enumerate(rest, start=1):
        four = builder.insert_value(four, eight, place)
    return four


def _starts(builder: Any, first: Any, step: Any) -> list[Any]:
    starts = [first]
    for _ in range(3):
        starts.append(builder.add(starts[-1], step))
    return starts


@intrinsic
def load4(_context: Any, values: Any, first: Any, step: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        array, start, apart = given
        kind = signature.args[0]
        places = [
            write_place(context, builder, kind, array, each, LANES) for each in _starts(builder, start, apart)
        ]
        return _four(builder, (write_load(builder, place, kind) for place in places))

    return FourType(values.dtype)(values, first, step), generate


@intrinsic
def splat4(_context: Any, values: Any, first: Any, step: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        array, start, apart = given
        data = context.make_array(signature.args[0])(context, builder, array).data
        places = [builder.gep(data, [each]) for each in _starts(builder, start, apart)]
        return _four(builder, (write_splat(builder, builder.load(place)) for place in places))

    return FourType(values.dtype)(values, first, step), generate


@intrinsic
def same4(_context: Any, eight: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return _four(builder, [given[0]] * 4)

    return FourType(eight.dtype)(eight), generate


@intrinsic
def first4(_context: Any, four: Any, count: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        eights, below = _eights(builder, given[0]), write_below(builder, given[1])
        zeros = ir.Constant(eights[0].type, None)
        return _four(builder, (builder.select(below, eight, zeros) for eight in eights))

    return four(four, count), generate


@intrinsic
def fma4(_context: Any, a: Any, b: Any, c: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        a4, b4, c4 = (_eights(builder, each) for each in given)
        return _four(builder, (write_fma(builder, *each) for each in zip(a4, b4, c4, strict=True)))

    return c(a, b, c), generate


@intrinsic
def fma_to_first4(_context: Any, a: Any, b: Any, c: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        a8, b8, c4 = given
        first, *rest = _eights(builder, c4)
        return _four(builder, (write_fma(builder, a8, b8, first), *rest))

    return c(a, b, c), generate


@intrinsic
def sum4(_context: Any, four: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        s0, s1, s2, s3 = _eights(builder, given[0])
        return builder.fadd(builder.fadd(s0, s1), builder.fadd(s2, s3))

    return EightType(four.dtype)(four), generate


@intrinsic
def chain8(_context: Any, start: Any, a: Any, b: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        total = given[0]
        for pair in zip(_eights(builder, given[1]), _eights(builder, given[2]), strict=True):
            total = write_fma(builder, *pair, total)
        return total

    return start(start, a, b), generate


@intrinsic
def sums_of_eight(_context: Any, s: Any, t: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        def joined(a: Any, b: Any, lower: tuple[int, ...], upper: tuple[int, ...]) -> Any:
            return builder.fadd(write_shuffle(builder, a, b, *lower), write_shuffle(builder, a, b, *upper))

        fours = [
            joined(s, t, (0, 1, 2, 3, 8, 9, 10, 11), (4, 5, 6, 7, 12, 13, 14, 15))
            for s, t in zip(_eights(builder, given[0]), _eights(builder, given[1]), strict=True)
        ]
        twos = [
            joined(a, b, (0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15))
            for a, b in (fours[:2], fours[2:])
        ]
        return joined(twos[0], twos[1], (0, 2, 8, 10, 4, 6, 12, 14), (1, 3, 9, 11, 5, 7, 13, 15))

    return EightType(s.dtype)(s, t), generate
