"""Lines that vouch for themselves: a digest of each, and the order they were written in."""

from pathlib import Path

import pytest
from support.small_runs import begin, go_on, small_recipe

from retronet.errors import InputError
from retronet.runs.lines import stamped, unstamped
from retronet.runs.run import EPOCHS


def test_what_is_stamped_comes_back_and_nothing_else_does() -> None:
    line = stamped(b'{"pass":1}')
    assert line.startswith(b'{"pass":1,"sha256":"')
    assert line.endswith(b'"}\n')
    assert unstamped(line) == b'{"pass":1}'
    assert unstamped(b'{"pass":1}\n') is None
    for other in (line[:-1], line.replace(b"1", b"2", 1), stamped(b'{"pass":2}')[:-20] + line[-20:]):
        with pytest.raises(ValueError, match="its digest is that of another line"):
            unstamped(other)


def test_every_line_is_checked_against_its_pass_and_digest(tmp_path: Path) -> None:
    run = go_on(begin(tmp_path / "run", small_recipe()))
    lines = (run.folder / EPOCHS).read_bytes().splitlines(keepends=True)
    fourth = lines[3].replace(b'"pass":4', b'"pass":5')
    for damaged, said in (
        ([lines[0], lines[1], lines[1], lines[2], lines[2]], "its line 3 is that of pass 2"),
        ([lines[0], lines[2], lines[1], lines[3]], "its line 2 is that of pass 3"),
        ([*lines[:3], fourth], "its digest is that of another line"),
        ([*lines[:3], stamped(fourth.partition(b',"sha256"')[0] + b"}")], "its line 4 is that of pass 5"),
        ([*lines[:3], lines[3].partition(b',"sha256"')[0] + b"}\n"], "its line 4 has no digest"),
        (lines[:3], "it has 3 of 4 passes"),
    ):
        (run.folder / EPOCHS).write_bytes(b"".join(damaged))
        for read in (run.records, run.rewind):
            with pytest.raises(InputError, match=rf"epochs\.jsonl is damaged: {said}"):
                read()
        assert (run.folder / EPOCHS).read_bytes() == b"".join(damaged)


def test_no_bit_of_a_line_changes_unnoticed(tmp_path: Path) -> None:
    run = go_on(begin(tmp_path / "run", small_recipe()))
    whole = (run.folder / EPOCHS).read_bytes()
    for at in range(0, len(whole), 5):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        (run.folder / EPOCHS).write_bytes(damaged)
        with pytest.raises(InputError, match=r"epochs\.jsonl is damaged"):
            run.records()
