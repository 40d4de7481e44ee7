"""Trains on with the quantiser in the loop, so that the network learns to live with its formats.

Parameters and states are cast in every forward pass; derivatives pass the casts straight through, and steps
go into master weights in floating point. The rule is stochastic diagonal Levenberg–Marquardt with curvatures
taken before each pass (PIEEE98 App. C). Sums are taken as exact, and an activation as the network's own.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from hw_sim.fixed_point.quantize import integer_network
from hw_sim.fixed_point.simulate import simulate
from hw_sim.formats.fixed import Fixed, Rounding
from hw_sim.formats.levels import Format, encode, twice_edges
from hw_sim.kernels.quantised_training import FIXED, LEVELS, Casters, Scales, train_quantised
from hw_sim.plan.plan import PrecisionPlan
from retronet.curvature import goal_of
from retronet.datasets import Dataset, DigitSets
from retronet.engines.forward import outputs
from retronet.engines.workspace import Workspace
from retronet.errors import DivergedError, InputError
from retronet.evaluate import Score, score
from retronet.kernels.layers import Layer
from retronet.kernels.passes import measure_curvature
from retronet.network import Conv, NetworkSpec, Rbf, SizedLayer, Subsample
from retronet.recipe import Recipe

Parameters = dict[str, NDArray[np.floating]]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to train on.

    The rate halves from pass to pass. ``patterns`` training digits give the curvatures of each pass.
    """

    layers: Literal["all", "last"] = "all"
    passes: Annotated[int, msgspec.Meta(ge=1)] = 5
    rate: Annotated[float, msgspec.Meta(gt=0)] = 0.0005
    mu: Annotated[float, msgspec.Meta(gt=0)] = 0.02
    patterns: Annotated[int, msgspec.Meta(ge=1)] = 500
    seed: Annotated[int, msgspec.Meta(ge=0)] = 0

    def rate_of(self, number: int) -> float:
        """Return the rate of a pass, counted from 1."""
        return self.rate * 0.5 ** (number - 1)


class RetrainRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"number": "pass"}):
    """One pass, 0 before the first; the scores are those of the network on integers."""

    number: int
    rate: float | None
    running_loss: float | None
    train: Score
    test: Score


class Retraining:
    """A network that is trained on within its formats.

    Parameters
    ----------
    network, parameters
        The trained network.
    plan
        Its formats and scales; they stay as they are.
    recipe
        What it was trained by, for loss and targets.
    digits
        Training and test digits.
    settings
        How to train on.

    Attributes
    ----------
    warnings : tuple of str
        What a reader should know of the cast, such as clipped weights.

    Raises
    ------
    InputError
        If parts do not fit each other, weights are rounded stochastically, or the output layer is of fixed
        codes.
    """

    def __init__(
        self,
        network: NetworkSpec,
        parameters: Mapping[str, NDArray[Any]],
        plan: PrecisionPlan,
        recipe: Recipe,
        digits: DigitSets,
        settings: Settings,
    ) -> None:
        self.warnings = integer_network(network, parameters, plan).warnings
        _check(network, plan)
        self.network, self.plan, self.recipe, self.settings = network, plan, recipe, settings
        self.digits = digits
        self._workspace = Workspace(_with_cast_borders(network, plan))
        self._workspace.load(parameters)
        self._master = self._workspace.machine.flat.parameters.copy()
        self._goal = goal_of(recipe, self._workspace.sized_layers[-1].output[0], self._workspace.dtype)
        images = _cast(digits.train.images, plan.input, plan.input_scale)
        self._images = np.ascontiguousarray(images, self._workspace.dtype)

    def float_scores(self) -> tuple[Score, Score]:
        """Return the scores of the master weights in floating point, on training and test digits."""
        workspace = Workspace(self.network)
        workspace.load(self.parameters())
        halves = (self.digits.train, self.digits.test)
        train, test = (
            score(outputs(workspace, half.images), half.labels, self.recipe.targets) for half in halves
        )
        return train, test

    def parameters(self) -> Parameters:
        """Return the master weights, which the plan casts."""
        return self._workspace.read(self._master)

    def run(self) -> Iterator[RetrainRecord]:
        """Yield the scores before training, and after each pass.

        Raises
        ------
        DivergedError
            If the loss leaves the range of finite numbers.
        """
        yield self._record(0, None, None)
        machine, labels = self._workspace.machine, self.digits.train.labels
        rows, forms, where, state_forms, divisors, scales = self._arguments()
        for number in range(1, self.settings.passes + 1):
            order = np.random.default_rng([self.settings.seed, number]).permutation(len(self._images))
            rate = self.settings.rate_of(number)
            self._workspace.load(self._cast_parameters())
            measure_curvature(machine, self._images, labels, order[: self.settings.patterns], self._goal)
            total = train_quantised(
                machine, rows, forms, where, state_forms, divisors, scales, self._master, self._images,
                labels, order, self._goal, self._first(), rate, self.settings.mu,
            )  # fmt: skip
            if not np.isfinite(total):
                raise DivergedError(
                    f"Retraining diverged in pass {number}: the loss is no longer finite at rate {rate:g}. "
                    "Lower the rate."
                )
            yield self._record(number, rate, total / len(order))

    def _first(self) -> int:
        """Return the place from which on parameters are trained."""
        last = self._workspace.sized_layers[-1].name
        return 0 if self.settings.layers == "all" else self._workspace.vector.starts[f"{last}.weight"]

    def _formats(self) -> Iterator[tuple[str, Format, NDArray[np.float64], NDArray[np.float64]]]:
        """Yield for each array of parameters its format, its divisors, and its scales with the step."""
        for index, (sized, layer) in enumerate(
            zip(self._workspace.sized_layers, self.plan.layers, strict=True)
        ):
            divisors = _spread(sized, layer.weight_divisor or layer.weight_scale)
            scales = _spread(sized, layer.weight_scale)
            yield f"{sized.name}.weight", layer.weight, divisors, scales * layer.weight.step
            # A bias is a sum, whose scale is that of the products.
            sums = np.array(layer.weight_scale) * self.plan.input_scale_of(index)
            each = np.broadcast_to(sums, sized.output[0]).reshape(-1, *[1] * (len(sized.bias_shape) - 1))
            scale = np.broadcast_to(each, sized.bias_shape)
            yield f"{sized.name}.bias", layer.bias, scale, scale * layer.bias.step

    def _cast_parameters(self) -> Parameters:
        found = self.parameters()
        for name, form, divisors, scales in self._formats():
            found[name] = encode(found[name] / divisors, form)[0] * scales
        return found

    def _arguments(self) -> tuple[Any, ...]:
        """Return wiring, formats and scales as the kernel takes them."""
        workspace, layers = self._workspace, self.plan.layers
        wiring, vector = workspace.machine.wiring, workspace.vector
        rows = tuple(
            wiring._replace(table=wiring.table[row : row + 1], constants=wiring.constants[row : row + 1])
            for row in range(len(layers))
        )
        formats = list(self._formats())
        starts = [vector.starts[name] for name, *_ in formats]
        stops = [
            start + int(np.prod(vector.shapes[name]))
            for start, (name, *_) in zip(starts, formats, strict=True)
        ]
        divisors, scales = (np.zeros(self._master.size) for _ in range(2))
        workspace.load({name: divided for name, _, divided, _ in formats}, divisors)
        workspace.load({name: scaled for name, _, _, scaled in formats}, scales)
        divisors[divisors == 0] = 1.0  # places of planes that a map does not see; their scale is 0
        state_divisors, state_scales = (np.ones(workspace.machine.flat.activity.size) for _ in range(2))
        for row, layer in zip(wiring.table, layers, strict=True):
            where = Layer(*(int(entry) for entry in row))
            units = slice(where.output, where.output + where.maps * where.positions)
            state_divisors[units] = layer.state_scale
            state_scales[units] = layer.state_scale * layer.state.step
        return (
            rows,
            casters([form for _, form, *_ in formats]),
            Scales(np.column_stack([starts, stops]), divisors, scales),
            casters([layer.state for layer in layers]),
            state_divisors,
            state_scales,
        )

    def _record(self, number: int, rate: float | None, running_loss: float | None) -> RetrainRecord:
        integers = integer_network(self.network, self.parameters(), self.plan)

        def scored(digits: Dataset) -> Score:
            return score(simulate(integers, digits.images).outputs, digits.labels, self.recipe.targets)

        return RetrainRecord(number, rate, running_loss, scored(self.digits.train), scored(self.digits.test))


