"""Plans from files."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from support.small_network import NETWORK

import hw_sim
from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import Levels, parse_format
from hw_sim.formats.modes import Overflow, Rounding
from hw_sim.plan.activations import Converter, PiecewiseLinear, Table
from hw_sim.plan.plan import ONE, Accumulator, LayerPlan, PrecisionPlan
from hw_sim.plan.plan_file import parse_plan
from retronet.errors import InputError
from retronet.network import Tanh

HLS4ML = """
input = "s8.7:TRN:WRAP"

[defaults]
weight = "s8.6:TRN:WRAP"
state = "s8.7:TRN:WRAP"
accumulator = "s18.10:TRN:WRAP"
preactivation = "s18.10:TRN:WRAP"
bias_at = "end"
activation = { kind = "table" }

[[layers]]
layer = "d"
accumulator = { form = "s20.12:RND:SAT", product = "s18.10" }
weight_scale = 0.5
"""


def test_a_file_says_every_format_and_the_network_the_rest() -> None:
    plan = parse_plan(HLS4ML, NETWORK)
    assert [layer.layer for layer in plan.layers] == ["a", "b", "c", "d"]
    assert plan.layers[0].activation == Table(Tanh(1.7159, 2 / 3))
    assert plan.layers[1].activation == Table(Tanh())  # not a tanh in the network: hls4ml's own
    assert plan.layers[0].bias == Fixed.parse("s18.10:TRN:WRAP")
    assert plan.layers[3].accumulator == Accumulator(Fixed.parse("s20.12"), product=Fixed.parse("s18.10"))
    assert (plan.layers[3].weight_scale, plan.layers[2].weight_scale) == ((0.5,), ONE)


def test_a_bias_has_the_step_of_a_product_if_nothing_is_said() -> None:
    plan = parse_plan('input = "s6.4"\n[defaults]\nweight = "{-15:15:2}.3"\nstate = "p3.0"', NETWORK)
    assert [layer.bias for layer in plan.layers] == [Fixed(32, 7), *[Fixed(32, 10)] * 3]


def test_what_is_written_is_read_back() -> None:
    layer = LayerPlan(
        "a", Levels((-5, 0, 1)), Fixed(9, 3), parse_format("p2.0z"),
        PiecewiseLinear(((-1.0, -0.5), (0.125, 0.5))), Accumulator(Fixed(12, 3), fused=True),
        Fixed(7, 2, overflow=Overflow.SAT_SYM), "end", (0.1, 0.2, 1e-9), (0.3,), 1 / 3, "double", 0.07,
    )  # fmt: skip
    others = [
        replace(layer, layer="b", activation=Converter(0.5), weight_scale=ONE),
        replace(layer, layer="c", activation=Table(Tanh(1.5), entry=Fixed(9, 7), index=Rounding.RND)),
        LayerPlan("d", Fixed(8, 6), Fixed(8, 6), Fixed(8, 6), Tanh()),
    ]
    plan = PrecisionPlan(Fixed(8, -2, signed=False), (layer, *others), "plane_slowest", 0.7, 12)
    assert parse_plan(hw_sim.plan_toml(plan), NETWORK) == plan


GIVEN = "input = 's8.6'\n[defaults]\nweight = 's8.6'\nstate = 's8.6'\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("input = 's8'", "'s8' is not a number format"),
        ("input = 's8.6'", r"missing required field `weight` - at `\$.layers\[0\]`"),
        ("input = 's8.6'\nfoo = 1\n[defaults]\nweight = 's8.6'\nstate = 's8.6'", "unknown field `foo`"),
        ("input = 's8.6'\n[[layers]]\nlayer = 'x'", "its layer 'x' is unknown or listed twice"),
        (
            "input = 's8.6'\n[[layers]]\nlayer = 'a'\n[[layers]]\nlayer = 'a'",
            "'a' is unknown or listed twice",
        ),
        ("input = 's0.0'", "0 does not stand for 'exact'"),
        ("input = ", "Invalid value"),
        ("input = 5", r'at `\$\.input`: found 5, a format as text, such as "s8\.6"'),
        ("layers = 5", r"Expected `array`, got `int` - at `\$\.layers`; found 5, allowed is a list"),
        ("layers = [5]", r"\$\.layers\[0\]`; found 5, allowed is a table"),
        ("defaults = 3", r"\$\.defaults`; found 3, allowed is a table"),
        (f"{GIVEN}accumulator = 5", r"\$\.defaults\.accumulator`; found 5"),
        (f"{GIVEN}accumulator = {{ form = 's99.1' }}", r"\$\.defaults\.accumulator\.form`: .* 99 bits"),
        (f"{GIVEN}weight_scale = inf", r"\$\.defaults\.weight_scale\[0\]`; found inf"),
        (f"{GIVEN}weight_scale = true", r"\$\.defaults\.weight_scale`; found true"),
        (f"{GIVEN}[[layers]]\nlayer = 'c'\nstate_scale = nan", r"\$\.layers\[0\]\.state_scale`; found nan"),
        (
            f"{GIVEN}[[layers]]\nlayer = 'c'\nstate = 's8'",
            r"at `\$\.layers\[0\]\.state`: 's8' is not a number",
        ),
        (f"{GIVEN}[[layers]]\nlayer = ['c']", r"its layer a list of 1 is unknown.*has a, b, c, d"),
        (
            f"{GIVEN}activation = {{ kind = 'tabel' }}",
            "'converter' or 'hard_tanh' or 'identity' or 'piecewise-linear' or 'relu'",
        ),
        (f"{GIVEN}activation = {{ kind = 'table', limit = inf }}", r"activation\.limit`; found inf"),
        (f"input_scale = inf\n{GIVEN}", r"\$\.input_scale`; found inf, allowed is a number from 1e-30 to"),
        (f"seed = {2**64}\n{GIVEN}", r"\$\.seed`; found 18446744073709551616"),
        (
            "input = '{0:4000000000:1}'",
            r"\$\.input`: The levels \[0, 1, 2, 3, 4, 5, 6, 7, …\] .* 2 to 65,536",
        ),
        (f"input = 's{'9' * 5000}.1'", r"\$\.input`: 's9+' is not a number format"),
        ("input = " + "[" * 3000, "it nests lists or tables too deep"),
    ],
)
def test_files_that_can_not_be_used_say_why(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        hw_sim.load_plan(path, NETWORK)
    assert str(caught.value).startswith(f"The plan {path} can not be used: ")
    assert str(caught.value).endswith("Mend it and try again.")
    assert str(caught.value).isprintable()


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(InputError, match=r"There is no plan file 'none.toml'"):
        hw_sim.load_plan(Path("none.toml"), NETWORK)
