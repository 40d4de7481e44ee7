"""The DSP-32C's arithmetic against plain fractions, and networks in it."""

from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import reference_dsp32c as reference
from support.analog_network import RECIPE
from support.dsp_words import words
from support.interpreted import compiled_and_interpreted
from support.reference_integer import taps_of
from support.small_network import NETWORK, draw

from hw_sim.chips.dsp32c.network import dsp_layers, run_dsp
from hw_sim.chips.dsp32c.words import decode_words, encode_words
from hw_sim.kernels.dsp32c import DSP_LANES, WORD_REST, accumulate, floor_mantissa, sn_tanh
from retronet.engines.forward import layer_states
from retronet.errors import InputError
from retronet.network import Dense, Identity, NetworkSpec, Rbf, Relu, Subsample, Tanh, sized_layers
from retronet.trained import Trained


def check_chain(bias: int, pairs: list[tuple[int, int]]) -> None:
    """Compare accumulator and stored word after every term with the reference."""
    expected = reference.decode_words(bias)
    values = [[float(reference.decode_words(word)) for word in column] for column in zip(*pairs, strict=True)]
    for count, (weight, state) in enumerate(pairs, 1):
        expected = reference.multiply_add(
            expected, reference.decode_words(weight), reference.decode_words(state)
        )
        weights, states = (np.array(column[:count]) for column in values)
        found = accumulate(float(reference.decode_words(bias)), weights, states)
        assert Fraction(float(found)) == expected, (count, hex(weight), hex(state))
        assert Fraction(float(floor_mantissa(found, WORD_REST))) == reference.store(expected)


@given(words(0, 255), st.lists(st.tuples(words(0, 255), words(0, 255)), min_size=1, max_size=4))
@settings(max_examples=300, deadline=None)
def test_sums_over_the_whole_range(bias: int, pairs: list[tuple[int, int]]) -> None:
    check_chain(bias, pairs)


@given(words(110, 146), st.lists(st.tuples(words(119, 137), words(119, 137)), min_size=1, max_size=6))
@settings(max_examples=500, deadline=None)
def test_sums_of_like_magnitude(bias: int, pairs: list[tuple[int, int]]) -> None:
    check_chain(bias, pairs)


@given(words(70, 90) | words(1, 20), words(1, 80), words(1, 20))
@settings(deadline=None)
def test_sums_about_the_smallest_number(bias: int, weight: int, state: int) -> None:
    check_chain(bias, [(weight, state), (weight, 0x8000007F)])


@given(words(250, 255), words(185, 200), words(180, 195))
@settings(deadline=None)
def test_sums_about_the_largest_number(bias: int, weight: int, state: int) -> None:
    check_chain(bias, [(weight, state), (weight, state ^ 0x80000000)])


@given(st.integers(1 << 23, (1 << 24) - 1), st.integers(-3, 3), st.sampled_from([-1, 1]))
@settings(deadline=None)
def test_deep_cancellation_loses_what_alignment_dropped(mantissa: int, away: int, sign: int) -> None:
    other = (1 << 47) // mantissa + away
    if not 1 << 23 <= other < 1 << 24:
        return
    weight, state = -sign * mantissa * 2.0**-23, other * 2.0**-24
    bias, first, second = (int(word) for word in encode_words(np.array([sign, weight, state])))
    check_chain(bias, [(first, second)])


@pytest.mark.parametrize(
    ("bias", "pairs", "expected"),
    [
        (0x00000000, [(0x8000007F, 0x00000001)], 0.0),  # -1 · 2^-127 has no word, unlike 2^-127
        (0x00000000, [(0x00000080, 0x00000001)], 2.0**-127),
        (0x80000001, [(0x00000080, 0x00000001)], 0.0),
        (0x7FFFFFFF, [(0x7FFFFFFF, 0x00000080)], (2 - 2.0**-31) * 2.0**127),
        (0x800000FF, [(0x800000FF, 0x00000001), (0x8000007F, 0x00000001)], -(2.0**128)),
    ],
)
def test_ends_of_the_range(bias: int, pairs: list[tuple[int, int]], expected: float) -> None:
    check_chain(bias, pairs)
    weights, states = (decode_words(np.array(column, np.uint32)) for column in zip(*pairs, strict=True))
    assert accumulate(float(reference.decode_words(bias)), weights, states) == expected


def test_alignment_is_seen_in_a_sum() -> None:
    # The product's last bit is worth 2^-47; beside 1 it is aligned at 2^-46.
    mantissas = np.array([-(2.0**24 - 1) * 2.0**-23]), np.array([(2.0**23 + 1) * 2.0**-24])
    exact = 1 + Fraction(float(mantissas[0][0])) * Fraction(float(mantissas[1][0]))
    assert exact.denominator == 1 << 47
    found = Fraction(float(accumulate(1.0, *mantissas)))
    assert found == exact - Fraction(1, 1 << 47)


def nearest_word(value: Any) -> Fraction:
    exact = Fraction(int(mpmath.floor(value * mpmath.mpf(2) ** 200)), 1 << 200)
    if exact == 0:
        return Fraction(0)
    step = reference.power(reference.exponent_of(exact) - 23)
    return reference.floor_to(exact + step / 2, step)


def activated(activation: Any, total: Fraction) -> Fraction:
    match activation:
        case Tanh(amplitude=amplitude, slope=slope):
            with mpmath.workprec(300):
                argument = mpmath.mpf(total.numerator) / total.denominator * slope
                return nearest_word(amplitude * mpmath.tanh(argument))
        case Relu():
            return max(total, Fraction(0))
        case _:
            return total