def _check(network: NetworkSpec, plan: PrecisionPlan) -> None:
    if isinstance(network.layers[-1], Rbf):
        raise InputError(
            f"Network '{network.name}' can not be retrained here: its outputs are distances to fixed codes; "
            "Conv, Subsample and Dense are allowed. Choose another network."
        )
    for layer in plan.layers:
        if isinstance(layer.weight, Fixed) and layer.weight.rounding is Rounding.STOCHASTIC:
            raise InputError(
                f"Layer '{layer.layer}' can not be retrained with weights of {layer.weight.text}: stochastic "
                "rounding casts the same weight to other values each time. Choose another rounding mode."
            )


def _with_cast_borders(network: NetworkSpec, plan: PrecisionPlan) -> NetworkSpec:
    """Return the network with the borders that the formats hold."""
    layers = []
    for index, layer in enumerate(network.layers):
        if isinstance(layer, Conv):
            border = _cast(np.array([layer.border]), plan.input_of(index), plan.input_scale_of(index))
            layer = replace(layer, border=float(border[0]))
        layers.append(layer)
    return replace(network, layers=tuple(layers))


def _cast(values: NDArray[np.floating], form: Format, scale: float) -> NDArray[np.floating]:
    return encode(values.astype(np.float64) / scale, form)[0] * (form.step * scale)


def _spread(sized: SizedLayer, scales: Sequence[float]) -> NDArray[np.float64]:
    """Return one number for each weight of a layer, given one or one a map."""
    each = tuple(scales) * (sized.output[0] if len(scales) == 1 else 1)
    taps = (1,) * len(each) if isinstance(sized.layer, Subsample) else sized.fan_in
    return np.repeat(each, taps).reshape(sized.weight_shape)


def casters(forms: Sequence[Format]) -> Casters:
    """Return formats as the kernel takes them."""
    table = np.zeros((len(forms), 7), np.int64)
    edges: list[float] = []
    levels: list[float] = []
    for row, form in enumerate(forms):
        match form:
            case Fixed():
                modes = (form.rounding.code, form.overflow.code)
                table[row, :5] = (FIXED, *modes, form.low, form.high)
            case _:
                # The outermost edges are where clipping begins; between them the levels change.
                inner = twice_edges(form)[1:-1] / 2
                table[row] = (LEVELS, 0, 0, len(levels) - len(edges), 0, len(edges), len(inner))
                edges += inner.tolist()
                levels += form.levels
    powers = np.array([2.0**form.frac_bits for form in forms])
    return Casters(table, powers, np.array([*edges, 0.0]), np.array([*levels, 0.0]))
