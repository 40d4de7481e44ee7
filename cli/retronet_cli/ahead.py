"""A second process that compiles what a command is going to need, where nothing is kept yet.

It goes through the command's list from the end while the command goes from the beginning, and leaves what it
made in the folder of compiled code. Whichever comes second to a function waits for the first, or finds it
there; whatever happens to this process, the command compiles for itself what is missing.
"""

import contextlib
import ctypes
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from retronet_cli.start import is_program

if TYPE_CHECKING:
    from retronet.recipe import Recipe

Job = Callable[[], object]
PR_SET_PDEATHSIG = 1
"""Linux, prctl(2): the signal that a process gets when its parent ends."""


def compile_ahead(loop: Any, jobs: Callable[[], Sequence[Job]]) -> None:  # noqa: ANN401 - Numba's
    """Start to compile the last of `jobs` in another process.

    Nothing is done where code of `loop` is kept already, where there is one processor, in other programs than
    `retronet`, and on other systems than Linux: others do not take a copy of a process with threads lightly.

    Parameters
    ----------
    loop
        A loop that the command needs, and no other that is run more often.
    jobs
        What the command compiles, in its order.
    """
    from retronet.kernels.keeping import is_kept

    if sys.platform != "linux" or not is_program() or len(os.sched_getaffinity(0)) < 2 or is_kept(loop):
        return
    sys.stdout.flush()
    sys.stderr.flush()
    this = os.getpid()
    with warnings.catch_warnings(), contextlib.suppress(OSError):
        # The threads that are there are of the library of linear algebra, which the copy does not use.
        warnings.simplefilter("ignore", DeprecationWarning)
        process = os.fork()
        if process == 0:
            _compile(jobs, this)
        threading.Thread(target=os.waitpid, args=(process, 0), daemon=True).start()


def compile_training(recipe: "Recipe") -> None:
    """Start to compile what a recipe's training needs in another process."""
    from retronet.engines.ahead import to_train
    from retronet.kernels.layers import backward
    from retronet.network import load_network
    from retronet_cli.compiling import leave_out_blas

    leave_out_blas()
    network = load_network(recipe.network)
    compile_ahead(backward, lambda: to_train(recipe, network))


def end_with(parent: int) -> None:
    """Have the kernel end this process when its parent ends, as by now it may have."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _compile(jobs: Callable[[], Sequence[Job]], parent: int) -> None:
    """Do the jobs, the last first, and end this process."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        end_with(parent)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nowhere, stream)
        for job in reversed(jobs()):
            job()
    finally:
        os._exit(0)
