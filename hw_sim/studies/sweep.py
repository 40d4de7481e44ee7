"""Accuracy against precision: a grid of points, each a plan that is simulated on the test digits.

Points are independent, so they run on any executor; a row depends on its point and subject alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from itertools import product
from pathlib import Path

import msgspec

from hw_sim.formats.fixed import Rounding
from hw_sim.formats.scales import parse_rule
from hw_sim.studies.testbench import Point, Source, SweepRow, testbench_of
from retronet.errors import InputError
from retronet.network import NetworkSpec

GROUPS = ("all", "weights", "states", "sums")
LAYERS = "layers"
"""Stands for every layer by itself."""


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
            raise InputError(
                f"'{word}' is nothing to sweep: {', '.join((*GROUPS, LAYERS, *names))} are allowed. "
                "Name one of these."
            )
        chosen += names if word == LAYERS else [word]
    points = (
        Point(width, group, mode, parse_rule(scale).text, seed if mode is Rounding.STOCHASTIC else 0)
        for seed, scale, mode, group, width in product(seeds, scales, roundings, chosen, bits)
    )
    return tuple(dict.fromkeys(points))


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


def sweep(
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
    """Return the rows in `path`, none if there is no such file; a last line cut short is passed over.

    Raises
    ------
    InputError
        If another line is damaged.
    """
    content = path.read_bytes() if path.exists() else b""
    rows: list[SweepRow] = []
    for number, line in enumerate(content[: content.rfind(b"\n") + 1].splitlines(), 1):
        try:
            rows.append(msgspec.json.decode(line, type=SweepRow))
        except (msgspec.DecodeError, ValueError) as error:
            raise InputError(
                f"Line {number} of {path} is not a row of a sweep ({error}). "
                "Move the file away, or name another with --output."
            ) from error
    return rows


def append_rows(path: Path, rows: Iterable[SweepRow]) -> Iterator[SweepRow]:
    """Write each of `rows` to `path` and pass it on; a last line cut short is cut off first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        for row in rows:
            file.write(msgspec.json.encode(row) + b"\n")
            file.flush()
            yield row
