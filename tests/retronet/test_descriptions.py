"""Descriptions by name and by path."""

from pathlib import Path

import msgspec
import pytest

from retronet.descriptions import decode_toml, find, names_in
from retronet.errors import InputError


class Thing(msgspec.Struct, forbid_unknown_fields=True):
    """A description of nothing."""

    size: int


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path in ("plain.toml", "room/roomy.toml", "room/deep/hidden.toml"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("size = 1", encoding="utf-8")
    return tmp_path


def test_names_are_those_in_the_folder_and_in_its_rooms(folder: Path) -> None:
    assert names_in(folder) == ["plain", "roomy"]
    assert find("thing", "roomy", folder) == folder / "room" / "roomy.toml"


def test_a_path_needs_no_folder(folder: Path) -> None:
    path = folder / "room" / "deep" / "hidden.toml"
    assert decode_toml(find("thing", str(path), folder), Thing) == Thing(1)


def test_the_nearest_name_is_suggested(folder: Path) -> None:
    with pytest.raises(InputError, match=r"no thing 'plane'.*Did you mean 'plain'"):
        find("thing", "plane", folder)
    with pytest.raises(InputError, match=r"no thing file 'nowhere\.toml'"):
        find("thing", "nowhere.toml", folder)
