"""Whether what is compiled ahead is all that is compiled: told by the types for which loops have code."""

import subprocess
import sys

PRELUDE = """
import numpy as np

def loops():
    import gc
    from numba.core.dispatcher import Dispatcher
    return [each for each in gc.get_objects() if isinstance(each, Dispatcher)
            and each.py_func.__module__.partition(".")[0] in ("retronet", "hw_sim")]

def do(jobs):
    for job in reversed(jobs):
        job()

def code():
    return {(loop.py_func.__qualname__, str(types)) for loop in loops() for types in loop.overloads}
"""


def late(jobs: str, then: str) -> list[str]:
    """Return what a process of its own compiles or loads in `then` that the `jobs` before it had not."""
    program = f"{PRELUDE}\n{jobs}\nbefore = code()\n{then}\nprint(*sorted(n for n, _ in code() - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.split()
