"""Every constant of a chip with its unit, and the range that it must lie in."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hw_sim.chips.spec import ChipConstant, ChipSpec, NeuronArray, workload
from retronet.descriptions import unusable
from retronet.errors import InputError
from retronet.network import sized_layers


@dataclass(frozen=True)
class ConstantRow:
    """A constant ready to be shown: ``engine.cycle_s``, its unit (none for a flag) and what is known."""

    key: str
    unit: str
    constant: ChipConstant


_COUNT, _FLAG, _SECONDS, _JOULES = (
    (1.0, 1e9, True),
    (0.0, 1.0, True),
    (1e-12, 1e3, False),
    (1e-18, 1.0, False),
)
_ALLOWED: dict[str, tuple[str, tuple[float, float, bool]]] = {
    "cycle_s": ("s", (1e-12, 1e-2, False)),
    "refresh_period_s": ("s", _SECONDS),
    "cycles_per_mac": ("cycles", (1e-3, 1e6, False)),
    "cycles_per_unit": ("cycles", (0.0, 1e6, False)),
    "cycles_per_call": ("cycles", (1e-3, 1e6, False)),
    "cycles_per_position": ("cycles", (0.0, 1e6, False)),
    "neurons": ("neurons", _COUNT),
    "inputs": ("inputs", _COUNT),
    "groups": ("groups", _COUNT),
    "max_joined": ("dot products", _COUNT),
    "accumulates": ("", _FLAG),
    "cells": ("cells", _COUNT),
    "cell_grain": ("cells", _COUNT),
    "weight_bits": ("bits", (1.0, 64.0, False)),
    "state_bits": ("bits", (1.0, 64.0, False)),
    "weight_port_bits": ("bits", _COUNT),
    "state_in_port_bits": ("bits", _COUNT),
    "state_out_port_bits": ("bits", _COUNT),
    "keeps_window": ("", _FLAG),
    "loads_in_parallel": ("", _FLAG),
    "instructions_per_s": ("1/s", (1.0, 1e15, False)),
    "bytes_per_s": ("bytes/s", (1.0, 1e15, False)),
    "last_layers": ("layers", _COUNT),
    "mac_j": ("J", _JOULES),
    "weight_read_j": ("J", _JOULES),
    "state_read_j": ("J", _JOULES),
    "state_write_j": ("J", _JOULES),
}
_MAY_BE_UNKNOWN = {
    "refresh_period_s", "weight_port_bits", "state_in_port_bits", "state_out_port_bits",
    "instructions_per_s", "bytes_per_s", "mac_j", "weight_read_j", "state_read_j", "state_write_j",
}  # fmt: skip
"""A time or an energy is then left out and named; every cost rests on the other constants."""


def constants(chip: ChipSpec) -> Iterator[ConstantRow]:
    """Yield every constant of `chip`, in the order of its file."""
    for part in ("engine", "host", "companion", "energy"):
        holder = getattr(chip, part)
        for field in holder.__struct_fields__ if holder is not None else ():
            constant = getattr(holder, field)
            if isinstance(constant, ChipConstant):
                yield ConstantRow(f"{part}.{field}", _ALLOWED[field][0], constant)


def check(chip: ChipSpec, path: Path) -> None:
    """Refuse a chip whose constants lie outside their ranges or do not fit each other.

    Raises
    ------
    InputError
        The message names the key, its unit and the allowed range.
    """
    for row in constants(chip):
        field = row.key.rpartition(".")[2]
        unit, (low, high, whole) = _ALLOWED[field]
        value = row.constant.value
        bounds = f"from {low:g} to {high:g} {unit}".rstrip()
        allowed = f"{'a whole number ' if whole else ''}{bounds} is allowed"
        if value is None and field not in _MAY_BE_UNKNOWN:
            raise InputError(
                f"The chip file {path} can not be used: {row.key} is unknown, and every cost rests on it; "
                f"{allowed}. State an assumption."
            )
        if value is not None and (not low <= value <= high or (whole and value != int(value))):
            raise InputError(
                f"The chip file {path} can not be used: {row.key} is {f'{value:g} {unit}'.rstrip()}; "
                f"{allowed}. Mend the value or its unit."
            )
    match chip.engine:
        case NeuronArray(neurons=neurons, groups=groups) if (neurons.value or 0) % (groups.value or 1):
            raise InputError(
                f"The chip file {path} can not be used: engine.neurons is {neurons.value:g}, which "
                f"engine.groups, {groups.value:g}, does not divide; neurons stand in groups of one size. "
                "Mend one of them."
            )
        case _:
            pass
    try:
        for network in chip.workloads:
            sized_layers(network)
        for figure in chip.published:
            if figure.network is not None:
                sized_layers(workload(chip, figure.network))
    except InputError as error:
        raise unusable(f"The chip file {path}", error) from error
