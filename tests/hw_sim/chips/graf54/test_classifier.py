"""The network behind Graf's chip: what it is, and that what is returned is what was scored."""

from dataclasses import replace
from typing import Any

import numba
import numpy as np
import pytest

from hw_sim.chips.graf54.classifier import classifier, train_classifier
from retronet.datasets import DigitSets, load
from retronet.network import sized_layers

compiled = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="hundreds of digits need compiled code")


def test_it_has_two_layers_and_40_hidden_units() -> None:
    assert [(each.fan_in[0], each.units) for each in sized_layers(classifier(18, 15))] == [
        (270, 40),
        (40, 10),
    ]
    assert [each.units for each in sized_layers(classifier(18, 15, 7))] == [7, 10]


@compiled
def test_the_network_returned_is_the_one_that_was_scored() -> None:
    digits = load("digits5k")

    def first(half: Any, count: int) -> Any:
        return replace(half, images=half.images[:count], labels=half.labels[:count])

    few = DigitSets(first(digits.train, 200), first(digits.test, 100), None)
    record, trained = train_classifier(few, passes=2, seed=5)
    assert record.number == 2
    assert trained.score(few.test) == record.test
    answers = trained.outputs(few.test.images).argmax(1)
    assert int(np.count_nonzero(answers != few.test.labels)) == record.test.misses
    again = train_classifier(few, passes=2, seed=5)[1]
    for name, array in trained.parameters.items():
        np.testing.assert_array_equal(array, again.parameters[name])
