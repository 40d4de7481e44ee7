"""Files of arrays: what was saved is read, and nothing is built that the file only promises."""

import io
import json
import struct
import tempfile
import tracemalloc
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.mutants import COUNT

from retronet.errors import InputError
from retronet.imports.array_files import MOST_BYTES, SUFFIXES, read_arrays

Arrays = dict[str, NDArray[Any]]


SHAPES: dict[str, tuple[int, ...]] = {
    "a": (3, 4), "b.bias": (5,), "c": (2, 1, 3, 3), "scalar": (), "none": (0, 4),
}  # fmt: skip


def drawn() -> Arrays:
    generator = np.random.default_rng(1)
    # Not .astype: of a shape without axes it would make a plain number.
    return {name: np.asarray(generator.normal(size=shape), np.float32) for name, shape in SHAPES.items()}


def save(path: Path, arrays: Arrays) -> Path:
    if path.suffix == ".npz":
        np.savez_compressed(path, **arrays)
    elif path.suffix == ".safetensors":
        from safetensors.numpy import save_file

        save_file(arrays, path)
    else:
        import torch

        old = path.stem == "old"
        tensors = {name: torch.tensor(array) for name, array in arrays.items()}
        torch.save(tensors, path, _use_new_zipfile_serialization=not old)
    return path


@cache
def saved(name: str) -> bytes:
    """Return what a file holds, always the same: torch's older form has addresses in it."""
    with tempfile.TemporaryDirectory() as folder:
        return save(Path(folder) / name, drawn()).read_bytes()


FILES = ["w.npz", "w.safetensors", "w.pt", "w.PTH", "old.pt"]


@pytest.mark.parametrize("name", FILES)
def test_files_hold_what_was_saved(name: str, tmp_path: Path) -> None:
    arrays = drawn()
    found = read_arrays(save(tmp_path / name, arrays))
    assert found.keys() == arrays.keys()
    for key, array in arrays.items():
        np.testing.assert_array_equal(found[key], array, strict=True)


@pytest.mark.parametrize("name", FILES)
def test_cut_files_are_refused(name: str, tmp_path: Path) -> None:
    path = save(tmp_path / name, drawn())
    content = path.read_bytes()
    for length in {0, 1, 8, 100, len(content) // 2, len(content) - 1}:
        path.write_bytes(content[:length])
        with pytest.raises(
            InputError, match=rf"{path.name} can not be read as \{path.suffix.lower()}: .+\. Save"
        ):
            read_arrays(path)


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=COUNT, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_are_read_or_refused_in_one_sentence(
    name: str, data: st.DataObject, tmp_path: Path
) -> None:
    path = tmp_path / name
    content = bytearray(saved(name))
    for _ in range(data.draw(st.integers(1, 4))):
        sized = data.draw(st.integers(0, len(content) - 1))
        match data.draw(st.sampled_from(["flip", "set", "cut", "insert", "fill"])):
            case "flip":
                content[sized] ^= 1 << data.draw(st.integers(0, 7))
            case "set":
                content[sized] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]))
            case "cut":
                del content[sized : sized + data.draw(st.integers(1, 50))]
            case "insert":
                content[sized:sized] = data.draw(st.binary(max_size=20))
            case _:
                content[sized : sized + 8] = b"\xff" * 8
        content = content or bytearray(1)
    path.write_bytes(content)
    try:
        found = read_arrays(path)
    except InputError as error:
        said = str(error)
    else:
        said = ""
        assert sum(array.nbytes for array in found.values()) <= MOST_BYTES
    assert said.isprintable()


@pytest.mark.parametrize("name", ["w.npz", "w.pt"])
def test_a_flipped_bit_of_the_numbers_is_found_by_the_checksum(name: str, tmp_path: Path) -> None:
    arrays = {"a": np.arange(1000, dtype=np.float32)}
    path = tmp_path / name
    if name == "w.npz":
        np.savez(path, **arrays)  # type: ignore[arg-type]
    else:
        save(path, arrays)
    content = bytearray(path.read_bytes())
    content[content.index(arrays["a"].tobytes()) + 2001] ^= 4
    path.write_bytes(content)
    with pytest.raises(InputError, match="Bad CRC-32"):
        read_arrays(path)


