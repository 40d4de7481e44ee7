"""Event files hold the numbers of the records."""

import builtins
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from retronet.errors import InputError
from retronet.runs.run import open_run
from retronet_cli.events import event_files, scalars_of

from .conftest import Call

READ = """
import sys, json
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1], size_guidance={"tensors": 0})
events.Reload()
from tensorboard.util.tensor_util import make_ndarray
print(json.dumps({tag: [(each.step, float(make_ndarray(each.tensor_proto))) for each in events.Tensors(tag)]
    for tag in events.Tags()["tensors"]}))
"""


def test_event_files_hold_each_pass_and_each_snapshot(begin: Call, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    import json

    result = begin(tmp_path / "run", "--history", 100, "--tensorboard", tmp_path / "events")
    assert result.exit_code == 0, result.stderr
    read = subprocess.run(
        [sys.executable, "-c", READ, str(tmp_path / "events")], capture_output=True, text=True, check=True
    )
    found = json.loads(read.stdout.splitlines()[-1])

    run = open_run(tmp_path / "run")
    wanted: dict[str, list[tuple[int, float]]] = {}
    for record in [*run.records(), *run.snapshots()]:
        step, scalars = scalars_of(record)
        for tag, value in scalars.items():
            wanted.setdefault(tag, []).append((step, value))
    assert set(found) == set(wanted) >= {"rate", "test/error_percent", "activations/h1/deviation"}
    for tag, pairs in wanted.items():
        assert [step for step, _ in found[tag]] == [step for step, _ in pairs]
        assert [value for _, value in found[tag]] == pytest.approx([value for _, value in pairs], rel=1e-6)


def test_without_a_folder_nothing_is_imported() -> None:
    with event_files(None) as tell:
        tell(None)  # type: ignore[arg-type]


def test_without_its_package_it_is_said_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = builtins.__import__

    def missing(name: str, *arguments: Any, **named: Any) -> Any:
        if name.partition(".")[0] == "tensorboard":
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    with (
        pytest.raises(
            InputError, match=r"needs the package tensorboard.*pip install 'retronet\[tensorboard\]'"
        ),
        event_files(tmp_path / "events"),
    ):
        pass
    assert not (tmp_path / "events").exists()
