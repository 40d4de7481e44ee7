"""A notebook's first cells, from digits to a curve and a chip: the block of README, and the other verbs."""

import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba
import pytest

import hw_sim as hw
import retronet as rn

README = Path(__file__).parents[1] / "README.md"
SMALLER = {
    '"usps"': '"digits5k"',
    "seed=0)": "seed=0, passes=2)",
    "in range(2, 9)": "in (2, 4, 8)",
    "chips=20": "chips=2",
}
"""What stands in README, and what is run so that it takes seconds."""


def blocks(page: Path) -> list[str]:
    """Return a page's blocks of Python."""
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def block() -> str:
    """Return README's block of Python, smaller."""
    (code,) = blocks(README)
    for large, small in SMALLER.items():
        assert code.count(large) == 1, large
        code = code.replace(large, small)
    return str(code)


@pytest.fixture(scope="module")
def cells() -> dict[str, Any]:
    """Return the names that README's block leaves behind, and what it ``printed``."""
    if numba.config.DISABLE_JIT:
        pytest.skip("thousands of digits need compiled code")
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(block(), str(README), "exec"), names)
    return names | {"printed": printed.getvalue()}


@pytest.fixture(scope="module")
def digits(cells: dict[str, Any]) -> Any:
    return cells["digits"]


@pytest.fixture(scope="module")
def trained(cells: dict[str, Any]) -> Any:
    return cells["trained"]


@pytest.fixture(scope="module")
def plan(cells: dict[str, Any]) -> Any:
    return cells["plan"]


def test_the_guide_has_the_same_lines() -> None:
    guide = README.parent / "docs/guide/notebook.md"
    assert blocks(guide)[0] == blocks(README)[0].replace('"usps"', '"digits5k"')


def test_the_block_prints_a_line_for_each(cells: dict[str, Any]) -> None:
    begins = [
        "Trained(lecun1989",
        "SimulationReport(lecun1989",
        "CostReport(lecun1989 on anna",
        "ChipSpread(",
    ]
    lines = cells["printed"].splitlines()
    assert len(lines) == len(begins)
    assert all(line.startswith(begin) for line, begin in zip(lines, begins, strict=True)), lines


def test_a_trained_network_is_told_in_one_line(trained: Any) -> None:
    assert isinstance(trained, rn.Trained)
    assert repr(trained).startswith("Trained(lecun1989: 9,760 parameters")
    assert "\n" not in repr(trained)


def test_a_plan_is_simulated_beside_floating_point(cells: dict[str, Any]) -> None:
    trained, digits, plan, result = (cells[name] for name in ("trained", "digits", "plan", "result"))

    assert (plan.input.text, plan.layers[0].weight.bits, len(plan.layers[0].weight_scale)) == ("s4.2", 6, 12)
    assert plan.layers[0].accumulator.form.text == "s18.2:RND:WRAP"
    assert result.reference == trained.score(digits.test)
    assert result.score.n == 1000
    assert 0.9 < result.agreement <= 1, "the formats of README hold what they are to hold"
    assert [layer.layer for layer in result.layers] == ["h1", "h2", "h3", "output"]
    assert all(isinstance(warning, str) for warning in result.warnings)
    assert str(result).startswith("SimulationReport(lecun1989 on 1,000 digits: ")
    assert "\n" not in str(result)


def test_more_bits_make_a_curve(cells: dict[str, Any]) -> None:
    curve = cells["curve"]
    rows = list(hw.sweep(cells["trained"], cells["digits"], (2, 4, 8)))

    assert curve[0] > curve[-1]
    assert [row.score.error_percent for row in rows] == curve


def test_a_chip_costs_and_runs(cells: dict[str, Any]) -> None:
    costs = hw.cost(cells["anna"], cells["trained"].network)

    assert (costs.network, costs.chip) == ("lecun1989", "anna")
    assert len(cells["chips"].chips) == 2
    errors = [chip.mapped.error_percent for chip in cells["chips"].chips]
    assert cells["chips"].mapped.error_percent == pytest.approx(sum(errors) / 2)
    assert costs.seconds == hw.cost(cells["anna"], cells["trained"].network).seconds > 0


def test_the_other_verbs_take_and_give_trained_networks(trained: Any, digits: Any, plan: Any) -> None:
    narrow = hw.calibrate(trained, digits.train, weights="{-1,0,1}, threshold:0.7")
    integers = hw.quantize(trained, plan)
    traced = hw.trace(trained, digits.test.images[:3], plan)
    again = hw.retrain(trained, digits, narrow)
    parted = hw.compare(trained, digits.test, plan, narrow)
    budgets = hw.allocate(trained, digits, 20.0, bits=range(4, 9))

    assert repr(integers).startswith("IntegerNetwork(lecun1989")
    assert traced.layers[-1].layer == "output"
    assert isinstance(again, rn.Trained)
    assert (
        hw.simulate(again, digits.test, narrow).score.misses
        < hw.simulate(trained, digits.test, narrow).score.misses
    )
    assert parted.parts_at == "input"
    assert isinstance(budgets, Iterator)
    assert [*budgets][-1].name == "chosen"
