"""`retronet draw`: the page in a real browser, drawn on as people do."""

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from numpy.typing import NDArray
from support.browser import browser, opened
from support.redrawn import misread, weighed
from support.trained_run import train_briefly

from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.simulate import run_integers
from hw_sim.fixed_point.trace import trace_integers
from hw_sim.plan.calibrate import calibrate
from retronet.datasets import load
from retronet.datasets.frame import FRAMES
from retronet.reading.normalise import normalised
from retronet.runs.run import Run, open_run

Call = Callable[..., Result]
DIGITS = 200
OPTIONS: dict[str, tuple[tuple[object, ...], dict[str, Any]]] = {
    "8 bits": ((), {}),
    "4 bits": (("--bits", 4), {"bits": 4}),
    "fixed point": (
        ("--weight-bits", 6, "--state-bits", 5, "--accumulator", "s14.8:TRN:WRAP", "--scale", "mse/map"),
        {"weights": "6 bits, mse/map", "states": "5 bits, mse", "sums": "s14.8:TRN:WRAP"},
    ),
}
"""What the integers are called, options, and what they say of the plan."""
STATES = """(images) => images.map((image) => {
  const made = retronet.network.integers(image);
  return [made.pixels, made.layers.map((layer) => layer.states), made.outputs, made.answer];
})"""


