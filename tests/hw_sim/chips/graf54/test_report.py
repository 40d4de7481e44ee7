"""The first method on Graf's chip, on the embedded digits."""

from dataclasses import replace as changed
from pathlib import Path
from typing import Any

import msgspec
import numba
import pytest
from support.chip_files import like
from support.graf_pictures import GRAF, THINNING

from hw_sim.chips.graf54.features import frames_of, thinned
from hw_sim.chips.graf54.report import GrafOptions, GrafReport, graf_answer, run_graf
from hw_sim.chips.graf54.templates import currents
from hw_sim.chips.load import load_chip
from retronet.datasets import DigitSets, load
from retronet.errors import InputError

compiled = pytest.mark.skipif(
    bool(numba.config.DISABLE_JIT), reason="thousands of pictures need compiled code"
)


def few_digits(train: int, test: int) -> DigitSets:
    digits = load("digits5k")

    def first(half: Any, count: int) -> Any:
        return changed(half, images=half.images[:count], labels=half.labels[:count])

    return DigitSets(first(digits.train, train), first(digits.test, test), None)


@compiled
def test_the_method_on_the_embedded_digits() -> None:
    digits = few_digits(2000, 500)
    options = GrafOptions(current_deviation=0.3, offset_deviation=0.5, chips=2, passes=5)
    report = run_graf(GRAF, digits, options, seed=3)
    assert run_graf(GRAF, digits, options, seed=3, threads=3) == report
    assert report.inputs == 270
    assert report.test.n == 500
    assert report.test.misses < 75
    thinning = thinned(frames_of(digits.test.images, 0.0), currents(THINNING, 5))
    assert report.work.scans == thinning.scans.mean()
    assert report.work.thinning_calls == 640 * thinning.scans.mean()
    assert report.work.modelled_images_per_s == pytest.approx(1e6 / (640 * (thinning.scans.mean() + 1)))
    assert [each.chip for each in report.chips] == [0, 1]
    assert report.chips[0] != msgspec.structs.replace(report.chips[1], chip=0)
    assert all(each.differing_features_percent > 0 and each.test.n == 500 for each in report.chips)
    published = {each.source.split(":")[0]: each for each in report.figures[:1]}
    assert published["DENKER88"].found == report.test.error_percent
    assert published["DENKER88"].low == report.test.error_percent_low
    assert msgspec.json.decode(msgspec.json.encode(report), type=GrafReport) == report


@compiled
@pytest.mark.parametrize("deviation", [0.0, 0.4])
def test_the_chip_that_answers_is_the_first_that_is_scored(deviation: float) -> None:
    digits = few_digits(400, 200)
    options = GrafOptions(current_deviation=deviation, passes=2, hidden_units=9)
    report = run_graf(GRAF, digits, options, seed=1)
    answer = graf_answer(GRAF, digits, options, 1)
    misses = int((answer(digits.test.images).argmax(axis=1) != digits.test.labels).sum())
    assert misses == (report.chips[0].test if deviation else report.test).misses


@compiled
def test_an_ideal_chip_draws_none() -> None:
    report = run_graf(GRAF, few_digits(300, 100), GrafOptions(chips=5, passes=1))
    assert report.chips == ()
    with pytest.raises(InputError, match="make no maps"):
        run_graf(GRAF, few_digits(20, 10), GrafOptions(features="graf-thinning"))


@compiled
def test_calls_take_the_time_that_the_file_states(tmp_path: Path) -> None:
    digits, options = few_digits(200, 50), GrafOptions(passes=1)
    slow = load_chip(str(like(tmp_path, "graf54", cycle_s=3e-6, cycles_per_call=2)))
    here, there = run_graf(GRAF, digits, options), run_graf(slow, digits, options)
    assert there.work.modelled_chip_s == pytest.approx(6 * here.work.modelled_chip_s)
    assert there.test == here.test
    small = load_chip(str(like(tmp_path, "graf54", neurons=20)))
    with pytest.raises(InputError, match="they are 49; the chip compares at most 20"):
        run_graf(small, digits, options)