def npy(shape: tuple[int, ...], dtype: str = "<f4", data: bytes = b"") -> bytes:
    header = repr({"descr": dtype, "fortran_order": False, "shape": shape}).encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def torch_file(path: Path, members: dict[str, bytes]) -> Path:
    """Return a file of torch.save with other members."""
    arrays = {"a": np.zeros(8, np.float32)}
    with zipfile.ZipFile(save(path, arrays)) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    root = next(iter(found)).split("/")[0]
    return zipped(path, found | {f"{root}/{name}": content for name, content in members.items()})


def pickled(count: int, shape: int, stride: int = 1, offset: int = 0, call: bytes = b"") -> bytes:
    """Return the pickle of a state_dict with one tensor 'a', as torch writes it, with sizes of one's own."""

    def number(value: int) -> bytes:
        return b"\x8a\x09" + value.to_bytes(9, "little", signed=True)

    storage = (
        b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0" + b"0X\x03\0\0\0cpu" + number(count) + b"tQ"
    )
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(offset)
    tensor += number(shape) + b"\x85" + number(stride) + b"\x85\x89}tR"
    return b"\x80\x02}X\x01\0\0\0a" + (call or tensor) + b"s."


def test_arrays_are_bounded_before_they_are_built(tmp_path: Path) -> None:
    """Files of some kilobytes that ask for gigabytes, in every way that the three kinds have."""
    bomb = {f"{i}.npy": npy((1 << 18,), data=b"\0" * (1 << 20)) for i in range(300)}
    call = b"c__builtin__\nbytearray\n\x8a\x05\0\0\0\0\x10\x85R"
    files = {
        "unpacks to": zipped(tmp_path / "many.npz", bomb),
        "states the shape": zipped(tmp_path / "shape.npz", {"a.npy": npy((1 << 40, 1 << 20))}),
        "states the shape .0,": zipped(tmp_path / "empty.npz", {"a.npy": npy((0, 8)) + b"x"}),
        "2,000,000,000 bytes": zipped(tmp_path / "wide.npz", {"a.npy": npy((1,), "|V2000000000")}),
        "states the shape .-2": zipped(tmp_path / "minus.npz", {"a.npy": npy((-2, -4), data=b"\0" * 32)}),
        "reads number": torch_file(tmp_path / "view.pt", {"data.pkl": pickled(8, 1 << 20)}),
        "its tensors have": torch_file(tmp_path / "spread.pt", {"data.pkl": pickled(8, 1 << 30, 0)}),
        "are stated": torch_file(tmp_path / "storage.pt", {"data.pkl": pickled(1 << 32, 8)}),
        "are stated.": torch_file(tmp_path / "back.pt", {"data.pkl": pickled(8, 8, -1)}),
        "reads number 1,": torch_file(tmp_path / "offset.pt", {"data.pkl": pickled(8, 8, 1, 1 << 30)}),
        "not read": torch_file(tmp_path / "call.pt", {"data.pkl": pickled(8, 8, call=call)}),
    }  # fmt: skip
    header = json.dumps({"a": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}).encode()
    (tmp_path / "far.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    files["can not be read"] = tmp_path / "far.safetensors"
    (tmp_path / "head.safetensors").write_bytes(struct.pack("<Q", 1 << 60) + b"{}")
    files["can not be read as"] = tmp_path / "head.safetensors"
    tracemalloc.start()
    try:
        for said, path in files.items():
            assert path.stat().st_size < 1 << 20, path
            with pytest.raises(InputError, match=said):
                read_arrays(path)
        assert tracemalloc.get_traced_memory()[1] < 50 << 20
    finally:
        tracemalloc.stop()


def test_a_member_that_unpacks_to_more_than_it_states_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "w.npz", {"a.npy": npy((1 << 20,), data=b"\0" * (4 << 20))})
    content = path.read_bytes()
    true, stated = struct.pack("<I", len(npy((1 << 20,))) + (4 << 20)), struct.pack("<I", 1000)
    assert content.count(true) == 2
    path.write_bytes(content.replace(true, stated))
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="Bad CRC-32"):
            read_arrays(path)
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()