def run_reference(network: NetworkSpec, parameters: dict[str, Any], image: Any) -> list[Fraction]:
    """Return all states of one image (rows, columns), layer by layer."""
    planes = [[[Fraction(float(pixel)) for pixel in row] for row in image]]
    states = []
    for sized in sized_layers(network):
        layer, (maps, rows, columns) = sized.layer, sized.output
        shape = (len(planes), len(planes[0]), len(planes[0][0]))
        weights, biases = parameters[f"{sized.name}.weight"], parameters[f"{sized.name}.bias"]
        made = [[[Fraction(0)] * columns for _ in range(rows)] for _ in range(maps)]
        for unit in np.ndindex(maps, rows, columns):
            total = Fraction(float(biases[unit] if biases.ndim == 3 else biases[unit[0]]))
            for weight, plane, row, column in taps_of(layer, weights, *unit, shape, "plane_slowest"):
                inside = 0 <= row < shape[1] and 0 <= column < shape[2]
                state = planes[plane][row][column] if inside else Fraction(layer.border)
                total = reference.multiply_add(total, Fraction(weight), state)
            made[unit[0]][unit[1]][unit[2]] = activated(layer.activation, reference.store(total))
        planes = made
        states += [state for plane in made for row in plane for state in row]
    return states


def test_a_small_network_bit_for_bit() -> None:
    parameters, images = draw(NETWORK, 21, 2)
    found = run_dsp(NETWORK, dsp_layers(Trained(NETWORK, parameters, RECIPE)), images)
    for image, row in zip(images, found, strict=True):
        assert [Fraction(float(state)) for state in row] == run_reference(NETWORK, parameters, image)


def test_subsampling_sums_blocks_as_the_float_network_does_and_shared_biases_repeat() -> None:
    network = NetworkSpec("s", "", (1, 4, 6), (Subsample("a", 2, Identity()), Dense("b", 1, Identity())))
    parameters = {
        "a.weight": np.array([3.0], np.float32),
        "a.bias": np.array([0.5], np.float32),
        "b.weight": np.zeros((1, 6), np.float32),
        "b.bias": np.zeros(1, np.float32),
    }
    image = np.arange(24, dtype=np.float32).reshape(1, 4, 6)
    blocks = image[0].reshape(2, 2, 3, 2).sum(axis=(1, 3)).ravel()
    found = run_dsp(network, dsp_layers(Trained(network, parameters, RECIPE)), image)
    assert found[0].tolist() == [*(3 * blocks + 0.5), 0.0]
    assert found[0, :6].tolist() == layer_states(network, parameters, image)["a"].ravel().tolist()


def test_lanes_and_threads_change_nothing() -> None:
    parameters, images = draw(NETWORK, 22, 2 * DSP_LANES + 3)
    layers = dsp_layers(Trained(NETWORK, parameters, RECIPE))
    whole = run_dsp(NETWORK, layers, images)
    assert np.array_equal(whole, run_dsp(NETWORK, layers, images, threads=3))
    single = [run_dsp(NETWORK, layers, images[index : index + 1]) for index in range(len(images))]
    assert np.array_equal(whole, np.concatenate(single))
    last = layers[-1].sized.units
    for threads in (1, 3):
        only = run_dsp(NETWORK, layers, images, threads, last_only=True)
        assert only.shape == (len(images), last)
        assert np.array_equal(only, whole[:, -last:])


def test_interpreted_kernels_compute_the_same() -> None:
    compiled_code, interpreted = compiled_and_interpreted("reference_dsp32c")
    assert compiled_code == interpreted != ""


def test_sn_tanh_is_as_near_as_the_papers_say() -> None:
    points = np.arange(-28_000, 28_001) / 2000
    found = np.array([sn_tanh(point) for point in points])
    # Papers' §6.4: at most 9.7e-5 from 1.7159 tanh(2x/3).
    assert np.abs(found - 1.7159 * np.tanh(2 * points / 3)).max() == pytest.approx(9.7e-5, abs=0.1e-5)
    assert np.array_equal(found, -found[::-1])
    assert found[-1] == 1.71593428


def test_the_tanh_routine_is_used() -> None:
    network = NetworkSpec("t", "", (1, 1, 1), (Dense("a", 1, Tanh(1.7159, 2 / 3)),))
    parameters = {"a.weight": np.ones((1, 1), np.float32), "a.bias": np.zeros(1, np.float32)}
    image = np.full((1, 1, 1), 0.75, np.float32)
    exact = run_dsp(network, dsp_layers(Trained(network, parameters, RECIPE)), image)
    fast = run_dsp(network, dsp_layers(Trained(network, parameters, RECIPE), "sn"), image)
    assert exact[0, 0] == np.float32(1.7159 * np.tanh(0.5))
    assert fast[0, 0] == np.float32(sn_tanh(0.75))
    assert exact[0, 0] != fast[0, 0]


def test_sn_tanh_stands_for_its_own_constants_alone() -> None:
    parameters, _ = draw(NETWORK, 23, 1)
    with pytest.raises(InputError, match=r"layer 'd': the layer has 1 tanh\(1 a\)"):
        dsp_layers(Trained(NETWORK, parameters, RECIPE), "sn")


def test_what_can_not_be_run_is_refused() -> None:
    network = NetworkSpec("r", "", (1, 1, 2), (Rbf("codes", (("#.",), (".#",))),))
    with pytest.raises(InputError, match="kind rbf"):
        dsp_layers(Trained(network, {}, RECIPE))
    parameters, images = draw(NETWORK, 24, 1)
    with pytest.raises(InputError, match="reads 6×7"):
        run_dsp(NETWORK, dsp_layers(Trained(NETWORK, parameters, RECIPE)), images[:, 1:])
