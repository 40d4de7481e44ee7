"""What every export is made of: named bytes, the same for the same network, and how they come on disk."""

import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from hw_sim.fixed_point.quantize import IntegerNetwork
from hw_sim.plan.plan_file import plan_toml
from retronet.errors import InputError

Files = dict[str, bytes]
"""Paths inside a folder, with slashes, and what the files hold."""
YEAR_ONE = (1980, 1, 1, 0, 0, 0)
"""The date of every array in an .npz: a zip file needs one."""


class Origin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where an export comes from: the program, the run's folder, the digits and how many of them."""

    program: str
    run: str
    digits: str


def check_folder(folder: Path, *, force: bool = False) -> None:
    """Refuse a folder that can not be written into, before what is to come into it is made.

    Raises
    ------
    InputError
        If it is a file, or holds something already and `force` is not set.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"The folder {folder} can not be written: it is a file. Name another one.")
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise InputError(
            f"The folder {folder} is not empty; an export goes into a new or empty one. Name another folder, "
            f"or write over it with --force."
        )


def write_files(files: Files, folder: Path, *, force: bool = False) -> None:
    """Write `files` into `folder`, which is made where it is missing.

    Raises
    ------
    InputError
        See `check_folder`.
    """
    check_folder(folder, force=force)
    for name, content in sorted(files.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def signed_bits(low: int, high: int) -> int:
    """Return the bits of a two's complement word that holds every integer from `low` to `high`."""
    return 1 + max(max(high, 0).bit_length(), (~low).bit_length() if low < 0 else 0)


def span(values: Iterable[int] | NDArray[np.integer]) -> int:
    """Return the bits of a two's complement word for each of `values`; at least one."""
    listed = [int(value) for value in np.asarray(values, dtype=object).ravel()]
    return signed_bits(min(listed, default=0), max(listed, default=0))


def mem(words: Iterable[int] | NDArray[np.integer], bits: int, title: str) -> bytes:
    """Return words as ``$readmemh`` takes them: a line of two's complement in hex for each.

    Parameters
    ----------
    words
        Integers that fit in `bits`, as signed or as unsigned ones.
    bits
        The width; the head of the file states it.
    title
        What the words are, for the head.
    """
    listed = [int(word) for word in np.asarray(words, dtype=object).ravel()]
    digits, mask = -(-bits // 4), (1 << bits) - 1
    head = f"// {title}: {len(listed)} words of {bits} bits, two's complement\n"
    return (head + "".join(f"{word & mask:0{digits}x}\n" for word in listed)).encode()


def read_mem(content: bytes, *, signed: bool = True) -> list[int]:
    """Return the words of a file that `mem` made."""
    head, *lines = content.decode().splitlines()
    bits = int(head.split(" words of ")[1].split()[0])
    words = [int(line, 16) for line in lines]
    return [word - (1 << bits) if signed and word >> (bits - 1) else word for word in words]


def npz(arrays: Mapping[str, NDArray[np.generic]]) -> bytes:
    """Return `arrays` as an .npz file; unlike numpy's own it does not hold the time of day."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asarray(array, order="C"), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", YEAR_ONE), content.getvalue())
    return target.getvalue()


def json_file(fields: object) -> bytes:
    """Return a JSON file with an entry a line, as it was given."""
    return msgspec.json.format(msgspec.json.encode(fields), indent=2) + b"\n"


def digest(content: bytes) -> str:
    """Return the SHA-256 of `content`."""
    return hashlib.sha256(content).hexdigest()


def network_digest(network: IntegerNetwork) -> str:
    """Return a SHA-256 of the plan and every integer of a network: weights, biases, steps, multipliers."""
    content = hashlib.sha256(plan_toml(network.plan).encode())
    for layer in network.layers:
        parts: list[NDArray[Any]] = [layer.weights, layer.starts, layer.ends, layer.connections.sources]
        parts += [part for stairs in layer.step_functions for part in (stairs.thresholds, stairs.levels)]
        for part in parts:
            content.update(str(part.shape).encode() + np.ascontiguousarray(part).tobytes())
        content.update(repr((layer.sized.name, layer.border, layer.multipliers)).encode())
    return content.hexdigest()
