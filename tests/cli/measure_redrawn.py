"""Print how many test digits of USPS a page of `retronet draw` misreads when they are drawn again.

    PYTHONPATH=tests python tests/cli/measure_redrawn.py PAGE

The digits are enlarged eight times, thresholded, and normalised again in the browser by the page's script.
"""

import argparse
import sys
from pathlib import Path

from support.browser import browser, opened
from support.redrawn import misread

from retronet.datasets import load
from retronet.evaluate import wilson_percent


def main(page_file: Path) -> None:
    digits = load("usps").test
    with browser() as started, opened(started, page_file.resolve().as_uri()) as page:
        wrong = misread(page, digits.images, digits.labels)
    count = len(digits.labels)
    for kind, misses in zip(("floating point", "integers"), wrong, strict=True):
        low, high = wilson_percent(misses, count)
        share = f"{100 * misses / count:.2f} %, 95 % interval {low:.2f}–{high:.2f}"
        sys.stdout.write(f"{kind}: {misses} of {count:,} redrawn digits misread, {share}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("page", type=Path, metavar="PAGE", help="what `retronet draw` wrote")
    main(parser.parse_args().page)
