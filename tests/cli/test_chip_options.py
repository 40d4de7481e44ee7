"""Options that go with a chip, and what a chip does not take."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from support.printed import printed_json

Call = Callable[..., Result]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--chip", "cnaps"], 2, "'cnaps' can not be simulated"),
        (["--chip", "dsp32c-80ns", "--bits", "8"], 2, "--bits does not go with --chip dsp32c-80ns"),
        (["--chip", "dsp32c-80ns", "--chips", "3"], 2, "--chips does not go with"),
        (["--chip", "anna", "--tanh", "sn"], 2, "--tanh does not go with --chip anna"),
        (["--chip", "anna", "--set", "nose=0.1"], 2, "has no option 'nose'. It has: weights, states"),
        (["--chip", "anna", "--set", "noise=loud"], 2, "can not be changed so"),
        (["--chip", "anna", "--set", "retraining=1"], 2, "has no option 'retraining'. It has: weights"),
        (
            ["--chip", "anna", "--set", "retraining.rat=1"],
            2,
            "has no option 'retraining.rat'. It has: weights",
        ),
        (["--chip", "anna", "--set", "retraining.passes=0"], 2, "can not be changed so"),
        (["--chip", "graf54", "--set", "retraining.rate=1"], 2, "has no option 'retraining.rate'"),
        (["--chip", "anna", "--set", "noise"], 2, "--set takes KEY=VALUE"),
        (["--chip", "anna", "--precisions"], 2, "--precisions does not go with --chip anna"),
        (["--chip", "net32k", "--precisions", "--seed", "1"], 2, "'seed' does not go with --precisions"),
        (["--chip", "net32k", "--precisions", "--set", "weights=1-bit"], 2, "'weights' does not go with"),
        (["--chip", "net32k", "--set", "precisions=1"], 2, "has no option 'precisions'. It has: layers"),
        (["--chip", "graf54", "--set", "chips=3"], 2, "has no option 'chips'. It has: black_from"),
        (["--chip", "graf54", "--precisions"], 2, "--precisions does not go with --chip graf54"),
        (["--chip", "dsp32c-80ns", "--set", "tanh=sn"], 2, "--set does not go with --chip dsp32c-80ns"),
        (["--tanh", "sn"], 2, "--tanh goes with --chip alone"),
        (["--set", "noise=0"], 2, "--set goes with --chip alone"),
    ],
)
def test_what_a_chip_does_not_take_is_refused(
    call: Call, trained: Any, arguments: list[str], code: int, said: str
) -> None:
    result = call("simulate", trained.folder, *arguments)

    assert (result.exit_code, result.stdout) == (code, "")
    assert said in " ".join(result.stderr.split())


def test_how_layers_beside_a_chip_learn_again_can_be_set_in_parts(call: Call, trained: Any) -> None:
    """Two parts in two words; what is not named stays as it is."""
    words = ["simulate", trained.folder, "--chip", "anna", "--chips", "1", "--json"]
    both = [f"--set=retraining.{part}" for part in ("passes=3", "rate=0.002")]
    assert printed_json(call, *words, *both)["simulated"]["retraining"] == {"passes": 3, "rate": 0.002}
    assert printed_json(call, *words, both[0])["simulated"]["retraining"] == {"passes": 3, "rate": 0.0001}
