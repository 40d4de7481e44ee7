"""The schema of plans takes what the loader takes: whole plans, and files in short forms."""

import pytest
from jsonschema import Draft202012Validator
from support.small_network import NETWORK, plans_of_all_kinds

from hw_sim.plan.plan_file import parse_plan, plan_toml
from hw_sim.plan.plan_schema import plan_schema
from retronet.errors import InputError
from retronet.refusals import parse_toml

SCHEMA = Draft202012Validator(plan_schema())
BASE = 'input = "s8.6"\n[defaults]\nweight = "s8.7"\nstate = "s8.6"\n'
SHORT = [
    BASE,
    'input = "u8.8"\n[defaults]\nweight = "{-1,0,1}"\nstate = "s8.6"\nweight_scale = 0.5\n',
    f'{BASE}[[layers]]\nlayer = "{NETWORK.layers[0].name}"\naccumulator = "s18.13:TRN:WRAP"\n',
]
WRONG = [
    "input = 8\n",
    '[defaults]\nweight = "s8.7"\n',
    'input = "s8.6"\nnonesuch = 1\n',
    f'{BASE}layer = "h1"\nbias_at = "start"\nbits = 3\n',
    f'{BASE}bias_at = "middle"\n',
    f"{BASE}weight_scale = 0\n",
]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(plan_schema())


def test_plans_as_they_are_printed() -> None:
    for plan in plans_of_all_kinds(NETWORK):
        SCHEMA.validate(parse_toml(plan_toml(plan)))


@pytest.mark.parametrize("text", SHORT)
def test_short_forms(text: str) -> None:
    assert parse_plan(text, NETWORK)
    SCHEMA.validate(parse_toml(text))


@pytest.mark.parametrize("text", WRONG)
def test_what_the_loader_refuses(text: str) -> None:
    with pytest.raises(InputError):
        parse_plan(text, NETWORK)
    assert not SCHEMA.is_valid(parse_toml(text))
