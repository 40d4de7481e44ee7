"""Print how many test digits of USPS a page of `retronet draw` reads right when they are drawn again.

    PYTHONPATH=tests python tests/cli/measure_redrawn.py PAGE

The digits are enlarged eight times, thresholded, and normalised again in the browser by the page's script.
"""

import sys
from pathlib import Path

from support.browser import browser, opened
from support.redrawn import redrawn

from retronet.datasets import load


def main(page_file: Path) -> None:
    digits = load("usps").test
    with browser() as started, opened(started, page_file.resolve().as_uri()) as page:
        real, whole = redrawn(page, digits.images, digits.labels)
    shares = f"{100 * real:.2f} % read right in floating point, {100 * whole:.2f} % on integers"
    sys.stdout.write(f"{len(digits.labels):,} digits redrawn: {shares}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
