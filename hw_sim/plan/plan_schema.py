"""The JSON Schema of a plan's file: the types of a plan, and the short forms that `load_plan` completes."""

import copy

from hw_sim.plan.plan import PrecisionPlan
from hw_sim.plan.plan_file import FORMATS, SCALES
from retronet.schemas import Schema, json_schema

FORMAT_TEXT = {"type": "string", "description": 'A format as text, such as "s8.6", "{-1,0,1}" or "p3.0".'}


def plan_schema() -> Schema:
    """Return the JSON Schema of a plan's file, in which every layer and most keys may be left out."""
    schema = json_schema(PrecisionPlan, "A precision plan")
    kinds = schema["$defs"]
    for kind in kinds.values():
        _shorten(kind.get("properties", {}))
    layer, plan = kinds["LayerPlan"], kinds["PrecisionPlan"]
    layer["required"], plan["required"] = ["layer"], ["input"]
    defaults = copy.deepcopy(layer)
    del defaults["properties"]["layer"], defaults["required"]
    defaults["title"] = "Defaults"
    defaults["description"] = "What layers have that do not say otherwise: keys of a layer, but for its name."
    kinds["Defaults"] = defaults
    plan["properties"]["defaults"] = {"$ref": "#/$defs/Defaults"}
    return schema


def _shorten(properties: Schema) -> None:
    """Allow formats as text, an accumulator as its format, one scale without a list."""
    for key, value in properties.items():
        if key in (*FORMATS, "accumulator"):
            properties[key] = {"anyOf": [FORMAT_TEXT, value]}
        elif key in SCALES:
            properties[key] = {"anyOf": [{"type": "number", "minimum": 1e-100, "maximum": 1e100}, value]}
