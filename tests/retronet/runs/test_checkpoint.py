"""Checkpoints: what goes in comes out, the same bytes each time, and nothing foreign is taken for one."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from safetensors.numpy import save
from support.small_runs import NETWORK, of_the_first_schema, small_digits, small_recipe

from retronet.errors import InputError
from retronet.runs import checkpoint as module
from retronet.runs.checkpoint import (
    FIRST_SCHEMA,
    SCHEMA,
    Checkpoint,
    Header,
    load_checkpoint,
    save_checkpoint,
    write_atomically,
)
from retronet.training.train import Training, TrainingState


def make_checkpoint(state: TrainingState | None = None) -> Checkpoint:
    digits = small_digits()
    state = state or Training(small_recipe(), NETWORK, digits).state()
    provenance = (digits.train.provenance, digits.test.provenance)
    return Checkpoint(Header(SCHEMA, NETWORK, small_recipe(), provenance, state.passes), state)


def test_round_trip(tmp_path: Path) -> None:
    expected = make_checkpoint()

    save_checkpoint(tmp_path / "c.safetensors", expected)
    found = load_checkpoint(tmp_path / "c.safetensors")

    assert msgspec.structs.replace(found.header, digest=None) == expected.header
    assert found.state.optimiser.keys() == expected.state.optimiser.keys() == {"curvature"}
    for before, after in (
        (expected.state.parameters, found.state.parameters),
        (expected.state.optimiser["curvature"], found.state.optimiser["curvature"]),
    ):
        assert before.keys() == after.keys()
        for name, array in before.items():
            assert (after[name].dtype, after[name].shape) == (array.dtype, array.shape)
            assert after[name].tobytes() == array.tobytes()
    assert list(tmp_path.iterdir()) == [tmp_path / "c.safetensors"]


def test_arrays_that_are_views_keep_their_values(tmp_path: Path) -> None:
    """The format takes memory as it lies: a transposed or strided array must be laid out first."""
    w = np.arange(12, dtype=np.float32).reshape(3, 4)
    arrays = {"transposed": w.T, "strided": w[:, ::2], "reversed": w[::-1], "fortran": np.asfortranarray(w)}

    save_checkpoint(tmp_path / "c", make_checkpoint(TrainingState(3, arrays, {})))
    found = load_checkpoint(tmp_path / "c").state

    assert found.passes == 3
    for name, array in arrays.items():
        np.testing.assert_array_equal(found.parameters[name], array, strict=True)


def test_the_same_state_is_the_same_bytes(tmp_path: Path) -> None:
    first = make_checkpoint()
    optimiser = {name: dict(reversed(group.items())) for name, group in first.state.optimiser.items()}
    reordered = TrainingState(0, dict(reversed(first.state.parameters.items())), optimiser)
    save_checkpoint(tmp_path / "a", first)
    save_checkpoint(tmp_path / "b", Checkpoint(first.header, reordered))

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def foreign(header: str | None, **arrays: np.ndarray) -> bytes:
    content = save(arrays, metadata=None if header is None else {"retronet": header})
    assert isinstance(content, bytes)
    return content


@pytest.mark.parametrize(
    "content",
    [
        foreign(None, weight=np.zeros(3)),
        foreign("{}", **{"parameter.w": np.zeros(3)}),
        foreign("no JSON", **{"parameter.w": np.zeros(3)}),
        b"",
        b"PK\x03\x04 something else altogether",
    ],
)
def test_foreign_files_are_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c.safetensors"
    path.write_bytes(content)

    with pytest.raises(InputError, match=r"c\.safetensors is not a checkpoint of retronet, or is damaged"):
        load_checkpoint(path)


def test_foreign_arrays_in_a_checkpoint_are_refused(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c", make_checkpoint())
    content = (tmp_path / "c").read_bytes()

    assert b'"parameter.a.bias"' in content
    (tmp_path / "c").write_bytes(content.replace(b'"parameter.a.bias"', b'"parameter_a_bias"'))
    with pytest.raises(InputError, match="is not a checkpoint of retronet, or is damaged"):
        load_checkpoint(tmp_path / "c")


def test_a_checkpoint_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "whole", make_checkpoint())
    content = (tmp_path / "whole").read_bytes()

    for size in {1, 7, 8, 9, *range(100, len(content), 997), len(content) - 1}:
        (tmp_path / "cut").write_bytes(content[:size])
        with pytest.raises(InputError, match="is not a checkpoint of retronet, or is damaged"):
            load_checkpoint(tmp_path / "cut")


def test_a_missing_checkpoint_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"There is no checkpoint .*none"):
        load_checkpoint(tmp_path / "none")


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(*((module.os, "fsync") if broken == "fsync" else (Path, "replace")), fail)
    with pytest.raises(OSError, match="no space"):
        write_atomically(path, b"new")

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_no_bit_of_a_checkpoint_changes_unnoticed(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c", make_checkpoint())
    content = (tmp_path / "c").read_bytes()
    rng = np.random.default_rng(0)

    for at in {*range(0, len(content), 23), *range(len(content) - 8, len(content))}:
        damaged = bytearray(content)
        damaged[at] ^= 1 << int(rng.integers(8))
        (tmp_path / "c").write_bytes(damaged)
        with pytest.raises(InputError, match="is not a checkpoint of retronet, or is damaged"):
            load_checkpoint(tmp_path / "c")


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.array([1.0, np.nan], np.float32), "holds a NaN or an infinity"),
        (np.array([1.0, -np.inf]), "holds a NaN or an infinity"),
        (np.array([1, 2]), "is of int64; float32 and float64 are allowed"),
        (np.array([True, False]), "is of bool; float32 and float64 are allowed"),
        (np.array([1, 2], np.float16), "is of float16; float32 and float64 are allowed"),
    ],
)
@pytest.mark.parametrize("group", ["parameter", "curvature"])
def test_arrays_that_no_training_writes_are_refused_by_name(
    tmp_path: Path, array: np.ndarray, said: str, group: str
) -> None:
    """Even in a file whose digest is right."""
    given = {"w": array}
    state = TrainingState(1, given, {}) if group == "parameter" else TrainingState(1, {}, {group: given})
    save_checkpoint(tmp_path / "c", make_checkpoint(state))

    with pytest.raises(InputError, match=rf"its array '{group}\.w' {said}"):
        load_checkpoint(tmp_path / "c")


def test_checkpoints_without_a_digest_are_read_and_say_so(tmp_path: Path) -> None:
    made = make_checkpoint()
    (tmp_path / "old").write_bytes(of_the_first_schema(made))
    save_checkpoint(tmp_path / "new", made)

    old, new = load_checkpoint(tmp_path / "old"), load_checkpoint(tmp_path / "new")

    assert (old.checked, new.checked) == (False, True)
    for name, array in new.state.parameters.items():
        np.testing.assert_array_equal(old.state.parameters[name], array, strict=True)


def test_no_checkpoint_passes_for_an_older_or_newer_one(tmp_path: Path) -> None:
    made = make_checkpoint()
    (tmp_path / "old").write_bytes(of_the_first_schema(made))
    save_checkpoint(tmp_path / "new", made)
    for name, old, new in (("new", SCHEMA, FIRST_SCHEMA), ("old", FIRST_SCHEMA, SCHEMA), ("new", "/2", "/3")):
        content = (tmp_path / name).read_bytes()
        assert old.encode() in content
        (tmp_path / "changed").write_bytes(content.replace(old.encode(), new.encode()))
        with pytest.raises(InputError, match="schema"):
            load_checkpoint(tmp_path / "changed")
