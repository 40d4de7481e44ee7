"""Runs on disk: the same bytes however often they were cut off, and clear words about what is damaged."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support.small_runs import DIGITS, NETWORK, RULES, begin, go_on, small_digits, small_recipe

from retronet.errors import InputError
from retronet.runs import files as module
from retronet.runs.checkpoint import save_checkpoint
from retronet.runs.create import create_run
from retronet.runs.run import CHECKPOINT, CONFIGURATION, EPOCHS, TIMING, Run, latest_run, open_run
from retronet.runs.trained_run import continue_run

KEPT = (CONFIGURATION, EPOCHS, CHECKPOINT)


def content(run: Run) -> dict[str, bytes]:
    return {name: (run.folder / name).read_bytes() for name in KEPT}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the files of four passes without interruption."""
    return content(go_on(begin(tmp_path_factory.mktemp("whole"), small_recipe())))


EACH = [(rule, order) for rule in RULES for order in ("file", "shuffled")]


@pytest.mark.parametrize(("rule", "order"), EACH)
def test_equal_runs_are_equal_bytes_whether_cut_off_or_not(tmp_path: Path, rule: str, order: str) -> None:
    recipe = small_recipe(rule, passes=4, order=order)
    first = content(go_on(begin(tmp_path / "first", recipe)))
    second = content(go_on(begin(tmp_path / "second", recipe)))
    halves = begin(tmp_path / "halves", recipe)
    go_on(halves, passes=2)
    assert len(halves.records()) == 2
    resumed = content(go_on(open_run(halves.folder)))
    other = content(go_on(begin(tmp_path / "other", small_recipe(rule, passes=4, order=order, seed=1))))

    assert first == second
    assert first == resumed
    for name in KEPT:
        assert first[name] != other[name]
    assert [json.loads(line)["pass"] for line in first[EPOCHS].splitlines()] == [1, 2, 3, 4]
    assert [timing.number for timing in open_run(halves.folder).timings()] == [1, 2, 3, 4]


class Cut(BaseException):
    """Stands for the power going off."""


def test_a_run_cut_off_at_any_write_goes_on_to_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: dict[str, bytes]
) -> None:
    """Fail at the n-th time something is forced to disk or moved into place, for every n there is."""
    cuts = 0

    for point in range(1, 100):
        run = begin(tmp_path / f"cut{point}", small_recipe())
        calls = 0

        def cut_off(*_: object, at: int = point) -> None:
            nonlocal calls
            calls += 1
            if calls == at:
                raise Cut

        def move(self: Path, target: Path, before: Callable[[], None] = cut_off) -> None:
            before()
            self.rename(target)

        with monkeypatch.context() as patched:
            patched.setattr(module.os, "fsync", cut_off)
            patched.setattr(Path, "replace", move)
            try:
                go_on(run)
            except Cut:
                cuts += 1
            else:
                break
        resumed = go_on(open_run(run.folder))
        assert content(resumed) == whole, point
        assert {path.name for path in run.folder.iterdir()} == {*KEPT, TIMING}
    assert cuts >= 4 * 3


def test_what_a_killed_process_leaves_does_no_harm(tmp_path: Path, whole: dict[str, bytes]) -> None:
    """A line half written, a line without its checkpoint, a temporary file never moved."""
    run = go_on(begin(tmp_path / "run", small_recipe()), passes=2)
    with (run.folder / EPOCHS).open("ab") as file:
        file.write(whole[EPOCHS].splitlines(keepends=True)[2] + b'{"pass":4,"presen')
    with (run.folder / TIMING).open("ab") as file:
        file.write(b'{"pass":3,"trai')
    (run.folder / f".{CHECKPOINT}.99999.part").write_bytes(whole[CHECKPOINT][:1000])

    assert content(go_on(open_run(run.folder))) == whole
    assert [timing.number for timing in run.timings()] == [1, 2, 3, 4]
    assert {path.name for path in run.folder.iterdir()} == {*KEPT, TIMING}


def test_a_finished_run_has_nothing_left(tmp_path: Path, whole: dict[str, bytes]) -> None:
    run = go_on(begin(tmp_path / "run", small_recipe()))

    assert list(continue_run(open_run(run.folder), DIGITS)) == []
    assert content(run) == whole


def test_a_run_cut_off_before_its_first_pass_starts_over(tmp_path: Path, whole: dict[str, bytes]) -> None:
    run = begin(tmp_path / "run", small_recipe())
    (run.folder / EPOCHS).write_bytes(whole[EPOCHS][:200])

    with pytest.raises(InputError, match=r"has not finished its first pass, .* --resume "):
        run.checkpoint()
    assert content(go_on(open_run(run.folder))) == whole


