"""Two plans side by side: where they part, by how much, and which answers change."""

import numpy as np
import pytest
from msgspec.structs import replace
from support.trained_run import train_briefly

from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.simulate import run_integers
from hw_sim.fixed_point.trace import trace_integers
from hw_sim.formats.fixed import Fixed
from hw_sim.plan.calibrate import calibrate
from hw_sim.plan.plan import PrecisionPlan
from hw_sim.studies.compare import Comparison, compare
from hw_sim.studies.testbench import Testbench
from retronet.datasets import load


@pytest.fixture(scope="module")
def testbench(tmp_path_factory: pytest.TempPathFactory) -> Testbench:
    run = train_briefly(tmp_path_factory.mktemp("runs") / "brief")
    return Testbench(run.checkpoint().trained, load("digits5k"))


@pytest.fixture(scope="module")
def plan(testbench: Testbench) -> PrecisionPlan:
    return calibrate(testbench.trained, testbench.digits.train, 6)


def compared(testbench: Testbench, first: PrecisionPlan, second: PrecisionPlan) -> Comparison:
    return compare(testbench.trained, testbench.digits.test, first, second)


def test_a_plan_does_not_part_from_itself(testbench: Testbench, plan: PrecisionPlan) -> None:
    found = compared(testbench, plan, plan)

    assert found.parts_at is None
    assert found.changed == ()
    assert all(layer.first_digit is None and layer.rms == 0 and layer.worst == () for layer in found.layers)


def test_plans_part_where_their_formats_do(testbench: Testbench, plan: PrecisionPlan) -> None:
    h2 = plan.layers[1]
    assert isinstance(h2.weight, Fixed)
    coarse = replace(h2.weight, bits=h2.weight.bits - 3, frac_bits=h2.weight.frac_bits - 3)
    other = replace(plan, layers=(plan.layers[0], replace(h2, weight=coarse), *plan.layers[2:]))
    other = replace(
        other,
        layers=tuple(
            replace(layer, bias=replace(layer.bias, frac_bits=min(layer.bias.frac_bits, 5)))
            if layer.layer == "h2"
            else layer
            for layer in other.layers
        ),
    )

    found = compared(testbench, plan, other)

    assert found.parts_at == "h2"
    assert [layer.units_apart for layer in found.layers[:2]] == [0, 0]
    images, labels = testbench.digits.test.images, testbench.digits.test.labels
    pair = [quantize(testbench.trained, each) for each in (plan, other)]
    states = [trace_integers(each, images).layers[1].values for each in pair]
    difference = np.abs(states[0] - states[1])
    layer = found.layers[2]
    assert layer.states_apart == np.count_nonzero(difference)
    assert layer.rms == pytest.approx(np.sqrt(np.mean(difference**2)))
    assert layer.largest == difference.max()
    assert layer.first_digit == np.flatnonzero(difference.reshape(len(images), -1).any(axis=1))[0]
    squares = np.square(difference).sum(axis=0)
    assert squares[layer.worst[0].unit] == pytest.approx(squares.max())
    assert layer.worst[0].digits == np.count_nonzero(difference[(slice(None), *layer.worst[0].unit)])
    answers = [run_integers(each, images).outputs.argmax(axis=1) for each in pair]
    changed = np.flatnonzero(answers[0] != answers[1])
    assert len(changed) > 0
    assert [(entry.digit, entry.first, entry.second, entry.label) for entry in found.changed] == [
        (index, answers[0][index], answers[1][index], labels[index]) for index in changed
    ]
    assert found.second.score.misses == np.count_nonzero(answers[1] != labels)


def test_chunks_do_not_show(
    testbench: Testbench, plan: PrecisionPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = calibrate(testbench.trained, testbench.digits.train, 5)
    whole = compared(testbench, plan, other)
    monkeypatch.setattr("hw_sim.studies.compare.CHUNK", 300)

    pieces = compared(testbench, plan, other)

    assert [layer.first_digit for layer in pieces.layers] == [layer.first_digit for layer in whole.layers]
    for one, all_ in zip(pieces.layers, whole.layers, strict=True):
        assert one.states_apart == all_.states_apart
        assert one.rms == pytest.approx(all_.rms)
