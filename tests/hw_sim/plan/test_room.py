"""As bits grow, fixed point approaches floating point: in every network, rule and family of formats."""

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from support.random_networks import random_network, random_parameters, random_patterns
from support.trained_networks import trained_of

from hw_sim.fixed_point.quantize import IntegerNetwork, quantize
from hw_sim.fixed_point.simulate import run_integers
from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import Levels, encode
from hw_sim.formats.modes import Rounding
from hw_sim.plan.calibrate import calibrate, mixed_plan
from hw_sim.plan.plan import PrecisionPlan
from hw_sim.plan.room import excess_bits, holding_border, scale_for_border, start_bits
from retronet.connections import weight_rows
from retronet.errors import InputError
from retronet.network import Conv, Tanh, sized_layers
from retronet.trained import Trained

Images = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
HOLDING = ("power-of-two", "max-abs", "max-abs/map", "power-of-two/map", "percentile:100")
"""Rules that clip nothing."""
CLIPPING = ("mse", "mse/map", "percentile:98", "percentile:90/map")
FORMS = ("{bits} bits, ", "{bits} bits, ", "{{-{top}:{top}:2}}, ", "s{bits}.3, ")
KINDS = (
    "plain",
    "tiny weights",
    "huge weights",
    "one-sided",
    "one map far larger",
    "huge biases",
    "no weights",
)
BORDERS = (0.0, -1.0, 0.3, 40.0, -3000.0)


def drawn(seed: int, kind: str, border: float) -> tuple[Trained, Images]:
    """Return a random network, its parameters of a kind, and images; all paddings have the border."""
    networks = map(random_network, range(10 * seed, 10 * seed + 1000))
    network = next(each for each in networks if each.input[0] == 1)
    layers = [replace(layer, border=border) if isinstance(layer, Conv) else layer for layer in network.layers]
    network = replace(network, layers=tuple(layers))
    parameters = random_parameters(network, seed)
    for name, array in parameters.items():
        weights = name.endswith(".weight")
        match kind:
            case "tiny weights":
                array *= 1e-6 if weights else 0.1
            case "huge weights":
                array *= 300.0 if weights else 1.0
            case "one-sided":
                np.abs(array, out=array)
            case "one map far larger":
                array[:1] *= 1000.0 if weights else 1.0
            case "huge biases":
                array *= 1e-4 if weights else 1e7
            case "no weights":
                array *= 0.0 if weights else 1.0
    images = random_patterns(network, seed, 12, np.float32)[0]
    return trained_of(network, parameters), images


def slope(activation: object) -> float:
    return activation.amplitude * activation.slope if isinstance(activation, Tanh) else 1.0


def bound(trained: Trained, images: Images, network: IntegerNetwork) -> float:
    """Return what the outputs can be off by, from the steps and ends of the formats alone.

    A step is the most that rounding can change, cutting off at the ends brings no two numbers further apart,
    and an activation spreads them by its greatest slope.
    """

    def states_off(form: object, scale: float, values: Images) -> float:
        assert isinstance(form, Fixed | Levels)
        low, high = form.minimum * scale, form.maximum * scale
        gaps = 1 if isinstance(form, Fixed) else int(np.diff(form.levels).max())
        return gaps * form.step * scale + max(float((values - high).max()), float((low - values).max()), 0.0)

    plan, exact = network.plan, trained.states(images)
    values: Images = np.asarray(images, np.float64)
    off = states_off(plan.input, plan.input_scale, values)
    for index, (sized, layer) in enumerate(zip(sized_layers(trained.network), network.layers, strict=True)):
        rows = weight_rows(sized, trained.parameters[f"{sized.name}.weight"].astype(np.float64))
        scales = np.array(layer.plan.weight_scale)[:, None]
        divisors = (
            scales if layer.plan.weight_divisor is None else np.array(layer.plan.weight_divisor)[:, None]
        )
        kept = encode(rows / divisors, layer.plan.weight, (plan.seed, index, 0))[0] * (
            layer.plan.weight.step * scales
        )
        used = np.arange(rows.shape[1]) < np.array(sized.fan_in)[:, None]
        reach, border_off = float(np.abs(values).max()), 0.0
        if isinstance(sized.layer, Conv) and sized.layer.pad:
            stands = layer.border * layer.input.step * plan.input_scale_of(index)
            reach, border_off = max(reach, abs(sized.layer.border)), abs(stands - sized.layer.border)
        wrong = (np.abs(kept - rows) * used).sum(axis=1)
        per_map = wrong * reach + (np.abs(kept) * used).sum(axis=1) * max(off, border_off)
        bias_step = layer.plan.bias.step * max(layer.plan.weight_scale) * plan.input_scale_of(index)
        off = slope(sized.layer.activation) * (float(per_map.max()) + bias_step)
        values = np.asarray(exact[sized.name], np.float64)
        off += states_off(layer.plan.state, layer.plan.state_scale, values)
    return off


def off_by(trained: Trained, images: Images, network: IntegerNetwork) -> tuple[float, float]:
    """Return the largest difference from the outputs in floating point, and the largest of those."""
    exact = trained.outputs(images, np.float64)
    return float(np.abs(run_integers(network, images).outputs - exact).max()), float(np.abs(exact).max())


