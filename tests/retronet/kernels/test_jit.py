"""What is compiled without a way in from Python is not called from there: that would end the process."""

import ast
from pathlib import Path

import hw_sim
import retronet
import retronet_cli

PACKAGES = [Path(package.__file__).parent for package in (retronet, hw_sim, retronet_cli)]


def without_way_in(tree: ast.Module) -> set[str]:
    """Return the functions of a module of kernels that no wrapper was compiled for."""
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for mark in node.decorator_list
        if isinstance(mark, ast.Call)
        and (
            ast.unparse(mark.func) == "part"
            or any(keyword.arg == "no_cpython_wrapper" for keyword in mark.keywords)
        )
    }


def called(tree: ast.Module) -> set[str]:
    """Return the functions of kernels that a module imports and calls."""
    nodes = list(ast.walk(tree))
    imported = {
        name.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and ".kernels" in (node.module or "")
        for name in node.names
    }
    return imported & {
        ast.unparse(node.func).rpartition(".")[2] for node in nodes if isinstance(node, ast.Call)
    }


def test_parts_are_called_by_kernels_alone() -> None:
    trees = {path: ast.parse(path.read_text()) for folder in PACKAGES for path in folder.rglob("*.py")}
    kernels = {path for path in trees if path.parent.name == "kernels"}
    parts = set().union(*(without_way_in(trees[path]) for path in kernels))
    assert {"forward", "gather", "mean_gradient", "matching"} <= parts
    wrong = {path.name: called(tree) & parts for path, tree in trees.items() if path not in kernels}
    assert {name: names for name, names in wrong.items() if names} == {}
