"""What `vectors` and `separate` offer, as instructions: for kernels that are compiled.

A function marked as intrinsic returns the types that Numba asks for, and what writes the instructions. What
it does is said in :mod:`retronet.kernels.interpreted`.
"""

from collections.abc import Iterable
from typing import Any

from llvmlite import ir
from numba import typeof, types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

LANES = 8


class EightType(types.Type):
    """Eight numbers of one precision in a register."""

    def __init__(self, dtype: types.Float) -> None:
        self.dtype = dtype
        super().__init__(name=f"Eight({dtype})")


@register_model(EightType)
class EightModel(models.PrimitiveModel):
    """How eight numbers are held."""

    def __init__(self, manager: Any, kind: EightType) -> None:
        super().__init__(manager, kind, _vector(kind.dtype, LANES))


class FourType(types.Type):
    """Four times eight numbers."""

    def __init__(self, dtype: types.Float) -> None:
        self.dtype = dtype
        super().__init__(name=f"Four({dtype})")


@register_model(FourType)
class FourModel(models.PrimitiveModel):
    """How four times eight numbers are held."""

    def __init__(self, manager: Any, kind: FourType) -> None:
        super().__init__(manager, kind, ir.ArrayType(_vector(kind.dtype, LANES), 4))


def _vector(kind: types.Float, count: int) -> ir.VectorType:
    return ir.VectorType(ir.FloatType() if kind.bitwidth == 32 else ir.DoubleType(), count)


def _call_fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    wide = f"v{LANES}" if isinstance(c.type, ir.VectorType) else ""
    number = c.type.element if wide else c.type
    name = f"llvm.fma.{wide}f{32 if isinstance(number, ir.FloatType) else 64}"
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(c.type, [c.type] * 3), name)
    return builder.call(function, [a, b, c])


def _place(context: Any, builder: Any, kind: Any, array: Any, index: Any, count: int) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), _vector(kind.dtype, count).as_pointer())


def _load(builder: Any, place: Any, kind: Any) -> Any:
    loaded = builder.load(place)
    loaded.align = kind.dtype.bitwidth // 8
    return loaded


def _store(builder: Any, value: Any, place: Any, kind: Any) -> None:
    builder.store(value, place).align = kind.dtype.bitwidth // 8


def _shuffle(builder: Any, a: Any, b: Any, *lanes: int) -> Any:
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), list(lanes)))


def _splat(builder: Any, value: Any) -> Any:
    undefined = ir.Constant(ir.VectorType(value.type, LANES), ir.Undefined)
    first = builder.insert_element(undefined, value, ir.IntType(32)(0))
    return _shuffle(builder, first, first, *(0,) * LANES)


def _below(builder: Any, count: Any) -> Any:
    """Return which lanes are below `count`."""
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), LANES), list(range(LANES)))
    return builder.icmp_unsigned("<", lanes, _splat(builder, builder.trunc(count, ir.IntType(32))))


