"""Exports of pools, sigmoid and hard tanh: no sum or state differs, or a refusal names the layer."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support.hardware_tools import change_a_weight, make, require, written
from support.random_networks import random_pools
from support.small_network import draw, plan_of, plans_of_all_kinds
from support.trained_networks import trained_of

from hw_sim.export.files import Origin
from hw_sim.export.golden import golden
from hw_sim.export.onnx_float import onnx_float, onnx_qdq
from hw_sim.export.onnx_integer import onnx_integer
from hw_sim.export.rtl import rtl
from hw_sim.fixed_point.quantize import IntegerNetwork, quantize
from hw_sim.fixed_point.trace import Trace, trace_integers
from hw_sim.plan.calibrate import calibrate
from hw_sim.plan.plan import PrecisionPlan
from retronet.errors import InputError
from retronet.network import NetworkSpec, load_network

ORIGIN = Origin("retronet 1", "a", "made-up digits")
LENET = load_network(str(Path(__file__).parents[3] / "docs" / "lenet-maxpool.toml"))
SEEDS = pytest.mark.parametrize("seed", range(12))


def run(model: bytes, name: str, given: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return the outputs by name, with graph optimisation and without: they must not differ."""
    onnxruntime = pytest.importorskip("onnxruntime")
    levels, both = onnxruntime.GraphOptimizationLevel, []
    for level in (levels.ORT_DISABLE_ALL, levels.ORT_ENABLE_ALL):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level, options.log_severity_level = level, 3
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        both.append(dict(zip(names, session.run(None, {name: given}), strict=True)))
    if name == "pixels":
        assert all(np.array_equal(both[0][key], both[1][key]) for key in both[0])
    return both[0]


def made(
    network: NetworkSpec, seed: int, plan: PrecisionPlan | None = None, count: int = 4
) -> tuple[IntegerNetwork, Trace, NDArray[np.float32]]:
    parameters, images = draw(network, seed, count)
    trained = trained_of(network, parameters)
    integers = quantize(trained, calibrate(trained, images, 6 + seed % 3) if plan is None else plan)
    return integers, trace_integers(integers, images), images


@SEEDS
def test_float_graphs(seed: int) -> None:
    pytest.importorskip("onnx")
    network = random_pools(seed)
    parameters, images = draw(network, seed, 20)
    wanted = trained_of(network, parameters).outputs(images)
    found = run(onnx_float(network, parameters, ORIGIN), "image", images[:, np.newaxis])["output"]
    assert np.abs(found - wanted).max() < 1e-5


@SEEDS
def test_integer_graphs_make_every_sum_and_state(seed: int) -> None:
    pytest.importorskip("onnx")
    integers, traced, _ = made(random_pools(seed), seed)
    pixels = traced.inputs.reshape(-1, *integers.network.input).astype(np.int8)
    found = run(onnx_integer(integers, ORIGIN, every=True), "pixels", pixels)
    for layer in traced.layers:
        for what, wanted in (("sums", layer.after_bias), ("states", layer.states)):
            assert np.array_equal(found[f"{layer.layer}.{what}"].reshape(wanted.shape), wanted)
    assert np.array_equal(found["output"], traced.outputs.astype(np.float32))


@SEEDS
def test_quantisers_around_pools_are_the_simulator_but_for_neighbours(seed: int) -> None:
    pytest.importorskip("onnx")
    network = random_pools(seed)
    # Means meet halves often, which QuantizeLinear takes to the even neighbour.
    integers, traced, images = made(network, seed, plan_of(network, "s8.6:RND_CONV:SAT"), count=20)
    found = run(onnx_qdq(integers, ORIGIN, every=True), "image", images[:, np.newaxis])
    for layer in traced.layers:
        off = np.abs(found[f"{layer.layer}.states"].reshape(layer.states.shape) - layer.states)
        assert off.max() <= 4
        assert np.count_nonzero(off) <= 0.05 * off.size


@pytest.mark.parametrize("seed", range(6))
def test_circuits_in_icarus(seed: int, tmp_path: Path) -> None:
    require("make", "iverilog")
    network = random_pools(seed)
    plans = plans_of_all_kinds(network)
    for index, plan in enumerate((None, plans[seed])):
        integers, traced, _ = made(network, seed, plan, count=2)
        macs = (1, 2, 3, 8)[(seed + index) % 4]
        folder = written(rtl(integers, traced, ORIGIN, macs), tmp_path / str(index))
        code, printed = make(folder, "sim-icarus")
        assert code == 0, printed
        assert ": 0 differences;" in printed


def test_a_lenet_with_max_pools_in_verilator(tmp_path: Path) -> None:
    require("make", "verilator", "g++")
    integers, traced, _ = made(LENET, 2, count=20)
    folder = written(rtl(integers, traced, ORIGIN, 8), tmp_path / "a")
    code, printed = make(folder, "sim")
    assert code == 0, printed
    assert "20 digits, 8094 units each: 0 differences" in printed
    change_a_weight(folder)
    code, printed = make(folder, "sim")
    assert code != 0
    assert ": 0 differences" not in printed


def test_golden_vectors_hold_windows_and_the_largest() -> None:
    integers, traced, _ = made(LENET, 2, count=2)
    pool, below = traced.layers[1], traced.layers[0]
    windows = below.states.reshape(2, 6, 14, 2, 14, 2)
    assert np.array_equal(pool.sums, windows.max(axis=(3, 5)))
    assert np.array_equal(pool.states, pool.sums)
    files = golden(integers, traced, ORIGIN)
    assert b'"kind": "max_pool"' in files["manifest.json"]


def test_a_sum_that_is_cast_on_the_way_is_refused_with_its_layer() -> None:
    pytest.importorskip("onnx")
    network = random_pools(2)
    names = [layer.name for layer in network.layers]
    parameters, images = draw(network, 2, 2)
    trained = trained_of(network, parameters)
    integers = quantize(trained, calibrate(trained, images, sums="s9.3"))
    with pytest.raises(InputError, match=f"The sums of layer '{names[0]}' can not be put in the ONNX graph"):
        onnx_integer(integers, ORIGIN)
