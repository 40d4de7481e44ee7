"""The network of a page makes the simulator's integers, sum by sum, in a real browser."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from support.browser import browser, opened
from support.export_networks import NETWORKS, changed, plans
from support.small_network import NETWORK, draw, plan_of
from support.trained_networks import trained_of

from hw_sim.export.golden import STAGES
from hw_sim.export.page import encoded_array, page_network, script
from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.trace import trace_integers
from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import parse_format
from hw_sim.plan.activations import Converter, PiecewiseLinear
from hw_sim.plan.plan import Accumulator, PrecisionPlan
from retronet.errors import InputError
from retronet.network import NetworkSpec, Rbf, Tanh

IMAGES = 6
CODES = (("##..",), ("#.#.",), ("....",), ("####",), (".##.",))
CODED = replace(NETWORK, name="coded", layers=(*NETWORK.layers, Rbf("r", CODES)))
RUN = """([data, images]) => {
  const network = RetronetNetwork(data);
  const text = (value) => typeof value === "bigint" ? String(value) : String(value + 0);
  return images.map((image) => {
    const made = network.integers(image), reals = network.reals(image);
    return JSON.stringify({
      pixels: made.pixels.map(text),
      layers: made.layers.map((layer) => Object.fromEntries(
        Object.entries(layer).map(([stage, values]) => [stage, values.map(text)]))),
      outputs: made.outputs, answer: made.answer,
      reals: reals.layers.map((layer) => layer.states), real_answer: reals.answer,
    });
  });
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with browser() as started, opened(started) as page:
        page.add_script_tag(content=script())
        yield page


def differing(page: Any, network: NetworkSpec, plan: PrecisionPlan, spread: float = 1.0) -> list[str]:
    """Return the stages at which the page and the simulator differ on random digits."""
    parameters, images = draw(network, 3, IMAGES)
    images = (images * spread).astype(np.float32)
    trained = trained_of(network, parameters)
    integers = quantize(trained, plan)
    traced, data = trace_integers(integers, images), page_network(integers, trained)
    rows = images.reshape(IMAGES, -1)
    texts = page.evaluate(RUN, [json.loads(json.dumps(data)), rows.astype(float).tolist()])
    found, states = [], trained.states(images)
    for index, made in enumerate(map(json.loads, texts)):
        if list(map(int, made["pixels"])) != traced.inputs[index].tolist():
            found.append("pixels")
        for layer, own in zip(traced.layers, made["layers"], strict=True):
            for stage in STAGES:
                if list(map(int, own[stage])) != getattr(layer, stage)[index].ravel().tolist():
                    found.append(f"{layer.layer} {stage}")
        expected = traced.outputs[index]
        if made["outputs"] != expected.tolist() or made["answer"] != int(expected.argmax()):
            found.append("outputs")
        for own, state in zip(made["reals"], states.values(), strict=True):
            np.testing.assert_allclose(own, state[index].ravel(), rtol=2e-5, atol=2e-5)
    return found


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_every_integer_of_every_kind_of_plan(page: Any, network: NetworkSpec) -> None:
    for plan in plans(network):
        assert differing(page, network, plan) == [], plan


def wide_plans() -> list[PrecisionPlan]:
    """Return plans whose integers pass what doubles hold, and inputs of every other kind."""
    base = plan_of(NETWORK, "s8.6")
    split = Accumulator(Fixed.parse("s30.20:RND_CONV:WRAP"), product=Fixed.parse("s28.22:RND_ZERO:SAT"))
    long = Accumulator(Fixed.parse("s32.12:RND:SAT"), fused=True)
    return [
        plan_of(NETWORK, "s17.14", "s32.14:RND_INF:WRAP", fused=True, bias="s30.14"),
        changed(base, weight=Fixed.parse("s30.28"), bias=Fixed.parse("s32.20")),
        changed(base, weight=Fixed.parse("s31.29"), accumulator=long),
        changed(base, bias=Fixed.parse("s32.30"), bias_at="end"),
        changed(base, accumulator=split),
        changed(base, activation=Converter(1.5), state=parse_format("{-7:7:2}.2")),
        changed(base, activation=PiecewiseLinear(((-2.0, -1.0), (0.5, 0.25), (1.0, 1.0)))),
        changed(base, state=parse_format("p3.0")),
        changed(base, state=Fixed.parse("s8.5"), state_scale=0.37),
        replace(base, input=parse_format("{-1,1}")),
        replace(base, input=parse_format("p2.0z"), input_scale=0.7),
        replace(base, input=Fixed.parse("s12.10:RND_INF:WRAP"), input_scale=0.3),
        replace(base, input=Fixed.parse("s8.-2:RND_CONV:SAT_SYM")),
        replace(base, input=Fixed.parse("u6.6:TRN_ZERO:SAT_ZERO")),
    ]


@pytest.mark.parametrize("plan", wide_plans(), ids=range(len(wide_plans())))
def test_wide_words_and_other_inputs(page: Any, plan: PrecisionPlan) -> None:
    assert differing(page, NETWORK, plan, spread=3.0) == []


def test_sums_beyond_doubles_are_long() -> None:
    parameters, _ = draw(NETWORK, 3, 1)
    trained, (wide, *_) = trained_of(NETWORK, parameters), wide_plans()[2:]
    data = page_network(quantize(trained, wide), trained)
    assert all(layer["long_sums"] for layer in data["layers"])
    data = page_network(quantize(trained, plan_of(NETWORK, "s8.6")), trained)
    assert not any(layer["long_sums"] or layer["long_stage"] for layer in data["layers"])


def test_pixels_far_outside_every_format(page: Any) -> None:
    for text in ("s12.10:RND:WRAP", "s8.6", "s32.40:TRN:WRAP", "u4.44:RND:SAT_ZERO", "s9.-12"):
        plan = replace(plan_of(NETWORK, "s8.6"), input=Fixed.parse(text))
        for spread in (1e-30, 1e9, 1e30):
            assert differing(page, NETWORK, plan, spread=spread) == [], (text, spread)


def test_distances_to_codes(page: Any) -> None:
    for values in ("s8.6", "s5.3", "s16.13"):
        plan = plan_of(replace(CODED, layers=CODED.layers[:-1]), values)
        assert differing(page, CODED, plan) == []


def test_a_changed_weight_is_seen(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def changed_weights(*given: Any) -> dict[str, Any]:
        data, layer = original(*given), given[0].layers[1]
        weights = layer.weights.copy()
        weights[0, 0] ^= 1
        data["layers"][1]["weights"] = encoded_array(weights)
        return data

    original = page_network
    monkeypatch.setitem(globals(), "page_network", changed_weights)
    assert differing(page, NETWORK, plan_of(NETWORK, "s8.6"))


def test_what_is_refused_names_layer_and_reason() -> None:
    parameters, _ = draw(NETWORK, 3, 1)
    trained = trained_of(NETWORK, parameters)
    wide = changed(plan_of(NETWORK, "s8.6"), activation=Tanh(), state=Fixed.parse("s18.16"))
    with pytest.raises(InputError, match=r"Layer 'c' can not be put in a page: its activation has .* steps"):
        page_network(quantize(trained, wide), trained)
    parameters, _ = draw(CODED, 3, 1)
    trained = trained_of(CODED, parameters)
    plan = plan_of(replace(CODED, layers=CODED.layers[:-1]), "s8.6")
    last = replace(plan.layers[-1], activation=Converter(1.0), state=parse_format("{-2000000000,2000000000}"))
    with pytest.raises(InputError, match=r"Layer 'r' can not be put in a page: its distances sum 4 squares"):
        page_network(quantize(trained, replace(plan, layers=(*plan.layers[:-1], last))), trained)


def test_arrays_take_the_fewest_bytes() -> None:
    for most, kind in ((127, "i1"), (128, "i2"), (1 << 15, "i4"), (1 << 31, "i8")):
        assert encoded_array(np.array([0, most]))["type"] == kind
    assert encoded_array(np.array([-128]))["type"] == "i1"
    assert encoded_array(np.array([0.5], np.float32)) == {"type": "f4", "data": "AAAAPw=="}
