"""Precision against loss on a NET32K."""

from pathlib import Path

from support.analog_network import compiled
from support.trained_run import train_briefly

from hw_sim.chips.load import load_chip
from hw_sim.chips.net32k.options import Net32kOptions
from hw_sim.chips.net32k.precisions import precision_rows
from hw_sim.chips.net32k.report import run_net32k
from retronet.datasets import load

NET32K = load_chip("net32k")


@compiled
def test_more_bits_lose_less_on_digits(tmp_path: Path) -> None:
    checkpoint = train_briefly(tmp_path / "run", passes=3).checkpoint()
    digits = load("digits5k", checkpoint.header.recipe.preparation, None)
    few = Net32kOptions(weights="1-bit", state_bits=1, input_bits=1)
    many = Net32kOptions(weights="2-bit", state_bits=2, input_bits=2)
    rows = list(precision_rows(NET32K, checkpoint.trained, digits, (few, many)))
    errors = [row.mapped.error_percent for row in rows]
    retrained = [row.retrained.error_percent for row in rows if row.retrained]
    exact = run_net32k(
        NET32K, checkpoint.trained, digits, many, chips=1, retraining=None
    ).reference.error_percent
    assert errors[0] > errors[1] + 5
    assert retrained[0] > retrained[1]
    assert errors[1] < exact + 15
    assert retrained[1] < exact + 4
