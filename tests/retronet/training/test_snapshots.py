"""Snapshots: what they hold, that watching changes no parameter, and that resuming keeps them straight."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from retronet.datasets import DigitSets, load
from retronet.engines.batches import Batches
from retronet.engines.engine import make_engine
from retronet.engines.forward import layer_states
from retronet.initial import initial_parameters
from retronet.network import NetworkSpec, load_network
from retronet.recipe import Recipe, load_recipe, override
from retronet.runs.create import create_run
from retronet.runs.run import CHECKPOINT, HISTORY
from retronet.runs.trained_run import continue_run
from retronet.training.snapshots import Snapshot
from retronet.training.train import SNAPSHOT_DIGITS, PassRecord, Training


@pytest.fixture(scope="module")
def digits() -> DigitSets:
    return load("digits5k")


def setting(**changes: object) -> tuple[Recipe, NetworkSpec]:
    recipe = override(load_recipe("lecun1989"), {"data": "digits5k", "passes": 2, **changes})
    return recipe, load_network(recipe.network)


def test_snapshots_are_of_the_network_at_that_step(digits: DigitSets) -> None:
    recipe, network = setting(passes=1)
    found = [step for step in Training(recipe, network, digits).run(watch=1500) if isinstance(step, Snapshot)]
    assert [each.step for each in found] == [1500, 3000]
    engine = make_engine(recipe, network)
    engine.load(initial_parameters(network, recipe.initial, recipe.seed), {}, steps=0)
    images, labels = digits.train.images[:1500], digits.train.labels[:1500]
    engine.learn(Batches(images, labels, np.full(1500, 5e-4), 1, None))
    parameters = engine.parameters()
    last = images[-SNAPSHOT_DIGITS:]
    states = layer_states(network, parameters, last)
    for name, array in parameters.items():
        assert found[0].parameters[name].largest == pytest.approx(float(np.abs(array).max()))
        assert found[0].parameters[name].deviation == pytest.approx(float(array.std()))
    for name, array in states.items():
        assert found[0].activations[name].mean == pytest.approx(float(array.mean()), abs=1e-6)


def test_gradient_of_both_engines_is_the_mean_over_the_digits(digits: DigitSets) -> None:
    recipe, network = setting(precision="float64")
    parameters = initial_parameters(network, recipe.initial, 0)
    images, labels = digits.train.images[:6].astype(np.float64), digits.train.labels[:6]
    found = []
    for name in ("numba", "torch"):
        engine = make_engine(override(recipe, {"engine": name}), network)
        engine.load(parameters, {}, steps=0)
        whole = engine.gradient(images, labels)
        each = [engine.gradient(images[n : n + 1], labels[n : n + 1]) for n in range(6)]
        for key, array in whole.items():
            np.testing.assert_allclose(
                array, np.mean([one[key] for one in each], axis=0), rtol=1e-9, atol=1e-14
            )
        for key, array in engine.parameters().items():
            np.testing.assert_array_equal(array, parameters[key])
        found.append(whole)
    for key, array in found[0].items():
        np.testing.assert_allclose(array, found[1][key], rtol=1e-9, atol=1e-13)


def test_watching_changes_no_parameter_and_resuming_keeps_one_line_a_snapshot(
    digits: DigitSets, tmp_path: Path
) -> None:
    recipe, network = setting()
    kept = {}
    for name, watch in (("plain", None), ("watched", 1000), ("cut", 1000)):
        run = create_run(recipe, network, digits, tmp_path / name, tmp_path, force=False)
        for step in continue_run(run, digits, watch):
            if name == "cut" and isinstance(step, PassRecord) and step.number == 1:
                break
        kept[name] = run
    cut = kept["cut"].folder / HISTORY
    # As if killed between the second pass's snapshots and its checkpoint, in the middle of a line.
    first = cut.read_bytes().splitlines(keepends=True)
    later = msgspec.structs.replace(msgspec.json.decode(first[-1], type=Snapshot), number=2)
    cut.write_bytes(b"".join(first) + msgspec.json.encode(later) + b"\n" + first[0][:20])
    for _ in continue_run(kept["cut"], digits, 1000):
        pass
    states = {name: (run.folder / CHECKPOINT).read_bytes() for name, run in kept.items()}
    assert states["plain"] == states["watched"] == states["cut"]
    assert cut.read_bytes() == (kept["watched"].folder / HISTORY).read_bytes()
    assert not (kept["plain"].folder / HISTORY).exists()
