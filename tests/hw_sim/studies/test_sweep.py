"""A sweep's rows: what a point means, the same rows on any executor, and going on where it stopped."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import msgspec
import numpy as np
import pytest
from support.trained_run import train_briefly

from hw_sim.fixed_point.quantize import integer_network
from hw_sim.fixed_point.simulate import report
from hw_sim.fixed_point.trace import trace
from hw_sim.formats.modes import Rounding
from hw_sim.formats.scales import ScaleRule, parse_rule
from hw_sim.plan.plan import calibrate
from hw_sim.studies.sweep import append_rows, grid, measure, read_rows, sweep
from hw_sim.studies.testbench import Point, Source, SweepRow, Testbench, testbench_of
from retronet.errors import InputError

OTHER = 10


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    run = train_briefly(tmp_path_factory.mktemp("runs") / "brief")
    return Source(str(run.folder), "digits5k", None, OTHER)


@pytest.fixture(scope="module")
def testbench(source: Source) -> Testbench:
    return testbench_of(source)


def points_of(testbench: Testbench, bits: range) -> tuple[Point, ...]:
    return grid(testbench.network, bits, ("all", "weights", "states", "sums", "layers"), [Rounding.RND])


def by_point(rows: Iterator[SweepRow]) -> dict[Point, bytes]:
    found = [(row.point, msgspec.json.encode(row)) for row in rows]
    assert len(dict(found)) == len(found)
    return dict(found)


def test_a_grid_names_each_point_once(testbench: Testbench) -> None:
    points = grid(testbench.network, (3, 4), ("layers", "h2", "all"), (Rounding.TRN, Rounding.RND))

    assert len(points) == len(set(points)) == 2 * 2 * 5
    assert points[:3] == (
        Point(3, "h1", Rounding.TRN),
        Point(4, "h1", Rounding.TRN),
        Point(3, "h2", Rounding.TRN),
    )


def test_an_unknown_tensor_is_refused(testbench: Testbench) -> None:
    with pytest.raises(InputError, match=r"'h9' is nothing to sweep: all, .*, output are allowed"):
        grid(testbench.network, (3,), ("h9",), (Rounding.RND,))


@pytest.mark.parametrize(
    ("tensors", "bits"), [("all", (4, 4)), ("weights", (4, OTHER)), ("states", (OTHER, 4))]
)
def test_a_row_says_what_a_report_says(testbench: Testbench, tensors: str, bits: tuple[int, int]) -> None:
    images = testbench.digits.train.images
    plan = calibrate(
        testbench.network,
        testbench.parameters,
        images,
        weight_bits=bits[0],
        state_bits=bits[1],
        rounding=Rounding.RND_CONV,
    )
    expected = report(testbench.network, testbench.parameters, plan, testbench.digits.test)

    row = testbench.row(Point(4, tensors, Rounding.RND_CONV))

    assert testbench.plan(row.point) == plan
    assert row.score == expected.simulated
    assert testbench.reference_score == expected.reference
    assert row.agreements == expected.agreements
    assert row.sqnr_db == pytest.approx(expected.layers[-1].sqnr_db, rel=1e-6)
    assert row.saturations == {layer.layer: layer.counts.saturations for layer in expected.layers}


@pytest.mark.parametrize("mode", list(Rounding))
@pytest.mark.parametrize("scale", ["power-of-two", "percentile:99", "max-abs/map", "mse"])
def test_a_point_has_the_plan_of_its_rounding_and_rule(
    testbench: Testbench, mode: Rounding, scale: str
) -> None:
    rule = parse_rule(scale)
    plan = calibrate(
        testbench.network,
        testbench.parameters,
        testbench.digits.train.images,
        4,
        rounding=mode,
        weight_scale=rule,
        state_scale=ScaleRule(rule.kind, rule.value),
    )

    assert testbench.plan(Point(4, "all", mode, scale, 3)) == msgspec.structs.replace(plan, seed=3)


def test_seeds_are_points_where_rounding_is_stochastic(testbench: Testbench) -> None:
    points = grid(testbench.network, (3,), ("all",), (Rounding.RND, Rounding.STOCHASTIC), seeds=(1, 2))

    assert [(point.rounding, point.seed) for point in points] == [
        ("RND", 0), ("STOCHASTIC", 1), ("STOCHASTIC", 2),
    ]  # fmt: skip
    scores = [testbench.row(point).sqnr_db for point in points]
    assert len(set(scores)) == 3


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
    integers = integer_network(testbench.network, testbench.parameters, exact)

    found = trace(integers, testbench.digits.train.images)

    for traced, layer in zip(found.layers, limited.layers, strict=True):
        largest = np.abs(traced.sums).max() * 2.0**-traced.sum_frac_bits
        assert layer.accumulator is not None
        form = layer.accumulator.form
        assert form.bits == 9
        assert form.maximum / 2 < largest <= form.maximum


def test_sums_of_few_bits_are_counted_where_they_overflow(testbench: Testbench) -> None:
    blind = Testbench(testbench.network, testbench.parameters, testbench.digits, testbench.targets, OTHER)
    small = {layer: largest / 8 for layer, largest in testbench.largest_sums().items()}
    blind.largest_sums = lambda _scale: small  # type: ignore[method-assign]
    point = Point(14, "sums", Rounding.RND)

    assert sum(testbench.row(point).overflows.values()) == 0
    assert all(blind.row(point).overflows.values())


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_rows_are_the_same_on_any_executor(source: Source, testbench: Testbench, kind: str) -> None:
    points = points_of(testbench, range(3, 6))
    make: Executor = (
        ThreadPoolExecutor(3) if kind == "threads" else ProcessPoolExecutor(2, get_context("spawn"))
    )

    with make as executor:
        found = by_point(sweep(source, testbench.subject, points, executor))

    assert found == by_point(sweep(source, testbench.subject, points))


def test_a_cluster_that_loses_a_worker_gives_the_same_rows(source: Source, testbench: Testbench) -> None:
    distributed = pytest.importorskip("distributed")
    points = points_of(testbench, range(2, 12))
    rows = {}
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        before = set(client.scheduler_info(n_workers=-1)["workers"])
        for row in sweep(source, testbench.subject, points, client.get_executor(pure=False)):
            rows[row.point] = msgspec.json.encode(row)
            if len(rows) == 5:
                os.kill(cluster.workers[0].pid, signal.SIGKILL)
        after = set(client.scheduler_info(n_workers=-1)["workers"])

    assert len(before) == 2
    assert len(before - after) == 1
    assert rows == by_point(sweep(source, testbench.subject, points))


def test_a_worker_with_other_files_is_found_out(source: Source, testbench: Testbench) -> None:
    with pytest.raises(InputError, match="not the same everywhere"):
        measure(source, "another", Point(4, "all", Rounding.RND))
    assert (
        testbench.subject
        != Testbench(
            testbench.network, testbench.parameters, testbench.digits, testbench.targets, OTHER + 1
        ).subject
    )


def test_a_sweep_goes_on_where_it_was_cut_off(source: Source, testbench: Testbench, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    points = points_of(testbench, range(4, 6))
    begun = append_rows(path, sweep(source, testbench.subject, points))
    for _ in range(5):
        next(begun)
    begun.close()
    with path.open("ab") as file:
        file.write(b'{"subject":"64e2d1')

    done = read_rows(path)
    left = [point for point in points if point not in {row.point for row in done}]
    for _ in append_rows(path, sweep(source, testbench.subject, left)):
        pass

    assert [row.point for row in done] == list(points[:5])
    assert read_rows(path) == list(sweep(source, testbench.subject, points))


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"{}\n")
    with pytest.raises(InputError, match=r"Line 1 of .*rows.jsonl is not a row"):
        read_rows(path)
