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
from pathlib import Path
from typing import Any

import msgspec

from hw_sim.formats.fixed import MAX_BITS, Fixed
from hw_sim.formats.levels import Format, parse_format
from hw_sim.plan.plan import LayerPlan, PrecisionPlan
from hw_sim.plan.pools import passes_states, pool_formats
from retronet.descriptions import read_toml, unusable
from retronet.errors import ChoiceError, InputError
from retronet.network import Activation, AveragePool, Identity, MaxPool, NetworkSpec, Rbf
from retronet.refusals import as_kind, explain, parse_toml, place_of, shown

TomlTable = dict[str, Any]
FORMATS = ("input", "weight", "bias", "state", "preactivation", "form", "product", "entry")
A_FORMAT = 'a format as text, such as "s8.6", "{-1,0,1}" or "p3.0", or as a table'
TABLED = ("tanh", "sigmoid", "hard_tanh")
"""Activations that a table can hold."""
SCALES = ("weight_scale", "weight_divisor")


def load_plan(path: Path, network: NetworkSpec) -> PrecisionPlan:
    """Return the plan in the TOML file `path`, completed for `network`.

    Raises
    ------
    InputError
        If there is no such file, it is not TOML, or a key or value is not allowed; the message names its
        place in the file, what stands there and what is allowed.
    """
    if not path.is_file():
        raise ChoiceError(
            f"There is no plan file '{path}'. Give an existing path; `retronet show plan --toml` writes one."
        )
    try:
        return parse_plan(read_toml(path), network)
    except InputError as error:
        raise unusable(f"The plan {path}", error) from error


def parse_plan(text: str, network: NetworkSpec) -> PrecisionPlan:
    """Return the plan written as the TOML `text`, completed for `network`.

    Raises
    ------
    InputError
        If it can not be read.
    """
    content = parse_toml(text)
    defaults = as_kind(content.pop("defaults", {}), TomlTable, "$.defaults")
    listed = as_kind(content.pop("layers", []), list[TomlTable], "$.layers")
    layers = {layer.name: layer for layer in network.layers if not isinstance(layer, Rbf)}
    names = [entry.get("layer") for entry in listed]
    for index, name in enumerate(names):
        if not isinstance(name, str) or name not in layers or name in names[:index]:
            raise InputError(
                f"its layer {shown(name)} is unknown or listed twice, at `$.layers[{index}].layer`; network "
                f"'{network.name}' has {', '.join(layers)}"
            )
    places = {name: f"$.layers[{index}]" for index, name in enumerate(names)}
    given = {name: _expanded(entry, places[name]) for name, entry in zip(names, listed, strict=True)}
    defaults = _expanded(defaults, "$.defaults")
    content = _expanded(content, "$")
    below = {"state": content.get("input", {}), "state_scale": content.get("input_scale", 1.0)}
    plans = []
    for index, (name, layer) in enumerate(layers.items()):
        own = given.get(name, {})
        entry = {"layer": name, **defaults, **own}
        if isinstance(layer, MaxPool | AveragePool):
            _complete_pool(entry, own, below, layer)
        _complete(entry, below["state"], layer.activation)
        below = {"state": entry.get("state", {}), "state_scale": entry.get("state_scale", 1.0)}
        place = places.get(name, f"$.layers[{index}]")
        plans.append(_layer_plan(entry, place, {key for key in defaults if key not in own}))
    return as_kind(content | {"layers": plans}, PrecisionPlan)


def _expanded(table: TomlTable, place: str) -> TomlTable:
    """Return `table` with formats parsed and short forms written out."""
    expanded: TomlTable = {}
    for key, value in table.items():
        where = f"{place}.{key}"
        if key in FORMATS and isinstance(value, str):
            expanded[key] = _parsed(value, where)
        elif key == "accumulator" and isinstance(value, str):
            expanded[key] = {"form": _parsed(value, where)}
        elif key in FORMATS and not isinstance(value, dict):
            raise InputError(f"at `{where}`: found {shown(value)}, {A_FORMAT} is allowed")
        elif key in SCALES and isinstance(value, int | float) and not isinstance(value, bool):
            expanded[key] = [value]
        else:
            expanded[key] = _expanded(value, where) if isinstance(value, dict) else value
    return expanded


def _parsed(text: str, place: str) -> TomlTable:
    """Return the format written as `text`, as tables."""
    try:
        return dict(msgspec.to_builtins(parse_format(text)))
    except InputError as error:
        raise InputError(f"at `{place}`: {error}") from error


def _complete(entry: TomlTable, below: object, activation: Activation) -> None:
    """Fill in what a layer's table may leave out: its activation, and the format of its bias."""
    own = msgspec.to_builtins(activation)
    squash = entry.setdefault("activation", own)
    if isinstance(squash, dict) and squash.get("kind") == "table" and own["kind"] in TABLED:
        entry["activation"] = {"function": own} | squash
    if "bias" in entry:
        return
    if "accumulator" in entry:
        sums = entry["accumulator"]
        bias = sums.get("form") if isinstance(sums, dict) else None
    else:
        bias = _product_bias(entry.get("weight"), below)
    if bias is not None:
        entry["bias"] = bias


def _complete_pool(entry: TomlTable, own: TomlTable, below: TomlTable, layer: MaxPool | AveragePool) -> None:
    """Put what a pool has in place of weights and biases where its own table does not say.

    Of what all layers share it takes the format of states, and an accumulator if it adds up; the rest only if
    it has an activation. A max pool without one passes on what it reads: format and scale of `below`.
    """
    taken = {"layer", *own, "state", "state_scale"}
    if not isinstance(layer.activation, Identity):
        taken |= {"activation", "preactivation", "preactivation_scale", "requantise"}
    if isinstance(layer, AveragePool):
        taken.add("accumulator")
    if passes_states(layer) and "state" not in own:
        entry |= below
    for key in entry.keys() - taken:
        del entry[key]
    try:
        form: Format = msgspec.convert(below.get("state"), Format)
    except msgspec.ValidationError:
        return
    for key, value in pool_formats(layer, form).items():
        if key not in own:
            entry[key] = msgspec.to_builtins(value)


def _product_bias(weight: object, below: object) -> TomlTable | None:
    """Return the format of a bias with the step of a product; nothing where one of the two is no format."""
    try:
        steps = [msgspec.convert(part, Format).frac_bits for part in (weight, below)]
    except msgspec.ValidationError:
        return None
    return dict(msgspec.to_builtins(Fixed(MAX_BITS, sum(steps))))


def _layer_plan(entry: TomlTable, place: str, defaulted: set[str]) -> LayerPlan:
    """Return a layer's plan; a refusal names the place in the file that the value came from."""
    try:
        return msgspec.convert(entry, LayerPlan)
    except msgspec.ValidationError as error:
        steps = place_of(str(error))
        root = "$.defaults" if steps and steps[0] in defaulted else place
        raise InputError(explain(str(error), entry, LayerPlan, root)) from error


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
