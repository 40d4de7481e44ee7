"""Chips shown: every constant, every word."""

from collections.abc import Callable

import pytest
from click.testing import Result
from support.printed import printed_json

from hw_sim.chips.constants import constants
from hw_sim.chips.load import chip_names, load_chip

Call = Callable[..., Result]


def test_every_constant_is_shown_with_its_unit_and_standing(call: Call) -> None:
    shown = printed_json(call, "show", "chip", "anna")
    text = " ".join(call("show", "chip", "anna", "--details").stdout.split())

    assert (shown["schema"], shown["name"]) == ("retronet/chip/1", "anna")
    rows = {row["key"]: row for row in shown["constants"]}
    assert list(rows) == [row.key for row in constants(load_chip("anna"))]
    assert (rows["engine.weight_bits"]["standing"], rows["engine.weight_bits"]["value"]) == ("sourced", 6)
    assert (rows["engine.cycle_s"]["standing"], rows["engine.cycle_s"]["unit"]) == ("assumed", "s")
    assert rows["engine.refresh_period_s"]["standing"] == "unknown"
    assert rows["engine.refresh_period_s"]["value"] is None
    for words in ("cycle_s 50 ns assumed:", "weight_bits 6 bits sourced:", "refresh_period_s – unknown:"):
        assert words in text


@pytest.mark.parametrize("name", chip_names())
def test_no_word_of_a_chip_is_lost(call: Call, name: str, columns: int) -> None:
    result = call("show", "chip", name, "--details")
    chip, words = load_chip(name), set(result.stdout.split())

    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= columns
    for row in constants(chip):
        assert row.key.removeprefix("engine.") in result.stdout
        assert set((row.constant.source or row.constant.reason).split()) <= words
    for fact in chip.facts:
        assert set(f"{fact.text} {fact.source or fact.reason}".split()) <= words
    for figure in chip.published:
        assert set(f"{figure.what} {figure.source}".split()) <= words


def test_the_list_names_every_chip(call: Call) -> None:
    assert [each["name"] for each in printed_json(call, "show", "chips")["chips"]] == chip_names()


@pytest.mark.parametrize("name", chip_names())
def test_a_chip_fits_a_screen_with_every_constant_and_its_standing(call: Call, name: str) -> None:
    shown = call("show", "chip", name).stdout.splitlines()
    rows = [" ".join(line.split()) for line in shown]
    chip = load_chip(name)

    assert len(shown) <= 50 < len(call("show", "chip", "anna", "--details").stdout.splitlines())
    for row in constants(chip):
        standing = row.constant.standing
        named = row.key.removeprefix("engine.")
        (line,) = [each for each in rows if each.startswith(f"{named} ")]
        assert f" {standing}" in line
    assert any(f"({len(chip.facts)}): --details" in line for line in rows) == bool(chip.facts)
