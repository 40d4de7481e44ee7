"""The Python that a page's blocks run in, one after the other with the same names, as a notebook's cells.

A block is a line of JSON on standard input; so is what came of it, on standard output: 0 or 1, and what it
printed.
"""

import argparse
import contextlib
import io
import json
import os
import sys
import traceback
import warnings
from typing import Any


def run(code: str, names: dict[str, Any]) -> tuple[int, str]:
    """Run `code` with `names`; return 0, or 1 after an exception, and what was printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's own parts
        try:
            exec(compile(code, "<block>", "exec"), names)
        except Exception:
            traceback.print_exc(file=printed)
            return 1, printed.getvalue()
    return 0, printed.getvalue()


if __name__ == "__main__":
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what is printed past Python is no answer
    shared: dict[str, Any] = {"__name__": "__main__"}
    for line in sys.stdin:
        answers.write(json.dumps(run(json.loads(line), shared)) + "\n")
        answers.flush()
