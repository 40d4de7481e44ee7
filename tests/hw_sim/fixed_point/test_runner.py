"""Every datapath that a plan can state, integer by integer against plain Python integers and fractions."""

import itertools
from typing import Any

import apytypes
import numpy as np
import pytest
from msgspec.structs import replace
from support.all_kinds import LECUN, NETWORK, changed, checked
from support.small_network import draw, plan_of
from support.trained_networks import trained_of

from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.trace import trace_integers
from hw_sim.formats.fixed import Fixed, to_fixed
from hw_sim.formats.levels import parse_format
from hw_sim.formats.modes import DETERMINISTIC, Overflow, Rounding
from hw_sim.plan.activations import Converter, PiecewiseLinear, Table
from hw_sim.plan.plan import Accumulator
from retronet.network import Conv, Dense, Identity, NetworkSpec, Relu, Tanh

HLS4ML = [
    ("s8.7:TRN:WRAP", "s10.6", False),
    ("s8.7:RND_CONV:SAT", "s12.8", False),
    ("s2.1:RND:SAT_SYM", "s9.6", False),
    ("s6.3:TRN:WRAP", "s8.5", True),
]


@pytest.mark.parametrize(("rounding", "overflow"), list(itertools.product(DETERMINISTIC, Overflow)))
def test_datapath_of_hls4ml(rounding: Rounding, overflow: Overflow) -> None:
    """Product cast before the sum, bias after it, pre-activation cast, table of tanh, an input that wraps."""
    for state, sums, fused in HLS4ML:
        form = Fixed.parse(f"{sums}:{rounding}:{overflow}")
        plan = changed(
            plan_of(NETWORK, state, bias="s12.9:TRN:WRAP"),
            weight=Fixed.parse("s7.5:TRN:WRAP"),
            accumulator=Accumulator(form, fused),
            bias_at="end",
            preactivation=replace(form, bits=form.bits - 1, frac_bits=form.frac_bits - 1),
            activation=Table(),
        )
        integers = checked(plan, images=1)
        assert {layer.method for layer in integers.layers} <= {"fused", "product", "fit"}


def test_the_table_of_hls4ml_differs_from_an_exact_tanh() -> None:
    parameters, pixels = draw(NETWORK, 3, 40)
    plan = changed(
        plan_of(NETWORK, "s12.10"), preactivation=Fixed.parse("s18.10:TRN:WRAP"), activation=Tanh()
    )
    exact = trace_integers(quantize(trained_of(NETWORK, parameters), plan), pixels)
    table = trace_integers(
        quantize(trained_of(NETWORK, parameters), changed(plan, activation=Table())), pixels
    )
    difference = exact.layers[0].states - table.layers[0].states
    assert 0 < np.abs(difference).max() <= 12


@pytest.mark.parametrize(
    "product", ["s8.5:TRN:WRAP", "s9.12:RND_CONV:SAT", "s12.3:RND_ZERO:SAT_ZERO", "s20.20"]
)
@pytest.mark.parametrize("sums", ["s9.6:RND:SAT", "s14.9:TRN_ZERO:WRAP", "s8.4:RND_INF:SAT_ZERO"])
def test_products_of_a_format_of_their_own(product: str, sums: str) -> None:
    accumulator = Accumulator(Fixed.parse(sums), product=Fixed.parse(product))
    integers = checked(changed(plan_of(NETWORK, "s8.6"), accumulator=accumulator), images=1)
    assert {layer.method for layer in integers.layers} == {"split"}


@pytest.mark.parametrize("weight", ["{-1,1}", "{-1,0,1}", "{-5,0,1}", "{-15:15:2}.3", "p3.0", "s3.1"])
@pytest.mark.parametrize("state", ["{-1,1}", "p2.0", "p3.1z", "{-7:7:2}.2", "s3.1"])
def test_sets_of_levels(weight: str, state: str) -> None:
    plan = changed(
        plan_of(NETWORK, "s8.6", bias="s16.3"), weight=parse_format(weight), state=parse_format(state)
    )
    checked(replace(plan, input=parse_format(state)))


def test_levels_with_a_narrow_accumulator() -> None:
    plan = plan_of(NETWORK, "s8.6", "s9.3:RND_CONV:SAT", bias="s9.3")
    checked(changed(plan, weight=parse_format("{-5,0,1}.1"), state=parse_format("p2.0")))


