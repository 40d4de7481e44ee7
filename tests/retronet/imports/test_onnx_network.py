"""Whole networks: those of the package out and in again, and those of frameworks."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from support.onnx_graphs import drawn, model_of, node, whole, write
from support.random_networks import random_network, random_parameters, random_pools
from support.slow_network import slow_outputs

from hw_sim.export.files import Origin
from hw_sim.export.onnx_float import onnx_float
from retronet.errors import InputError
from retronet.imports.onnx_network import OnnxNetwork, import_onnx, largest_difference
from retronet.imports.onnx_run import run_file
from retronet.network import Layer, NetworkSpec, Tanh, load_network, network_names, sized_layers
from retronet.recipe import load_recipe
from retronet.trained import Trained

ORIGIN = Origin("retronet 1", "a", "made-up digits")


def there_and_back(network: NetworkSpec, path: Path, spread: float = 0.3) -> OnnxNetwork:
    """Export a network, import it, and compare file, import and the network itself."""
    parameters = random_parameters(network, 1, np.float32, spread)
    path.write_bytes(onnx_float(network, parameters, ORIGIN))
    found = import_onnx(path, network.name)
    images = np.random.default_rng(2).uniform(-1, 1, (4, *network.input)).astype(np.float32)
    before = slow_outputs(network, parameters, images)
    after = found.ended(slow_outputs(found.network, found.parameters, images))
    theirs = run_file(path, found, images)[1]
    scale = max(1, np.abs(before).max())
    assert largest_difference(after, before) < 1e-6 * scale  # amplitudes and slopes were rounded once
    assert largest_difference(theirs, after) < 1e-5 * scale
    if network.input[0] == 1:
        single = {name: array.astype(np.float32) for name, array in found.parameters.items()}
        ours = Trained(found.network, single, load_recipe("lecun1989")).outputs(images[:, 0])
        assert largest_difference(ours, after) < 1e-5 * scale
    return found


def said(layer: Layer) -> Layer:
    """Return a layer with what a file in single precision keeps of its numbers."""
    activation = getattr(layer, "activation", None)
    if isinstance(activation, Tanh):
        short = Tanh(activation.amplitude, float(str(np.float32(activation.slope))))
        return replace(layer, activation=short)
    return layer


@pytest.mark.parametrize("name", network_names())
def test_the_networks_of_the_package_come_back(tmp_path: Path, name: str) -> None:
    network = load_network(name)
    found = there_and_back(network, tmp_path / f"{name}.onnx")
    assert found.network.input == network.input
    for back, layer in zip(sized_layers(found.network), sized_layers(network), strict=True):
        if name != "lenet5" or layer.name != "output":  # whose codes come back as rows, not pictures
            assert back.layer == said(layer.layer)
        assert (back.output, back.macs, back.connections) == (layer.output, layer.macs, layer.connections)


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("draw", [random_network, random_pools])
def test_random_networks_come_back(tmp_path: Path, draw: Callable[[int], NetworkSpec], seed: int) -> None:
    network = draw(seed)
    found = there_and_back(network, tmp_path / "m.onnx", 0.7)
    for back, layer in zip(sized_layers(found.network), sized_layers(network), strict=True):
        assert (back.name, back.output, back.sees) == (layer.name, layer.output, layer.sees)


@pytest.mark.parametrize("batch", ["n", 1, 3])
def test_images_with_planes_last(tmp_path: Path, batch: int | str) -> None:
    """As Keras exports: images (n, rows, columns, 1), turned for convolutions and flattened planes last."""
    nodes = [
        node("Transpose", "x", "a", perm=[0, 3, 1, 2]),
        node("Conv", "a w b", "c", pads=[1, 1, 1, 1]),
        node("Relu", "c", "e"),
        node("MaxPool", "e", "f", kernel_shape=[2, 2], strides=[2, 2]),
        node("Transpose", "f", "g", perm=[0, 2, 3, 1]),
        node("Reshape", "g r", "h"),
        node("MatMul", "h d", "i"),
        node("Add", "i k", "j"),
        node("Softmax", "j", "y", axis=1),
    ]
    constants = {
        "w": drawn(4, 1, 3, 3),
        "b": drawn(4),
        "r": whole(-1, 144),
        "d": drawn(144, 10),
        "k": drawn(10),
    }
    path = write(model_of(nodes, constants, (batch, 12, 12, 1)), tmp_path / "keras.onnx")
    found = import_onnx(path)
    assert found.network.input == (1, 12, 12)
    assert found.ending == "Softmax"
    images = np.random.default_rng(0).uniform(0, 1, (7, 12, 12)).astype(np.float32)
    by, theirs = run_file(path, found, images)
    assert by == "onnxruntime"
    ours = found.ended(slow_outputs(found.network, found.parameters, images))
    assert theirs.shape == (7, 10)
    assert largest_difference(theirs, ours) < 1e-6
    np.testing.assert_allclose(ours.sum(1), 1)


def test_flattened_by_the_shape_of_the_images(tmp_path: Path) -> None:
    """As torch's older exporter writes x.view(x.size(0), -1)."""
    nodes = [
        node("Conv", "x w b", "c"),
        node("Shape", "c", "s"),
        node("Gather", "s zero", "g", axis=0),
        node("Unsqueeze", "g axes", "u"),
        node("Concat", "u rest", "r", axis=0),
        node("Reshape", "c r", "f"),
        node("Transpose", "d", "t", perm=[1, 0]),
        node("MatMul", "f t", "y"),
    ]
    constants = {
        "w": drawn(3, 1, 3, 3), "b": drawn(3), "zero": np.int64(0), "axes": whole(0), "rest": whole(-1),
        "d": drawn(4, 48),
    }  # fmt: skip
    for opset in (13, 17):
        path = write(model_of(nodes, constants, opset=opset), tmp_path / "m.onnx")
        found = import_onnx(path)
        images = np.random.default_rng(0).uniform(-1, 1, (3, 6, 6)).astype(np.float32)
        ours = slow_outputs(found.network, found.parameters, images)
        assert largest_difference(run_file(path, found, images)[1], ours) < 1e-6


