"""Private chips: files of the package with other names, sizes and figures."""

import re
from pathlib import Path

from hw_sim.chips.load import FOLDER


def chip_text(name: str) -> str:
    """Return the file of a chip of the package."""
    (path,) = (*FOLDER.glob(f"{name}.toml"), *FOLDER.glob(f"*/{name}.toml"))
    return path.read_text(encoding="utf-8")


def like(folder: Path, name: str, called: str = "mine", **sizes: float) -> Path:
    """Write a file as that of the chip `name`, with another name and other `sizes` of its engine."""
    text = re.sub(r'^name = ".*"', f'name = "{called}"', chip_text(name), count=1, flags=re.M)
    for key, value in sizes.items():
        text, count = re.subn(
            rf"^{key} = {{ value = [^,]+,", f"{key} = {{ value = {value},", text, flags=re.M
        )
        assert count == 1, key
    path = folder / f"{called}.toml"
    path.write_text(text, encoding="utf-8")
    return path


PROCESSOR = """
name = "mine"
title = "A private chip"
year = 2026
source = "nowhere"

[engine]
kind = "processor"
cycle_s = { value = 1e-6, source = "a data sheet" }
cycles_per_mac = { value = 2, assumed = true, reason = "a guess" }
cycles_per_unit = { value = 0, assumed = true, reason = "a guess" }
"""


def write(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)
