"""Where pictures go, and what is refused before anything is computed."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from retronet.errors import ChoiceError, InputError
from retronet_cli.drawing import Canvas, Source, check, take_runs, write
from retronet_cli.pictures.paper import on_paper, one_axes, svg

from .conftest import Call, TrainedRun

pytest.importorskip("matplotlib")


@pytest.mark.parametrize("name", ["a.svg", "b.PNG", "-"])
def test_known_endings_are_taken(tmp_path: Path, name: str) -> None:
    check(Canvas(Path("-") if name == "-" else tmp_path / name, "light"))


@pytest.mark.parametrize("name", ["a.pdf", "a", "a.svg.gz"])
def test_other_endings_are_refused_with_those_allowed(tmp_path: Path, name: str) -> None:
    with pytest.raises(ChoiceError, match=r"can not be written.*ends in.*\.svg and \.png are allowed\. Give"):
        check(Canvas(tmp_path / name, "light"))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"there is no folder {tmp_path / 'none'}"):
        check(Canvas(tmp_path / "none/a.svg", "dark"))


def test_a_picture_goes_to_its_file_or_to_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with on_paper("light"):
        figure, _ = one_axes()
    write(figure, Canvas(tmp_path / "a.svg", "light"), "Title")
    write(figure, Canvas(tmp_path / "a.png", "light"), "Title")
    write(figure, Canvas(Path("-"), "light"), "Title")

    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == svg(figure, "Title") == capsys.readouterr().out
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_runs_go_by_their_folder_names_where_those_differ(
    trained: TrainedRun, tmp_path: Path, call: Call
) -> None:
    del call
    source = Source(tmp_path, quiet=True)
    same = tmp_path / "trained"
    same.symlink_to(trained.folder)

    assert list(take_runs([trained.folder], source)) == ["trained"]
    assert list(take_runs([trained.folder, same], source)) == [str(trained.folder), str(same)]


def test_names_say_which_digits_where_runs_answer_different_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def header(name: str) -> SimpleNamespace:
        return SimpleNamespace(header=SimpleNamespace(data=[SimpleNamespace(name=name)]))

    learnt = {"one": "usps", "two": "mnist"}
    monkeypatch.setattr(
        "retronet_cli.runs.take_run", lambda folder, *_: (folder, header(learnt[folder.name]))
    )
    monkeypatch.setattr("retronet.runs.run.open_run", lambda folder: folder)
    folders, source = [tmp_path / name for name in learnt], Source(tmp_path, quiet=True)

    assert list(take_runs(folders, source)) == ["one on usps", "two on mnist"]
    assert list(take_runs(folders, Source(tmp_path, True, data="usps"))) == ["one", "two"]
    assert list(take_runs(folders[:1], source)) == ["one"]
