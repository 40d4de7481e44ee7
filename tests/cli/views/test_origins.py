"""What a page says of runs that plain training did not make, and that its commands show them again."""

import re
import shlex
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from click.testing import Result

from retronet.recipe import load_recipe
from retronet.runs.configuration import ByImport, ByPruning, ByRetraining, ByTraining, Made
from retronet.runs.run import open_run
from retronet_cli.views.origins import assumed_of, made_sentences

Call = Callable[..., Result]
SETTINGS = {"delete": 1200, "stages": 3, "passes": 1, "rate": 0.001}
PRUNED = ByPruning("runs/a", "", SETTINGS)
RETRAINED = ByRetraining("runs/a", "", {"rate": 0.0005})


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (ByTraining(), ""),
        (ByImport("net.onnx", ""), "trained elsewhere and taken from net.onnx: there is no learning curve"),
        (PRUNED, "of the run runs/a, with 1,200 parameters deleted in 3 stages. .* 1 pass of learning on;"),
        (ByPruning("runs/a", "", SETTINGS | {"passes": 0}), "a stage with no learning on;"),
        (RETRAINED, "of the run runs/a, trained on within number formats"),
    ],
)
def test_what_made_a_run_is_said(made: Made, said: str) -> None:
    assert re.search(said, " ".join(made_sentences(made)))
    assert bool(made_sentences(made)) == bool(said)


def test_a_recipe_s_assumptions_are_those_of_its_own_training() -> None:
    recipe = load_recipe("lecun1989")

    assert assumed_of(ByTraining(), recipe) == list(recipe.assumptions)
    assert not set(assumed_of(ByImport("net.onnx", ""), recipe)) & set(recipe.assumptions)
    for made in (PRUNED, RETRAINED):
        own, *before = assumed_of(made, recipe)
        assert own.startswith(f"Rate: {made.settings['rate']:g} in the first pass")
        assert before == [f"Of the training before, runs/a. {text}" for text in recipe.assumptions]
    assert len(assumed_of(ByRetraining("runs/a"), recipe)) == len(recipe.assumptions), "of the first schema"


def page_of(call: Call, run: Path) -> str:
    page = run.with_suffix(".html")
    result = call("report", run, "--html", page, "--chip", "dsp32c-80ns", "--quiet")
    assert result.exit_code == 0, result.stderr
    return page.read_text(encoding="utf-8")


def check_shown_again(call: Call, page: str) -> list[str]:
    """Run what the page names to show the run, its network and its recipe; return these commands."""
    listed = sorted(set(re.findall(r"<code>(retronet show (?:network|recipe|run) [^<]*)</code>", page)))
    for line in listed:
        result = call(*shlex.split(unescape(line))[1:])
        assert result.exit_code == 0, (line, result.stderr)
    return listed


def test_the_page_of_each_run_is_true_of_it(
    call: Call, begin: Call, imported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path = imported.parent
    monkeypatch.chdir(tmp_path)  # commands on a page name runs from here
    begin(tmp_path / "mine")
    words = ("--stages", 2, "--passes", 0, "--run", tmp_path / "pruned")
    assert call("prune", tmp_path / "mine", *words).exit_code == 0
    assert call("retrain", tmp_path / "mine", "--passes", 1, "--run", tmp_path / "again").exit_code == 0

    pages = {name: page_of(call, Path(name)) for name in ("mine", "pruned", "again", imported.name)}

    for name, page in pages.items():
        assert len(check_shown_again(call, page)) >= 2, name
        last = [(each.train.n, each.test.n) for each in open_run(Path(name)).records()][-1:]
        counted = "".join(f"Misses: of {train:,} training and {test:,} test digits." for train, test in last)
        assert counted in page
        assert ("curve-table" in page) == bool(last) == (name != "imported")
    assert "misread after pass 3" in pages["mine"]
    assert '<th scope="col">stage</th>' in pages["pruned"]
    assert "misread after stage 2" in pages["pruned"]
    assert "after pass" not in pages["pruned"]
    assert "trained on within number formats" in pages["again"]
    for absent in ("seed 0", "recipe-table", "No figure was published", "beside the paper"):
        assert absent not in pages["imported"]
