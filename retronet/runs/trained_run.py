"""Trains a run, and goes on with one that was cut off."""

import time
from collections.abc import Iterator

from retronet.datasets import DigitSets
from retronet.errors import InputError
from retronet.runs.configuration import FIRST_SCHEMA, ByTraining
from retronet.runs.files import decode_lines, read_lines
from retronet.runs.lock import writing
from retronet.runs.makers import other_maker
from retronet.runs.run import HISTORY, Run, Timing
from retronet.training.snapshots import Snapshot
from retronet.training.train import PassRecord, Progress, Training


def continue_run(
    run: Run, digits: DigitSets, watch: int | None = None
) -> Iterator[Progress | PassRecord | Snapshot]:
    """Train the passes of `run` that are left and keep each; tell progress and passes as they come.

    Parameters
    ----------
    run
        A run, new or cut off at any moment.
    digits
        The digits it was begun on.
    watch
        Steps from snapshot to snapshot of the network, instead of those that the run was begun with.

    Raises
    ------
    InputError
        If the digits are others, what is on disk does not fit, something else made the run, or another
        process writes it.
    DivergedError
        If the loss leaves the range of finite numbers.
    """
    configuration = run.configuration
    if not isinstance(configuration.made, ByTraining):
        raise other_maker(run.folder, configuration.made)
    check_digits(run, digits)
    training = Training(configuration.recipe, configuration.network, digits)
    with writing(run.folder):
        run.check_unchanged()
        state = run.rewind()
        if state is not None:
            training.restore(state)
        learnt, mark, snapshots = 0.0, time.perf_counter(), list[Snapshot]()
        for step in training.run(watch or steps_watched(run)):
            now = time.perf_counter()
            if isinstance(step, PassRecord):
                run.save(step, Timing(step.number, learnt, now - mark), training.state(), snapshots)
                learnt, snapshots = 0.0, []
            else:
                learnt += now - mark
                if isinstance(step, Snapshot):
                    snapshots.append(step)
            yield step
            mark = time.perf_counter()


def check_digits(run: Run, digits: DigitSets) -> None:
    """Refuse digits other than those that `run` was begun on."""
    if (digits.train.provenance, digits.test.provenance) != run.configuration.data:
        raise InputError(
            f"The run {run.folder} was begun on other digits than '{run.data_name}' gives now. "
            "Name the folder that held them with --data-dir."
        )


def steps_watched(run: Run) -> int | None:
    """Return the steps from snapshot to snapshot of `run`; those of the first schema are in its snapshots."""
    made, path = run.configuration.made, run.folder / HISTORY
    if isinstance(made, ByTraining) and made.history is not None:
        return made.history
    first = read_lines(path)[:1]
    if run.configuration.schema != FIRST_SCHEMA or not first or not first[0].endswith(b"\n"):
        return None
    return decode_lines(path, first, Snapshot)[0].step