@intrinsic
def fma(_context: Any, a: Any, _b: Any, _c: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return _call_fma(builder, *given)

    return a(a, a, a), generate


@intrinsic
def splat8(_context: Any, value: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return _splat(builder, given[0])

    return EightType(value)(value), generate


@intrinsic
def load8(_context: Any, values: Any, first: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = signature.args[0]
        return _load(builder, _place(context, builder, kind, given[0], given[1], LANES), kind)

    return EightType(values.dtype)(values, first), generate


@intrinsic
def store8(_context: Any, values: Any, first: Any, eight: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = signature.args[0]
        _store(builder, given[2], _place(context, builder, kind, given[0], given[1], LANES), kind)
        return context.get_dummy_value()

    return types.void(values, first, eight), generate


@intrinsic
def first8(_context: Any, eight: Any, count: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        zeros = ir.Constant(given[0].type, None)
        return builder.select(_below(builder, given[1]), given[0], zeros)

    return eight(eight, count), generate


@intrinsic
def store_first8(_context: Any, values: Any, first: Any, eight: Any, old: Any, count: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        array, start, new, kept, number = given
        kind = signature.args[0]
        mixed = builder.select(_below(builder, number), new, kept)
        _store(builder, mixed, _place(context, builder, kind, array, start, LANES), kind)
        return context.get_dummy_value()

    return types.void(values, first, eight, old, count), generate


@intrinsic
def at_least8(_context: Any, a: Any, b: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        lanes = builder.fcmp_ordered(">=", *given)
        return builder.zext(builder.bitcast(lanes, ir.IntType(LANES)), ir.IntType(64))

    return types.int64(a, b), generate


@intrinsic
def add8(_context: Any, a: Any, _b: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return builder.fadd(*given)

    return a(a, a), generate


@intrinsic
def mul8(_context: Any, a: Any, _b: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return builder.fmul(*given)

    return a(a, a), generate


@intrinsic
def sub8(_context: Any, a: Any, _b: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return builder.fsub(*given)

    return a(a, a), generate


@intrinsic
def div8(_context: Any, a: Any, _b: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return builder.fdiv(*given)

    return a(a, a), generate


@intrinsic
def fma8(_context: Any, a: Any, _b: Any, _c: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return _call_fma(builder, *given)

    return a(a, a, a), generate


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
            _place(context, builder, kind, array, each, LANES) for each in _starts(builder, start, apart)
        ]
        return _four(builder, (_load(builder, place, kind) for place in places))

    return FourType(values.dtype)(values, first, step), generate


@intrinsic
def splat4(_context: Any, values: Any, first: Any, step: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        array, start, apart = given
        data = context.make_array(signature.args[0])(context, builder, array).data
        places = [builder.gep(data, [each]) for each in _starts(builder, start, apart)]
        return _four(builder, (_splat(builder, builder.load(place)) for place in places))

    return FourType(values.dtype)(values, first, step), generate


@intrinsic
def same4(_context: Any, eight: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return _four(builder, [given[0]] * 4)

    return FourType(eight.dtype)(eight), generate


@intrinsic
def first4(_context: Any, four: Any, count: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        eights, below = _eights(builder, given[0]), _below(builder, given[1])
        zeros = ir.Constant(eights[0].type, None)
        return _four(builder, (builder.select(below, eight, zeros) for eight in eights))

    return four(four, count), generate


@intrinsic
def fma4(_context: Any, a: Any, b: Any, c: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        a4, b4, c4 = (_eights(builder, each) for each in given)
        return _four(builder, (_call_fma(builder, *each) for each in zip(a4, b4, c4, strict=True)))

    return c(a, b, c), generate


@intrinsic
def fma_to_first4(_context: Any, a: Any, b: Any, c: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        a8, b8, c4 = given
        first, *rest = _eights(builder, c4)
        return _four(builder, (_call_fma(builder, a8, b8, first), *rest))

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
            total = _call_fma(builder, *pair, total)
        return total

    return start(start, a, b), generate


@intrinsic
def sum8(_context: Any, eight: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        (all8,) = given
        four = builder.fadd(
            _shuffle(builder, all8, all8, 0, 1, 2, 3), _shuffle(builder, all8, all8, 4, 5, 6, 7)
        )
        two = builder.fadd(_shuffle(builder, four, four, 0, 1), _shuffle(builder, four, four, 2, 3))
        ends = [builder.extract_element(two, ir.IntType(32)(lane)) for lane in (0, 1)]
        return builder.fadd(*ends)

    return eight.dtype(eight), generate


@intrinsic
def sums_of_eight(_context: Any, s: Any, t: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        def joined(a: Any, b: Any, lower: tuple[int, ...], upper: tuple[int, ...]) -> Any:
            return builder.fadd(_shuffle(builder, a, b, *lower), _shuffle(builder, a, b, *upper))

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


@intrinsic
def add_halves(_context: Any, values: Any, first: Any, second: Any, eight: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = signature.args[0]
        for start, lanes in ((given[1], (0, 1, 2, 3)), (given[2], (4, 5, 6, 7))):
            place = _place(context, builder, kind, given[0], start, 4)
            four = _shuffle(builder, given[3], given[3], *lanes)
            _store(builder, builder.fadd(_load(builder, place, kind), four), place, kind)
        return context.get_dummy_value()

    return types.void(values, first, second, eight), generate


@intrinsic
def sums_of_pairs(_context: Any, a: Any, _b: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return builder.fadd(
            _shuffle(builder, *given, *range(0, 2 * LANES, 2)),
            _shuffle(builder, *given, *range(1, 2 * LANES, 2)),
        )

    return a(a, a), generate


@intrinsic
def lower_twice(_context: Any, eight: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return _shuffle(builder, given[0], given[0], 0, 0, 1, 1, 2, 2, 3, 3)

    return eight(eight), generate


@intrinsic
def upper_twice(_context: Any, eight: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return _shuffle(builder, given[0], given[0], 4, 4, 5, 5, 6, 6, 7, 7)

    return eight(eight), generate


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
