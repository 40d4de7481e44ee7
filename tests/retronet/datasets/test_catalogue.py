"""Digits by name: what auto is, names that are none, and what is not loaded for it."""

import subprocess
import sys
from pathlib import Path

import pytest

from retronet.datasets import load
from retronet.errors import InputError


def test_auto_is_usps_where_it_is_here(data_dir: Path) -> None:
    digits = load("auto", data_dir=data_dir)

    assert digits.train.provenance.name == "usps"
    assert digits.notice is None


def test_auto_falls_back_with_a_notice_and_records_it(tmp_path: Path) -> None:
    digits = load("auto", data_dir=tmp_path)

    assert digits.notice is not None
    assert "embedded sample of 5,000 MNIST digits instead of USPS" in digits.notice
    assert "not comparable with the paper" in digits.notice
    assert "\n" not in digits.notice
    assert digits.test.provenance.name == "digits5k"


def test_auto_says_what_is_wrong_with_the_usps_that_is_here(tmp_path: Path) -> None:
    (tmp_path / "usps").mkdir()
    (tmp_path / "usps" / "zip.train").write_text("1 2 3")

    digits = load("auto", data_dir=tmp_path)

    assert digits.notice is not None
    assert "zip.train can not be used: it has 3 numbers" in digits.notice


def test_unknown_names_are_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"no data set 'usp'\. Did you mean 'usps'"):
        load("usp")


def test_import_loads_neither_torch_nor_numba() -> None:
    code = (
        "import sys, retronet.datasets as d; d.load('digits5k');"
        "sys.exit(any(name in sys.modules for name in ('torch', 'numba', 'pooch', 'requests')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
