"""The model beside the published figures, against the sources."""

import re
from pathlib import Path

import pytest

from hw_sim.chips.cost.published import PublishedRow, published_rows, training_macs
from hw_sim.chips.load import chip_names, load_chip
from retronet.network import (
    load_network,
)

LECUN1989 = load_network("lecun1989")


def figures(name: str) -> dict[str, PublishedRow]:
    return {row.what: row for row in published_rows(load_chip(name))}


def test_published_figures_of_the_dsp() -> None:
    rows = figures("dsp32c-80ns")
    seconds = (63_660 + 40_000) * 80e-9
    normalised = rows["digits/s, digits already normalised"]
    assert (normalised.low, normalised.high, normalised.unit) == (30, None, "images/s")
    assert normalised.modelled == pytest.approx(1 / seconds)
    assert normalised.within
    assert normalised.fitted_efficiency_low == pytest.approx(30 * seconds)
    assert normalised.fitted_efficiency_high is None
    whole = rows["digits/s from camera to answer"]
    assert (whole.low, whole.high) == (10, 12)
    assert whole.fitted_efficiency_low is None
    assert whole.fitted_outside_low_s == pytest.approx(1 / 12 - seconds)
    assert whole.fitted_outside_high_s == pytest.approx(1 / 10 - seconds)


def test_published_figures_of_the_chips() -> None:
    anna = figures("anna")
    board = anna["connections/s on the board, by application"]
    assert (board.low, board.high, board.within) == (30e6, 400e6, True)
    assert board.fitted_efficiency_low is board.fitted_efficiency_high is None
    alone = anna["digits/s, chip alone"]
    assert (alone.low, alone.within) == (1_000, True)
    peak = figures("net32k")["one-bit connections/s"]
    assert peak.modelled == pytest.approx(327.68e9)
    assert peak.fitted_efficiency_low == pytest.approx(320 / 327.68)
    graf = figures("graf54")
    assert graf["seconds for 49 features of 7 × 7 at one place"].modelled == 1e-6
    # 640 places, thinned and searched at 1 µs each.
    assert graf["characters/s, chip alone"].modelled == pytest.approx(1 / 1280e-6)
    interface = graf["characters/s through the host interface"]
    assert interface.fitted_efficiency_low == pytest.approx(1280e-6)


def test_three_days_on_a_workstation() -> None:
    # Forward 63,660; back to states 44,460 and to weights 63,660, for gradient and for curvature.
    assert training_macs(LECUN1989) == 63_660 + 2 * (44_460 + 63_660)
    (row,) = published_rows(load_chip("sun4-260"))
    assert (row.low, row.high) == (3 * 86_400, 3 * 86_400)
    assert row.modelled == pytest.approx(167_693 * (279_900 * 20 + 1_000 * 400) * 60e-9)
    assert row.fitted_efficiency_low == pytest.approx(row.modelled / 259_200)


@pytest.mark.parametrize("name", chip_names())
def test_a_gap_is_modelled_or_fitted_and_said(name: str) -> None:
    for row in published_rows(load_chip(name)):
        assert row.gap
        fitted = (row.fitted_efficiency_low, row.fitted_efficiency_high, row.fitted_outside_low_s)
        # Outside the published range something must be fitted; a fit never passes silently for the model.
        assert row.within or any(number is not None for number in fitted)
        for end, efficiency in ((row.low, fitted[0]), (row.high, fitted[1])):
            if end is not None and efficiency is not None:
                meets = row.modelled / efficiency if row.unit == "s" else row.modelled * efficiency
                assert meets == pytest.approx(end)


def test_the_table_of_the_documents_is_the_models() -> None:
    text = (Path(__file__).parents[4] / "docs" / "chips" / "README.md").read_text(encoding="utf-8")
    table = text.partition("| chip | figure |")[2].partition("\n## ")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table if line]
    scales = {"": 1.0, "M": 1e6, "G": 1e9, "µs": 1e-6, "hours": 3600.0}
    stated: dict[str, list[float]] = {}
    for name, _, _, modelled, _ in rows:
        found = re.match(r"(\d[\d.,]*\d|\d) ?(M|G|µs|hours)?", modelled)
        assert found, modelled
        number = float(found[1].replace(",", "")) * scales[found[2] or ""]
        stated.setdefault(name.strip("`"), []).append(number)
    named = [name for name in chip_names() if load_chip(name).published]
    assert sorted(stated) == named
    for name in named:
        assert stated[name] == pytest.approx(
            [row.modelled for row in published_rows(load_chip(name))], rel=5e-3
        )
