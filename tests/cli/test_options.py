"""Options that several commands have: lists of numbers, and options taken as one record."""

from pathlib import Path

import click
import msgspec
import pytest
from click.testing import CliRunner

from retronet_cli.options import NEW_FILE, Numbers, as_record


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [("3", (3,)), ("0-4", (0, 1, 2, 3, 4)), ("5,1,3", (5, 1, 3)), ("2-4,8,3", (2, 3, 4, 8)), ("7-7", (7,))],
)
def test_numbers_as_they_are_written(typed: str, numbers: tuple[int, ...]) -> None:
    assert Numbers(0, 9).convert(typed, None, None) == numbers
    assert Numbers(0, 9).convert(numbers, None, None) == numbers


@pytest.mark.parametrize("typed", ["", "x", "4-2", "1-", "-1", "1,,2", "0-10", "10", "1.5"])
def test_what_is_no_list_of_numbers_in_range_is_refused(typed: str) -> None:
    with pytest.raises(click.BadParameter):
        Numbers(0, 9).convert(typed, None, None)


def test_a_new_file_goes_into_a_folder_that_is_there(tmp_path: Path) -> None:
    assert NEW_FILE.convert(str(tmp_path / "a.toml"), None, None) == tmp_path / "a.toml"
    assert NEW_FILE.convert("a.toml", None, None) == Path("a.toml")
    with pytest.raises(click.BadParameter, match=f"there is no folder {tmp_path / 'no'}. Make it"):
        NEW_FILE.convert(str(tmp_path / "no" / "a.toml"), None, None)


class Both(msgspec.Struct):
    """Two options."""

    first: int
    second: str


def test_options_come_as_one_record_in_their_order() -> None:
    options = [click.option("--first", type=int, default=1), click.option("--second", default="two")]

    @click.command()
    @as_record(Both, "both", options)
    @click.option("--other", default="o")
    def command(both: Both, other: str) -> None:
        click.echo(f"{both} {other}")

    printed = CliRunner().invoke(command, ["--second", "2", "--other", "p"]).stdout
    assert printed == "Both(first=1, second='2') p\n"
    helped = CliRunner().invoke(command, ["--help"]).stdout
    assert helped.index("--first") < helped.index("--second")
