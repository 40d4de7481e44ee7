"""One process writes a run: the lock, what it removes, and what it leaves alone. Processes: tests/cli."""

from pathlib import Path

import pytest

from retronet.errors import InputError
from retronet.runs import lock as module
from retronet.runs.lock import LOCK, is_own, lock, writing


def test_who_comes_second_is_told_and_comes_in_when_the_first_has_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.05)
    with writing(tmp_path):
        with (
            pytest.raises(InputError, match=r"The run .* is being written by another process"),
            writing(tmp_path),
        ):
            pass
        assert (tmp_path / LOCK).exists()
    assert list(tmp_path.iterdir()) == []
    with writing(tmp_path):
        pass


def test_the_lock_goes_with_an_error_too(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), writing(tmp_path):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_locked_file_is_named_as_asked_and_free_when_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.05)
    path = tmp_path / "rows.jsonl"
    with path.open("ab") as first, path.open("ab") as second:
        lock(first, "The file rows")
        with pytest.raises(InputError, match=r"^The file rows is being written"):
            lock(second, "The file rows")
        first.close()
        lock(second, "The file rows")


@pytest.mark.parametrize(
    ("name", "own"),
    [
        (".retronet.lock", True),
        (".checkpoint.safetensors.1.part", True),
        (".epochs.jsonl.23.part", True),
        (".plan.toml.4.part", True),
        ("checkpoint.safetensors", False),
        (".thesis.tex.1.part", False),
        (".run.json.part", False),
        ("mine.part", False),
    ],
)
def test_only_what_is_ones_own_is_removed(tmp_path: Path, name: str, own: bool) -> None:
    assert is_own(name) == own
    (tmp_path / name).write_bytes(b"half")
    with writing(tmp_path):
        pass
    assert (tmp_path / name).exists() != own
