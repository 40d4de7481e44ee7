"""No public name stands for two things: each class and function has one home in its package, twins aside."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
TWINS = {
    "retronet": (
        # One set of operations, as instructions and in plain Python: `retronet.kernels.vectors` takes either.
        {f"retronet/kernels/{name}.py" for name in ("addresses", "compiled", "fours", "interpreted")},
        # The same functions, of a number and of an array.
        {"retronet/elementary.py", "retronet/kernels/elementary.py"},
        # What every source of digits has; `retronet.datasets.catalogue` calls it.
        {f"retronet/datasets/{name}.py" for name in ("digits5k", "mnist", "mnist10k", "mnist1989", "usps")},
    ),
    "cli/retronet_cli": (
        # Where the program begins, and the command line that it then imports.
        {"cli/retronet_cli/main.py", "cli/retronet_cli/start.py"},
        # What every chip's report has, called by its module.
        {f"cli/retronet_cli/views/{name}.py" for name in ("analog", "anna", "emulation", "graf", "net32k")},
    ),
    "hw_sim": (),
}
APART = 60
"""Names that a package has at least, so that an empty list is not taken for a clean one."""


def homes(package: str) -> dict[str, set[str]]:
    """Return where each public class and function of `package` is defined."""
    places: dict[str, set[str]] = defaultdict(set)
    for path in sorted((REPOSITORY / package).rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].add(str(path.relative_to(REPOSITORY)))
    return places


@pytest.mark.parametrize("package", sorted(TWINS))
def test_every_class_and_function_has_a_name_of_its_own(package: str) -> None:
    places = homes(package)
    assert len(places) > APART
    twice = {name: where for name, where in places.items() if len(where) > 1}
    assert {
        name: where for name, where in twice.items() if not any(where <= twins for twins in TWINS[package])
    } == {}


def test_no_name_stands_for_one_thing_in_training_and_another_in_hardware() -> None:
    both = homes("retronet").keys() & homes("hw_sim").keys()
    assert both == set()
