"""`retronet rates`: the losses that the library finds, as JSON and in a table."""

from collections.abc import Callable

import msgspec
import pytest
from click.testing import Result
from support.printed import printed_json

from retronet.datasets import load
from retronet.network import load_network
from retronet.recipe import load_recipe
from retronet.training.rate_range import rate_range

Call = Callable[..., Result]
WORDS = ("rates", "--data", "digits5k", "--lots", 5, "--lot", 8, "--from", 1e-4, "--to", 1e-2)


@pytest.mark.usefixtures("compiled")
def test_the_points_are_the_librarys(call: Call) -> None:
    recipe = load_recipe("lecun1989")
    digits = load("digits5k", recipe.preparation)
    expected = list(rate_range(recipe, load_network(recipe.network), digits, 1e-4, 1e-2, 5, 8))
    printed = printed_json(call, *WORDS)

    assert (printed["schema"], printed["recipe"], printed["dataset"]) == (
        "retronet/rates/1",
        "lecun1989",
        "digits5k",
    )
    assert printed["points"] == msgspec.to_builtins(expected)
    assert len(expected) == 5


@pytest.mark.usefixtures("compiled")
def test_the_table_says_the_least_loss(call: Call, columns: int) -> None:
    points = printed_json(call, *WORDS)["points"]
    best = min(points, key=lambda point: point["loss"])
    result = call(*WORDS)

    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= columns
    said = f"Least loss {best['loss']:.4g} at rate {best['rate']:.2e}."
    assert said in " ".join(result.stdout.split())


@pytest.mark.parametrize("words", [("--from", 2, "--to", 1), ("--from", 0), ("--lots", 1), ("lecun198",)])
def test_rates_that_do_not_grow_are_wrong_usage(call: Call, words: tuple[object, ...]) -> None:
    result = call("rates", "--data", "digits5k", *words)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "Traceback" not in result.stderr