def test_other_digits_than_the_runs_are_refused(tmp_path: Path) -> None:
    run = go_on(begin(tmp_path / "run", small_recipe()), passes=1)
    before = content(run)

    with pytest.raises(
        InputError, match=r"was begun on other digits than 'made-up' gives now\. .*--data-dir"
    ):
        go_on(open_run(run.folder), digits=small_digits(seed=1))
    assert content(run) == before


def damage(run: Run, name: str, edit: bytes | int | None) -> None:
    path = run.folder / name
    match edit:
        case None:
            path.unlink()
        case int():
            path.write_bytes(path.read_bytes()[:edit])
        case bytes():
            path.write_bytes(edit)


@pytest.mark.parametrize(
    ("name", "edit", "said"),
    [
        (CHECKPOINT, 500, r"checkpoint\.safetensors is not a checkpoint of retronet, or is damaged"),
        (CHECKPOINT, b"nonsense", r"checkpoint\.safetensors is not a checkpoint of retronet, or is damaged"),
        (CONFIGURATION, 500, r"run\.json is damaged"),
        (CONFIGURATION, b"{}", r"run\.json is damaged: .*missing required field"),
        (CONFIGURATION, b"\xff\xfe", r"run\.json is damaged"),
        (CONFIGURATION, None, "There is no run in "),
        (TIMING, b"nonsense\n" * 4, r"timing\.jsonl is damaged"),
        (EPOCHS, 300, r"epochs\.jsonl is damaged"),
        (EPOCHS, None, r"epochs\.jsonl is damaged"),
        (EPOCHS, b"nonsense\n" * 4, r"epochs\.jsonl is damaged"),
    ],
)
@pytest.mark.parametrize("passes", [2, 4])
def test_damage_is_told_in_a_sentence(
    tmp_path: Path, name: str, edit: bytes | int | None, said: str, passes: int
) -> None:
    """Whether passes are left or not; and what was there stays."""
    run = go_on(begin(tmp_path / "run", small_recipe()), passes=passes)
    damage(run, name, edit)
    before = {path.name: path.read_bytes() for path in run.folder.iterdir()}

    with pytest.raises(InputError, match=said) as caught:
        go_on(open_run(run.folder)).records()
    assert "\n" not in str(caught.value)
    assert {path.name: path.read_bytes() for path in run.folder.iterdir()} == before


def test_a_checkpoint_of_another_network_is_refused_by_the_first_array(tmp_path: Path) -> None:
    run = go_on(begin(tmp_path / "run", small_recipe()), passes=1)
    found = run.checkpoint()
    found.state.parameters["x.weight"] = found.state.parameters.pop("b.weight")
    save_checkpoint(run.folder / CHECKPOINT, found)

    with pytest.raises(InputError, match=r"The array 'b\.weight' is missing"):
        go_on(open_run(run.folder))


def test_a_folder_in_use_is_refused_unless_forced(tmp_path: Path, whole: dict[str, bytes]) -> None:
    run = go_on(begin(tmp_path / "run", small_recipe(seed=3)))
    before = content(run)

    with pytest.raises(InputError, match=r"holds a run already\. Continue it with --resume, .*--force"):
        begin(run.folder, small_recipe())
    assert content(run) == before
    assert begin(run.folder, small_recipe(), force=True).records() == []
    assert {path.name for path in run.folder.iterdir()} == {CONFIGURATION}
    assert content(go_on(open_run(run.folder))) == whole

    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    for force in (False, True):
        with pytest.raises(InputError, match="is not empty and holds no run"):
            begin(tmp_path / "mine", small_recipe(), force)


def test_unnamed_runs_get_folders_of_their_own(tmp_path: Path) -> None:
    runs = [create_run(small_recipe(), NETWORK, DIGITS, None, tmp_path / "runs", False) for _ in range(3)]

    assert len({run.folder for run in runs}) == 3
    assert {run.folder.parent for run in runs} == {tmp_path / "runs"}
    assert all("-small-" in run.folder.name for run in runs)


def test_the_latest_run_is_that_of_the_newest_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no trained run in .*`retronet train`"):
        latest_run(tmp_path)
    for age, name in enumerate(("b", "a", "c")):
        run = go_on(begin(tmp_path / name, small_recipe()), passes=1)
        os.utime(run.folder / CHECKPOINT, (1e9 - age, 1e9 - age))
    begin(tmp_path / "d", small_recipe())

    assert latest_run(tmp_path).folder == tmp_path / "b"