def test_a_file_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        path = tmp_path / f"w{suffix}"
        with path.open("wb") as file:
            file.truncate(MOST_BYTES + 1)
        with pytest.raises(InputError, match=f"it has {MOST_BYTES + 1:,} bytes, at most"):
            read_arrays(path)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"a.npy": npy((2,), "|O", b"\0" * 16)}, "its array 'a' holds Python objects"),
        ({"a.txt": b"hello"}, "its member 'a.txt' is no array"),
        ({"a.npy": b"hello"}, "its member 'a.npy' is no array"),
        ({"a.npy": b"\x93NUMPY\x03\x00" + npy((1,))[8:]}, r"stored in the form \(3, 0\)"),
        ({"a.npy": npy((1,), "<f99", b"0")}, "can not be read"),
        ({"a.npy": b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535}, "can not be read"),
    ],
)
def test_members_that_are_no_plain_arrays_are_named(
    tmp_path: Path, members: dict[str, bytes], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        read_arrays(zipped(tmp_path / "w.npz", members))


def test_other_kinds_of_arrays_are_read_as_they_are(tmp_path: Path) -> None:
    arrays = {
        "dates": np.zeros(3, "M8[s]"),
        "text": np.full(2, "abc"),
        "pairs": np.zeros(2, [("x", "f4"), ("y", "i2")]),
        "complex": np.ones(2, complex),
        "codes": np.arange(-3, 3, dtype=np.int8),
        "half": np.ones(2, np.float16),
        "other end": np.arange(3, dtype=">f8"),
        "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    }
    found = read_arrays(save(tmp_path / "w.npz", arrays))
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


@pytest.mark.parametrize("name", ["w.pt", "old.pt", "w.safetensors"])
def test_half_precisions_are_read_exactly(name: str, tmp_path: Path) -> None:
    """Every bfloat16 and every float16 that is a number."""
    import torch

    bits = torch.arange(1 << 16, dtype=torch.int32).to(torch.int16)
    tensors = {"brain": bits.view(torch.bfloat16), "half": bits.clone().view(torch.float16)}
    if name.endswith(".pt"):
        torch.save(tensors, tmp_path / name, _use_new_zipfile_serialization=name == "w.pt")
    else:
        from safetensors.torch import save_file

        save_file(tensors, tmp_path / name)
    found = read_arrays(tmp_path / name)
    for key, tensor in tensors.items():
        expected = tensor.float().numpy()
        np.testing.assert_array_equal(found[key].astype(np.float32), expected)
    assert found["brain"].dtype == np.float32
    assert found["half"].dtype == np.float16


def test_numbers_of_eight_bits_are_refused_by_name(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(3).to(torch.float8_e4m3fn)}, tmp_path / "w.safetensors")
    with pytest.raises(InputError, match="its array 'a' holds F8_E4M3; float16, bfloat16, float32"):
        read_arrays(tmp_path / "w.safetensors")


def test_missing_and_unknown_kinds_of_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.npz, \.safetensors, \.pt, \.pth and \.onnx are allowed"):
        read_arrays(tmp_path / "w.h5")
    with pytest.raises(InputError, match=r"There is no file .*w\.npz"):
        read_arrays(tmp_path / "w.npz")
    (tmp_path / "w.npz").write_bytes(io.BytesIO(b"<html>").getvalue())
    with pytest.raises(InputError, match="File is not a zip file"):
        read_arrays(tmp_path / "w.npz")
