"""Words in hex, archives without a date, folders that are left alone."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_sim.export.files import json_file, mem, npz, read_mem, signed_bits, span, write_files
from retronet.errors import InputError


@given(st.lists(st.integers(-(2**70), 2**70), min_size=1))
def test_words_come_back(words: list[int]) -> None:
    content = mem(words, span(words), "numbers")
    assert read_mem(content) == words
    assert content.startswith(f"// numbers: {len(words)} words of {span(words)} bits".encode())


@given(st.integers(-(2**40), 2**40), st.integers(0, 2**40))
def test_signed_bits_are_the_fewest(low: int, more: int) -> None:
    high, bits = low + more, signed_bits(low, low + more)
    assert -(1 << (bits - 1)) <= low
    assert high < 1 << (bits - 1)
    if bits > 1:
        assert low < -(1 << (bits - 2)) or high >= 1 << (bits - 2)


def test_archives_hold_no_date() -> None:
    arrays = {"a": np.arange(6).reshape(2, 3), "b.c": np.array(2.5)}
    content = npz(arrays)
    assert content == npz(arrays)
    back = np.load(io.BytesIO(content))
    assert all(
        np.array_equal(back[name], array) and back[name].dtype == array.dtype
        for name, array in arrays.items()
    )


def test_folders(tmp_path: Path) -> None:
    files = {"a.json": json_file({"b": 1}), "deep/c.mem": mem([1], 1, "one")}
    write_files(files, tmp_path / "new")
    assert (tmp_path / "new" / "deep" / "c.mem").read_bytes() == files["deep/c.mem"]
    with pytest.raises(InputError, match="is not empty"):
        write_files(files, tmp_path / "new")
    write_files(files, tmp_path / "new", force=True)
    with pytest.raises(InputError, match="it is a file"):
        write_files(files, tmp_path / "new" / "a.json")
