"""No function takes more than eight parameters, no kernel more than twelve; commands are left out."""

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


def too_many(source: str, most: int) -> dict[str, int]:
    """Return how many parameters each function takes that takes more than `most` and is no command."""
    counts = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            command = any(".command(" in f"{ast.unparse(row)}(" for row in node.decorator_list)
            arguments = node.args
            count = len(arguments.posonlyargs) + len(arguments.args) + len(arguments.kwonlyargs)
            count += (arguments.vararg is not None) + (arguments.kwarg is not None)
            if count > most and not command:
                counts[node.name] = count
    return counts


@pytest.mark.parametrize("package", ["retronet", "hw_sim", "cli"])
def test_functions_take_few_parameters(package: str) -> None:
    paths = sorted((REPOSITORY / package).rglob("*.py"))
    assert len(paths) > 10
    counts: dict[str, int] = {}
    for path in paths:
        counts |= too_many(path.read_text(encoding="utf-8"), 12 if "kernels" in path.parts else 8)
    assert counts == {}


def test_a_ninth_parameter_is_seen_but_in_a_command() -> None:
    source = "def work(a, b, c, d, e, f, g, h, *, i): ..."
    assert too_many(source, 8) == {"work": 9}
    assert too_many(source, 9) == {}
    assert too_many(f"@click.command()\n{source}", 8) == {}