@pytest.mark.parametrize("sums", [None, "s12.2:TRN:SAT"])
@pytest.mark.parametrize("activation", [LECUN, Identity(), Relu(), Converter(0.8), Table(LECUN)])
def test_real_scales_of_tensors_and_maps(sums: str | None, activation: Any) -> None:
    plan = changed(
        plan_of(NETWORK, "s6.0", sums, bias="s20.2" if sums else "s20.0"),
        activation=activation,
        weight_scale=(0.0317,),
        state_scale=0.0613,
    )
    plan = replace(plan, input_scale=0.0391)
    maps = [layer.maps if isinstance(layer, Conv) else None for layer in NETWORK.layers]
    layers = [
        layer if count is None else replace(layer, weight_scale=tuple(0.02 + 0.01 * m for m in range(count)))
        for layer, count in zip(plan.layers, maps, strict=True)
    ]
    layers[2] = replace(layers[2], weight_divisor=(0.05,))
    integers = checked(replace(plan, layers=tuple(layers)))
    assert len(set(integers.layers[0].sum_scales)) == 3


@pytest.mark.parametrize("variant", ["single", "double"])
@pytest.mark.parametrize("activation", [Identity(), Relu(), LECUN])
@pytest.mark.parametrize("scale", [0.0391, 0.0002])
def test_requantising(variant: str, activation: Any, scale: float) -> None:
    plan = changed(
        plan_of(NETWORK, "s8.0", bias="s32.0"),
        weight_scale=(0.0078,),
        activation=activation,
        state_scale=0.0135,
        preactivation=Fixed(8, 0),
        preactivation_scale=scale,
        requantise=variant,
    )
    checked(replace(plan, input_scale=0.0079))


def test_pieces_and_converters() -> None:
    bent = PiecewiseLinear(((-2.0, -1.0), (-0.75, -0.75), (0.75, 0.75), (2.0, 1.0)))
    checked(changed(plan_of(NETWORK, "s6.4"), activation=bent))
    checked(changed(plan_of(NETWORK, "s8.6"), activation=Converter(1.14), state=parse_format("{-7:7:2}.2")))
    checked(changed(plan_of(NETWORK, "s8.6"), activation=Converter(1.14), state=Fixed.parse("s3.1")))


APYTYPES = {
    Rounding.TRN: "TO_NEG",
    Rounding.TRN_ZERO: "TO_ZERO",
    Rounding.RND: "TIES_POS",
    Rounding.RND_ZERO: "TIES_ZERO",
    Rounding.RND_MIN_INF: "TIES_NEG",
    Rounding.RND_INF: "TIES_AWAY",
    Rounding.RND_CONV: "TIES_EVEN",
}


@pytest.mark.parametrize(
    ("rounding", "overflow"), list(itertools.product(DETERMINISTIC, (Overflow.WRAP, Overflow.SAT)))
)
@pytest.mark.parametrize("fused", [False, True])
def test_sums_agree_with_apytypes(rounding: Rounding, overflow: Overflow, fused: bool) -> None:
    """An outside implementation adds up 24 products, cast by cast."""
    modes = {
        "quantization": getattr(apytypes.QuantizationMode, APYTYPES[rounding]),
        "overflow": getattr(apytypes.OverflowMode, overflow),
    }
    network = NetworkSpec("one", "", (1, 4, 6), (Dense("d", 3, Identity()),))
    parameters, pixels = draw(network, 9, 2)
    form = Fixed(9, 6, True, rounding, overflow)
    plan = changed(plan_of(network, "s8.6", bias="s12.8"), accumulator=Accumulator(form, fused))
    found = (
        trace_integers(quantize(trained_of(network, parameters), plan), pixels).layers[0].sums.reshape(2, 3)
    )

    def numbers(values: Any, text: str) -> list[Any]:
        form = Fixed.parse(text)
        codes = to_fixed(np.asarray(values), form).ravel().tolist()
        return [apytypes.APyFixed(code, bits=form.bits, frac_bits=form.frac_bits) for code in codes]

    biases = numbers(parameters["d.bias"], "s12.8")
    for image, unit in itertools.product(range(2), range(3)):
        total = biases[unit].cast(bits=9, frac_bits=6, **modes)
        factors = numbers(parameters["d.weight"][unit], "s8.6"), numbers(pixels[image], "s8.6")
        for weight, pixel in zip(*factors, strict=True):
            product = weight * pixel
            if not fused:
                product = product.cast(bits=9, frac_bits=6, **modes)
            total = (total + product).cast(bits=9, frac_bits=6, **modes)
        assert int(found[image, unit]) % 2**9 == total.to_bits()
