"""Networks and plans for exports: every geometry, every way to add and round, every activation."""

from msgspec.structs import replace

from hw_sim.formats.fixed import Fixed
from hw_sim.formats.modes import DETERMINISTIC
from hw_sim.plan.plan import LayerPlan, PrecisionPlan
from retronet.network import Conv, Dense, Identity, NetworkSpec, Relu, Subsample, Tanh, sized_layers
from support.small_network import NETWORK, plan_of, plans_of_all_kinds

POOLED = NetworkSpec(
    "pooled",
    "",
    (1, 8, 8),
    (
        Conv("a", 4, 3, Tanh(), pad=1, border=-1.0, bias="unit"),
        Subsample("s", 2, Tanh()),
        Conv("c", 3, 2, Relu(), stride=2, sees=((0,), (1, 2, 3), (0, 3))),
        Dense("d", 5, Tanh()),
        Dense("e", 3, Identity()),
    ),
)
NETWORKS = {network.name: network for network in (NETWORK, POOLED)}


def changed(plan: PrecisionPlan, **fields: object) -> PrecisionPlan:
    """Return a plan with fields of all its layers changed."""
    return replace(plan, layers=tuple(replace(layer, **fields) for layer in plan.layers))


def per_map(network: NetworkSpec, plan: PrecisionPlan, **fields: object) -> PrecisionPlan:
    """Return a plan with a scale for each map of weights."""

    def scaled(layer: LayerPlan, maps: int) -> LayerPlan:
        return replace(layer, weight_scale=tuple(0.5 + 0.1 * index for index in range(maps)), **fields)

    layers = zip(plan.layers, sized_layers(network), strict=True)
    return replace(plan, layers=tuple(scaled(layer, sized.output[0]) for layer, sized in layers))


def plans(network: NetworkSpec) -> list[PrecisionPlan]:
    """Return plans for every rounding and overflow, every method of sums, scales a map, both tap orders."""
    base = plan_of(network, "s8.6")
    requantised = {"preactivation": Fixed(8, 0), "preactivation_scale": 0.03}
    found = [
        *plans_of_all_kinds(network),
        plan_of(network, "u8.8"),
        plan_of(network, "s8.6", "s18.12:TRN:WRAP"),
    ]
    for mode in DETERMINISTIC:
        found.append(plan_of(network, f"s6.4:{mode}:SAT", f"s10.6:{mode}:WRAP"))
        found.append(plan_of(network, f"s6.4:{mode}:SAT_SYM", f"s9.5:{mode}:SAT_SYM", fused=True))
        found.append(changed(base, preactivation=Fixed.parse(f"s7.4:{mode}:SAT_ZERO")))
    found.append(changed(base, requantise="single", **requantised))
    found.append(per_map(network, base, requantise="double", **requantised))
    found.append(per_map(network, base))
    orders = ("plane_fastest", "plane_slowest")
    return [replace(plan, tap_order=orders[index % 2]) for index, plan in enumerate(found)]
