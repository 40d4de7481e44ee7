"""Golden vectors say all that is needed to make every sum and state again, with Python's integers alone."""

import io
import json
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from support.small_network import NETWORK, draw, plan_of, plans_of_all_kinds
from support.trained_networks import trained_of

from hw_sim.export.files import Files, Origin, digest, read_mem
from hw_sim.export.golden import golden
from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.trace import trace_integers
from hw_sim.plan.plan import PrecisionPlan
from hw_sim.plan.plan_file import parse_plan

ORIGIN = Origin("retronet", "runs/a", "made-up digits")
COUNT = 3


def exported(plan: PrecisionPlan, change: int = 0) -> Files:
    parameters, images = draw(NETWORK, 5, COUNT)
    parameters["c.weight"][0, 0] += change
    network = quantize(trained_of(NETWORK, parameters), plan)
    return golden(network, trace_integers(network, images), ORIGIN)


def words(files: Files, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    return np.array(read_mem(files[f"mem/{name}.mem"]), dtype=object).reshape(shape)


def differences(files: Files, weights: Files | None = None) -> int:
    """Count the sums and states that the page's rules do not make of the .mem files; exact sums alone."""
    manifest, bad = json.loads(files["manifest.json"]), 0
    shapes = {name: tuple(each["shape"]) for name, each in manifest["arrays"].items()}
    below = words(files, "pixels", shapes["pixels"])
    for layer in manifest["layers"]:
        own = {
            part: words(weights or files, f"{layer['layer']}.{part}", shapes[f"{layer['layer']}.{part}"])
            for part in ("weights", "fan_in", "tables", "sources", "biases", "thresholds", "levels")
        }
        maps, rows, columns = layer["output_shape"]
        units, states = rows * columns, np.zeros((COUNT, maps * rows * columns), dtype=object)
        sums = np.zeros_like(states)
        for image in range(COUNT):
            inputs = [*below[image], layer["border"]]
            for row in range(maps):
                for position in range(units):
                    unit = row * units + position
                    total = own["biases"][unit]
                    for tap in range(own["fan_in"][row]):
                        source = own["sources"][own["tables"][row], position, tap]
                        total += own["weights"][row, tap] * inputs[source]
                    sums[image, unit] = total
                    states[image, unit] = own["levels"][sum(total >= edge for edge in own["thresholds"])]
        for stage, values in (("sums", sums), ("states", states)):
            name = f"{layer['layer']}.{stage}"
            bad += int((words(files, name, values.shape) != values).sum())
        below = states
    return bad


def staircase_plan() -> PrecisionPlan:
    plan = plan_of(NETWORK, "s6.4")
    # States of another scale than the sums make every activation a staircase.
    scaled = (replace(layer, state_scale=0.7 + 0.1 * index) for index, layer in enumerate(plan.layers))
    return replace(plan, layers=tuple(scaled))


@pytest.mark.parametrize("order", ["plane_fastest", "plane_slowest"])
def test_the_page_s_rules_make_every_sum_and_state_again(order: Any) -> None:
    files = exported(replace(staircase_plan(), tap_order=order))
    assert differences(files) == 0


def test_one_changed_weight_is_seen() -> None:
    assert differences(exported(staircase_plan()), exported(staircase_plan(), change=1)) > 0


def test_npz_mem_plan_and_digests_agree() -> None:
    plans = plans_of_all_kinds(NETWORK)
    for plan in plans:
        files = exported(plan)
        manifest = json.loads(files["manifest.json"])
        assert parse_plan(files["plan.toml"].decode(), NETWORK) == plan
        assert all(digest(files[name]) == found for name, found in manifest["sha256"].items())
        for archive in ("network.npz", "digits.npz"):
            for name, array in np.load(io.BytesIO(files[archive])).items():
                if f"mem/{name}.mem" in files:
                    assert np.array_equal(words(files, name, array.shape), array)
                assert manifest["arrays"][name]["shape"] == list(array.shape)


def test_the_same_network_gives_the_same_bytes() -> None:
    plan = plan_of(NETWORK, "s8.6")
    assert exported(plan) == exported(plan)
    one, other = exported(plan), exported(plan, change=1)
    assert json.loads(one["manifest.json"])["digest"] != json.loads(other["manifest.json"])["digest"]
