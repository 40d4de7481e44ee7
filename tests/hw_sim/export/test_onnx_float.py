"""Float and QDQ graphs in ONNX Runtime, next to the network and to the simulator."""

from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from support.export_networks import NETWORKS, POOLED, changed, per_map
from support.random_networks import random_network
from support.small_network import NETWORK, draw, plan_of
from support.trained_networks import trained_of

from hw_sim.export.files import Origin
from hw_sim.export.onnx_float import onnx_float, onnx_qdq
from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.trace import trace_integers
from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import parse_format
from hw_sim.plan.activations import Table
from retronet.errors import InputError
from retronet.network import NetworkSpec, Rbf, load_network
from retronet.recipe import load_recipe
from retronet.trained import Trained

onnxruntime = pytest.importorskip("onnxruntime")
ORIGIN = Origin("retronet 1", "a", "made-up digits")
CODED = replace(POOLED, layers=(*POOLED.layers[:-1], Rbf("r", (("#.#.#",), ("##...",), ("..###",)))))


def run(model: bytes, images: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    """Return the outputs by name."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(
        zip(
            names,
            session.run(None, {"image": images.reshape(len(images), *session.get_inputs()[0].shape[1:])}),
            strict=True,
        )
    )


@pytest.mark.parametrize("network", [NETWORK, POOLED, CODED], ids=["small", "pooled", "coded"])
def test_float_is_the_trained_network(network: NetworkSpec) -> None:
    parameters, images = draw(network, 3, 20)
    wanted = Trained(network, parameters, load_recipe("lecun1989")).outputs(images)
    made = run(onnx_float(network, parameters, ORIGIN), images)["output"]
    assert np.abs(made - wanted).max() < 1e-5
    assert np.abs(wanted).max() > 0.1


@pytest.mark.parametrize("seed", [seed for seed in range(40) if random_network(seed).input[0] == 1])
def test_float_graphs_of_random_geometries(seed: int) -> None:
    network = random_network(seed)
    parameters, _ = draw(network, seed, 1)
    images = np.random.default_rng(seed).uniform(-1, 1, (3, *network.input)).astype(np.float32)
    wanted = Trained(network, parameters, load_recipe("lecun1989")).outputs(images[:, 0])
    made = run(onnx_float(network, parameters, ORIGIN), images)["output"]
    assert np.abs(made - wanted).max() < 1e-5 * max(1.0, float(np.abs(wanted).max()))


@pytest.mark.parametrize("name", NETWORKS)
def test_qdq_is_the_simulator_but_for_neighbours(name: str) -> None:
    network = NETWORKS[name]
    parameters, images = draw(network, 3, 20)
    for plan in (
        plan_of(network, "s8.6"),
        plan_of(network, "s4.2"),
        per_map(network, plan_of(network, "s8.6")),
    ):
        integers = quantize(trained_of(network, parameters), plan)
        made = run(onnx_qdq(integers, ORIGIN, every=True), images)
        for layer in trace_integers(integers, images).layers:
            off = np.abs(made[f"{layer.layer}.states"].reshape(layer.states.shape) - layer.states)
            assert off.max() <= 2
            assert np.count_nonzero(off) <= 0.05 * off.size
        step = plan.layers[-1].state.step
        assert np.allclose(np.round(made["output"] / step), made["output"] / step)


def test_qdq_refuses_what_quantisers_do_not_say() -> None:
    plan = plan_of(NETWORK, "s8.6")
    for other, sentence in (
        (plan_of(NETWORK, "s8.6", "s20.12"), "Layer 'a' .*: its sums are cast to s20.12"),
        (changed(plan, preactivation=Fixed(9, 5)), "Layer 'a' .*: its pre-activations are cast to s9.5"),
        (changed(plan, state=parse_format("{-1,1}")), "Layer 'a' .*: its states are .*, levels"),
        (changed(plan, activation=Table()), "Layer 'a' .*: its activation is of kind table"),
    ):
        integers = quantize(trained_of(NETWORK, draw(NETWORK, 3, 1)[0]), other)
        with pytest.raises(InputError, match=sentence):
            onnx_qdq(integers, ORIGIN)


def test_the_same_network_gives_the_same_bytes() -> None:
    network = load_network("lecun1989")
    parameters, _ = draw(network, 0, 1)
    assert onnx_float(network, parameters, ORIGIN) == onnx_float(network, parameters, ORIGIN)