@pytest.mark.parametrize(
    ("shape", "image"),
    [((36,), (1, 6, 6)), ((6, 6), (1, 6, 6)), ((6, 6, 1), (1, 6, 6)), ((3, 6, 6), (3, 6, 6))],
)
def test_images_as_rows_and_planes(tmp_path: Path, shape: tuple[int, ...], image: tuple[int, ...]) -> None:
    count = int(np.prod(shape))
    nodes = [
        node("Flatten", "x", "f"),
        node("Gemm", "f d b", "h"),
        node("Tanh", "h", "t"),
        node("MatMul", "t e", "y"),
    ]
    constants = {"d": drawn(count, 5), "b": drawn(5), "e": drawn(5, 10)}
    path = write(model_of(nodes, constants, ("n", *shape)), tmp_path / "m.onnx")
    found = import_onnx(path)
    assert found.network.input == image
    images = np.random.default_rng(0).uniform(-1, 1, (3, *image)).astype(np.float32)
    ours = slow_outputs(found.network, found.parameters, images)
    assert largest_difference(run_file(path, found, images)[1], ours) < 1e-6


def test_without_a_runtime_the_reference_evaluator_runs_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = [node("Conv", "x w", "c"), node("Flatten", "c", "f"), node("Gemm", "f d", "y")]
    path = write(model_of(nodes, {"w": drawn(3, 1, 3, 3), "d": drawn(48, 10)}), tmp_path / "m.onnx")
    found = import_onnx(path)
    images = np.random.default_rng(0).uniform(-1, 1, (3, 6, 6)).astype(np.float32)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    by, theirs = run_file(path, found, images)
    assert by == "onnx's reference evaluator"
    assert largest_difference(theirs, slow_outputs(found.network, found.parameters, images)) < 1e-6


def test_rows_that_are_no_square_are_refused(tmp_path: Path) -> None:
    path = write(model_of([node("MatMul", "x d", "y")], {"d": drawn(35, 5)}, ("n", 35)), tmp_path / "m.onnx")
    with pytest.raises(InputError, match="rows of 35 pixels, which make no square image"):
        import_onnx(path)


def test_double_precision_stays(tmp_path: Path) -> None:
    constants = {"d": drawn(36, 10).astype(np.float64), "k": np.array(1 / 3)}
    nodes = [
        node("Flatten", "x", "f"),
        node("MatMul", "f d", "h"),
        node("Mul", "h k", "u"),
        node("Tanh", "u", "y"),
    ]
    path = write(model_of(nodes, constants, kind=11), tmp_path / "m.onnx")
    found = import_onnx(path)
    assert found.graph.precision == "float64"
    assert found.network.layers[0].activation == Tanh(1.0, 1 / 3)  # type: ignore[union-attr]
    np.testing.assert_array_equal(found.parameters["dense.weight"], constants["d"].T)


def test_layers_are_called_after_weights_or_nodes(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x conv1.weight", "a"),
        node("Relu", "a", "b"),
        node("Flatten", "b", "c"),
        node("MatMul", "c m", "d"),
        node("MatMul", "d net/9.weight", "y"),
    ]
    nodes[3].name = "/Body/fc_A/MatMul"
    constants = {"conv1.weight": drawn(3, 1, 3, 3), "m": drawn(48, 9), "net/9.weight": drawn(9, 10)}
    found = import_onnx(write(model_of(nodes, constants), tmp_path / "My net (2).onnx"))
    assert [layer.name for layer in found.network.layers] == ["conv1", "fc_a", "dense"]
    assert found.network.name == "My-net--2-"
