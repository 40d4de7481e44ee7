"""ONNX Runtime makes every sum and state of the simulator, with and without graph optimisation."""

from typing import Any

import numba
import numpy as np
import pytest
from support.export_networks import NETWORKS, POOLED, changed, per_map, plans
from support.random_networks import random_network
from support.small_network import NETWORK, draw, plan_of
from support.trained_networks import trained_of

from hw_sim.export.files import Origin
from hw_sim.export.onnx_integer import onnx_integer
from hw_sim.fixed_point.quantize import IntegerNetwork, quantize
from hw_sim.fixed_point.trace import Trace, trace_integers
from hw_sim.formats.fixed import Fixed
from hw_sim.plan.calibrate import calibrate
from hw_sim.plan.plan import PrecisionPlan
from retronet.datasets import load
from retronet.errors import InputError
from retronet.initial import initial_parameters
from retronet.network import NetworkSpec, load_network
from retronet.recipe import load_recipe

onnxruntime = pytest.importorskip("onnxruntime")
ORIGIN = Origin("retronet 1", "a", "made-up digits")
TYPES = {"tensor(int8)": np.int8, "tensor(uint8)": np.uint8}


def differences(network: IntegerNetwork, traced: Trace, model: bytes, *, optimised: bool) -> int:
    """Return how many sums, states and outputs the runtime makes otherwise."""
    levels, options = onnxruntime.GraphOptimizationLevel, onnxruntime.SessionOptions()
    options.graph_optimization_level = levels.ORT_ENABLE_ALL if optimised else levels.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    kind = TYPES[session.get_inputs()[0].type]
    pixels = traced.inputs.reshape(-1, *network.network.input).astype(kind)
    names = [output.name for output in session.get_outputs()]
    made = dict(zip(names, session.run(None, {"pixels": pixels}), strict=True))
    bad = int((made["output"] != traced.outputs.astype(np.float32)).sum())
    for layer in traced.layers:
        for what, wanted in (("sums", layer.after_bias), ("states", layer.states)):
            bad += int((made[f"{layer.layer}.{what}"].reshape(wanted.shape) != wanted).sum())
    return bad


def quantised(network: NetworkSpec, plan: PrecisionPlan) -> tuple[IntegerNetwork, Trace]:
    parameters, images = draw(network, 3, 4)
    integers = quantize(trained_of(network, parameters), plan)
    return integers, trace_integers(integers, images)


def exported(network: IntegerNetwork, most_entries: int) -> tuple[bytes | None, str]:
    """Return the graph, or the sentence that refuses it."""
    try:
        return onnx_integer(network, ORIGIN, every=True, most_entries=most_entries), ""
    except InputError as error:
        return None, str(error)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("most_entries", [1 << 20, 10], ids=["tables", "staircases"])
def test_every_plan_is_exact_or_refused(name: str, most_entries: int) -> None:
    exact = 0
    for plan in plans(NETWORKS[name]):
        integers, traced = quantised(NETWORKS[name], plan)
        model, refusal = exported(integers, most_entries)
        if model is None:
            assert "layer '" in refusal
            continue
        exact += 1
        for optimised in (False, True):
            assert differences(integers, traced, model, optimised=optimised) == 0
    assert exact >= 14


def test_two_to_eight_bits_of_the_network_of_1989() -> None:
    if numba.config.DISABLE_JIT:
        pytest.skip("hundreds of digits need compiled code")
    recipe, network = load_recipe("lecun1989"), load_network("lecun1989")
    sets = load("digits5k", recipe.preparation)
    parameters = initial_parameters(network, recipe.initial, recipe.seed)
    for bits in range(2, 9):
        plan = calibrate(trained_of(network, parameters), sets.train.images[:500], bits)
        integers = quantize(trained_of(network, parameters), plan)
        traced = trace_integers(integers, sets.test.images[:200])
        model = onnx_integer(integers, ORIGIN, every=True)
        assert [differences(integers, traced, model, optimised=each) for each in (False, True)] == [0, 0]


def test_a_changed_weight_is_seen() -> None:
    parameters, images = draw(NETWORK, 3, 4)
    plan = plan_of(NETWORK, "s8.6")
    integers = quantize(trained_of(NETWORK, parameters), plan)
    parameters["c.weight"][0, 0] += 1 / 64
    other = onnx_integer(quantize(trained_of(NETWORK, parameters), plan), ORIGIN, every=True)
    assert differences(integers, trace_integers(integers, images), other, optimised=True) > 0


def test_the_same_network_gives_the_same_bytes_and_says_where_it_comes_from() -> None:
    onnx = pytest.importorskip("onnx")
    integers, _ = quantised(NETWORK, plan_of(NETWORK, "s8.6"))
    model = onnx_integer(integers, ORIGIN)
    assert model == onnx_integer(integers, ORIGIN)
    facts = {entry.key: entry.value for entry in onnx.load_from_string(model).metadata_props}
    assert facts["run"] == "a"
    assert facts["input_format"] == "s8.6"
    assert 'layer = "c"' in facts["plan"]


REFUSED: list[tuple[Any, str]] = [
    (plan_of(NETWORK, "s9.6"), "The pixels of layer 'input' can not be put in the ONNX graph: s9.6"),
    (plan_of(NETWORK, "s8.6", "s12.8:TRN:SAT"), "The sums of layer 'a' .*: s12.8:TRN:SAT is cast after"),
    (changed(plan_of(NETWORK, "s8.6"), weight=Fixed(12, 8)), "The weights of layer 'a' .* reach from"),
    (
        changed(plan_of(NETWORK, "s8.6"), bias=Fixed(32, 29)),
        "The sums of layer 'a' .*: they could leave 32 bits",
    ),
    (changed(plan_of(NETWORK, "s8.6"), state=Fixed(16, 6)), "The states of layer 'a' .*: s16.6 does not fit"),
]


@pytest.mark.parametrize(("plan", "sentence"), REFUSED, ids=["input", "sums", "weights", "bias", "state"])
def test_what_is_not_exact_is_refused_by_name(plan: PrecisionPlan, sentence: str) -> None:
    integers, _ = quantised(NETWORK, plan)
    with pytest.raises(InputError, match=sentence):
        onnx_integer(integers, ORIGIN)


@pytest.mark.parametrize("seed", range(20))
def test_geometries_that_nobody_would_choose(seed: int) -> None:
    network, rng = random_network(seed), np.random.default_rng(seed)
    parameters, _ = draw(network, seed, 1)
    plan = changed(plan_of(network, "s6.4"), bias_at=("start", "end")[seed % 2])
    integers = quantize(trained_of(network, parameters), plan)
    traced = trace_integers(integers, rng.uniform(-1, 1, (3, *network.input)).astype(np.float32))
    model = onnx_integer(integers, ORIGIN, every=True)
    assert differences(integers, traced, model, optimised=bool(seed % 3)) == 0


def test_scales_one_a_map() -> None:
    integers, traced = quantised(POOLED, per_map(POOLED, plan_of(POOLED, "s8.6")))
    model = onnx_integer(integers, ORIGIN, every=True)
    assert differences(integers, traced, model, optimised=True) == 0
