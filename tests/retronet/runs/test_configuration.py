"""What a run depends on, as run.json holds it, edited, and of the first schema."""

import hashlib
import json
import platform
from pathlib import Path

import msgspec
import numba
import pytest
from msgspec.structs import replace
from support.small_runs import DIGITS, NETWORK, begin, go_on, of_the_first_schema, small_recipe

from retronet.errors import InputError
from retronet.runs.checkpoint import load_checkpoint
from retronet.runs.configuration import (
    ByImport,
    ByRetraining,
    ByTraining,
    Made,
    RunProcessor,
    digest_of,
    digest_of_text,
)
from retronet.runs.create import create_run
from retronet.runs.run import CHECKPOINT, CONFIGURATION, EPOCHS, HISTORY, Run, open_run

PROVED = "any x86-64 processor" if platform.machine() in ("x86_64", "AMD64") else "this processor"


def test_the_configuration_says_all_that_the_bytes_depend_on(tmp_path: Path) -> None:
    run = begin(tmp_path / "run", small_recipe(seed=7))
    stored = json.loads((run.folder / CONFIGURATION).read_text(encoding="utf-8"))

    assert open_run(run.folder).configuration == run.configuration
    assert (stored["schema"], stored["recipe"]["seed"]) == ("retronet/run/2", 7)
    assert [half["images_sha256"] for half in stored["data"]] == ["0", "0"]
    assert {"python", "numpy", "numba", "llvmlite", "retronet"} <= stored["versions"].keys()
    assert all(stored["processor"][key] for key in ("name", "code_target", "same_bytes_on"))
    assert str(tmp_path) not in json.dumps(stored)


def test_a_run_says_on_which_processors_its_bytes_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numba.config, "CPU_NAME", "haswell")
    for engine, where in (("numba", PROVED), ("torch", "this processor")):
        run = begin(tmp_path / engine, small_recipe(engine=engine))
        assert run.configuration.processor is not None
        assert run.configuration.processor.same_bytes_on == where
        assert run.configuration.processor.code_target == "haswell"


def test_what_is_trained_does_not_depend_on_where_it_was_begun(tmp_path: Path) -> None:
    """The processor is said in run.json and nowhere else: another one leaves the other files as they are."""
    here, there = (begin(tmp_path / name, small_recipe()) for name in ("here", "there"))
    elsewhere = RunProcessor("another", "haswell", "any x86-64 processor")
    moved = replace(there.configuration, processor=elsewhere, sha256=None)
    moved = replace(moved, sha256=digest_of(moved))
    (there.folder / CONFIGURATION).write_bytes(msgspec.json.encode(moved))
    go_on(here)
    go_on(open_run(there.folder))

    for name in (CHECKPOINT, EPOCHS):
        assert (here.folder / name).read_bytes() == (there.folder / name).read_bytes()


def test_a_run_from_before_a_recipe_had_a_key_is_whole(tmp_path: Path) -> None:
    """Its digest is of what was written then; a key that came since changes nothing of it."""
    run = begin(tmp_path / "run", small_recipe())
    go_on(run)
    path = run.folder / CONFIGURATION
    before = json.loads(path.read_text(encoding="utf-8"))
    assert before["sha256"] == digest_of_text(path.read_bytes()) == digest_of(run.configuration)
    for key in ("distortion", "dropout"):
        assert before["recipe"].pop(key) is None
    before["sha256"] = digest_of_text(json.dumps(before).encode())
    path.write_text(json.dumps(before), encoding="utf-8")

    assert before["sha256"] != run.configuration.sha256
    assert open_run(run.folder).checkpoint().header.recipe == run.configuration.recipe


@pytest.mark.parametrize(
    ("old", "new"),
    [('"history": 7', '"history": 8'), ('"numpy": "', '"numpy": "0'), ('"seed": 0', '"seed": 1')],
)
def test_a_configuration_that_was_edited_is_refused(tmp_path: Path, old: str, new: str) -> None:
    made = create_run(small_recipe(), NETWORK, DIGITS, tmp_path / "run", tmp_path, False, ByTraining(7))
    go_on(made, passes=2)
    path = made.folder / CONFIGURATION
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")

    for read in (lambda run: run.checkpoint(), lambda run: go_on(run)):
        with pytest.raises(InputError, match=r"run\.json is damaged: its digest is that of another content"):
            read(open_run(made.folder))


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    one, two = (go_on(begin(tmp_path / name, small_recipe(seed=seed))) for seed, name in enumerate("ab"))
    (one.folder / CHECKPOINT).write_bytes((two.folder / CHECKPOINT).read_bytes())

    with pytest.raises(InputError, match=r"is not the one that checkpoint\.safetensors was written for"):
        open_run(one.folder).checkpoint()


