"""Accuracy against precision: a grid of points, each a plan that is simulated on the test digits.

Points are independent, so they run on any executor; a row depends on its point and subject alone.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from functools import lru_cache
from itertools import product
from pathlib import Path

import msgspec

from hw_sim.formats.modes import Rounding
from hw_sim.formats.scales import parse_rule
from hw_sim.studies.points import Point, SweepRow
from hw_sim.studies.testbench import Testbench
from retronet.datasets import DigitSets, load
from retronet.errors import ChoiceError, InputError
from retronet.network import NetworkSpec
from retronet.runs.lines import stamped, unstamped
from retronet.runs.lock import lock
from retronet.runs.run import open_run
from retronet.trained import Trained

GROUPS = ("all", "weights", "states", "sums")
LAYERS = "layers"
"""Stands for every layer by itself."""
SHOWN = 8
"""Refused points that a message names."""


def sweep(
    trained: Trained,
    digits: DigitSets,
    bits: Iterable[int] = range(2, 9),
    tensors: Iterable[str] = ("all",),
    roundings: Iterable[Rounding] = (Rounding.RND,),
    scales: Iterable[str] = ("power-of-two",),
    *,
    seeds: Iterable[int] = (0,),
    other_bits: int = 12,
) -> Iterator[SweepRow]:
    """Measure a grid of points on the test digits, and yield their rows, in this process.

    Parameters
    ----------
    trained
        The trained network.
    digits
        Formats are calibrated on the training digits, points measured on the test digits.
    bits, tensors, roundings, scales, seeds
        The grid: see `grid`.
    other_bits
        Bits of the weights and states that a point leaves alone.

    Raises
    ------
    InputError
        If the grid names what there is not, or a point can not be simulated.
    """
    testbench = Testbench(trained, digits, other_bits)
    for point in grid(trained.network, bits, tensors, roundings, scales, seeds):
        yield testbench.row(point)


def grid(
    network: NetworkSpec,
    bits: Iterable[int],
    tensors: Iterable[str],
    roundings: Iterable[Rounding] = (Rounding.RND,),
    scales: Iterable[str] = ("power-of-two",),
    seeds: Iterable[int] = (0,),
) -> tuple[Point, ...]:
    """Return the points of a grid, without repetitions, the bits running fastest.

    Parameters
    ----------
    network
        The network, for the names of its layers.
    bits
        Numbers of bits, the sign counted.
    tensors
        What has that many bits: ``all`` (weights and states), ``weights``, ``states``, ``sums``, the name of
        a layer (its weights and states), or ``layers`` for each layer by itself.
    roundings
        Rounding modes.
    scales
        Rules that choose scales: see `hw_sim.formats.scales.parse_rule`.
    seeds
        Seeds of stochastic rounding; other modes have one point, whatever the seeds.

    Raises
    ------
    InputError
        If one of `tensors` or `scales` is none of these.
    """
    names = [layer.name for layer in network.layers]
    chosen: list[str] = []
    for word in tensors:
        if word not in (*GROUPS, LAYERS, *names):
            raise ChoiceError(
                f"'{word}' is nothing to sweep: {', '.join((*GROUPS, LAYERS, *names))} are allowed. "
                "Name one of these."
            )
        chosen += names if word == LAYERS else [word]
    points = (
        Point(width, group, mode, parse_rule(scale).text, seed if mode is Rounding.STOCHASTIC else 0)
        for seed, scale, mode, group, width in product(seeds, scales, roundings, chosen, bits)
    )
    return tuple(dict.fromkeys(points))


class Source(msgspec.Struct, frozen=True):
    """Where a worker finds network and digits; small, as it goes with every point.

    ``other_bits`` are those of the tensors that a point leaves alone.
    """

    run: str
    data: str
    data_dir: str | None
    other_bits: int


@lru_cache(maxsize=2)
def testbench_of(source: Source) -> Testbench:
    """Return the bench that `source` describes, loaded once in each process.

    Raises
    ------
    InputError, DataError
        If run or digits are not there.
    """
    trained = open_run(Path(source.run)).checkpoint().trained
    data_dir = Path(source.data_dir) if source.data_dir else None
    digits = load(source.data, trained.recipe.preparation, data_dir)
    return Testbench(trained, digits, source.other_bits)


def checked(testbench: Testbench, points: Sequence[Point]) -> Iterator[Point]:
    """Yield each of `points` after trying whether it can be simulated, and refuse the grid at the end.

    Raises
    ------
    InputError
        If some of them can not be simulated; the message names them, and what hinders the first.
    """
    refused: list[tuple[Point, InputError]] = []
    for point in points:
        try:
            testbench.check(point)
        except InputError as error:
            refused.append((point, error))
        yield point
    if refused:
        named = [f"{point.bits} bits of {point.tensors}" for point, _ in refused]
        named = list(dict.fromkeys(named))
        more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
        first, why = refused[0]
        raise ChoiceError(
            f"{len(refused)} of {len(points)} points can not be simulated: {', '.join(named[:SHOWN])}{more}. "
            f"At {named[0]}, rounding {first.rounding}, scale {first.scale}: {why} Nothing was "
            "measured; leave these points out of the grid."
        )


def measure(source: Source, subject: str, point: Point) -> SweepRow:
    """Return the row of one point; what a worker runs.

    Raises
    ------
    InputError
        If the worker finds another subject than `subject` at `source`.
    """
    testbench = testbench_of(source)
    if testbench.subject != subject:
        raise InputError(
            f"The run {source.run} or its digits are not the same everywhere: a worker found "
            f"{testbench.subject}, the sweep began with {subject}. Give all workers the same files."
        )
    return testbench.row(point)


def measure_all(
    source: Source, subject: str, points: Sequence[Point], executor: Executor | None = None
) -> Iterator[SweepRow]:
    """Measure `points`, and yield their rows as they come.

    Parameters
    ----------
    source
        Network and digits; what workers load for themselves.
    subject
        The digest that these must have: see `Testbench.subject`.
    points
        See `grid`.
    executor
        Any executor: processes, threads, or that of a cluster. Absent: this process, point by point. It sets
        the order in which rows come and nothing in them.

    Raises
    ------
    InputError
        If a point can not be simulated, or a worker finds another network or other digits.
    """
    if executor is None:
        for point in points:
            yield measure(source, subject, point)
        return
    futures = [executor.submit(measure, source, subject, point) for point in points]
    try:
        for future in as_completed(futures):
            yield future.result()
    finally:
        for future in futures:
            future.cancel()


def read_rows(path: Path) -> list[SweepRow]:
    """Return the rows in `path`, none if there is no such file.

    A last line cut short is passed over; so are lines without the digest that `append_rows` gives each,
    which earlier versions wrote.

    Raises
    ------
    InputError
        If another line is damaged, as its digest tells.
    """
    content = path.read_bytes() if path.exists() else b""
    rows: list[SweepRow] = []
    for number, line in enumerate(content[: content.rfind(b"\n") + 1].splitlines(keepends=True), 1):
        try:
            checked = unstamped(line)
            row = msgspec.json.decode(line if checked is None else checked, type=SweepRow)
            rows += [] if checked is None else [row]
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"Line {number} of {path} is not a row of a sweep ({error}). "
                "Move the file away, or name another with --rows."
            ) from error
    return rows


def count_unchecked(path: Path) -> int:
    """Return how many rows in `path` have no digest, and so are passed over."""
    content = path.read_bytes() if path.exists() else b""
    lines = content[: content.rfind(b"\n") + 1].splitlines(keepends=True)
    return sum(unstamped(line) is None for line in lines)


def append_rows(path: Path, rows: Iterable[SweepRow]) -> Iterator[SweepRow]:
    """Write each of `rows` to `path` and pass it on; a last line cut short is cut off first.

    Raises
    ------
    InputError
        If another process writes rows there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        lock(file, f"The file {path}")
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        for row in rows:
            file.write(stamped(msgspec.json.encode(row)))
            file.flush()
            os.fsync(file.fileno())
            yield row
