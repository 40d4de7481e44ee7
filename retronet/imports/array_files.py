"""Reads named arrays from the usual files: nothing in them is executed, nothing is built beyond a bound.

An archive states sizes before it gives numbers, and 13 MB can state gigabytes: every size is compared with
what is there, and with `MOST_BYTES`, before an array is made. Checksums of archives are checked.
"""

import io
import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from retronet.errors import ChoiceError, InputError
from retronet.refusals import said_by, shown

Arrays = dict[str, NDArray[Any]]
SUFFIXES = (".npz", ".safetensors", ".pt", ".pth")
MOST_BYTES = 1 << 28
"""Of a file, and of all that it unpacks to: sixteen million weights in double precision twice over."""
MOST_MEMBERS = 10_000

BFLOAT16 = "bfloat16"
SAFETENSORS = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": BFLOAT16, "I64": "<i8", "I32": "<i4", "I16": "<i2",
    "I8": "i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?", "C64": "<c8",
}  # fmt: skip


def read_arrays(path: Path, say: Callable[[str], object] | None = None) -> Arrays:
    """Return the named arrays of an .npz, .safetensors or torch state_dict file; nothing in it is executed.

    Numbers are returned as they are stored, bfloat16 (which numpy lacks) as float32 of the same value.

    Parameters
    ----------
    path
        The file; its suffix says its kind.
    say
        Is told what was chosen of a file that holds more than arrays.

    Raises
    ------
    InputError
        If the file is missing, of another kind, damaged, or asks for more than `MOST_BYTES`.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ChoiceError(
            f"The file {path} can not be imported by its name: {', '.join(SUFFIXES)} and .onnx are allowed."
        )
    if not path.is_file():
        raise ChoiceError(f"There is no file {path}. Give the file that holds the arrays.")
    try:
        check_bytes("it has", path.stat().st_size)
        with path.open("rb") as file:
            if suffix == ".npz":
                return read_npz(file)
            if suffix == ".safetensors":
                return _read_safetensors(file.read())
            from retronet.imports.torch_file import read_state_dict

            return read_state_dict(file, say or (lambda _: None))
    except Exception as error:
        # The readers have their own errors for damaged files, of no common class.
        raise InputError(
            f"The file {path} can not be read as {suffix}: {said_by(error)}. Save the arrays again."
        ) from error


def check_bytes(what: str, count: int) -> None:
    """Refuse more bytes than `MOST_BYTES`."""
    if count > MOST_BYTES:
        raise InputError(f"{what} {count:,} bytes, at most {MOST_BYTES:,} are allowed")


def read_members(file: BinaryIO, wanted: Callable[[str], bool] = lambda _: True) -> dict[str, bytes]:
    """Return the members of a zip archive by name, each proved by its checksum.

    Raises
    ------
    InputError
        If they are too many or too large, encrypted, or two have one name; zipfile has its own errors
        for other damage.
    """
    with zipfile.ZipFile(file) as archive:
        members = [member for member in archive.infolist() if wanted(member.filename)]
        if len(members) > MOST_MEMBERS:
            raise InputError(f"it has {len(members):,} members, at most {MOST_MEMBERS:,} are allowed")
        check_bytes("it unpacks to", sum(member.file_size for member in members))
        contents: dict[str, bytes] = {}
        for member in members:
            name = member.filename
            if name in contents:
                raise InputError(f"its member {shown(name)} is there twice, one is allowed")
            if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise InputError(f"its member {shown(name)} is encrypted or packed otherwise than by deflate")
            with archive.open(member) as handle:
                # A read of so much unpacks no more than that, whatever follows.
                contents[name] = handle.read(member.file_size + 1)
            if len(contents[name]) != member.file_size:
                raise InputError(f"its member {shown(name)} is cut short")
    return contents


def read_npz(file: BinaryIO, wanted: Callable[[str], bool] = lambda _: True) -> Arrays:
    """Return the arrays of an .npz file by name, those whose name is `wanted`.

    Raises
    ------
    InputError
        If a member is no array of plain values, or its size is not what it states.
    """
    members = read_members(file, lambda name: wanted(name.removesuffix(".npy")))
    return {name.removesuffix(".npy"): _read_npy(name, content) for name, content in members.items()}


def _read_npy(name: str, content: bytes) -> NDArray[Any]:
    what = f"its array {shown(name.removesuffix('.npy'))}"
    stream = io.BytesIO(content)
    if not name.endswith(".npy") or not content.startswith(b"\x93NUMPY"):
        raise InputError(f"its member {shown(name)} is no array")
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream)
    else:
        raise InputError(f"{what} is stored in the form {version}, 1.0 and 2.0 hold plain numbers")
    if dtype.hasobject:
        raise InputError(f"{what} holds Python objects (dtype {dtype}), plain numbers are allowed")
    stored, stated = len(content) - stream.tell(), math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or stored != stated:
        raise InputError(
            f"{what} states the shape {shape} of {dtype}, {stated:,} bytes; {stored:,} are there"
        )
    order: Any = "F" if fortran else "C"
    return np.ndarray(shape, dtype, content, stream.tell(), order=order)


def _read_safetensors(content: bytes) -> Arrays:
    from safetensors import deserialize

    arrays: Arrays = {}
    for name, tensor in deserialize(content):
        form = SAFETENSORS.get(tensor["dtype"])
        if form is None:
            raise InputError(
                f"its array {shown(name)} holds {tensor['dtype']}; float16, bfloat16, float32 and float64 "
                "are allowed"
            )
        arrays[name] = numbers(bytes(tensor["data"]), form).reshape(tensor["shape"])
    return arrays


def numbers(content: bytes, form: str) -> NDArray[Any]:
    """Return the numbers in `content`; bfloat16, the upper half of a float32, as that float32."""
    if form.endswith(BFLOAT16):
        halves = np.frombuffer(content, form.removesuffix(BFLOAT16) + "u2").astype(np.uint32)
        return (halves << 16).view(np.float32)
    return np.frombuffer(content, form)
