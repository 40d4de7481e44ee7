"""QONNX's own executor makes the simulator's sums and states."""

import warnings

import numpy as np
import pytest
from support.export_networks import NETWORKS, changed, per_map
from support.random_networks import random_pools
from support.small_network import NETWORK, draw, plan_of
from support.trained_networks import trained_of

from hw_sim.export.files import Origin
from hw_sim.export.onnx_qonnx import onnx_qonnx
from hw_sim.fixed_point.quantize import IntegerNetwork, quantize
from hw_sim.fixed_point.trace import Trace, trace_integers
from hw_sim.formats.fixed import Fixed
from hw_sim.plan.plan import PrecisionPlan
from retronet.errors import InputError
from retronet.network import NetworkSpec

ORIGIN = Origin("retronet 1", "a", "made-up digits")
COUNT = 20

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("qonnx")
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes

pytestmark = pytest.mark.filterwarnings("ignore")


def differences(network: IntegerNetwork, traced: Trace, content: bytes) -> int:
    """Return how many sums and states the executor makes otherwise, from pixels in the plan's format."""
    plan, shape = network.plan, [len(traced.inputs), *network.network.input]
    model = ModelWrapper(onnx.load_from_string(content))
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = shape[0]
    model = model.transform(InferShapes())
    image = (traced.inputs * (plan.input.step * plan.input_scale)).reshape(shape).astype(np.float32)
    made = execute_onnx(model, {"image": image}, return_full_exec_context=True)
    bad = 0
    for index, layer in enumerate(traced.layers):
        scales = np.array(layer.sum_scales) * 2.0**-layer.after_bias_frac_bits
        steps = np.broadcast_to(scales, layer.sums.shape[1]).reshape(1, -1, 1, 1)
        found = made[f"{layer.layer}.sums"].reshape(layer.sums.shape) / steps
        bad += int((np.round(found) != layer.after_bias).sum())
        state = plan.layers[index].state.step * plan.layers[index].state_scale
        found = made[f"{layer.layer}.states"].reshape(layer.states.shape) / state
        bad += int((np.round(found) != layer.states).sum())
    return bad


def quantised(network: NetworkSpec, plan: PrecisionPlan) -> tuple[IntegerNetwork, Trace]:
    parameters, images = draw(network, 3, COUNT)
    integers = quantize(trained_of(network, parameters), plan)
    return integers, trace_integers(integers, images)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("form", ["s8.6:RND_CONV:SAT", "s4.2:RND_CONV:SAT_SYM", "s8.6:RND_INF:SAT"])
def test_every_sum_and_state(name: str, form: str) -> None:
    network = NETWORKS[name]
    integers, traced = quantised(network, plan_of(network, form))
    assert differences(integers, traced, onnx_qonnx(integers, ORIGIN)) == 0


@pytest.mark.parametrize("seed", [1, 4, 11, 12, 16])
@pytest.mark.parametrize("form", ["s8.6:RND_CONV:SAT", "s6.4:RND_CONV:SAT_SYM"])
def test_every_sum_and_state_of_pools(seed: int, form: str) -> None:
    network = random_pools(seed)
    integers, traced = quantised(network, plan_of(network, form))
    assert differences(integers, traced, onnx_qonnx(integers, ORIGIN)) == 0


@pytest.mark.parametrize("name", NETWORKS)
def test_scales_that_are_no_powers_of_two_differ_at_halves_alone(name: str) -> None:
    plan = per_map(NETWORKS[name], plan_of(NETWORKS[name], "s8.6:RND_CONV:SAT"))
    integers, traced = quantised(NETWORKS[name], plan)
    made = sum(layer.sums.size + layer.states.size for layer in traced.layers)
    assert differences(integers, traced, onnx_qonnx(integers, ORIGIN)) < 0.005 * made


def test_a_changed_weight_is_seen() -> None:
    plan = plan_of(NETWORK, "s8.6:RND_CONV:SAT")
    integers, traced = quantised(NETWORK, plan)
    parameters, _ = draw(NETWORK, 3, COUNT)
    parameters["c.weight"][0, 0] += 1 / 64
    assert (
        differences(integers, traced, onnx_qonnx(quantize(trained_of(NETWORK, parameters), plan), ORIGIN)) > 0
    )


def test_what_a_quantiser_does_not_say_is_refused() -> None:
    integers, _ = quantised(NETWORK, changed(plan_of(NETWORK, "s8.6"), state=Fixed.parse("s8.6:TRN:SAT")))
    with pytest.raises(
        InputError, match=r"Layer 'a' can not be put in a QONNX graph: its states are s8\.6:TRN:SAT"
    ):
        onnx_qonnx(integers, ORIGIN)