def as_an_earlier_version_wrote_it(run: Run) -> None:
    """Turn the files of a run into those of the first schema."""
    stored = json.loads((run.folder / CONFIGURATION).read_text(encoding="utf-8"))
    del stored["made"], stored["sha256"], stored["processor"]
    stored |= {"schema": "retronet/run/1", "origin": None}
    (run.folder / CONFIGURATION).write_text(json.dumps(stored, indent=2), encoding="utf-8")
    lines = (run.folder / EPOCHS).read_bytes().splitlines()
    (run.folder / EPOCHS).write_bytes(b"".join(line.partition(b',"sha256"')[0] + b"}\n" for line in lines))
    (run.folder / CHECKPOINT).write_bytes(of_the_first_schema(load_checkpoint(run.folder / CHECKPOINT)))


def test_runs_of_the_first_schema_are_read_and_gone_on_with(tmp_path: Path) -> None:
    run = go_on(begin(tmp_path / "run", small_recipe()), passes=2)
    as_an_earlier_version_wrote_it(run)
    old = open_run(run.folder)

    assert old.configuration.made == ByTraining()
    assert not old.checkpoint().checked
    assert [record.number for record in old.records()] == [1, 2]
    go_on(old)
    whole = go_on(begin(tmp_path / "whole", small_recipe()))
    assert (run.folder / CHECKPOINT).read_bytes() == (whole.folder / CHECKPOINT).read_bytes()
    assert [record.number for record in open_run(run.folder).records()] == [1, 2, 3, 4]


def test_snapshots_of_the_first_schema_go_on_at_the_same_steps(tmp_path: Path) -> None:
    made = ByTraining(7)
    uncut = create_run(small_recipe(), NETWORK, DIGITS, tmp_path / "whole", tmp_path, False, made)
    cut = create_run(small_recipe(), NETWORK, DIGITS, tmp_path / "cut", tmp_path, False, made)
    go_on(uncut)
    go_on(cut, passes=2)
    as_an_earlier_version_wrote_it(cut)
    go_on(open_run(cut.folder))

    assert (cut.folder / HISTORY).read_bytes() == (uncut.folder / HISTORY).read_bytes()


@pytest.mark.parametrize(
    ("origin", "made"),
    [
        ("imported from w.npz, SHA-256 0a1b", ByImport("w.npz", "0a1b")),
        (
            "runs/x, its all layers retrained with weights and states cast as in plan.toml",
            ByRetraining("runs/x"),
        ),
    ],
)
def test_makers_of_the_first_schema_are_known(tmp_path: Path, origin: str, made: Made) -> None:
    run = go_on(begin(tmp_path / "run", small_recipe()), passes=1)
    as_an_earlier_version_wrote_it(run)
    path = run.folder / CONFIGURATION
    path.write_text(json.dumps(json.loads(path.read_text()) | {"origin": origin}), encoding="utf-8")

    assert open_run(run.folder).configuration.made == made
    with pytest.raises(InputError, match=r"was imported from|was retrained within number formats"):
        go_on(open_run(run.folder))


def test_a_configuration_of_the_future_is_refused(tmp_path: Path) -> None:
    run = begin(tmp_path / "run", small_recipe())
    path = run.folder / CONFIGURATION
    path.write_text(path.read_text().replace("retronet/run/2", "retronet/run/3"))

    with pytest.raises(
        InputError, match=r"its schema is 'retronet/run/3'; retronet/run/1 and retronet/run/2"
    ):
        open_run(run.folder)


def test_a_run_from_before_recipes_said_something_more_is_read_as_before(tmp_path: Path) -> None:
    """Its digest is of what was written then, and still tells an edit."""
    run = go_on(begin(tmp_path / "run", small_recipe()))
    header, records = run.checkpoint().header, run.records()
    path = run.folder / CONFIGURATION
    content = json.loads(path.read_bytes()) | {"sha256": None}
    del content["recipe"]["distortion"]
    digest = hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()
    path.write_bytes(msgspec.json.encode(content | {"sha256": digest}))
    old = open_run(run.folder)
    assert (old.checkpoint().header, old.records()) == (header, records)

    path.write_bytes(msgspec.json.encode(content | {"sha256": digest, "notice": "edited"}))
    with pytest.raises(InputError, match="its digest is that of another content"):
        open_run(run.folder).checkpoint()
