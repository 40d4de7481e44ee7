"""An array of dot products that keeps nothing and hides nothing, to be changed one figure at a time."""

from typing import Any

from hw_sim.chips.spec import ChipConstant, ChipSpec, NeuronArray
from retronet.network import NetworkSpec, SizedLayer, sized_layers


def known(value: float) -> ChipConstant:
    return ChipConstant(value, source="test")


def array(**changed: float) -> NeuronArray:
    """Return an array of 4 neurons of 8 inputs that keeps nothing and hides nothing."""
    values = {
        "cycle_s": 1e-6, "cycles_per_call": 1, "neurons": 4, "inputs": 8, "groups": 1, "max_joined": 1,
        "accumulates": 0, "weight_bits": 4, "state_bits": 4, "cells": 64, "cell_grain": 1,
        "weight_port_bits": 4, "state_in_port_bits": 4, "state_out_port_bits": 4, "cycles_per_position": 0,
        "keeps_window": 0, "loads_in_parallel": 0,
    }  # fmt: skip
    return NeuronArray(**{name: known(value) for name, value in {**values, **changed}.items()})


def chip_of(engine: NeuronArray, **more: Any) -> ChipSpec:
    return ChipSpec("mine", "", 2026, "", engine, **more)


def sized_of(layer: Any, shape: tuple[int, int, int]) -> SizedLayer:
    return sized_layers(NetworkSpec("one", "", shape, (layer,)))[0]
