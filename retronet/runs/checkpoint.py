"""A trained network in one safetensors file: arrays, and a header that says what they belong to.

The arrays are ``parameter.<name>`` and, to go on training, what the rule remembers, such as
``curvature.<name>``; shapes are those of :func:`retronet.network.parameter_shapes`. The same training gives
the same bytes.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from retronet.datasets import Provenance
from retronet.errors import InputError
from retronet.network import NetworkSpec
from retronet.recipe import Recipe
from retronet.trained import Trained
from retronet.training.train import TrainingState

SCHEMA = "retronet/checkpoint/1"


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a checkpoint's arrays belong to."""

    schema: str
    network: NetworkSpec
    recipe: Recipe
    data: tuple[Provenance, Provenance]
    passes: int


@dataclass(frozen=True)
class Checkpoint:
    """A header and the state it describes."""

    header: Header
    state: TrainingState

    @property
    def trained(self) -> Trained:
        """The network that it holds.

        Raises
        ------
        InputError
            If the arrays are not those of the network.
        """
        return Trained(self.header.network, self.state.parameters, self.header.recipe)


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write `checkpoint` to `path`; the file is there whole or not at all."""
    from safetensors.numpy import save

    state = checkpoint.state
    arrays = {
        # safetensors writes strided arrays wrong without a word, hence the contiguous copies.
        f"{group}.{name}": np.ascontiguousarray(array)
        for group, named in {"parameter": state.parameters, **state.optimiser}.items()
        for name, array in named.items()
    }
    # One key with sorted JSON: several would come in another order from run to run.
    header = json.dumps(msgspec.to_builtins(checkpoint.header), sort_keys=True)
    write_atomically(path, save(arrays, metadata={"retronet": header}))


def load_checkpoint(path: Path) -> Checkpoint:
    """Return the checkpoint in `path`.

    Raises
    ------
    InputError
        If the file is missing, damaged or not a checkpoint.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise InputError(f"There is no checkpoint {path}. Give the folder of a run, or train one.")
    groups: dict[str, dict[str, NDArray[np.floating]]] = {}
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            header = msgspec.json.decode(metadata["retronet"], type=Header)
            for key in file.keys():  # noqa: SIM118 - not a dict
                group, name = key.split(".", 1)
                groups.setdefault(group, {})[name] = file.get_tensor(key)
    except (SafetensorError, KeyError, ValueError, msgspec.DecodeError) as error:
        raise InputError(
            f"The file {path} is not a checkpoint of retronet, or is damaged ({error}). "
            "Train again or take another run."
        ) from error
    return Checkpoint(header, TrainingState(header.passes, groups.pop("parameter", {}), groups))


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to `path` so that a reader finds the old file or the new one, whatever happens."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
