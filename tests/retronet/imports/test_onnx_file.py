"""Files that lie about themselves: sizes are compared with what is there before a number is built."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from support.onnx_graphs import drawn, model_of, node, whole, write

from retronet.errors import ChoiceError, InputError
from retronet.imports.onnx_file import read_onnx

NODES = [node("Conv", "x w b", "s"), node("Flatten", "s", "f"), node("MatMul", "f d", "y")]
CONSTANTS = {"w": drawn(3, 1, 3, 3), "b": drawn(3), "d": drawn(48, 4)}


def model() -> Any:
    return model_of(NODES, CONSTANTS)


def refused(made: Any, path: Path) -> str:
    with pytest.raises(InputError) as found:
        read_onnx(write(made, path / "m.onnx"))
    text = str(found.value)
    assert text.startswith(f"The file {path / 'm.onnx'} can not be read as ONNX: ")
    assert text.endswith("Export the network again.")
    assert "\n" not in text
    assert len(text) < 600
    return text


def test_constants_of_every_form_are_read(tmp_path: Path) -> None:
    made = model()
    for kind, given in (
        (TensorProto.FLOAT, [1.5, -2.0]),
        (TensorProto.DOUBLE, [1.5, -2.0]),
        (TensorProto.INT64, [3, -4]),
        (TensorProto.INT32, [3, -4]),
        (TensorProto.FLOAT16, [1.5, -2.0]),
        (TensorProto.BFLOAT16, [1.5, -2.0]),
    ):
        for raw in (False, True):
            tensor = helper.make_tensor(f"{kind}.{raw}", kind, [2], given)
            if raw:
                values = numpy_helper.to_array(tensor)
                tensor = helper.make_tensor(f"{kind}.{raw}", kind, [2], values.tobytes(), raw=True)
            made.graph.initializer.append(tensor)
    constants = read_onnx(write(made, tmp_path / "m.onnx")).constants
    for name, value in constants.items():
        if "." in name:
            whole_numbers = int(name.split(".")[0]) in (TensorProto.INT64, TensorProto.INT32)
            assert value.tolist() == ([3, -4] if whole_numbers else [1.5, -2.0]), name


def _huge(made: Any) -> None:
    made.graph.initializer[0].dims[:] = [1 << 40, 1 << 20]


def _large(made: Any) -> None:
    made.graph.initializer[0].dims[:] = [3, 1, 3, 3000]


def _negative(made: Any) -> None:
    made.graph.initializer[0].dims[0] = -3


def _typed(made: Any) -> None:
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.float_data[:] = [1.0, 2.0]


def _complex(made: Any) -> None:
    made.graph.initializer[0].data_type = TensorProto.COMPLEX64


def _unknown(made: Any) -> None:
    made.graph.initializer[0].data_type = 999


def _image(*sizes: int) -> Callable[[Any], None]:
    def change(made: Any) -> None:
        value = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *sizes])
        made.graph.input[0].CopyFrom(value)

    return change


def _unsized(made: Any) -> None:
    made.graph.input[0].CopyFrom(helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, "h", "w"]))


def _bytes(made: Any) -> None:
    made.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8


def _two_inputs(made: Any) -> None:
    made.graph.input.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n", 3]))


def _two_outputs(made: Any) -> None:
    made.graph.output.append(helper.make_tensor_value_info("s", TensorProto.FLOAT, None))


def _empty(made: Any) -> None:
    del made.graph.node[:]


def _old(made: Any) -> None:
    made.opset_import[0].version = 6


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_huge, "at most 268,435,456 are allowed"),
        (_large, "states the shape (3, 1, 3, 3000), 108,000 bytes; 108 are there"),
        (_negative, "states the shape (-3, 1, 3, 3)"),
        (_typed, "27 numbers; 2 are there"),
        (_complex, "holds complex64; float, double"),
        (_unknown, "holds type 999"),
        (_image(0, 6, 6), "has the shape (?, 0, 6, 6)"),
        (_unsized, "has the shape (?, 1, ?, ?); images are allowed as (n, planes, rows, columns)"),
        (_bytes, "takes uint8; float and double are allowed"),
        (_two_inputs, "it has 2 inputs ('x', 'z'), one is allowed"),
        (_two_outputs, "it has 2 outputs ('y', 's'), one is allowed"),
        (_empty, "it has no nodes"),
        (_old, "it is of opset 6; 7 and later ones are read"),
    ],
)
def test_what_does_not_hold_together_is_said(
    tmp_path: Path, change: Callable[[Any], None], said: str
) -> None:
    made = model()
    change(made)
    assert said in refused(made, tmp_path)


def test_a_large_image_is_refused_before_it_is_built(tmp_path: Path) -> None:
    from retronet.imports.onnx_network import import_onnx

    made = model()
    _image(1, 1 << 20, 1 << 20)(made)
    with pytest.raises(InputError, match="pixels, at most 8,388,608 are allowed"):
        import_onnx(write(made, tmp_path / "m.onnx"))


def test_any_damaged_byte_ends_in_a_sentence_or_a_graph(tmp_path: Path) -> None:
    content = model().SerializeToString()
    rng = np.random.default_rng(0)
    path, refusals, said = tmp_path / "m.onnx", 0, list[str]()
    for _ in range(300):
        damaged = bytearray(content)
        for place in rng.integers(0, len(damaged), 3):
            damaged[place] = int(rng.integers(256))
        path.write_bytes(bytes(damaged[: len(damaged) - int(rng.integers(0, 40))]))
        try:
            read_onnx(path)
        except InputError as error:
            refusals += 1
            said.append(str(error))
    assert not any("\n" in each for each in said)
    assert refusals > 100


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x08" * 100, b"[]"])
def test_no_onnx_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(InputError, match="can not be read as ONNX"):
        read_onnx(path)
    with pytest.raises(ChoiceError, match="There is no file"):
        read_onnx(tmp_path / "nowhere.onnx")


# --- numbers in a file beside it


def beside(folder: Path) -> Any:
    """Write the numbers beside the model, as torch does, and return it."""
    onnx.save_model(
        model(), folder / "m.onnx", save_as_external_data=True, location="m.data", size_threshold=0
    )
    made = onnx.ModelProto()
    made.ParseFromString((folder / "m.onnx").read_bytes())
    assert made.graph.initializer[0].data_location == TensorProto.EXTERNAL
    return made


def _entry(made: Any, key: str, value: str) -> None:
    for entry in made.graph.initializer[0].external_data:
        if entry.key == key:
            entry.value = value
            return
    made.graph.initializer[0].external_data.add(key=key, value=value)


def test_numbers_beside_the_file_are_read(tmp_path: Path) -> None:
    graph = read_onnx(write(beside(tmp_path), tmp_path / "m.onnx"))
    np.testing.assert_array_equal(graph.constants["w"], CONSTANTS["w"])
    np.testing.assert_array_equal(graph.constants["d"], CONSTANTS["d"])
    assert graph.beside == ("m.data",)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("location", "../m.data", "only a plain file of the same folder is read"),
        ("location", "/etc/hostname", "only a plain file of the same folder is read"),
        ("location", "..", "only a plain file of the same folder is read"),
        ("location", "", "only a plain file of the same folder is read"),
        ("location", "other.data", "which is not beside it: copy that file too"),
        ("offset", "1000000000", "states 108 bytes from 1,000,000,000 on"),
        ("offset", "-8", "states 108 bytes from -8 on"),
        ("offset", "many", "states no usable place"),
        ("length", str(1 << 50), "108 are needed"),
    ],
)
def test_other_places_are_not(tmp_path: Path, key: str, value: str, said: str) -> None:
    made = beside(tmp_path)
    _entry(made, key, value)
    assert said in refused(made, tmp_path)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    made = beside(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "m.data")
    _entry(made, "location", "link")
    assert "only a plain file of the same folder is read" in refused(made, tmp_path)


def test_without_onnx_it_is_said_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(model(), tmp_path / "m.onnx")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(
        InputError,
        match=r"the package onnx is not installed\. Install it with pip install 'retronet\[onnx\]'",
    ):
        read_onnx(path)


def test_nodes_that_nothing_needs_are_left_out(tmp_path: Path) -> None:
    extra = [node("Softplus", "x", "u"), node("Reshape", "u r", "v")]
    graph = read_onnx(write(model_of([*extra, *NODES], CONSTANTS | {"r": whole(-1)}), tmp_path / "m.onnx"))
    assert [each.op for each in graph.nodes] == ["Conv", "Flatten", "MatMul"]
