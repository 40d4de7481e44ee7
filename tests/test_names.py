"""No public name of the hardware package stands for two things: each class and function is defined once."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.mark.parametrize("package", ["hw_sim"])
def test_every_class_and_function_has_a_name_of_its_own(package: str) -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for path in sorted((REPOSITORY / package).rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(str(path.relative_to(REPOSITORY)))
    assert len(homes) > 100
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}
