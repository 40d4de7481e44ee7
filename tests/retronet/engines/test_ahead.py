"""What is compiled ahead of training is what training needs, for every rule."""

import numba
import pytest
from support.ahead import late

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")

RULES = {
    "SGD": "rule=Sgd()",
    "batches": "rule=Sgd(batch=4)",
    "AdamW": 'rule=AdamW(), dropout=Dropout("h3", 0.5)',
    "SDLM": "rule=SdlmRunning(mu=0.05, gamma=0.05)",
    "SDLM, fixed": "rule=SdlmBatch(mu=0.05, patterns=4)",
}
JOBS = """
from msgspec.structs import replace
from retronet.datasets import load
from retronet.engines.ahead import to_train
from retronet.network import load_network
from retronet.recipe import AdamW, Dropout, SdlmBatch, SdlmRunning, Sgd, load_recipe
network, digits = load_network("lecun1989"), load("digits5k")
recipe = replace(load_recipe("lecun1989"), passes=1, take=20, RULE)
do(to_train(recipe, network))
"""
THEN = """
from retronet.training.train import Training
for _ in Training(recipe, network, digits).run():
    pass
"""


@pytest.mark.parametrize("rule", RULES)
def test_training_compiles_nothing_else(rule: str) -> None:
    assert late(JOBS.replace("RULE", RULES[rule]), THEN) == []


def test_nothing_is_compiled_ahead_of_another_engine() -> None:
    from msgspec.structs import replace

    from retronet.engines.ahead import to_train
    from retronet.network import load_network
    from retronet.recipe import load_recipe

    recipe = replace(load_recipe("lecun1989"), engine="torch")
    assert to_train(recipe, load_network("lecun1989")) == []
