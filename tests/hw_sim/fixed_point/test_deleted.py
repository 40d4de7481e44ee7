"""Deleted weights stay 0 in every number format and on every chip, or are refused."""

from collections.abc import Mapping

import numpy as np
import pytest
from support.trained_run import train_briefly

from hw_sim.chips.anna.network import anna_network
from hw_sim.chips.load import load_chip
from hw_sim.chips.net32k.network import net32k_network
from hw_sim.chips.net32k.options import Net32kOptions
from hw_sim.fixed_point.quantize import quantize
from hw_sim.plan.calibrate import calibrate
from hw_sim.studies.retrain import Retraining, Settings
from retronet.connections import weight_rows
from retronet.datasets import DigitSets, load
from retronet.errors import InputError
from retronet.trained import Trained
from retronet.training.pruning import delete, deletion_order, saliencies


@pytest.fixture(scope="module")
def digits() -> DigitSets:
    return load("digits5k")


@pytest.fixture(scope="module")
def pruned(tmp_path_factory: pytest.TempPathFactory, digits: DigitSets) -> Trained:
    trained = train_briefly(tmp_path_factory.mktemp("runs") / "brief", 2).trained
    return delete(trained, deletion_order(trained, saliencies(trained, digits.train))[:3000])


@pytest.mark.parametrize(
    "formats",
    [
        {"bits": 3},
        {"bits": 8, "weights": "mse/map"},
        {"weights": "{-1,0,1}, threshold:0.7", "states": "8 bits"},
    ],
)
def test_deleted_weights_are_zero_integers(
    pruned: Trained, digits: DigitSets, formats: Mapping[str, object]
) -> None:
    plan = calibrate(pruned, digits.train, **formats)  # type: ignore[arg-type]
    assert sum(int((mask == 0).sum()) for name, mask in pruned.mask.items() if "weight" in name) > 2000
    for layer in quantize(pruned, plan).layers:
        gone = weight_rows(layer.sized, pruned.mask[f"{layer.sized.name}.weight"], plan.tap_order) == 0
        assert not layer.weights[gone].any()


def test_a_format_without_zero_is_refused(pruned: Trained, digits: DigitSets) -> None:
    plan = calibrate(pruned, digits.train, weights="{-1,1}", states="8 bits")
    with pytest.raises(InputError, match=r"'h1' is pruned, and its format \{-1,1\} has no zero"):
        quantize(pruned, plan)


def test_chips_keep_them_or_refuse(pruned: Trained, digits: DigitSets) -> None:
    images, net32k = digits.train.images[:200], load_chip("net32k")
    for layer in anna_network(load_chip("anna"), pruned, images).layers:
        gone = weight_rows(layer.sized, pruned.mask[f"{layer.sized.name}.weight"]) == 0
        assert gone.any()
        assert not layer.weights[gone].any()
    with pytest.raises(InputError, match=r"a 2-bit weight of .* has no zero"):
        net32k_network(net32k, pruned, images)
    ternary = net32k_network(net32k, pruned, images, Net32kOptions(weights="ternary"))
    for chip_layer in ternary.layers:
        gone = weight_rows(chip_layer.sized, pruned.mask[f"{chip_layer.sized.name}.weight"]) == 0
        assert not np.concatenate([part.weights for part in chip_layer.parts], axis=1)[gone].any()


def test_retraining_keeps_them_deleted(pruned: Trained, digits: DigitSets) -> None:
    plan = calibrate(pruned, digits.train, bits=4)
    retraining = Retraining(pruned, digits, plan, Settings(passes=1))
    for _ in retraining.run():
        pass
    trained = retraining.trained
    assert trained.deleted == 3000
    for name, mask in pruned.mask.items():
        assert not trained.parameters[name][mask == 0].any()
        assert (trained.parameters[name] != pruned.parameters[name])[mask == 1].any()
