"""Takes a network that was trained elsewhere: its arrays, by name, from the usual files.

Names and shapes are those of :func:`retronet.network.parameter_shapes`, such as ``h1.weight`` (12, 1, 5, 5)
and ``h1.bias`` (12, 8, 8); `retronet show network NAME --json` lists them.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retronet.errors import ChoiceError, InputError
from retronet.network import NetworkSpec, parameter_shapes

SUFFIXES = (".npz", ".safetensors", ".pt", ".pth")


def read_arrays(path: Path) -> dict[str, NDArray[np.floating]]:
    """Return the named arrays of an .npz, .safetensors or torch state_dict file; nothing in it is executed.

    Raises
    ------
    InputError
        If the file is missing, of another kind or damaged.
    """
    if path.suffix not in SUFFIXES:
        raise ChoiceError(
            f"The file {path} can not be imported by its name: {', '.join(SUFFIXES)} are allowed."
        )
    if not path.is_file():
        raise ChoiceError(f"There is no file {path}. Give the file that holds the arrays.")
    try:
        if path.suffix == ".npz":
            # numpy leaves a damaged file open if it opened it itself.
            with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        if path.suffix == ".safetensors":
            from safetensors.numpy import load_file

            return dict(load_file(path))
        return _read_state_dict(path)
    except Exception as error:
        # Each of the three libraries has its own errors for a damaged file, torch's of no common class.
        raise InputError(
            f"The file {path} can not be read as {path.suffix}: {error}. Save the arrays again."
        ) from error


def _read_state_dict(path: Path) -> dict[str, NDArray[np.floating]]:
    import torch

    content = torch.load(path, map_location="cpu", weights_only=True)
    return {name: tensor.detach().numpy() for name, tensor in content.items()}


def import_parameters(
    network: NetworkSpec,
    arrays: Mapping[str, NDArray[np.floating]],
    rename: Mapping[str, str],
    precision: str,
) -> dict[str, NDArray[np.floating]]:
    """Return `arrays` as the parameters of `network`.

    Parameters
    ----------
    network
        The network they belong to.
    arrays
        What a file holds; arrays that the network has no use for are not allowed.
    rename
        The network's name for each of the file's names that is another.
    precision
        ``float32`` or ``float64``.

    Raises
    ------
    InputError
        If an array is missing, left over, of another shape or not finite; the message names the first.
    """
    unknown = sorted(set(rename) - set(arrays))
    if unknown:
        raise ChoiceError(
            f"The file has no array '{unknown[0]}' to rename. It has: {', '.join(sorted(arrays))}."
        )
    renamed = {rename.get(name, name): array for name, array in arrays.items()}
    shapes = parameter_shapes(network)
    for name, shape in shapes.items():
        if name not in renamed:
            raise InputError(
                f"The array '{name}' {shape} of network '{network.name}' is missing. The file has: "
                f"{', '.join(sorted(arrays))}. Rename with --rename THEIRS={name}."
            )
        if renamed[name].shape != shape:
            raise InputError(
                f"The array '{name}' has the shape {renamed[name].shape}; network '{network.name}' needs "
                f"{shape}. Save it in that shape."
            )
        if not np.isfinite(renamed[name]).all():
            raise InputError(f"The array '{name}' holds infinite numbers or NaN; finite ones are needed.")
    left = sorted(set(renamed) - set(shapes))
    if left:
        raise InputError(
            f"The array '{left[0]}' belongs to nothing in network '{network.name}', which has: "
            f"{', '.join(shapes)}. Leave it out of the file, or rename it."
        )
    return {name: np.ascontiguousarray(renamed[name], precision) for name in shapes}


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, to say later what was imported."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
