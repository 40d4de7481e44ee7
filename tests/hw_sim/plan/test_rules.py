"""Rules and their texts: each gives the other back, and what is no rule is refused with what is allowed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import Levels, PowerOfTwo
from hw_sim.formats.modes import Overflow, Rounding
from hw_sim.formats.scales import ScaleRule
from hw_sim.plan.plan import Accumulator
from hw_sim.plan.rules import SumRule, TensorRule
from retronet.errors import InputError

fixed = st.builds(
    Fixed,
    bits=st.integers(1, 32),
    frac_bits=st.integers(-40, 70),
    signed=st.booleans(),
    rounding=st.sampled_from(Rounding),
    overflow=st.sampled_from(Overflow),
)
level_sets = st.builds(
    Levels,
    levels=st.sets(st.integers(-300, 300), min_size=2, max_size=9).map(lambda found: tuple(sorted(found))),
    frac_bits=st.integers(0, 12),
)
powers = st.builds(PowerOfTwo, exponent_bits=st.integers(1, 4), top=st.integers(-20, 20), zero=st.booleans())
shares = st.floats(1e-3, 100, exclude_min=True)
scales = st.one_of(
    st.builds(ScaleRule, st.sampled_from(["power-of-two", "max-abs", "mse"]), per_map=st.booleans()),
    st.builds(ScaleRule, st.sampled_from(["percentile", "threshold"]), shares, per_map=st.booleans()),
)
bits = st.integers(1, 32)
roundings, overflows = st.sampled_from(Rounding), st.sampled_from(Overflow)
tensor_rules = st.one_of(
    st.builds(
        TensorRule, bits | st.none(), st.none(), scales | st.none(), roundings | st.none(),
        overflows | st.none(),
    ),
    st.builds(
        TensorRule, st.none(), fixed | level_sets | powers, scales | st.none(), roundings | st.none(),
        overflows | st.none(),
    ),
)  # fmt: skip
sum_rules = st.one_of(
    st.just(SumRule()),
    st.builds(SumRule, bits, st.none(), roundings | st.none(), overflows | st.none(), st.booleans()),
    st.builds(SumRule, bits, st.none(), roundings | st.none(), product=fixed),
    st.builds(SumRule, form=fixed, fused=st.booleans()),
    st.builds(SumRule, form=fixed, product=fixed),
)


@given(tensor_rules)
def test_the_text_gives_the_rule_of_a_tensor_back(rule: TensorRule) -> None:
    assert TensorRule.parse(rule.text) == rule


@given(sum_rules)
def test_the_text_gives_the_rule_of_sums_back(rule: SumRule) -> None:
    assert SumRule.parse(rule.text) == rule


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("default", TensorRule()),
        ("6 bits, mse/map", TensorRule(6, scale=ScaleRule("mse", per_map=True))),
        ("mse/map,6 bit", TensorRule(6, scale=ScaleRule("mse", per_map=True))),
        ("s4.2", TensorRule(form=Fixed(4, 2))),
        ("{-1,0,1}, threshold:0.7", TensorRule(form=Levels((-1, 0, 1)), scale=ScaleRule("threshold", 0.7))),
        ("{-7:7:2}.2", TensorRule(form=Levels(tuple(range(-7, 8, 2)), 2))),
        ("4 bits, trn, wrap", TensorRule(4, rounding=Rounding.TRN, overflow=Overflow.WRAP)),
    ],
)
def test_rules_of_tensors_are_read_as_written(text: str, rule: TensorRule) -> None:
    assert TensorRule.parse(text) == rule


@pytest.mark.parametrize(
    ("text", "rule", "accumulator"),
    [
        ("exact", SumRule(), None),
        ("16 bits", SumRule(16), Accumulator(Fixed.parse("s16.9:RND:WRAP"))),
        (
            "16 bits, sat, fused",
            SumRule(16, overflow=Overflow.SAT, fused=True),
            Accumulator(Fixed.parse("s16.9:RND:SAT"), fused=True),
        ),
        (
            "s18.10:TRN:WRAP",
            SumRule(form=Fixed.parse("s18.10:TRN:WRAP")),
            Accumulator(Fixed.parse("s18.10:TRN:WRAP")),
        ),
        (
            "s18.10, products s16.8:TRN:SAT",
            SumRule(form=Fixed(18, 10), product=Fixed.parse("s16.8:TRN:SAT")),
            Accumulator(Fixed(18, 10), product=Fixed.parse("s16.8:TRN:SAT")),
        ),
    ],
)
def test_rules_of_sums_are_read_as_written(text: str, rule: SumRule, accumulator: Accumulator | None) -> None:
    assert SumRule.parse(text) == rule
    assert rule.accumulator(9) == accumulator


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        (TensorRule, "", "'' is no part of one. Allowed between commas, each once: a number of bits"),
        (TensorRule, "6 bits, foo", r"'foo' is no part of one.*power-of-two, max-abs.*TRN_ZERO.*SAT_SYM"),
        (TensorRule, "6 bits,", "'' is no part of one"),
        (TensorRule, "6 bits, 7 bits", "'7 bits' is one more for 'bits'; each is allowed once"),
        (TensorRule, "6 bits, s4.2", "gives 6 bits and the format s4.2, which has 4: one of the two"),
        (TensorRule, "0 bits", "of 0 bits can not be used: 1 to 32"),
        (TensorRule, "default, mse", "'default' is no part of one"),
        (TensorRule, "fused", "'fused' is no part of one"),
        (TensorRule, "s4", "'s4' is not a number format"),
        (TensorRule, "{1}", "is not a set of levels"),
        (TensorRule, "mse:3", "'mse:3' is no scale rule"),
        (SumRule, "mse", "'mse' is no part of one. Allowed between commas, each once: exact alone"),
        (SumRule, "exact, sat", "'exact' is no part of one"),
        (SumRule, "sat", "gives neither bits nor a format"),
        (SumRule, "fused", "gives neither bits nor a format"),
        (SumRule, "s18.10, wrap", "gives the format s18.10 and the mode WRAP besides"),
        (SumRule, "16 bits, s18.10", "gives 16 bits and the format s18.10, which has 18"),
        (SumRule, "s18.10, fused, products s16.8", "fused sums take the exact product"),
        (SumRule, "{-1,1}", "is not a number format"),
        (SumRule, "33 bits", "of 33 bits can not be used"),
    ],
)
def test_what_is_no_rule_is_refused(kind: Any, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        kind.parse(text)
