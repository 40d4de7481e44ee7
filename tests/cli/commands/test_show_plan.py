"""`retronet show plan`, and the options that say with which formats a network is simulated."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Call = Callable[..., Result]


def printed(call: Call, trained: Any, *arguments: object) -> dict[str, Any]:
    result = call("simulate", trained.folder, *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def test_a_plan_that_is_shown_can_be_simulated(call: Call, trained: Any, tmp_path: Path) -> None:
    options = ("--weight-bits", 5, "--scale", "mse/map", "--accumulator", "s14.4:RND_CONV:SAT")
    shown = call("show", "plan", trained.folder, *options, "--toml")
    path = tmp_path / "mine.toml"
    path.write_text(shown.stdout)
    direct, read = printed(call, trained, *options), printed(call, trained, "--plan", path)
    assert (direct.pop("bits"), read.pop("bits")) == (8, None)
    assert direct == read
    roles = {row["role"]: row for row in direct["formats"] if row["layer"] == "h2"}
    assert roles["weight"]["largest_step"] > roles["weight"]["step"]
    assert roles["accumulator"]["text"] == "s14.4:RND_CONV:SAT"


def test_every_format_is_shown_on_a_narrow_terminal(call: Call, trained: Any, columns: int) -> None:
    shown = call("show", "plan", trained.folder, "--bits", 6, "--state-format", "p3.0")
    assert shown.exit_code == 0, shown.stderr
    assert max(map(len, shown.stdout.splitlines())) <= columns
    assert shown.stdout.count("p3.0") == 5
    assert shown.stdout.count("proved") == 4
    as_json = json.loads(call("show", "plan", trained.folder, "--bits", 6, "--json").stdout)
    assert as_json["schema"] == "retronet/plan/1"
    assert len(as_json["plan"]["layers"]) == 4


def test_the_scale_rule_outweighs_the_bits(call: Call, trained: Any) -> None:
    rules = ("max-abs", "threshold:0.7", "mse/map")
    misses = {
        rule: printed(call, trained, "--weight-format", "{-1,0,1}", "--scale", rule)["misses"]
        for rule in rules
    }
    assert misses["max-abs"] > 2 * misses["threshold:0.7"]
    assert misses["mse/map"] < misses["max-abs"] / 2


def test_overflow_is_warned_of_with_a_format_that_holds(call: Call, trained: Any) -> None:
    narrow = call("simulate", trained.folder, "--accumulator", "s12.8:TRN:WRAP")
    named = re.findall(r"did not fit s12\.8:TRN:WRAP and wrapped; (\S+) holds", narrow.stderr)
    assert named
    wide = printed(call, trained, "--accumulator", max(named))
    assert [layer["overflows"] for layer in wide["layers"]] == [0, 0, 0, 0]
    assert wide["warnings"] == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--bits", "0"], 2, "0 bits can not be used and do not stand for 'exact'"),
        (["--weight-format", "{1}"], 2, "is not a set of levels"),
        (["--scale", "best"], 2, "'best' is no scale rule"),
        (["--weight-bits", "4", "--weight-format", "{-1,1}"], 2, "say the same thing twice"),
        (["--plan", "none.toml"], 2, "There is no plan file 'none.toml'"),
        (["--plan", "none.toml", "--bits", "4"], 2, "--plan states every format, and --bits"),
    ],
)
def test_what_can_not_be_is_said(
    call: Call, trained: Any, arguments: list[str], code: int, said: str
) -> None:
    for command in (("simulate",), ("show", "plan")):
        result = call(*command, trained.folder, *arguments)
        assert said in " ".join(result.stderr.split())
        assert (result.exit_code, result.stdout) == (code, "")
