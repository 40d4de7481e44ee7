"""The DSP-32C's arithmetic against plain fractions, its words against printed ones, and networks in it."""

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import reference_dsp32c as reference
from support.interpreted import compiled_and_interpreted
from support.reference_integer import taps_of
from support.small_network import NETWORK, draw

import hw_sim.chips.dsp32c.report
from hw_sim.chips.dsp32c.network import dsp_layers, run_dsp
from hw_sim.chips.dsp32c.report import dsp_report
from hw_sim.chips.dsp32c.words import decode_words, encode_words, from_ieee, to_ieee
from hw_sim.kernels.dsp32c import LANES, WORD_REST, accumulate, floor_mantissa, sn_tanh
from retronet.engines.forward import layer_states
from retronet.errors import InputError
from retronet.network import Dense, Identity, NetworkSpec, Rbf, Relu, Subsample, Tanh, sized_layers

# Papers' §6.2.
CHECK_WORDS = {
    1.0: 0x00000080,
    2.0: 0x00000081,
    0.5: 0x0000007F,
    1.5: 0x40000080,
    -1.0: 0x8000007F,
    -1.5: 0xC0000080,
    -2.0: 0x80000080,
    0.0: 0x00000000,
    2.0**-127: 0x00000001,
    (2 - 2.0**-23) * 2.0**127: 0x7FFFFFFF,
    -(2.0**128): 0x800000FF,
}
MANTISSAS = st.one_of(
    st.integers(0, 0xFFFFFF), st.sampled_from([0, 1, 2, 0x7FFFFF, 0x7FFFFE, 0x800000, 0x800001, 0xFFFFFF])
)


def words(low: int, high: int) -> st.SearchStrategy[int]:
    """Return words whose exponent field is between `low` and `high`."""
    return st.builds(lambda mantissa, exponent: mantissa << 8 | exponent, MANTISSAS, st.integers(low, high))


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


@pytest.mark.parametrize(("value", "word"), CHECK_WORDS.items())
def test_check_words(value: float, word: int) -> None:
    assert int(encode_words(np.array([value]))[0]) == word
    assert float(decode_words(np.array([word], np.uint32))[0]) == value


@given(words(0, 255))
@settings(deadline=None)
def test_words_mean_what_the_format_says(word: int) -> None:
    value = decode_words(np.array([word], np.uint32))
    assert Fraction(float(value[0])) == reference.decode_words(word)
    assert int(encode_words(value)[0]) == (word if word & 0xFF else 0)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_ieee_converts_there_and_back(pattern: int) -> None:
    single = np.array([pattern], np.uint32).view(np.float32)
    found = from_ieee(single)
    encode_words(found)  # raises for what is no number of the format
    if not np.isfinite(single[0]):
        assert found[0] == (-(2.0**128) if np.signbit(single[0]) else (2 - 2.0**-23) * 2.0**127)
    elif abs(float(single[0])) < 2.0**-126:
        assert found[0] == 0
        assert to_ieee(found)[0] == 0
    else:
        assert found[0] == single[0]
        assert to_ieee(found)[0] == single[0]


def test_what_ieee_can_not_hold() -> None:
    beyond = np.array([-(2.0**128), 2.0**-127, -(1 + 2.0**-23) * 2.0**-127, 1 + 2.0**-31, -1 - 2.0**-31])
    assert to_ieee(beyond).tolist() == [-np.inf, 0.0, 0.0, 1.0, -1.0]


@pytest.mark.parametrize("value", [1 + 2.0**-24, 2.0**-128, 2.0**128, -(2.0**-127)])
def test_what_is_no_number_of_the_format_is_refused(value: float) -> None:
    with pytest.raises(InputError, match="24 significant bits"):
        encode_words(np.array([value]))


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
    found = run_dsp(NETWORK, dsp_layers(NETWORK, parameters), images)
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
    found = run_dsp(network, dsp_layers(network, parameters), image)
    assert found[0].tolist() == [*(3 * blocks + 0.5), 0.0]
    assert found[0, :6].tolist() == layer_states(network, parameters, image)["a"].ravel().tolist()


def test_lanes_and_threads_change_nothing() -> None:
    parameters, images = draw(NETWORK, 22, 2 * LANES + 3)
    layers = dsp_layers(NETWORK, parameters)
    whole = run_dsp(NETWORK, layers, images)
    assert np.array_equal(whole, run_dsp(NETWORK, layers, images, threads=3))
    single = [run_dsp(NETWORK, layers, images[index : index + 1]) for index in range(len(images))]
    assert np.array_equal(whole, np.concatenate(single))


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
    exact = run_dsp(network, dsp_layers(network, parameters), image)
    fast = run_dsp(network, dsp_layers(network, parameters, "sn"), image)
    assert exact[0, 0] == np.float32(1.7159 * np.tanh(0.5))
    assert fast[0, 0] == np.float32(sn_tanh(0.75))
    assert exact[0, 0] != fast[0, 0]


def test_sn_tanh_stands_for_its_own_constants_alone() -> None:
    parameters, _ = draw(NETWORK, 23, 1)
    with pytest.raises(InputError, match=r"layer 'd': the layer has 1 tanh\(1 a\)"):
        dsp_layers(NETWORK, parameters, "sn")


def test_what_can_not_be_run_is_refused() -> None:
    network = NetworkSpec("r", "", (1, 1, 2), (Rbf("codes", (("#.",), (".#",))),))
    with pytest.raises(InputError, match="kind rbf"):
        dsp_layers(network, {})
    parameters, images = draw(NETWORK, 24, 1)
    with pytest.raises(InputError, match="reads 6×7"):
        run_dsp(NETWORK, dsp_layers(NETWORK, parameters), images[:, 1:])
    del parameters["c.bias"]
    with pytest.raises(InputError, match=r"'c\.bias' is missing"):
        dsp_layers(NETWORK, parameters)


def test_truncation_drifts_downwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hw_sim.chips.dsp32c.report, "CHUNK", 64)
    network = NetworkSpec("line", "", (1, 10, 10), (Dense("a", 8, Identity()),))
    parameters, images = draw(network, 25, 150)
    sums = run_dsp(network, dsp_layers(network, parameters), images)
    exact = images.reshape(150, -1).astype(np.float64) @ parameters["a.weight"].astype(np.float64).T
    away = sums - exact - parameters["a.bias"]
    data: Any = SimpleNamespace(images=images, labels=sums.argmax(1).astype(np.uint8))
    found = dsp_report(network, parameters, data)
    drift = found.layers[0].dsp32c
    assert drift.mean == pytest.approx(away.mean(), rel=1e-6)
    assert drift.rms == pytest.approx(np.sqrt(np.square(away).mean()), rel=1e-6)
    assert drift.max_abs == pytest.approx(np.abs(away).max(), rel=1e-6)
    # A floor loses half a unit of the last place on average; a symmetric rounding would have no mean.
    assert drift.mean < -0.5 * drift.rms
    assert abs(found.layers[0].ieee_single.mean) < 0.5 * found.layers[0].ieee_single.rms
    assert found.dsp32c.misses == 0
    assert found.ieee_single.misses == found.differing_answers
