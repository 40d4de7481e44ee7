"""`retronet report RUN --html`: the page's figures are those that the other commands print as JSON."""

import json
import re
import shlex
from collections.abc import Callable, Iterator
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result
from support.browser import browser, opened

from retronet_cli.main import cli
from retronet_cli.story import ESTIMATED
from retronet_cli.views.pages.story import CONTENTS

Call = Callable[..., Result]


class Tables(HTMLParser):
    """Collects the rows of every table by its id, and the ids of all elements."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.ids: list[str] = []
        self._row: list[str] | None = None
        self._name = ""
        self._cell = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        self.ids += [found["id"] or ""] if "id" in found else []
        if tag == "table":
            self._name = found["id"] or ""
            self.tables[self._name] = []
        elif tag == "tr":
            self._row = []
            self.tables[self._name].append(self._row)
        elif tag in ("th", "td") and self._row is not None:
            self._row.append("")
            self._cell = True

    def handle_endtag(self, tag: str) -> None:
        self._cell = self._cell and tag not in ("th", "td")

    def handle_data(self, data: str) -> None:
        if self._cell and self._row:
            self._row[-1] += data


@pytest.fixture(scope="module")
def page(call: Call, trained: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "story.html"
    result = call(
        "report", trained.folder, "--html", path, "--chip", "anna", "--chip", "dsp32c-80ns", "--json"
    )
    assert result.exit_code == 0, result.stderr
    printed = json.loads(result.stdout)
    assert printed["schema"] == "retronet/run-page/1"
    assert printed["bytes"] == path.stat().st_size < 2_000_000
    return path


@pytest.fixture(scope="module")
def tables(page: Path) -> dict[str, list[list[str]]]:
    parser = Tables()
    parser.feed(page.read_text(encoding="utf-8"))
    assert len(parser.ids) == len(set(parser.ids))
    assert {name for name, _ in CONTENTS} <= set(parser.ids)
    return parser.tables


def printed(call: Call, *words: object) -> dict[str, Any]:
    result = call(*words, "--json")
    assert result.exit_code == 0, result.stderr
    return dict(json.loads(result.stdout))


def score_cells(score: dict[str, Any]) -> list[str]:
    low, high = score["error_percent_low"], score["error_percent_high"]
    return [f"{score['misses']:,}", f"{score['error_percent']:.2f}", f"{low:.2f}–{high:.2f}"]


def test_scores_and_mistakes_are_those_of_evaluate(call: Call, trained: Any, tables: dict[str, Any]) -> None:
    found = printed(call, "evaluate", trained.folder)
    rows = {row[0]: row[1:] for row in tables["score-table"]}
    for half in ("train", "test"):
        assert rows[half][:4] == [f"{found[half]['n']:,}", *score_cells(found[half])]
    confusion = found["analysis"]["confusion"]
    shown = [row[1:11] for row in tables["confusion-table"][1:11]]
    assert [[0 if cell == "·" else int(cell) for cell in row] for row in shown] == confusion
    wrong = found["analysis"]["surest_wrong"]
    assert [[int(cell) for cell in row[:3]] for row in tables["surest-wrong"][1:]] == [
        [each["index"], each["label"], each["answer"]] for each in wrong
    ]


def test_integers_and_formats_are_those_of_simulate(call: Call, trained: Any, tables: dict[str, Any]) -> None:
    found = printed(call, "simulate", trained.folder, "--bits", 8)
    rows = {row[0]: row[1:] for row in tables["fixed-table"]}
    assert rows["fixed"][1:4] == score_cells(found)
    assert rows["float"][1:4] == score_cells(found["float"])
    for layer, row in zip(found["layers"], tables["work-table"][1:], strict=False):
        assert row[:3] == [layer["name"], f"{layer['connections']:,}", f"{layer['macs']:,}"]
        assert row[7] == f"{layer['sqnr_db']:.1f} dB"
    assert [row[2] for row in tables["format-table"][1:]] == [each["text"] for each in found["formats"]]


def test_the_sweep_is_that_of_sweep(call: Call, trained: Any, tables: dict[str, Any], tmp_path: Path) -> None:
    words = ("sweep", trained.folder, "--tensors", "all", "--jobs", 1, "--rows", tmp_path / "rows.jsonl")
    found = [each for each in printed(call, *words)["rows"] if each["tensors"] == "all"]
    assert [row[0] for row in tables["sweep-table"][1:]] == ["float", *(str(each["bits"]) for each in found)]
    for row, each in zip(tables["sweep-table"][2:], found, strict=True):
        assert row[2:5] == score_cells(each)


def test_bits_of_layers_are_those_of_allocate(call: Call, trained: Any, tables: dict[str, Any]) -> None:
    listed = ",".join(map(str, ESTIMATED))
    found = printed(call, "allocate", trained.folder, "--bits", listed)
    chosen = {row[0]: row[3:] for row in tables["bits-table"][2:]}
    weights, states = found["chosen"]["weights"], found["chosen"]["states"]
    assert chosen == {layer: [str(bits), str(states[layer])] for layer, bits in weights.items()}
    assert tables["budget-table"][2][-3:] == score_cells(found["chosen"]["score"])
    assert len(tables["estimate-table"]) == 1 + len(found["estimates"])


def test_chips_and_network_are_those_of_report_and_show(
    call: Call, trained: Any, tables: dict[str, Any]
) -> None:
    found = printed(call, "report", trained.folder, "--chip", "anna", "--chip", "dsp32c-80ns")
    assert [row[0] for row in tables["chips-table"][1:]] == ["anna", "dsp32c-80ns"]
    for row, each in zip(tables["chips-table"][1:], found["modelled"], strict=True):
        assert float(row[2].strip("≥").replace(",", "")) == pytest.approx(1e3 * each["seconds"], rel=1e-3)
    counts = printed(call, "show", "network", "lecun1989")["counts"]
    total = tables["network-table"][-1]
    assert total[4:] == [f"{counts[key]:,}" for key in ("connections", "parameters", "macs", "border_macs")]


def test_the_same_run_gives_the_same_page(call: Call, trained: Any, page: Path, tmp_path: Path) -> None:
    again = tmp_path / page.name
    words = ("report", trained.folder, "--html", again, "--chip", "anna", "--chip", "dsp32c-80ns")
    assert call(*words).exit_code == 0
    assert again.read_bytes() == page.read_bytes()
    refused = call(*words)
    assert refused.exit_code == 1
    assert "exists. Name another one, or write over it with --force." in refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--html", "a.html", "--network", "lenet1"), "--network does not go with --html"),
        (("--html", "a.html", "--format", "csv"), "--format does not go with --html"),
        (("--html", "a.html", "--rtl", "circuit"), "--rtl does not go with --html"),
        (("--bits", 4), "--bits goes with --html alone"),
        (("--data-dir", "."), "--data-dir goes with --html alone"),
    ],
)
def test_options_that_do_not_go_together(call: Call, words: tuple[object, ...], said: str) -> None:
    result = call("report", *words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_each_command_on_the_page_is_one_that_is_taken(page: Path) -> None:
    listed = re.findall(r"<code>(retronet [^<]*)</code>", page.read_text(encoding="utf-8"))
    for line in listed:
        path, *words = shlex.split(unescape(line))[1:]
        command = cli.get_command(click.Context(cli), path)
        if isinstance(command, click.Group):
            command = command.get_command(click.Context(command), words.pop(0))
        assert command is not None, line
        command.make_context(path, words)
    drawn = {line.split()[2] for line in listed if line.startswith("retronet plot ")}
    assert drawn == {"learning", "bits", "allocation", "roofline"}


CONTRASTS = """() => {
  const shares = (colour) => colour.match(/[0-9.]+/g).map(Number);
  const luminance = (colour) => shares(colour).slice(0, 3).map((each) => each / 255).map(
    (each) => each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4
  ).reduce((sum, each, index) => sum + [0.2126, 0.7152, 0.0722][index] * each, 0);
  const behind = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    return shares(colour)[3] === 0 ? behind(element.parentElement) : colour;
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const ratios = [];
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.textContent.trim() || ["SCRIPT", "STYLE"].includes(element.tagName)) continue;
    const colours = [getComputedStyle(element).color, behind(element)];
    const [low, high] = colours.map(luminance).sort((a, b) => a - b);
    ratios.push((high + 0.05) / (low + 0.05));
  }
  return ratios;
}"""
SMALL = """() => Array.from(document.querySelectorAll("button, select, summary, input:not([type=file])"))
  .map((each) => each.getBoundingClientRect()).filter((box) => box.width < 24 || box.height < 24).length"""


@pytest.fixture(scope="module")
def started() -> Iterator[Any]:
    with browser() as started:
        yield started


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_the_page_suits_its_reader(started: Any, page: Path, scheme: str, width: int) -> None:
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 844}}
    with opened(started, page.as_uri(), **options) as shown:
        shown.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert shown.locator("img:not([alt]), canvas:not([aria-label]), th:not([scope])").count() == 0
        assert shown.evaluate("Array.from(document.images).every((each) => each.naturalWidth > 0)")
        drawn = "Array.from(document.querySelectorAll('img.chart'), (each) => each.currentSrc)"
        assert len(set(shown.evaluate(drawn))) == shown.locator("img.chart").count() > 2
        assert min(shown.evaluate(CONTRASTS)) >= 4.5, "WCAG 2 AA"
        assert shown.evaluate(SMALL) == 0, "targets of 24 pixels"
        levels = shown.evaluate("Array.from(document.querySelectorAll('h1,h2,h3,h4'), (e) => +e.tagName[1])")
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))
        shown.locator("nav a", has_text="Draw").click()
        shown.locator("#pad").focus()
        for key in ("Space", "Shift+ArrowDown", "Shift+ArrowDown"):
            shown.keyboard.press(key)
        shown.wait_for_timeout(150)
        assert "in floating point" in shown.locator("#answer").inner_text()
