"""What is said of a value that a description can not have: where it stands, what it is, what is allowed."""

import math
from pathlib import Path

import pytest
from support.random_networks import random_network

from retronet.errors import InputError
from retronet.network import (
    MOST_UNITS,
    Conv,
    Dense,
    Layer,
    NetworkSpec,
    Rbf,
    Tanh,
    load_network,
    parameter_shapes,
    sized_layers,
)
from retronet.recipe import load_recipe, override
from retronet.refusals import as_kind, parse_toml, shown

NETWORK = """
name = "mine"
title = "Mine"
input = [1, 16, 16]
[[layers]]
kind = "conv"
name = "h1"
maps = 2
kernel = 3
activation = { kind = "tanh", amplitude = 1.5 }
[[layers]]
kind = "dense"
name = "output"
units = 10
activation = { kind = "tanh" }
"""


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            "units = 10",
            "units = 0",
            r"at `\$\.layers\[1\]\.units`; found 0, allowed is a whole number from 1",
        ),
        ("units = 10", f"units = {2**64}", rf"found {2**64}, allowed is .* to 2,147,483,647"),
        ("units = 10", f"units = {10**400}", r"layers\[1\]\.units`; found a whole number of 1,329 bits"),
        ("units = 10", "units = " + "9" * 5000, "a number of thousands of digits"),
        ("units = 10", "units = 2000000000", "Layer 'output' of network 'mine' is too large: 2,000,000,000"),
        ("maps = 2", "maps = 60000\npad = 10", "60,000 planes of 34×34; at most 65,536 planes and 8,388,608"),
        (
            "[1, 16, 16]",
            "[1, 60000, 60000]",
            "input of network 'mine' is too large: 1 planes of 60,000×60,000",
        ),
        ("1.5", "inf", r"layers\[0\]\.activation\.amplitude`; found inf, allowed is a number from -3\.4e"),
        ("1.5", "nan", r"layers\[0\]\.activation\.amplitude`; found nan"),
        ("1.5", "1.5, slope = -inf", r"layers\[0\]\.activation\.slope`; found -inf"),
        (
            '"conv"',
            '"konv"',
            "Invalid value 'konv'.*'average_pool' or 'conv' or 'dense' or 'max_pool' or 'rbf' or 'subsample'",
        ),
        (
            '{ kind = "tanh" }',
            '{ kind = "relu6" }',
            "Invalid value 'relu6'.*'hard_tanh' or 'identity' or 'relu' or 'sigmoid' or 'tanh'",
        ),
        (
            '{ kind = "tanh" }',
            '"tanh"',
            r"layers\[1\]\.activation`; found 'tanh', allowed is a table with kind",
        ),
        ('{ kind = "tanh" }', "[[[]]]", r"layers\[1\]\.activation`; found a list of 1, allowed is a table"),
        ("kernel = 3", "kernel = 3\nbias = 'plane'", r"layers\[0\]\.bias`; allowed is one of map, unit"),
        (
            "kernel = 3",
            "kernel = 3\nsees = [[0], ['a']]",
            r"layers\[0\]\.sees\[1\]\[0\]`; found 'a', allowed",
        ),
        (
            "kernel = 3",
            "kernel = 3\ncolour = 3",
            r"unknown field `colour`.*allowed are kind, name, maps, kernel",
        ),
        ("kernel = 3", "", r"missing required field `kernel`.*a whole number from 1 to .* is needed"),
        (
            "[1, 16, 16]",
            "[1, 16]",
            r"\$\.input`; found a list of 2, allowed is a list of 3, each a whole number",
        ),
        ("[1, 16, 16]", "1979-05-27", r"\$\.input`; found 1979-05-27"),
        ("[1, 16, 16]", "[" * 5000, "it nests lists or tables too deep"),
        ("[1, 16, 16]", "{ a = " * 5000, "it nests lists or tables too deep"),
        ('"Mine"', '"Mine"\n' + "a." * 30000 + "a = 1", "a key of more than 50 parts"),
        ('"Mine"', '"Mine"\n# ' + "x" * (1 << 20), "at most 1,048,576 are allowed"),
        ('"Mine"', '"Mine', "it is not TOML: .*line 3"),
        ('"mine"', '"../mine"', r"\$\.name`; found '\.\./mine'"),
        ('"h1"', '"h1\\n"', r"layers\[0\]\.name`; found 'h1\\n'"),
        (
            'kind = "dense"',
            'kind = "rbf"\nname = "x"\ncodes = [["#"]]\n[[layers]]\nkind = "dense"',
            "rbf layer may only",
        ),
    ],
)
def test_a_refusal_names_file_place_value_and_what_is_allowed(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(NETWORK, encoding="utf-8")
    assert len(load_network(str(path)).layers) == 2
    assert before in NETWORK
    if "rbf" in after:  # a layer whose codes fit
        after = after.replace('["#"]', f'["{"#" * 392}"]')

    path.write_text(NETWORK.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(InputError, match=said) as caught:
        load_network(str(path))

    text = str(caught.value)
    assert text.startswith(f"The file {path} can not be used: ")
    assert text.endswith("Mend it and try again.")
    assert text.isprintable()


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ((Dense("a", 1 << 14, Tanh()), Dense("b", 1 << 14, Tanh())), "'b' .* 272,629,760 weights up to here"),
        ((Conv("a", 1, 1000, Tanh(), pad=1400),), "units of a map read [0-9,]+ inputs together"),
        ((Conv("a", 1 << 16, 1, Tanh()),), f"at most 65,536 planes and {MOST_UNITS:,} units"),
    ],
)
def test_products_of_sizes_are_bounded_before_anything_is_counted(
    layers: tuple[Layer, ...], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        sized_layers(NetworkSpec("n", "", (1, 16, 16), layers))


def test_weights_are_bounded_as_their_arrays_are_shaped(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(20):
        network = random_network(seed)
        weights = 0
        for name, shape in parameter_shapes(network).items():
            weights += math.prod(shape) if name.endswith(".weight") else 0
        for layer in network.layers:
            weights += sum(len(row) for code in layer.codes for row in code) if isinstance(layer, Rbf) else 0
        with monkeypatch.context() as patch:
            patch.setattr("retronet.network.MOST_WEIGHTS", weights)
            sized_layers(network)
            patch.setattr("retronet.network.MOST_WEIGHTS", weights - 1)
            with pytest.raises(InputError, match=f"{weights:,} weights up to here"):
                sized_layers(network)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("seed", 2**64, r"\$\.seed`; found 18446744073709551616"),
        ("rule", {"kind": "sdlm"}, "'adam' or 'adamw' or 'sdlm-batch' or 'sdlm-running' or 'sgd'"),
        ("rule", [["sgd"]], r"\$\.rule`; found a list of 1, allowed is a table with kind"),
        ("targets", {"on": float("inf")}, r"\$\.targets\.on`; found inf"),
        (
            "schedule",
            {"kind": "steps", "rates": [[2**63, 0.1]]},
            r"\$\.schedule\.rates\[0\]\[0\]`; found 9223",
        ),
        ("holdout", {"digits": 5, "seed": 2**40}, r"\$\.holdout\.seed`; found 1099511627776"),
        (
            "order",
            "a" * 9000,
            r"Invalid enum value 'a{59}…' - at `\$\.order`; allowed is one of file, shuffled",
        ),
    ],
)
def test_a_changed_recipe_is_held_to_the_same(path: str, value: object, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        override(load_recipe("lecun1989"), {path: value})
    assert str(caught.value).endswith("Give an allowed value.")


def test_windows_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xef\xbb\xbf" + NETWORK.replace("\n", "\r\n").encode())
    assert load_network(str(path)).name == "mine"


def test_other_encodings_are_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(NETWORK.encode("utf-16"))
    with pytest.raises(InputError, match="it is not UTF-8: byte 1 is 0xff"):
        load_network(str(path))


@pytest.mark.parametrize("name", ["a" * 5000, "a" * 5000 + ".toml", "x\0y.toml", "x\0y"])
def test_impossible_names_of_files_are_unknown_names(name: str) -> None:
    with pytest.raises(InputError, match=r"There is no network"):
        load_network(name)


def test_long_and_odd_values_are_shown_briefly() -> None:
    assert shown("x" * 100) == repr("x" * 59 + "…")
    assert shown({"kind": "odd"}) == "a table of kind 'odd'"
    assert shown([1, 2]) == "a list of 2"
    assert shown(True) == "true"
    with pytest.raises(InputError, match=r"Expected `array`, got `int` - at `\$`; found 5"):
        as_kind(5, list[int])
    assert parse_toml("a = 1") == {"a": 1}
