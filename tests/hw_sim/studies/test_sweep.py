"""A sweep's rows: the grid, the same rows on any executor, and going on where it stopped."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import msgspec
import pytest
from support.trained_run import train_briefly

from hw_sim.formats.modes import Rounding
from hw_sim.studies.points import Point, SweepRow
from hw_sim.studies.sweep import (
    Source,
    append_rows,
    checked,
    grid,
    measure,
    measure_all,
    read_rows,
    sweep,
    testbench_of,
)
from hw_sim.studies.testbench import Testbench
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
    return grid(
        testbench.trained.network, bits, ("all", "weights", "states", "sums", "layers"), [Rounding.RND]
    )


def by_point(rows: Iterator[SweepRow]) -> dict[Point, bytes]:
    found = [(row.point, msgspec.json.encode(row)) for row in rows]
    assert len(dict(found)) == len(found)
    return dict(found)


def test_a_grid_names_each_point_once(testbench: Testbench) -> None:
    points = grid(testbench.trained.network, (3, 4), ("layers", "h2", "all"), (Rounding.TRN, Rounding.RND))

    assert len(points) == len(set(points)) == 2 * 2 * 5
    assert points[:3] == (
        Point(3, "h1", Rounding.TRN),
        Point(4, "h1", Rounding.TRN),
        Point(3, "h2", Rounding.TRN),
    )


def test_points_that_can_not_run_are_named_before_the_first_is_measured(testbench: Testbench) -> None:
    possible = grid(testbench.trained.network, (2, 8, 18), ("all", "weights", "states"))
    assert tuple(checked(testbench, possible)) == possible

    points = grid(
        testbench.trained.network, (8, 20, 24), ("weights", "states"), scales=("power-of-two", "max-abs")
    )
    tried = checked(testbench, points)
    with pytest.raises(
        InputError, match=r"4 of 12 points .*: 20 bits of states, 24 bits of states\."
    ) as caught:
        for _ in tried:
            pass
    assert "At 20 bits of states, rounding RND, scale power-of-two: An activation has about" in str(
        caught.value
    )
    for point in points:
        if point.bits > 8 and point.tensors == "states":
            with pytest.raises(InputError, match="An activation has about"):
                testbench.row(point)
        else:
            testbench.row(point)
    with pytest.raises(InputError, match=r"7 of 7 points .* scale threshold:0\.7: The threshold rule is for"):
        list(
            checked(testbench, grid(testbench.trained.network, range(2, 9), ("all",), scales=("threshold",)))
        )


def test_an_unknown_tensor_is_refused(testbench: Testbench) -> None:
    with pytest.raises(InputError, match=r"'h9' is nothing to sweep: all, .*, output are allowed"):
        grid(testbench.trained.network, (3,), ("h9",), (Rounding.RND,))


def test_seeds_are_points_where_rounding_is_stochastic(testbench: Testbench) -> None:
    points = grid(
        testbench.trained.network, (3,), ("all",), (Rounding.RND, Rounding.STOCHASTIC), seeds=(1, 2)
    )

    assert [(point.rounding, point.seed) for point in points] == [
        ("RND", 0), ("STOCHASTIC", 1), ("STOCHASTIC", 2),
    ]  # fmt: skip
    scores = [testbench.row(point).sqnr_db for point in points]
    assert len(set(scores)) == 3


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_rows_are_the_same_on_any_executor(source: Source, testbench: Testbench, kind: str) -> None:
    points = points_of(testbench, range(3, 6))
    make: Executor = (
        ThreadPoolExecutor(3) if kind == "threads" else ProcessPoolExecutor(2, get_context("spawn"))
    )

    with make as executor:
        found = by_point(measure_all(source, testbench.subject, points, executor))

    assert found == by_point(measure_all(source, testbench.subject, points))


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
        for row in measure_all(source, testbench.subject, points, client.get_executor(pure=False)):
            rows[row.point] = msgspec.json.encode(row)
            if len(rows) == 5:
                os.kill(cluster.workers[0].pid, signal.SIGKILL)
        after = set(client.scheduler_info(n_workers=-1)["workers"])

    assert len(before) == 2
    assert len(before - after) == 1
    assert rows == by_point(measure_all(source, testbench.subject, points))


def test_a_worker_with_other_files_is_found_out(source: Source, testbench: Testbench) -> None:
    with pytest.raises(InputError, match="not the same everywhere"):
        measure(source, "another", Point(4, "all", Rounding.RND))
    assert testbench.subject != Testbench(testbench.trained, testbench.digits, OTHER + 1).subject


def test_a_sweep_goes_on_where_it_was_cut_off(source: Source, testbench: Testbench, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    points = points_of(testbench, range(4, 6))
    begun = append_rows(path, measure_all(source, testbench.subject, points))
    for _ in range(5):
        next(begun)
    begun.close()
    with path.open("ab") as file:
        file.write(b'{"subject":"64e2d1')

    done = read_rows(path)
    left = [point for point in points if point not in {row.point for row in done}]
    for _ in append_rows(path, measure_all(source, testbench.subject, left)):
        pass

    assert [row.point for row in done] == list(points[:5])
    assert read_rows(path) == list(measure_all(source, testbench.subject, points))


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"{}\n")
    with pytest.raises(InputError, match=r"Line 1 of .*rows.jsonl is not a row"):
        read_rows(path)


def test_the_verb_measures_the_points_of_its_grid(testbench: Testbench) -> None:
    points = grid(testbench.trained.network, (3, 4), ("all", "h2"))

    rows = sweep(testbench.trained, testbench.digits, (3, 4), ("all", "h2"), other_bits=OTHER)

    assert list(rows) == [testbench.row(point) for point in points]
