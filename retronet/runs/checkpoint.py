"""A trained network in one safetensors file: arrays, and a header that says what they belong to.

The arrays are ``parameter.<name>``; of a pruned network ``mask.<name>``, 0 where a parameter was deleted;
and, to go on training, what the rule remembers, such as ``curvature.<name>``. Shapes are those of
:func:`retronet.network.parameter_shapes`. The same training gives the same bytes.

The header holds the SHA-256 of the whole file, taken with zeros in its own place: no bit of it changes
unnoticed. Files of the first schema have none; they are read, and `Checkpoint.checked` says so.
"""

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from retronet.datasets import Provenance
from retronet.errors import InputError
from retronet.network import NetworkSpec
from retronet.recipe import Recipe
from retronet.trained import Trained
from retronet.training.train import TrainingState

FIRST_SCHEMA = "retronet/checkpoint/1"
SCHEMA = "retronet/checkpoint/2"
MASK = "mask"
"""The arrays of `Trained.mask` among those that a checkpoint holds besides the parameters."""
BLANK = "0" * 64
DIGEST = re.compile(rb'\\"digest\\": \\"([0-9a-f]{64})\\"')
"""The digest as it lies in the file: JSON within JSON, its quotes escaped."""


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a checkpoint's arrays belong to.

    ``digest`` is that of the file.
    """

    schema: str
    network: NetworkSpec
    recipe: Recipe
    data: tuple[Provenance, Provenance]
    passes: int
    digest: str | None = None


class _SafetensorsHeader(msgspec.Struct, rename={"metadata": "__metadata__"}):
    metadata: dict[str, str]


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
        state = self.state
        return Trained(
            self.header.network, state.parameters, self.header.recipe, state.optimiser.get(MASK, {})
        )

    @property
    def checked(self) -> bool:
        """Whether a digest vouches for every bit."""
        return self.header.schema != FIRST_SCHEMA


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
    stamped = msgspec.structs.replace(checkpoint.header, schema=SCHEMA, digest=BLANK)
    content: bytes = save(
        arrays, metadata={"retronet": json.dumps(msgspec.to_builtins(stamped), sort_keys=True)}
    )
    sized = DIGEST.search(content)
    assert sized is not None
    digest = hashlib.sha256(content).hexdigest().encode()
    write_atomically(path, content[: sized.start(1)] + digest + content[sized.end(1) :])


def load_checkpoint(path: Path) -> Checkpoint:
    """Return the checkpoint in `path`.

    Raises
    ------
    InputError
        If the file is missing, damaged, not a checkpoint, or holds an array of other than finite floats.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    if not path.is_file():
        raise InputError(f"There is no checkpoint {path}. Give the folder of a run, or train one.")
    content = path.read_bytes()
    groups: dict[str, dict[str, NDArray[Any]]] = {}
    try:
        header = _header(content)
        for key, array in sorted(load(content).items()):
            group, name = key.split(".", 1)
            _check(key, array)
            groups.setdefault(group, {})[name] = array
    except (SafetensorError, KeyError, ValueError, RecursionError, MemoryError, InputError) as error:
        raise InputError(
            f"The file {path} is not a checkpoint of retronet, or is damaged ({error}). "
            "Train again or take another run."
        ) from error
    return Checkpoint(header, TrainingState(header.passes, groups.pop("parameter", {}), groups))


def _header(content: bytes) -> Header:
    size = int.from_bytes(content[:8], "little")
    outer = msgspec.json.decode(content[8 : 8 + size], type=_SafetensorsHeader)
    header = msgspec.json.decode(outer.metadata["retronet"], type=Header)
    if header.schema not in (FIRST_SCHEMA, SCHEMA):
        raise InputError(f"its schema is '{header.schema}'; {FIRST_SCHEMA} and {SCHEMA} can be read")
    if header.passes < 0:
        raise InputError(f"it counts {header.passes} passes")
    stated = DIGEST.search(content, 0, 8 + size)
    if (stated is None) != (header.schema == FIRST_SCHEMA):
        raise InputError(
            f"its schema {header.schema} does not go with {'no' if stated is None else 'a'} digest"
        )
    if stated is not None:
        blank = content[: stated.start(1)] + BLANK.encode() + content[stated.end(1) :]
        found = hashlib.sha256(blank).hexdigest()
        if found != header.digest:
            raise InputError(f"its digest is {found[:12]}…, written was {str(header.digest)[:12]}…")
    return header


def _check(key: str, array: NDArray[Any]) -> None:
    """Refuse what no training writes."""
    if array.dtype not in (np.float32, np.float64):
        raise InputError(f"its array '{key}' is of {array.dtype}; float32 and float64 are allowed")
    # Before the first validation score the least loss is infinite.
    if np.isnan(array).any() or (key != "patience.least_loss" and np.isinf(array).any()):
        raise InputError(f"its array '{key}' holds a NaN or an infinity; finite numbers are allowed")


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
