"""Plans as TOML files: formats in their text form, what all layers share written once.

    input = "s8.6"

    [defaults]
    weight = "s8.7"
    state = "s8.6"

    [[layers]]
    layer = "h1"
    accumulator = "s18.13:TRN:WRAP"

Keys are those of `PrecisionPlan` and `LayerPlan`. A layer that is not listed has the defaults. An
accumulator is a format or a table (``form``, ``fused``, ``product``); a scale is a number or a list. Where
they are absent, the activation is the network's (also inside a table), and a bias has the format of the
accumulator, or 32 bits with the step of a product.
"""

import json
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from hw_sim.formats.fixed import MAX_BITS, Fixed
from hw_sim.formats.levels import Format, parse_format
from hw_sim.plan.plan import PrecisionPlan
from retronet.errors import ChoiceError, InputError
from retronet.network import NetworkSpec, Rbf

FORMATS = ("input", "weight", "bias", "state", "preactivation", "form", "product", "entry")
SCALES = ("weight_scale", "weight_divisor")


def load_plan(path: Path, network: NetworkSpec) -> PrecisionPlan:
    """Return the plan in the TOML file `path`, completed for `network`.

    Raises
    ------
    InputError
        If there is no such file, it is not TOML, or a key or value is not allowed.
    """
    if not path.is_file():
        raise ChoiceError(
            f"There is no plan file '{path}'. Give an existing path; `retronet show plan --toml` writes one."
        )
    try:
        return parse_plan(path.read_text(encoding="utf-8"), network)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError, InputError) as error:
        raise InputError(
            f"The plan {path} can not be used: {str(error).rstrip('.')}. Mend it and try again."
        ) from error


def parse_plan(text: str, network: NetworkSpec) -> PrecisionPlan:
    """Return the plan written as the TOML `text`, completed for `network`.

    Raises
    ------
    InputError, tomllib.TOMLDecodeError, msgspec.ValidationError
        If it can not be read.
    """
    content = tomllib.loads(text)
    defaults = _table(content.pop("defaults", {}), "defaults")
    listed = [_table(entry, "layers") for entry in content.pop("layers", [])]
    layers = {layer.name: layer for layer in network.layers if not isinstance(layer, Rbf)}
    names = [str(entry.get("layer")) for entry in listed]
    if unknown := sorted(set(names) - set(layers)) or [name for name in names if names.count(name) > 1]:
        raise InputError(
            f"its layer '{unknown[0]}' is unknown or listed twice; network '{network.name}' has "
            f"{', '.join(layers)}"
        )
    given = dict(zip(names, listed, strict=True))
    content = _expanded(content)
    below = content.get("input", {})
    content["layers"] = []
    for name, layer in layers.items():
        entry = _expanded({"layer": name, **defaults, **given.get(name, {})})
        own = msgspec.to_builtins(layer.activation)
        activation = entry.setdefault("activation", own)
        if isinstance(activation, dict) and activation.get("kind") == "table" and own["kind"] == "tanh":
            entry["activation"] = {"function": own} | activation
        if "bias" not in entry and (bias := _bias(entry, below)):
            entry["bias"] = bias
        below = entry.get("state", {})
        content["layers"].append(entry)
    return msgspec.convert(content, PrecisionPlan)


def _table(value: object, key: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"'{key}' is no table")
    return value


def _expanded(table: dict[str, Any]) -> dict[str, Any]:
    """Return `table` with formats parsed and short forms written out."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        if key == "accumulator" and isinstance(value, str):
            found[key] = {"form": msgspec.to_builtins(parse_format(value))}
        elif key in FORMATS and isinstance(value, str):
            found[key] = msgspec.to_builtins(parse_format(value))
        elif key in SCALES and isinstance(value, int | float):
            found[key] = [float(value)]
        else:
            found[key] = _expanded(value) if isinstance(value, dict) else value
    return found


def _bias(entry: dict[str, Any], below: object) -> dict[str, Any]:
    """Return the format of a bias that is not given; nothing where what it follows from is missing too."""
    if "accumulator" in entry:
        return dict(entry["accumulator"].get("form", {}))
    if not isinstance(below, dict) or not below or "weight" not in entry:
        return {}
    weight, inputs = (msgspec.convert(part, Format).frac_bits for part in (entry["weight"], below))
    return dict(msgspec.to_builtins(Fixed(MAX_BITS, weight + inputs)))


def plan_toml(plan: PrecisionPlan) -> str:
    """Return `plan` as the text of a TOML file that `load_plan` reads, every value written out."""
    lines = [*_lines("input", plan.input), *_lines("input_scale", plan.input_scale)]
    lines += [*_lines("tap_order", plan.tap_order), *_lines("seed", plan.seed)]
    for layer in plan.layers:
        lines += ["", "[[layers]]"]
        for field in msgspec.structs.fields(layer):
            lines += _lines(field.name, getattr(layer, field.name))
    return "\n".join(lines) + "\n"


def _lines(key: str, value: object) -> list[str]:
    return [] if value is None else [f"{key} = {_toml(value)}"]


def _toml(value: object) -> str:
    """Return a value of a plan as TOML writes it."""
    match value:
        case _ if isinstance(value, Format):
            return json.dumps(value.text)
        case msgspec.Struct():
            tag = value.__struct_config__.tag
            fields = [(field.name, getattr(value, field.name)) for field in msgspec.structs.fields(value)]
            parts = [("kind", tag)] * (tag is not None) + [pair for pair in fields if pair[1] is not None]
            return "{ " + ", ".join(f"{key} = {_toml(part)}" for key, part in parts) + " }"
        case tuple():
            return "[" + ", ".join(_toml(part) for part in value) + "]"
        case bool() | str():
            return json.dumps(value)
        case int() | float():
            return repr(value)
        case _:
            raise TypeError(f"a plan holds no {type(value).__name__}")
