"""Reads the state_dict of a file of torch.save without torch and without executing anything.

Such a file is a pickle (see `retronet.imports.inert_pickle`) beside the bytes of its storages.
"""

import io
import math
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from retronet.errors import InputError
from retronet.imports.array_files import BFLOAT16, Arrays, check_bytes, numbers, read_members
from retronet.imports.inert_pickle import Named, Storage, StoredTensor, unpickled
from retronet.refusals import shown

FORMS = {
    "DoubleStorage": "f8", "FloatStorage": "f4", "HalfStorage": "f2", "BFloat16Storage": BFLOAT16,
    "LongStorage": "i8", "IntStorage": "i4", "ShortStorage": "i2", "CharStorage": "i1", "ByteStorage": "u1",
    "BoolStorage": "?", "ComplexDoubleStorage": "c16", "ComplexFloatStorage": "c8",
}  # fmt: skip
STATE_DICTS = ("state_dict", "model_state_dict", "model")
"""What the state_dict is called in files that hold more."""

A_TENSOR = "tensors of float16, bfloat16, float32 or float64"
_OLD_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."


def read_state_dict(file: BinaryIO, say: Callable[[str], object]) -> Arrays:
    """Return the arrays of the state_dict in a file of torch.save, of today's form or that before torch 1.6.

    Parameters
    ----------
    file
        The open file.
    say
        Is told which state_dict was taken, and what was left out.

    Raises
    ------
    InputError
        If there is none, more than one, or its numbers are not where it says.
    """
    start = file.read(len(_OLD_MAGIC))
    file.seek(0)
    if start == _OLD_MAGIC:
        tree, storages, order = _read_old(file)
    elif start.startswith(b"PK"):
        tree, storages, order = _read_archive(file)
    else:
        raise InputError("it is no file of torch.save: neither an archive nor the form before torch 1.6")
    tensors = _state_dict(tree, say)
    check_bytes("its tensors have", sum(8 * math.prod(tensor.shape) for tensor in tensors.values()))
    used = {tensor.storage for tensor in tensors.values()}
    values = {storage: numbers(storages.get(storage.key, b""), order + _form(storage)) for storage in used}
    return {name: _array(name, tensor, values[tensor.storage]) for name, tensor in tensors.items()}


def _read_archive(file: BinaryIO) -> tuple[object, dict[str, bytes], str]:
    members = read_members(file)
    roots = [name.removesuffix("data.pkl") for name in members if name.split("/")[1:] == ["data.pkl"]]
    if len(roots) != 1:
        raise InputError("it has no data.pkl in its one folder, as torch.save writes it")
    (root,) = roots
    if any(name.startswith(f"{root}code/") for name in members):
        raise InputError(
            "it holds a compiled module (TorchScript), whose code is not run: save its state_dict()"
        )
    data = f"{root}data/"
    storages = {name.removeprefix(data): held for name, held in members.items() if name.startswith(data)}
    order = ">" if members.get(f"{root}byteorder") == b"big" else "<"
    return unpickled(io.BytesIO(members[f"{root}data.pkl"]))[0], storages, order


def _read_old(file: BinaryIO) -> tuple[object, dict[str, bytes], str]:
    _magic, _version, system = (unpickled(file)[0] for _ in range(3))
    order = ">" if isinstance(system, dict) and system.get("little_endian") is False else "<"
    tree, kinds = unpickled(file)
    keys, _ = unpickled(file)
    storages: dict[str, bytes] = {}
    for key in keys if isinstance(keys, list) else []:
        size = np.dtype(_form(kinds[key]).replace(BFLOAT16, "u2")).itemsize
        stated = file.read(8)
        if len(stated) < 8:
            raise InputError("it is cut short")
        count = int(np.frombuffer(stated, f"{order}i8")[0])
        if count != kinds[key].count:
            raise InputError(
                f"its storage {shown(key)} has {count:,} numbers, {kinds[key].count:,} are stated"
            )
        check_bytes("it asks for", count * size)
        storages[key] = file.read(count * size)
    return tree, storages, order


def _state_dict(tree: object, say: Callable[[str], object]) -> dict[str, StoredTensor]:
    """Return the tensors of the one state_dict in `tree`, by name."""
    if not isinstance(tree, dict):
        what = f"{shown(tree.name)}, whose code is not run" if isinstance(tree, Named) else "no table"
        raise InputError(f"it holds {what}; a state_dict is needed: torch.save(model.state_dict(), FILE)")
    nested = {
        key: value
        for key, value in tree.items()
        if isinstance(value, dict) and any(isinstance(each, StoredTensor) for each in value.values())
    }
    known = [key for key in STATE_DICTS if key in nested]
    own = [key for key, value in tree.items() if isinstance(value, StoredTensor)]
    if not own and len(nested) == 1:
        known = list(nested)
    if len(known) != 1 and not own and nested:
        names = ", ".join(shown(key) for key in nested)
        raise InputError(f"it holds several state_dicts, {names}; one is allowed")
    left = [key for key in tree if not isinstance(tree[key], StoredTensor)]
    if len(known) == 1:
        chosen, left = nested[known[0]], [key for key in tree if key != known[0]]
        say(f"Took the state_dict '{known[0]}' of the file.")
        if others := [key for key, value in chosen.items() if not isinstance(value, StoredTensor)]:
            raise InputError(f"{_entry(others[0], chosen[others[0]])}; {A_TENSOR} are allowed")
    else:
        chosen = tree
        if calls := [key for key in left if isinstance(tree[key], Named)]:
            raise InputError(f"{_entry(calls[0], tree[calls[0]])}; {A_TENSOR} are allowed")
    if left:
        say(f"Left out of the file: {', '.join(str(key) for key in left)}.")
    return {str(key): value for key, value in chosen.items() if isinstance(value, StoredTensor)}


def _entry(key: object, value: object) -> str:
    what = f"{value.name}, which is not read" if isinstance(value, Named) else shown(value)
    return f"its entry {shown(key)} is {what}"


def _form(storage: Storage) -> str:
    if storage.kind not in FORMS:
        raise InputError(
            f"it holds numbers of a {storage.kind}; float16, bfloat16, float32, float64 are allowed"
        )
    return FORMS[storage.kind]


def _array(name: str, tensor: StoredTensor, values: NDArray[Any]) -> NDArray[Any]:
    storage, shape, strides = tensor.storage, tensor.shape, tensor.strides
    whole = all(type(each) is int and each >= 0 for each in (*shape, *strides, tensor.offset))
    if values.size < storage.count or not whole or len(shape) != len(strides) or len(shape) > 32:
        raise InputError(
            f"its tensor {shown(name)} has {values.size:,} numbers, {storage.count:,} are stated"
        )
    last = tensor.offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if math.prod(shape) and last >= values.size:
        raise InputError(f"its tensor {shown(name)} reads number {last:,} of {values.size:,}")
    if not math.prod(shape):
        return np.zeros(shape, values.dtype)
    steps = tuple(step * values.itemsize for step in strides)
    return np.lib.stride_tricks.as_strided(values[tensor.offset :], shape, steps).copy()
