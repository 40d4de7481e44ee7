"""Set the figures of two runs side by side.

    python benchmarks/compare_figures.py before.json after.json

The files are what ``pytest benchmarks --figures FILE`` writes. Figures in "_per_s" are also divided by the
core's limit of their own run, which is what stays when the machine has other work.
"""

import argparse
import json
from pathlib import Path

LIMIT = "limit_multiply_adds_per_s"


def rows(before: dict[str, float], after: dict[str, float]) -> list[tuple[str, float, float, float, float]]:
    """Return name, both figures, their ratio, and the ratio with both limits divided out."""
    limits = after.get(LIMIT, 1.0) / before.get(LIMIT, 1.0)
    found = []
    for name in sorted(before.keys() & after.keys()):
        ratio = after[name] / before[name]
        found.append(
            (name, before[name], after[name], ratio, ratio / limits if name.endswith("_per_s") else ratio)
        )
    return found


def main() -> None:
    """Print a line a figure that both files have."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before", type=Path, help="figures of the first run")
    parser.add_argument("after", type=Path, help="figures of the second run")
    files = parser.parse_args()
    before, after = (json.loads(file.read_text())["figures"] for file in (files.before, files.after))
    print(f"{'':58}{'before':>16}{'after':>16}{'ratio':>8}{'of limit':>10}")  # noqa: T201
    for name, old, new, ratio, fair in rows(before, after):
        print(f"{name:58}{old:16,.1f}{new:16,.1f}{ratio:8.2f}{fair:10.2f}")  # noqa: T201


if __name__ == "__main__":
    main()
