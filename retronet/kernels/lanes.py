"""Eight numbers in a register, for Numba, and how the instructions on them are written."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import models, register_model

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
        super().__init__(manager, kind, vector_of(kind.dtype, LANES))


def vector_of(kind: types.Float, count: int) -> ir.VectorType:
    return ir.VectorType(ir.FloatType() if kind.bitwidth == 32 else ir.DoubleType(), count)


def write_fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    wide = f"v{LANES}" if isinstance(c.type, ir.VectorType) else ""
    number = c.type.element if wide else c.type
    name = f"llvm.fma.{wide}f{32 if isinstance(number, ir.FloatType) else 64}"
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(c.type, [c.type] * 3), name)
    return builder.call(function, [a, b, c])


def write_place(context: Any, builder: Any, kind: Any, array: Any, index: Any, count: int) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), vector_of(kind.dtype, count).as_pointer())


def write_load(builder: Any, place: Any, kind: Any) -> Any:
    loaded = builder.load(place)
    loaded.align = kind.dtype.bitwidth // 8
    return loaded


def write_store(builder: Any, value: Any, place: Any, kind: Any) -> None:
    builder.store(value, place).align = kind.dtype.bitwidth // 8


def write_shuffle(builder: Any, a: Any, b: Any, *lanes: int) -> Any:
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), list(lanes)))


def write_splat(builder: Any, value: Any) -> Any:
    undefined = ir.Constant(ir.VectorType(value.type, LANES), ir.Undefined)
    first = builder.insert_element(undefined, value, ir.IntType(32)(0))
    return write_shuffle(builder, first, first, *(0,) * LANES)


def write_below(builder: Any, count: Any) -> Any:
    """Return which lanes are below `count`."""
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), LANES), list(range(LANES)))
    return builder.icmp_unsigned("<", lanes, write_splat(builder, builder.trunc(count, ir.IntType(32))))
