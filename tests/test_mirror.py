"""The tests mirror the packages: each module has a file of its name, or its folder's README says why not."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
REPOSITORY = TESTS.parent
ROOTS = {"retronet": "retronet", "hw_sim": "hw_sim", "cli/retronet_cli": "cli"}
LINES = 300


def modules() -> list[tuple[Path, Path]]:
    """Return every module of the packages and the folder where its tests belong."""
    return [
        (path, TESTS / mirror / path.relative_to(REPOSITORY / root).parent)
        for root, mirror in ROOTS.items()
        for path in sorted((REPOSITORY / root).rglob("*.py"))
        if path.name not in ("__init__.py", "__main__.py")
    ]


def excused(folder: Path) -> set[str]:
    """Return the modules of which the README of `folder` says where they are tested."""
    readme = folder / "README.md"
    return set(re.findall(r"`(\w+\.py)`", readme.read_text(encoding="utf-8"))) if readme.exists() else set()


@pytest.mark.parametrize("folder", sorted({folder for _, folder in modules()}), ids=str)
def test_every_module_has_a_test_file_of_its_name_or_a_reason(folder: Path) -> None:
    names = {path.name for path, where in modules() if where == folder}
    tested = {path.name.removeprefix("test_") for path in folder.glob("test_*.py")}
    assert sorted(names - tested - excused(folder)) == []
    assert sorted(excused(folder) & tested) == [], "has its file: the README need not excuse it"


def test_no_test_file_is_long() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in TESTS.rglob("*.py")}
    assert {str(path): length for path, length in lengths.items() if length > LINES} == {}