@pytest.fixture(scope="module")
def started() -> Iterator[Any]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def pages(call: Call, trained: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    made = {}
    for name, (options, _) in OPTIONS.items():
        path = made[name] = folder / f"{name.replace(' ', '-')}.html"
        result = call("draw", trained.folder, "-o", path, *options, "--json")
        assert result.exit_code == 0, result.stderr
        printed = json.loads(result.stdout)
        assert printed["integers"] == name
        assert printed["bytes"] == path.stat().st_size < 300_000
    return made


@pytest.fixture
def page(started: Any, pages: dict[str, Path]) -> Iterator[Any]:
    with opened(started, pages["8 bits"].as_uri()) as page:
        yield page


def test_the_same_run_gives_the_same_bytes(call: Call, trained: Any, pages: dict[str, Path]) -> None:
    path, before = pages["8 bits"], pages["8 bits"].read_bytes()
    refused = call("draw", trained.folder, "-o", path)
    assert refused.exit_code == 1
    assert "exists. Name another one, or write over it with --force." in refused.stderr
    assert call("draw", trained.folder, "-o", path, "--force").exit_code == 0
    assert path.read_bytes() == before
    assert b"http://" not in before
    assert b"https://" not in before


def test_the_page_s_commands_run(
    call: Call, trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETRONET_RUNS_DIR", str(trained.folder.parent))
    text = (Path(__file__).parents[3] / "docs" / "draw.md").read_text(encoding="utf-8")
    commands = [shlex.split(line)[2:] for line in text.splitlines() if line.startswith("$ retronet draw ")]
    assert len(commands) > 1
    for words in commands:
        result = call(*words)
        assert result.exit_code == 0, result.stderr


def test_wide_states_are_refused(call: Call, trained: Any, tmp_path: Path) -> None:
    result = call("draw", trained.folder, "-o", tmp_path / "a.html", "--bits", 18)
    assert result.exit_code == 1
    assert "can not be put in a page: its activation has" in result.stderr
    assert "Give the states fewer bits" in result.stderr
    assert not (tmp_path / "a.html").exists()


@pytest.mark.parametrize("name", OPTIONS)
def test_integers_of_a_run_are_the_simulator_s(
    started: Any, pages: dict[str, Path], trained: Any, name: str
) -> None:
    run = open_run(trained.folder).trained
    digits = load("digits5k")
    plan = calibrate(run, digits.train, **OPTIONS[name][1])
    images = digits.test.images[:DIGITS]
    traced = trace_integers(quantize(run, plan), images)
    with opened(started, pages[name].as_uri()) as page:
        found = page.evaluate(STATES, images.reshape(DIGITS, -1).astype(float).tolist())
    for index, (pixels, layers, outputs, answer) in enumerate(found):
        assert pixels == traced.inputs[index].tolist()
        assert layers == [layer.states[index].ravel().tolist() for layer in traced.layers]
        assert outputs == traced.outputs[index].tolist()
        assert answer == traced.outputs[index].argmax()


def read(page: Any) -> tuple[NDArray[np.float32], NDArray[np.int64], str]:
    """Return what the network reads, the ink on the pad, and what the page says."""
    page.wait_for_timeout(100)
    image = np.array(page.evaluate("retronet.made() && retronet.made().image"), np.float32)
    ink = np.array(page.evaluate("Array.from(retronet.ink())")).reshape(160, 160)
    return image, ink, str(page.locator("#answer").inner_text())


def until(page: Any, condition: str) -> None:
    """Wait for a condition; the page's policy lets no string be run in it, so it is asked again and again."""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(condition)


def agrees(page: Any, run: Run) -> str:
    """Compare what stands on the page with the library's own; return its sentence."""
    image, ink, said = read(page)
    expected = normalised_for(ink)
    assert np.array_equal(image.reshape(expected.shape), expected)
    trained = run.trained
    plan = calibrate(trained, load("digits5k").train)
    outputs = run_integers(quantize(trained, plan), image.reshape(1, 16, 16)).outputs[0]
    shown = page.locator("#outputs tbody tr td:nth-child(3) .number").all_inner_texts()
    np.testing.assert_allclose(
        [float(each.replace("−", "-")) for each in shown], outputs, rtol=0, atol=5.01e-4
    )
    whole = page.locator("#outputs tbody tr td:nth-child(4)").all_inner_texts()
    steps = outputs / plan.layers[-1].state.step
    assert [int(each.replace("−", "-")) for each in whole] == steps.tolist()
    real = trained.outputs(image.reshape(1, 16, 16)).argmax()
    assert said.startswith(f"{real} in floating point, {outputs.argmax()} in 8 bits")
    return said


def normalised_for(ink: NDArray[np.integer]) -> NDArray[np.float32]:
    return weighed(ink, FRAMES[28, "bipolar16"])


def test_strokes_of_a_mouse_are_read(page: Any, trained: Any) -> None:
    box = page.locator("#pad").bounding_box()
    for points in ([(0.45, 0.15), (0.5, 0.85)], [(0.3, 0.3), (0.5, 0.2)]):
        (x, y), *rest = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
        page.mouse.move(x, y)
        page.mouse.down()
        for x, y in rest:
            page.mouse.move(x, y, steps=5)
        page.mouse.up()
    agrees(page, open_run(trained.folder))
    both = read(page)[1].sum()
    page.locator("#undo").click()
    assert 0 < read(page)[1].sum() < both
    page.locator("#clear").click()
    image, ink, said = read(page)
    assert (image.size, ink.sum(), said) == (1, 0, "Draw a digit.")


def test_a_finger_draws(started: Any, pages: dict[str, Path], trained: Any) -> None:
    with opened(
        started, pages["8 bits"].as_uri(), has_touch=True, viewport={"width": 390, "height": 844}
    ) as page:
        box = page.locator("#pad").bounding_box()
        session = page.context.new_cdp_session(page)
        for kind, x, y in (("Start", 0.5, 0.2), ("Move", 0.52, 0.5), ("Move", 0.5, 0.8), ("End", 0, 0)):
            at = {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
            points = [] if kind == "End" else [at]
            session.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
        agrees(page, open_run(trained.folder))
        assert page.evaluate("scrollY") == 0


def test_keys_draw(page: Any, trained: Any) -> None:
    page.locator("#pad").focus()
    for key in ("Shift+ArrowUp", "Shift+ArrowUp", "Space", *["Shift+ArrowDown"] * 5, "Space", "ArrowLeft"):
        page.keyboard.press(key)
    assert page.locator("#pen").inner_text() == "The pen is up."
    agrees(page, open_run(trained.folder))
    rows = np.flatnonzero(read(page)[1].any(axis=1))
    assert rows.size == pytest.approx(80 + 16, abs=2)
    page.keyboard.press("u")
    assert not read(page)[1].any()


def test_a_picture_is_read_dark_on_light_and_light_on_dark(page: Any, trained: Any, tmp_path: Path) -> None:
    from retronet_cli.views.pages.pictures import grey_png

    picture = np.full((120, 80), 240, np.uint8)
    picture[10:110, 36:50] = 30
    answers = set()
    for name, levels in (("dark", picture), ("light", 255 - picture)):
        path = tmp_path / f"{name}.png"
        path.write_bytes(grey_png(levels))
        page.locator("#picture").set_input_files(path)
        until(page, "retronet.made() !== null")
        answers.add(agrees(page, open_run(trained.folder)))
        rows, columns = (np.flatnonzero(read(page)[1].any(axis=axis)) for axis in (1, 0))
        assert (rows.size, columns.size) == (
            pytest.approx(100 * 160 / 120, abs=2),
            pytest.approx(14 * 160 / 120, abs=2),
        )
        page.locator("#clear").click()
        until(page, "retronet.made() === null")
    assert len(answers) == 1
    (tmp_path / "no.png").write_text("none", encoding="utf-8")
    page.locator("#picture").set_input_files(tmp_path / "no.png")
    until(page, "document.getElementById('answer').textContent.includes('no picture')")


def test_test_digits_can_be_looked_at(page: Any) -> None:
    images = load("digits5k").test.images
    for index in range(2):
        page.locator("#sample").click()
        assert np.array_equal(read(page)[0], images[index].ravel())
    page.locator("summary", has_text="Every integer").click()
    page.locator("#layer").select_option("h2")
    page.locator("#map").select_option("3")
    states = page.evaluate("retronet.made().integers.layers[1].states.slice(48, 64)")
    cells = page.locator("#integers table").last.locator("td").all_inner_texts()
    assert [int(each.replace("−", "-")) for each in cells] == states


@pytest.mark.parametrize("frame", [(16, "none"), *[each for each in FRAMES if each[0] == 28]], ids=str)
def test_the_script_normalises_as_python_does(page: Any, frame: tuple[int, str]) -> None:
    given, generator = FRAMES[frame], np.random.default_rng(5)
    fields = {name: getattr(given, name) for name in FRAMES[frame].__struct_fields__}
    for shape in ((1, 1), (9, 40), (40, 9), (61, 37), (128, 128)):
        ink = (generator.random(shape) < 0.3).astype(int)
        ink[0, 0] = 1
        for weights in (1, generator.integers(1, 256, shape)):
            found = page.evaluate(
                "([ink, rows, columns, frame]) => Array.from(retronet.normalised(ink, rows, columns, frame))",
                [(ink * weights).ravel().tolist(), *shape, fields],
            )
            expected = normalised(ink * weights) if frame == (16, "none") else weighed(ink * weights, given)
            assert np.array_equal(np.array(found, np.float32), expected.ravel())


def test_redrawn_digits_are_recognised(call: Call, started: Any, tmp_path: Path, data_dir: Path) -> None:
    """Test digits of USPS, enlarged eight times, thresholded, and normalised again by the page."""
    digits = load("usps", data_dir=data_dir)
    run = train_briefly(tmp_path / "usps", passes=3, data="usps", data_dir=data_dir)
    words = ("draw", run.folder, "-o", tmp_path / "usps.html", "--data-dir", data_dir)
    assert call(*words).exit_code == 0
    with opened(started, (tmp_path / "usps.html").as_uri()) as page:
        wrong = misread(page, digits.test.images[:600], digits.test.labels[:600])
    assert max(wrong) <= 60
    assert min(wrong) > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_the_page_suits_its_reader(started: Any, pages: dict[str, Path], scheme: str, width: int) -> None:
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 844}}
    with opened(started, pages["8 bits"].as_uri(), **options) as page:
        page.locator("#sample").click()
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        shade = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (shade == "rgb(255, 255, 255)") == (scheme == "light")
        unnamed = "canvas:not([aria-label]), img:not([alt]), th:not([scope]), html:not([lang])"
        assert page.locator(unnamed).count() == 0
        for field in page.locator("input, select").all():
            assert field.evaluate("(each) => each.labels.length") == 1
        assert page.locator("main, header, footer, h1").count() == 4
        ids = page.evaluate("Array.from(document.querySelectorAll('[id]'), (each) => each.id)")
        assert len(ids) == len(set(ids))
