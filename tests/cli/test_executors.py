"""Seeds, reproductions and sweeps on a dask cluster that loses a worker: the same bytes as one by one."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numba
import pytest
from click.testing import CliRunner, Result
from support.trained_run import train_briefly

from retronet.studies import reproduce
from retronet_cli.main import cli

PUBLISHED = """
[[recipes]]
recipe = "lecun1989"
seeds = [0, 1, 2, 3]
changes = { data = "digits5k", passes = 2 }
[[recipes.figures]]
pass = 2
digits = "test"
quantity = "misses"
published = 100
source = "made up"
"""


def call(*arguments: object) -> Result:
    return CliRunner().invoke(cli, list(map(str, arguments)))


@contextmanager
def cluster_that_loses_a_worker(folder: Path, made: str) -> Iterator[str]:
    """Give the address of a cluster of two; one is killed when `folder` has the first file called `made`."""
    distributed = pytest.importorskip("distributed")
    lost: list[int] = []

    def lose(cluster: Any) -> None:
        while not any(path.stat().st_size for path in folder.rglob(made)):
            time.sleep(0.02)
        lost.append(cluster.workers[0].pid)
        os.kill(lost[0], signal.SIGKILL)

    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as cluster:
        thread = threading.Thread(target=lose, args=(cluster,), daemon=True)
        thread.start()
        yield cluster.scheduler_address
        thread.join(60)
        assert lost


def kept(runs: Path) -> dict[str, bytes]:
    names = ("checkpoint.safetensors", "epochs.jsonl")
    return {str(path.relative_to(runs)): path.read_bytes() for name in names for path in runs.rglob(name)}


@pytest.mark.parametrize("command", ["train", "reproduce"])
def test_runs_are_the_same_on_a_cluster_that_loses_a_worker(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if numba.config.DISABLE_JIT:
        pytest.skip("thousands of digits need compiled code")
    (tmp_path / "published.toml").write_text(PUBLISHED, encoding="utf-8")
    monkeypatch.setattr(reproduce, "FILE", tmp_path / "published.toml")
    here, there = tmp_path / "here", tmp_path / "there"
    words = {
        "train": ("train", "--data", "digits5k", "--passes", 2, "--seeds", "0-3", "-q"),
        "reproduce": ("reproduce", "-q"),
    }[command]

    with cluster_that_loses_a_worker(there, "checkpoint.safetensors") as address:
        on_cluster = call(*words, "--runs", there, "--dask", address)
    alone = call(*words, "--runs", here, "--jobs", 1)

    assert (on_cluster.exit_code, alone.exit_code) == (0, 0), on_cluster.stderr
    assert kept(there) == kept(here)
    assert len(kept(here)) == 8


def test_rows_are_the_same_on_a_cluster_that_loses_a_worker(tmp_path: Path) -> None:
    if numba.config.DISABLE_JIT:
        pytest.skip("thousands of digits need compiled code")
    run = train_briefly(tmp_path / "brief").folder
    words = ("sweep", run, "--bits", "2-9", "--tensors", "all,weights", "--json")
    (tmp_path / "there").mkdir()
    with cluster_that_loses_a_worker(tmp_path / "there", "rows.jsonl") as address:
        on_cluster = call(*words, "--rows", tmp_path / "there" / "rows.jsonl", "--dask", address)
    alone = call(*words, "--rows", tmp_path / "rows.jsonl", "--jobs", 1)
    assert (on_cluster.exit_code, alone.exit_code) == (0, 0), on_cluster.stderr
    rows = [
        sorted((folder / "rows.jsonl").read_bytes().splitlines()) for folder in (tmp_path / "there", tmp_path)
    ]
    assert rows[0] == rows[1]
    assert len(rows[0]) == 16
    found = [json.loads(result.stdout) | {"rows_file": None} for result in (on_cluster, alone)]
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "words", [("train", "--data", "digits5k", "--seeds", "0-1"), ("reproduce", "lecun1989", "--seeds", "0-1")]
)
def test_no_scheduler_is_a_sentence(words: tuple[str, ...], tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    result = call(*words, "--runs", tmp_path, "--dask", "nowhere://1")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "No dask scheduler answers at 'nowhere://1'" in result.stderr


def test_one_run_takes_no_cluster(tmp_path: Path) -> None:
    result = call("train", "--data", "digits5k", "--runs", tmp_path, "--dask", "tcp://here")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--dask is for several runs at once: give --seeds" in result.stderr
    assert not list(tmp_path.iterdir())
