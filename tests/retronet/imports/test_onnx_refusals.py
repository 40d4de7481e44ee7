"""What no network here can say is refused in one sentence that names node, operator and what is allowed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper
from support.onnx_graphs import Node, drawn, model_of, node, whole, write

from retronet.errors import InputError
from retronet.imports.onnx_network import import_onnx

BASE = {"w": drawn(3, 1, 3, 3), "b": drawn(3), "d": drawn(48, 4)}
CONV, TOP = node("Conv", "x w b", "s"), (node("Flatten", "t", "f"), node("MatMul", "f d", "y"))
FLAT = node("Flatten", "s", "f")
ROUND = whole(0, 0, 1, 1, 0, 0, 1, 1)
Case = tuple[list[Node], dict[str, Any], str]


def after(
    op: str, inputs: str, said: str, attributes: dict[str, Any] | None = None, **constants: Any
) -> Case:
    """Return a graph with one node between a convolution and a dense layer, and what is said of it."""
    return [CONV, node(op, inputs, "t", **(attributes or {})), *TOP], constants, f"'t_node' ({op}) {said}"


def alone(
    op: str, inputs: str, said: str, attributes: dict[str, Any] | None = None, **constants: Any
) -> Case:
    """Return a graph of one node that reads the image."""
    return [node(op, inputs, "y", **(attributes or {}))], constants, f"'y_node' ({op}) {said}"


REFUSED: dict[str, Case] = {
    "another operator": after("Softplus", "s", "is of a kind that no layer here has; Conv, Gemm, MatMul"),
    "a recurrent one": after("LSTM", "s", "is of a kind"),
    "dilations": alone("Conv", "x w b", "has dilations (2, 2); 1 is", {"dilations": [2, 2]}),
    "a flat kernel": alone("Conv", "x h", "has kernels of 1×3; square ones", h=drawn(3, 1, 1, 3)),
    "two strides": alone("Conv", "x w b", "has strides", {"strides": [1, 2]}),
    "negative pads": alone("Conv", "x w b", "has pads (-1, 0, 0, 0)", {"pads": [-1, 0, 0, 0]}),
    "a wide kernel": alone("Conv", "x h", "can not be a layer", h=drawn(3, 1, 9, 9)),
    "planes that are not there": alone("Conv", "x h", "reads 2 planes a map", h=drawn(3, 2, 3, 3)),
    "groups that do not divide": alone("Conv", "x w b", "reads 1 planes a map in 2 groups", {"group": 2}),
    "weights that are states": alone("Conv", "x x", "reads twice the states 'x'"),
    "no weights": alone("Conv", "x", "has no kernels of constants"),
    "a branch": ([CONV, node("Relu", "s", "t"), node("Add", "s t", "y")], {},
                 "'y_node' (Add) reads the states 's'"),
    "states twice": ([CONV, node("Mul", "s s", "y")], {}, "'y_node' (Mul) reads twice the states 's'"),
    "the image squashed": alone("Tanh", "x", "squashes the image itself"),
    "half a clip": after("Clip", "s - high", "clips to -inf … 6", high=np.float32(6)),
    "a mirror": after("Pad", "s p", "pads with mode reflect; constant", {"mode": "reflect"}, p=ROUND),
    "more planes": after("Pad", "s p", "has pads (0, 1, 0, 0", p=whole(0, 1, 0, 0, 0, 0, 0, 0)),
    "a padded sum": ([CONV, node("Pad", "s p", "u"), node("Relu", "u", "y")], {"p": ROUND},
                     "'y_node' (Relu) follows a Pad; convolutions and average pools"),
    "two borders": ([node("Pad", "x p k", "u"), node("Conv", "u w b", "y", pads=[1] * 4)],
                    {"p": ROUND, "k": np.float32(-1)}, "pads with 0 what is padded with -1"),
    "a mean of what is there": after("AveragePool", "s", "pads and leaves what it adds out",
                                     {"kernel_shape": [3, 3], "pads": [1] * 4}),
    "a mean cut off": after("AveragePool", "s", "has windows that are cut off",
                            {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
    "means of planes": after("ReduceMean", "s", "means over the axes (1,)", {"axes": [1]}),
    "training": after("BatchNormalization", "s b b b v", "is in training mode", {"training_mode": 1},
                      v=np.ones(3, np.float32)),
    "a variance below 0": after("BatchNormalization", "s b b b v", "has a variance below 0",
                                v=-np.ones(3, np.float32)),
    "a constant of another shape": after("Add", "s k", "takes a constant of shape (5,)", k=drawn(5)),
    "images merged": after("Reshape", "s r", "gives (n, 3, 4, 4) the shape (1, -1)", r=whole(1, -1)),
    "images turned": after("Transpose", "s", "has the order of axes (1, 0, 2, 3)", {"perm": [1, 0, 2, 3]}),
    "planes turned": ([CONV, node("Transpose", "s", "u", perm=[0, 2, 3, 1]), node("Conv", "u h", "y")],
                      {"h": drawn(2, 4, 1, 1)}, "reads a tensor of shape (n, 4, 4, 3); the order (n, planes"),
    "a product of planes": after("MatMul", "s h", "multiplies a tensor (n, 3, 4, 4)", h=drawn(4, 4)),
    "gemm of turned states": ([CONV, FLAT, node("Gemm", "f d", "y", transA=1)], {},
                              "turns the tensor at hand (transA = 1)"),
    "after the softmax": ([CONV, FLAT, node("Softmax", "f", "u"), node("Relu", "u", "y")], {},
                          "'y_node' (Relu) follows a Softmax; it may only be the last"),
    "softmax of planes": after("Softmax", "s", "works along axis 1", {"axis": 1}),
    "bytes": after("Cast", "s", "casts states to another type", {"to": 2}),
    "division by a state": after("Div", "k s", "divides by a state", k=np.float32(1)),
    "too many numbers": ([CONV, node("Add", "k l", "t"), node("Mul", "s t", "y")],
                         {"k": np.zeros((5000, 1)), "l": np.zeros((1, 5000))}, "makes 25,000,000 numbers"),
    "constants that do not fit": ([CONV, node("Reshape", "d r", "t"), node("Mul", "s t", "y")],
                                  {"r": whole(7, 7)},
                                  "gives (48, 4) the shape (7, 7)"),
    "no layer": ([node("Flatten", "x", "y")], {}, "it has no layer: nothing in it has weights"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_said_in_one_sentence(tmp_path: Path, name: str) -> None:
    nodes, constants, said = REFUSED[name]
    path = write(model_of(nodes, BASE | constants), tmp_path / "m.onnx")
    with pytest.raises(InputError) as refused:
        import_onnx(path)
    text = str(refused.value)
    assert text.startswith(f"The file {path} can not be imported: it")
    assert said in text
    assert "\n" not in text
    assert text.endswith("Export a network of these alone.")


def test_a_domain_of_its_own_is_named(tmp_path: Path) -> None:
    made = helper.make_node("Magic", ["x"], ["y"], name="spell", domain="com.example")
    with pytest.raises(InputError, match=r"node 'spell' \(com\.example\.Magic\) is of a kind"):
        import_onnx(write(model_of([made], {}), tmp_path / "m.onnx"))


@pytest.mark.parametrize("seed", range(20))
def test_damaged_graphs_end_in_a_sentence_or_a_network(tmp_path: Path, seed: int) -> None:
    """Names and numbers of attributes are swapped at random: no other error than a refusal leaves."""
    rng = np.random.default_rng(seed)
    cases = [case for case in REFUSED.values() if len(case[0]) > 1]
    for nodes, constants, _ in cases:
        model = model_of(nodes, BASE | constants)
        names = [name for each in model.graph.node for name in (*each.input, *each.output)] + [
            "d",
            "nothing",
            "",
        ]
        for each in model.graph.node:
            if len(each.input) and rng.random() < 0.3:
                each.input[int(rng.integers(len(each.input)))] = names[int(rng.integers(len(names)))]
            if len(each.input) and rng.random() < 0.1:
                del each.input[-1]
            for attribute in each.attribute:
                if len(attribute.ints) and rng.random() < 0.5:
                    attribute.ints[0] = int(rng.choice([0, -1, 7, 1 << 40, -(1 << 62)]))
        try:
            import_onnx(write(model, tmp_path / "m.onnx"))
        except InputError as error:
            said = str(error)
            assert "can not be" in said, said
