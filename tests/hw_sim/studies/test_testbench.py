"""What a point means: its plan, its row, its sums."""

import msgspec
import numpy as np
import pytest
from support.trained_run import train_briefly

from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.simulate import simulate
from hw_sim.fixed_point.trace import trace_integers
from hw_sim.formats.modes import Rounding
from hw_sim.formats.scales import ScaleRule, parse_rule
from hw_sim.plan.calibrate import calibrate
from hw_sim.plan.rules import TensorRule
from hw_sim.studies.points import Point
from hw_sim.studies.testbench import Testbench
from retronet.datasets import load

OTHER = 10


@pytest.fixture(scope="module")
def testbench(tmp_path_factory: pytest.TempPathFactory) -> Testbench:
    run = train_briefly(tmp_path_factory.mktemp("runs") / "brief")
    return Testbench(run.checkpoint().trained, load("digits5k"), OTHER)


@pytest.mark.parametrize(
    ("tensors", "bits"), [("all", (4, 4)), ("weights", (4, OTHER)), ("states", (OTHER, 4))]
)
def test_a_row_says_what_a_report_says(testbench: Testbench, tensors: str, bits: tuple[int, int]) -> None:
    texts = [f"{width} bits, RND_CONV" for width in bits]
    plan = calibrate(testbench.trained, testbench.digits.train, weights=texts[0], states=texts[1])
    expected = simulate(testbench.trained, testbench.digits.test, plan)

    row = testbench.row(Point(4, tensors, Rounding.RND_CONV))

    assert testbench.plan(row.point) == plan
    assert row.score == msgspec.structs.replace(expected.score, loss=None)
    assert testbench.reference_score == msgspec.structs.replace(expected.reference, loss=None)
    assert row.agreements == expected.agreements
    assert row.sqnr_db == pytest.approx(expected.layers[-1].sqnr_db, rel=1e-6)
    assert row.saturations == {layer.layer: layer.counts.saturations for layer in expected.layers}


@pytest.mark.parametrize("mode", list(Rounding))
@pytest.mark.parametrize("scale", ["power-of-two", "percentile:99", "max-abs/map", "mse"])
def test_a_point_has_the_plan_of_its_rounding_and_rule(
    testbench: Testbench, mode: Rounding, scale: str
) -> None:
    rule = parse_rule(scale)
    weights = TensorRule(4, scale=rule, rounding=mode)
    states = TensorRule(4, scale=ScaleRule(rule.kind, rule.value), rounding=mode.computed)
    plan = calibrate(testbench.trained, testbench.digits.train, weights=weights, states=states)

    assert testbench.plan(Point(4, "all", mode, scale, 3)) == msgspec.structs.replace(plan, seed=3)


def test_one_layer_at_a_time_leaves_the_others_alone(testbench: Testbench) -> None:
    wide = testbench.plan(Point(OTHER, "all", Rounding.RND))
    plan = testbench.plan(Point(3, "h2", Rounding.RND))

    changed = [layer.layer for layer, other in zip(plan.layers, wide.layers, strict=True) if layer != other]
    assert (plan.layers[1].weight.bits, plan.layers[1].state.bits) == (3, 3)
    # The layer above reads what h2 makes, so its biases move with the point of its products.
    assert changed == ["h2", "h3"]
    assert plan.layers[2].weight == wide.layers[2].weight
    assert plan.layers[2].state == wide.layers[2].state


def test_sums_hold_the_largest_seen_in_training_and_no_more(testbench: Testbench) -> None:
    exact = testbench.plan(Point(OTHER, "all", Rounding.RND))
    limited = testbench.plan(Point(9, "sums", Rounding.RND))
    integers = quantize(testbench.trained, exact)

    found = trace_integers(integers, testbench.digits.train.images)

    for traced, layer in zip(found.layers, limited.layers, strict=True):
        largest = np.abs(traced.sums).max() * 2.0**-traced.sum_frac_bits
        assert layer.accumulator is not None
        form = layer.accumulator.form
        assert form.bits == 9
        assert form.maximum / 2 < largest <= form.maximum


def test_sums_of_few_bits_are_counted_where_they_overflow(testbench: Testbench) -> None:
    blind = Testbench(testbench.trained, testbench.digits, OTHER)
    small = {layer: largest / 8 for layer, largest in testbench.largest_sums().items()}
    blind.largest_sums = lambda _scale: small  # type: ignore[method-assign]
    point = Point(14, "sums", Rounding.RND)

    assert sum(testbench.row(point).overflows.values()) == 0
    assert all(blind.row(point).overflows.values())
