"""Where independent work runs: processes of this machine, or the workers of a dask cluster."""

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from typing import Any

from retronet.errors import InputError
from retronet_cli.terminal import INTERRUPTED, this_command

PR_SET_PDEATHSIG = 1
"""Linux, prctl(2): the signal that a process gets when its parent ends."""


class _Processes(ProcessPoolExecutor):
    """Processes that end with the one that started them, and at once when interrupted.

    What they do can be cut off anywhere, and the parent speaks.
    """

    def __init__(self, workers: int) -> None:
        # Spawned: a fork would copy the state of compiled code and its threads.
        super().__init__(workers, get_context("spawn"), initializer=_begin_worker)

    def submit(self, *arguments: Any, **named: Any) -> "Future[Any]":  # noqa: ANN401 - as in the base class
        """Hand a task to a process; one that is started minds interruptions once it is ready for them."""
        if not hasattr(signal, "pthread_sigmask"):
            return super().submit(*arguments, **named)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return super().submit(*arguments, **named)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    if sys.platform == "linux":
        # The watch below waits while compiled code runs; the kernel does not.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(INTERRUPTED)


@contextmanager
def processes(jobs: int, tasks: int) -> Iterator[Executor | None]:
    """Give an executor of up to `jobs` processes, or None where one would do.

    Raises
    ------
    InputError
        If one of them is ended from outside.
    """
    workers = min(jobs, tasks)
    if workers == 1:
        yield None
        return
    executor = _Processes(workers)
    try:
        yield executor
    except (BrokenProcessPool, BrokenPipeError) as error:
        # A broken pipe here is not standard output's: a worker was gone before it had begun.
        raise InputError(
            "One of the processes was ended from outside, perhaps for want of memory; what they had done is "
            f"kept. Give fewer --jobs, and go on with: {this_command()}"
        ) from error
    finally:
        executor.shutdown(cancel_futures=True)


@contextmanager
def executor_of(jobs: int, tasks: int, dask: str | None) -> Iterator[Executor | None]:
    """Give an executor of up to `jobs` processes, or of the dask cluster at an address; None is this process.

    Raises
    ------
    InputError
        If a process is ended from outside, or the cluster does not answer or gives up.
    """
    if dask is None:
        with processes(jobs, tasks) as executor:
            yield executor
        return
    try:
        from distributed import Client, KilledWorker
        from distributed.client import FutureCancelledError
        from distributed.comm.core import CommClosedError
    except ImportError as error:
        raise InputError(
            "The option --dask needs the package distributed, which is not installed. "
            "Install it with: pip install 'retronet[dask]'."
        ) from error
    try:
        client = Client(dask, timeout="20s")
    except (OSError, ValueError) as error:
        raise InputError(
            f"No dask scheduler answers at '{dask}' ({error}). Start one with `dask scheduler`, and workers."
        ) from error
    with client:
        try:
            yield client.get_executor(pure=False)
        except (KilledWorker, CommClosedError, FutureCancelledError, CancelledError) as error:
            raise InputError(
                f"The dask cluster at '{dask}' gave up ({type(error).__name__}). What was done is kept; "
                f"start workers anew and go on with: {this_command()}"
            ) from error
