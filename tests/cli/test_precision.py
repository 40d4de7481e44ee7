"""The options of precision as rules, and as one typed record."""

from typing import Any

import click
import msgspec
import pytest
from click.testing import CliRunner

from hw_sim.formats.modes import Rounding
from hw_sim.plan.rules import SumRule, TensorRule
from retronet_cli.precision import Choices, precision_options, rules_of


@pytest.mark.parametrize(
    ("options", "weights", "states", "sums"),
    [
        ({}, "power-of-two", "power-of-two", "exact"),
        ({"bits": 5}, "power-of-two", "power-of-two", "exact"),
        (
            {"weight_bits": 6, "state_bits": 3, "scale": "mse/map"},
            "6 bits, mse/map", "3 bits, mse", "exact",
        ),
        ({"weight_format": "p3.0"}, "p3.0, mse", "power-of-two", "exact"),
        (
            {"weight_format": "{-1,0,1}", "scale": "threshold:0.7", "state_bits": 8},
            "{-1,0,1}, threshold:0.7", "8 bits, power-of-two", "exact",
        ),
        (
            {"state_format": "s4.2", "rounding": "TRN", "state_scale": "max-abs", "accumulator_bits": 16},
            "power-of-two, TRN", "s4.2, max-abs", "16 bits, TRN",
        ),
        (
            {"rounding": "STOCHASTIC", "accumulator_bits": 16, "accumulator_overflow": "SAT"},
            "power-of-two, STOCHASTIC", "power-of-two, RND", "16 bits, RND, SAT",
        ),
        (
            {"accumulator": "s18.10:TRN:WRAP", "rounding": "RND_CONV"},
            "power-of-two, RND_CONV", "power-of-two, RND_CONV", "s18.10:TRN:WRAP",
        ),
    ],
)  # fmt: skip
def test_options_are_rules(options: dict[str, Any], weights: str, states: str, sums: str) -> None:
    found = rules_of(msgspec.convert(options, Choices))

    assert tuple(rule.text for rule in found) == (weights, states, sums)
    assert found == (TensorRule.parse(weights), TensorRule.parse(states), SumRule.parse(sums))


def test_there_is_an_option_for_every_field_and_the_command_takes_one_record() -> None:
    @click.command()
    @precision_options
    def command(choices: Choices) -> None:
        click.echo(choices.given)

    result = CliRunner().invoke(command, ["--bits", "5", "--accumulator-overflow", "Sat"])

    assert [parameter.name for parameter in command.params] == list(Choices.__struct_fields__)
    assert result.stdout == "['bits', 'accumulator-overflow']\n"


def test_the_rounding_modes_on_offer_are_those_of_the_formats() -> None:
    option = next(option for option in _options() if option.name == "rounding")
    assert isinstance(option.type, click.Choice)
    assert list(option.type.choices) == list(Rounding)


def _options() -> list[click.Parameter]:
    return click.command()(precision_options(lambda choices: choices)).params