def clips_nothing_chosen(network: IntegerNetwork) -> None:
    for layer in network.layers:
        assert layer.clipped_biases == 0, layer.sized.name
        if isinstance(layer.sized.layer, Conv) and layer.sized.layer.pad:
            assert layer.input.low <= layer.border <= layer.input.high


def family(data: st.DataObject, rules: tuple[str, ...], roundings: list[Rounding]) -> tuple[str, bool]:
    """Return a rule of tensors with the bits left open, and whether it clips nothing."""
    scale = data.draw(st.sampled_from(rules))
    form = data.draw(st.sampled_from(FORMS))
    mode = f", {data.draw(st.sampled_from(roundings))}" if "bits, " in form else ""
    return form + scale + mode, scale in HOLDING


def text_of(rule: str, bits: int) -> str:
    return rule.format(bits=bits, top=(1 << bits) - 1)


cases = st.tuples(st.integers(0, 1000), st.sampled_from(KINDS), st.sampled_from(BORDERS))
quick = settings(max_examples=16, deadline=None, derandomize=True, phases=(Phase.generate,))
"""Seconds for what is drawn; shrinking would take minutes, and a case says enough as it is."""


@given(cases, st.data())
@quick
def test_the_error_is_below_a_bound_that_vanishes_as_bits_grow(
    case: tuple[int, str, float], data: st.DataObject
) -> None:
    trained, images = drawn(*case)
    computed = [mode for mode in Rounding if mode is not Rounding.STOCHASTIC]
    weights, holds_weights = family(data, HOLDING + CLIPPING, list(Rounding))
    states, holds_states = family(data, HOLDING[:2] + CLIPPING[::2], computed)
    bounds = {}
    for bits in (4, 11):
        plan = calibrate(trained, images, weights=text_of(weights, bits), states=text_of(states, bits))
        network = quantize(trained, plan)
        clips_nothing_chosen(network)
        bounds[bits] = bound(trained, images, network)
        off, largest = off_by(trained, images, network)
        assert off <= bounds[bits] + 4e-6 * (largest + 1)
    if holds_weights and holds_states:
        assert bounds[11] <= bounds[4] / 2**5


@pytest.mark.parametrize("bits", [10, 18])
@pytest.mark.parametrize("scale", ["power-of-two", "max-abs"])
def test_the_outputs_themselves_come_near_at_the_most_bits(bits: int, scale: str) -> None:
    for kind in KINDS:
        trained, images = drawn(3, kind, 0.3)
        network = quantize(trained, calibrate(trained, images, bits, weights=scale, states=scale))
        off, largest = off_by(trained, images, network)
        assert off <= 100 * 2.0**-bits * (largest + 1), kind


@pytest.mark.parametrize("kind", KINDS)
def test_sums_of_enough_bits_are_the_exact_ones_and_none_clips_a_bias(kind: str) -> None:
    trained, images = drawn(4, kind, -1.0)
    exact = quantize(trained, calibrate(trained, images, 5))
    wide = quantize(trained, calibrate(trained, images, 5, sums="32 bits"))
    if all(layer.sum_bound < 1 << 31 for layer in exact.layers):
        assert np.array_equal(run_integers(exact, images).outputs, run_integers(wide, images).outputs)
    for sums in ("3 bits", "9 bits, SAT, fused", "16 bits", "32 bits, TRN"):
        for scale in ("power-of-two", "max-abs/map"):
            clips_nothing_chosen(quantize(trained, calibrate(trained, images, 12, weights=scale, sums=sums)))


@pytest.mark.parametrize("scale", ["power-of-two", "max-abs/map"])
def test_mixed_bits_hold_biases_as_one_number_of_bits_does(scale: str) -> None:
    trained, images = drawn(5, "huge biases", 40.0)

    def calibrated(bits: int) -> PrecisionPlan:
        return calibrate(trained, images, bits, weights=scale)

    names = [sized.name for sized in sized_layers(trained.network)]
    bits = {name: 4 + 3 * place for place, name in enumerate(["input", *names])}
    clips_nothing_chosen(quantize(trained, mixed_plan(trained, calibrated, bits, bits)))
    same = dict.fromkeys(bits, 12)
    assert mixed_plan(trained, calibrated, same, same) == calibrated(12)


def test_what_a_border_and_a_bias_ask_of_a_format() -> None:
    assert holding_border(Fixed(8, 7), -1.0) == Fixed(8, 7)
    assert holding_border(Fixed(8, 7), 1.0) == Fixed(8, 6)
    assert scale_for_border(0.5, Fixed(4, 0), -4.0, power=False) == 0.5
    assert scale_for_border(0.5, Fixed(4, 0), 4.0, power=False) == 4 / 7
    assert scale_for_border(0.5, Fixed(4, 0), 4.0, power=True) == 1.0
    assert scale_for_border(0.5, Fixed(4, 0, signed=False), -4.0, power=False) == 0.5
    assert start_bits(1.0, 40, Fixed(32, 0)) == 30
    assert start_bits(0.0, 40, Fixed(32, 0)) == 40
    assert start_bits(2.0**70, 5, Fixed(8, 0)) == -64
    assert excess_bits(1.0, 58) == 0
    assert excess_bits(2.0**20, 58) == 20


def test_infinite_biases_are_refused() -> None:
    with pytest.raises(InputError, match="no format holds both"):
        start_bits(np.inf, 3, Fixed(32, 0))
