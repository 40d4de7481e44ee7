"""Every operator that is read, as frameworks use it: the network gives what the file's own runtime does."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.onnx_graphs import Node, drawn, model_of, node, whole, write
from support.slow_network import slow_outputs

from retronet.imports.onnx_network import OnnxNetwork, import_onnx
from retronet.imports.onnx_run import run_file
from retronet.network import AveragePool, Conv, HardTanh, Identity, MaxPool, Padding, Subsample, Tanh
from retronet.recipe import load_recipe
from retronet.trained import Trained

Constants = dict[str, Any]
Case = tuple[list[Node], Constants]
KERNELS = {"w": drawn(3, 1, 3, 3), "b": drawn(3), "d": drawn(48, 4), "c": drawn(4)}
CONV = node("Conv", "x w b", "s")
FLAT = node("Flatten", "s", "f")
TOP = [node("Flatten", "t", "f"), node("Gemm", "f d c", "y")]


def agrees(model: Any, path: Path) -> OnnxNetwork:
    """Import a model, and compare it with what its runtime makes of it."""
    found = import_onnx(write(model, path / "m.onnx"))
    planes, rows, columns = found.network.input
    images = np.random.default_rng(1).uniform(-1, 1, (5, planes, rows, columns)).astype(np.float32)
    _, theirs = run_file(path / "m.onnx", found, images)
    ours = found.ended(slow_outputs(found.network, found.parameters, images))
    assert np.ptp(theirs) > 0.01, "outputs that hardly differ prove nothing"
    close = 1e-5 * max(1, np.abs(ours).max())
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=close)
    single = {name: array.astype(np.float32) for name, array in found.parameters.items()}
    fast = Trained(found.network, single, load_recipe("lecun1989")).outputs(images[:, 0])
    np.testing.assert_allclose(found.ended(fast), ours, rtol=0, atol=close)
    return found


def between(*nodes: Node, **constants: Any) -> Case:
    """Return a convolution, `nodes` that make t of s, and a dense layer."""
    return [CONV, *nodes, *TOP], KERNELS | constants


def first(*nodes: Node, **constants: Any) -> Case:
    """Return `nodes` that make s of x, and a dense layer on all its units."""
    return [*nodes, node("Relu", "s", "t"), *TOP], KERNELS | constants


PLANE = (1, 3, 1, 1)
NORMAL = {
    "g": drawn(3, seed=1) + 1,
    "h": drawn(3, seed=2),
    "m": drawn(3, seed=3),
    "v": drawn(3, seed=4) ** 2 + 0.1,
}
CASES: dict[str, Case] = {
    "tanh": between(node("Tanh", "s", "t")),
    "sigmoid": between(node("Sigmoid", "s", "t")),
    "amplitude and slope": between(
        node("Mul", "s k", "u"), node("Tanh", "u", "v"), node("Mul", "a v", "t"),
        k=np.float32(2 / 3), a=np.full(1, 1.7159, np.float32),
    ),
    "clip": between(node("Clip", "s low high", "t"), low=np.float32(-0.25), high=np.float32(0.5)),
    "relu as a clip": between(node("Clip", "s low", "t"), low=np.float32(0)),
    "hard sigmoid": between(node("HardSigmoid", "s", "t", alpha=0.3, beta=0.45)),
    "batch normalisation below": between(
        node("BatchNormalization", "s g h m v", "u"), node("Relu", "u", "t"), **NORMAL
    ),
    "batch normalisation above": between(
        node("Relu", "s", "u"), node("BatchNormalization", "u g h m v", "t"), **NORMAL
    ),
    "one normalisation after the other": between(
        node("BatchNormalization", "s g h m v", "u"), node("BatchNormalization", "u g h m v", "r"),
        node("Tanh", "r", "q"), node("Neg", "q", "t"), **NORMAL,
    ),
    "arithmetic": between(
        node("Sub", "s k", "u"), node("Div", "u l", "r"), node("Relu", "r", "q"), node("Sub", "k q", "t"),
        k=drawn(*PLANE, seed=5), l=drawn(*PLANE, seed=6) + 2,
    ),
    "a bias a unit": between(node("Add", "s k", "u"), node("Tanh", "u", "t"), k=drawn(1, 3, 4, 4)),
    "a factor a unit": between(node("Tanh", "s", "u"), node("Mul", "u k", "t"), k=drawn(3, 4, 4)),
    "squashed twice": between(node("Tanh", "s", "u"), node("Relu", "u", "t")),
    "squashed, scaled and squashed": between(
        node("Relu", "s", "u"), node("BatchNormalization", "u g h m v", "r"), node("Tanh", "r", "t"), **NORMAL
    ),
    "turned rows and columns": between(node("Transpose", "s", "t", perm=[0, 3, 2, 1])),
    "planes last": between(
        node("Transpose", "s", "u", perm=[0, 2, 3, 1]), node("Add", "u k", "t"), k=drawn(3)
    ),
    "squeezed": between(
        node("Reshape", "s r", "u"), node("Unsqueeze", "u q", "o"), node("Squeeze", "o q", "t"),
        r=whole(0, -1, 8), q=whole(1),
    ),
    "passed on": between(
        node("Identity", "s", "u"), node("Dropout", "u", "r"), node("Cast", "r", "t", to=1)
    ),
    "images scaled": first(
        node("Sub", "x m", "u"), node("Div", "u v", "r"), node("Conv", "r w b", "q", pads=[1, 1, 1, 1]),
        node("MaxPool", "q", "s", kernel_shape=[3, 3], strides=[1, 1]), m=np.float32(0.13), v=np.float32(0.3),
    ),
    "a border": first(
        node("Pad", "x p k", "u"), node("Conv", "u w b", "s", strides=[2, 2]),
        p=whole(0, 0, 2, 2, 0, 0, 2, 2), k=np.float32(-1),
    ),
    "more border on one side": first(
        node("Pad", "x p", "u"), node("Conv", "u w b", "s", strides=[2, 2]), p=whole(0, 0, 3, 1, 0, 0, 1, 3)
    ),
    "same upper": first(
        node("Conv", "x w b", "u", auto_pad="SAME_UPPER"),
        node("AveragePool", "u", "s", kernel_shape=[3, 3]), w=drawn(3, 1, 4, 4),
    ),
    "same lower": first(
        node("Conv", "x w b", "u", auto_pad="SAME_LOWER"),
        node("AveragePool", "u", "s", kernel_shape=[3, 3]), w=drawn(3, 1, 4, 4),
    ),
    "mean with zeros": between(
        node("AveragePool", "s", "t", kernel_shape=[3, 3], strides=[1, 1], pads=[1] * 4, count_include_pad=1)
    ),
    "largest, overlapping": between(
        node("MaxPool", "s", "t", kernel_shape=[3, 3], strides=[1, 1], pads=[1] * 4)
    ),
    "largest, cut off": between(
        node("MaxPool", "s", "t", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1), d=drawn(12, 4)
    ),
    "largest, left over": between(
        node("MaxPool", "s", "t", kernel_shape=[3, 3], strides=[3, 3]), d=drawn(3, 4)
    ),
    "largest of negated": between(
        node("Tanh", "s", "u"), node("BatchNormalization", "u g h m v", "r"),
        node("MaxPool", "r", "t", kernel_shape=[2, 2], strides=[2, 2]),
        **(NORMAL | {"g": np.array([1, -1, 2], np.float32)}), d=drawn(12, 4),
    ),
    "whole planes": between(node("Relu", "s", "u"), node("GlobalAveragePool", "u", "t"), d=drawn(3, 4)),
    "whole planes' largest": between(node("GlobalMaxPool", "s", "t"), d=drawn(3, 4)),
    "means over axes": between(node("ReduceMean", "s", "t", axes=[-2, -1], keepdims=0), d=drawn(3, 4)),
    "groups": between(
        node("Conv", "s h k", "u", group=3), node("Tanh", "u", "r"),
        node("Conv", "r i -", "t", group=3), h=drawn(6, 1, 2, 2), k=drawn(6),
        i=drawn(3, 2, 1, 1), d=drawn(27, 4),
    ),
    "averages as groups": between(
        node("Conv", "s h k", "t", group=3, strides=[2, 2]), d=drawn(12, 4), k=drawn(3),
        h=np.repeat(drawn(3, 1, 1, 1), 4, 1).reshape(3, 1, 2, 2),
    ),
    "a plane unseen": between(
        node("Conv", "s h", "t"), h=drawn(2, 3, 1, 1) * np.array([[[1]], [[0]], [[1]]], np.float32),
        d=drawn(32, 4),
    ),
    "gemm with factors": ([CONV, FLAT, node("Gemm", "f d c", "y", alpha=0.5, beta=-2.0, transB=1)],
                          KERNELS | {"d": drawn(4, 48)}),
    "matmul": ([CONV, FLAT, node("MatMul", "f d", "u"), node("Add", "c u", "y")], KERNELS),
    "softmax": ([CONV, FLAT, node("Gemm", "f d c", "u"), node("Softmax", "u", "y", axis=1)], KERNELS),
    "log softmax": (
        [CONV, FLAT, node("Gemm", "f d c", "u"), node("LogSoftmax", "u", "y")], KERNELS
    ),
    "squashed outputs": ([CONV, FLAT, node("Gemm", "f d c", "u"), node("Relu", "u", "v"),
                          node("Mul", "v k", "y")], KERNELS | {"k": drawn(4) + 1}),
    "planes as outputs": ([CONV, node("GlobalAveragePool", "s", "y")], KERNELS),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_network_gives_what_the_file_does(tmp_path: Path, name: str) -> None:
    nodes, constants = CASES[name]
    agrees(model_of(nodes, constants), tmp_path)


@pytest.mark.parametrize("opset", [9, 11, 13, 17, 18, 21])
def test_opsets(tmp_path: Path, opset: int) -> None:
    """What later opsets take as inputs was an attribute before."""
    constants = KERNELS | {"p": whole(0, 0, 2, 2, 0, 0, 2, 2), "k": np.float32(-1), "low": np.float32(0)}
    old = opset < 11
    ends = {"pads": [0, 0, 2, 2, 0, 0, 2, 2], "value": -1.0} if old else {}
    nodes = [
        node("Pad", "x" if old else "x p k", "u", **ends),
        node("Conv", "u w b", "s", strides=[2, 2]),
        node("Clip", "s" if old else "s low", "t", **({"min": 0.0} if old else {})),
        *TOP,
    ]
    for as_nodes in (False, True):
        found = agrees(model_of(nodes, constants, opset=opset, as_nodes=as_nodes), tmp_path)
        assert found.network.layers[0] == Conv("conv", 3, 3, found.network.layers[0].activation, 2, 2, -1.0)


def layers_of(name: str, path: Path) -> tuple[Any, ...]:
    nodes, constants = CASES[name]
    return import_onnx(write(model_of(nodes, constants), path / "m.onnx")).network.layers


def test_what_has_a_name_here_gets_it(tmp_path: Path) -> None:
    assert layers_of("amplitude and slope", tmp_path)[0].activation == Tanh(1.7159, 0.6666667)
    assert layers_of("hard sigmoid", tmp_path)[0].activation == HardTanh(0.0, 1.0)
    assert layers_of("averages as groups", tmp_path)[1] == Subsample("conv_2", 2, Identity())
    assert layers_of("a border", tmp_path)[0].border == -1.0
    assert layers_of("more border on one side", tmp_path)[0].pad == Padding(3, 1, 1, 3)
    assert layers_of("a plane unseen", tmp_path)[1].sees == ((0, 2), (0, 2))
    assert layers_of("groups", tmp_path)[1].sees == ((0,), (0,), (1,), (1,), (2,), (2,))
    assert isinstance(layers_of("largest, overlapping", tmp_path)[1], MaxPool)
    assert isinstance(layers_of("whole planes", tmp_path)[1], AveragePool)
    assert len(layers_of("batch normalisation below", tmp_path)) == 2
    assert len(layers_of("batch normalisation above", tmp_path)) == 2
    assert len(layers_of("squashed twice", tmp_path)) == 3
