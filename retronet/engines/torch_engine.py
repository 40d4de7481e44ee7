"""Training in torch: the second engine, for graphics cards too, and the judge of the first in the tests.

It is written from the descriptions alone and shares nothing with the kernels. Gradients are autograd's, the
usual rules torch.optim's; the Gauss–Newton diagonal of SDLM is PIEEE98 App. C, layer by layer.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from retronet.engines.batches import Batches
from retronet.engines.torch_losses import output_curvatures, torch_losses_of
from retronet.errors import InputError
from retronet.evaluate import target_matrix
from retronet.network import (
    Activation,
    AveragePool,
    Conv,
    Dense,
    HardTanh,
    Identity,
    MaxPool,
    NetworkSpec,
    Rbf,
    Relu,
    Sigmoid,
    SizedLayer,
    Subsample,
    Tanh,
    code_matrix,
    parameter_shapes,
    sized_layers,
)
from retronet.recipe import Adam, AdamW, Recipe, SdlmBatch, SdlmRunning, Sgd

Parameters = dict[str, NDArray[np.floating]]
Tensors = dict[str, Tensor]

MOMENTS = {"mean": "exp_avg", "square": "exp_avg_sq"}
"""Adam's running averages of the gradient and of its square: our names, and torch's."""


@dataclass(frozen=True)
class Passage:
    """What a forward pass leaves: per layer its sums (none for codes); states from the input up."""

    sums: list[Tensor | None]
    states: list[Tensor]


def pooled(sized: SizedLayer, below: Tensor) -> Tensor:
    """Return what a pool makes of the states below, before its activation (n, planes, rows, columns)."""
    largest = isinstance(sized.layer, MaxPool)
    padded = functional.pad(below, _sides(sized), value=-torch.inf if largest else 0.0)
    pool = functional.max_pool2d if largest else functional.avg_pool2d
    windows: Tensor = pool(padded, math.isqrt(sized.taps_per_plane), sized.stride)
    return windows


def _sides(sized: SizedLayer) -> tuple[int, int, int, int]:
    """Return the padding as torch has it: left, right, top, bottom."""
    pad = sized.padding
    return pad.left, pad.right, pad.top, pad.bottom


def weighted_sums(sized: SizedLayer, below: Tensor, weight: Tensor, bias: Tensor, border: float) -> Tensor:
    """Return a layer's sums (n, maps, rows, columns): linear in weight, bias and states with border."""
    wide = bias if bias.ndim == 3 else bias[:, None, None]
    match sized.layer:
        case Conv(kernel=size, stride=stride):
            seen = [(row, plane) for row, planes in enumerate(sized.sees) for plane in planes]
            rows, planes = torch.tensor(seen, device=weight.device).T
            empty = weight.new_zeros(sized.output[0], sized.input[0], size, size)
            kernels = empty.index_put((rows, planes), weight.reshape(-1, size, size))
            padded = functional.pad(below, _sides(sized), value=border)
            return functional.conv2d(padded, kernels, stride=stride) + wide
        case Subsample(size=size):
            return functional.avg_pool2d(below, size) * size**2 * weight[:, None, None] + wide
        case Dense():
            return (below.flatten(1) @ weight.T)[:, :, None, None] + wide
        case MaxPool() | AveragePool() | Rbf():
            raise TypeError("codes and pools have no weighted sums")
        case _ as unreachable:
            assert_never(unreachable)


def squashed(activation: Activation, sums: Tensor) -> Tensor:
    """Return the states of units with these sums."""
    match activation:
        case Tanh(amplitude=amplitude, slope=slope):
            return amplitude * torch.tanh(slope * sums)
        case Relu():
            return torch.relu(sums)
        case Identity():
            return sums
        case Sigmoid():
            return torch.sigmoid(sums)
        case HardTanh(low=low, high=high):
            return functional.hardtanh(sums, low, high)
        case _ as unreachable:
            assert_never(unreachable)


class TorchEngine:
    """A network in training in torch, on one thread; see :class:`retronet.engines.engine.Engine`.

    A step of these networks is too little work to share: torch on several threads is slower.
    """

    def __init__(self, recipe: Recipe, network: NetworkSpec) -> None:
        torch.set_num_threads(1)
        self._recipe = recipe
        self._network = network
        self._places = sized_layers(network)
        self._device = torch.device("cuda" if recipe.engine == "torch-cuda" else "cpu")
        self._dtype = {"float32": torch.float32, "float64": torch.float64}[recipe.precision]
        self._wanted = self._tensor(target_matrix(recipe.targets, self._places[-1].output[0]))
        self._codes = {
            sized.name: self._tensor(code_matrix(sized.layer))
            for sized in self._places
            if isinstance(sized.layer, Rbf)
        }
        self._parameters: Tensors = {}
        self._curvature: Tensors = {}
        self._optimiser: torch.optim.Optimizer | None = None

    def _tensor(self, array: NDArray[np.generic]) -> Tensor:
        return torch.tensor(array, dtype=self._dtype, device=self._device)

    def _labels(self, labels: NDArray[np.uint8]) -> Tensor:
        return torch.tensor(labels, dtype=torch.int64, device=self._device)

    def load(self, parameters: Parameters, optimiser: Mapping[str, Parameters], steps: int) -> None:
        """Go back to where `steps` steps had been done."""
        shapes = parameter_shapes(self._network)
        for name, shape in shapes.items():
            if name not in parameters or parameters[name].shape != shape:
                raise InputError(
                    f"The array '{name}' is missing or has another shape than {shape}, which network "
                    f"'{self._network.name}' needs. Use the parameters of this network."
                )
        self._parameters = {name: self._tensor(parameters[name]).requires_grad_() for name in shapes}
        curvature = optimiser.get("curvature") or {name: np.zeros(shape) for name, shape in shapes.items()}
        self._curvature = {name: self._tensor(curvature[name]) for name in shapes}
        self._optimiser = self._make_optimiser()
        if self._optimiser is not None and "mean" in optimiser:
            for name, leaf in self._parameters.items():
                moments = {theirs: self._tensor(optimiser[ours][name]) for ours, theirs in MOMENTS.items()}
                self._optimiser.state[leaf] = {"step": torch.tensor(float(steps)), **moments}

    def _make_optimiser(self) -> torch.optim.Optimizer | None:
        leaves = list(self._parameters.values())
        match self._recipe.rule:
            case Sgd():
                return torch.optim.SGD(leaves)
            case Adam(beta1=beta1, beta2=beta2, epsilon=epsilon):
                return torch.optim.Adam(leaves, betas=(beta1, beta2), eps=epsilon)
            case AdamW(beta1=beta1, beta2=beta2, epsilon=epsilon, decay=decay):
                return torch.optim.AdamW(leaves, betas=(beta1, beta2), eps=epsilon, weight_decay=decay)
            case SdlmRunning() | SdlmBatch():
                return None
            case _ as unreachable:
                assert_never(unreachable)

    def parameters(self) -> Parameters:
        """Return copies of the network's arrays."""
        return _arrays(self._parameters)

    def optimiser(self) -> dict[str, Parameters]:
        """Return copies of what the rule remembers besides."""
        match self._recipe.rule:
            case SdlmRunning() | SdlmBatch():
                return {"curvature": _arrays(self._curvature)}
            case Adam() | AdamW() if self._optimiser is not None and self._optimiser.state:
                state = self._optimiser.state
                return {
                    ours: _arrays({name: state[leaf][theirs] for name, leaf in self._parameters.items()})
                    for ours, theirs in MOMENTS.items()
                }
            case _:
                return {}

    def outputs(self, images: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the outputs for `images`."""
        with torch.no_grad():
            parts = [self._forward(part, None).states[-1] for part in torch.split(self._tensor(images), 1000)]
        answers: NDArray[np.floating] = torch.cat(parts).flatten(1).cpu().numpy()
        return answers

    def _forward(self, images: Tensor, factors: Tensor | None) -> Passage:
        states, sums = [images.reshape(len(images), *self._network.input)], list[Tensor | None]()
        for sized in self._places:
            layer = sized.layer
            if isinstance(layer, Rbf):
                sums.append(None)
                distances = (states[-1].flatten(1)[:, None, :] - self._codes[sized.name]).square().sum(2)
                states.append(-distances[:, :, None, None])
                continue
            if isinstance(layer, MaxPool | AveragePool):
                total = pooled(sized, states[-1])
            else:
                weight, bias = (self._parameters[f"{sized.name}.{part}"] for part in ("weight", "bias"))
                total = weighted_sums(sized, states[-1], weight, bias, _border(sized))
            state = squashed(layer.activation, total)
            if factors is not None and self._drops(sized):
                state = state * factors.reshape(state.shape)
            sums.append(total)
            states.append(state)
        return Passage(sums, states)

    def _drops(self, sized: SizedLayer) -> bool:
        return self._recipe.dropout is not None and self._recipe.dropout.layer == sized.name

    def learn(self, batches: Batches) -> float:
        """Learn the patterns of `batches`; return the sum of their losses."""
        images, labels = self._tensor(batches.images), self._labels(batches.labels)
        factors = None if batches.factors is None else self._tensor(batches.factors)
        total = 0.0
        for step, rate in enumerate(batches.rates):
            part = slice(step * batches.batch, (step + 1) * batches.batch)
            masks = None if factors is None else factors[part]
            total += self._step(images[part], labels[part], masks, float(rate))
        return total

    def gradient(self, images: NDArray[np.floating], labels: NDArray[np.uint8]) -> Parameters:
        """Return the gradient of the mean loss of these digits; nothing is learnt."""
        numbers, leaves = self._labels(labels), list(self._parameters.values())
        outputs = self._forward(self._tensor(images), None).states[-1].flatten(1)
        mean = torch_losses_of(self._recipe.loss, outputs, numbers, self._wanted[numbers]).mean()
        gradients = torch.autograd.grad(mean, leaves, allow_unused=True, materialize_grads=True)
        return _arrays(dict(zip(self._parameters, gradients, strict=True)))

    def _step(self, images: Tensor, labels: Tensor, factors: Tensor | None, rate: float) -> float:
        passage = self._forward(images, factors)
        outputs = passage.states[-1].flatten(1)
        each = torch_losses_of(self._recipe.loss, outputs, labels, self._wanted[labels])
        leaves = list(self._parameters.values())
        gradients = torch.autograd.grad(each.mean(), leaves, allow_unused=True, materialize_grads=True)
        match self._recipe.rule:
            case SdlmRunning(mu=mu, gamma=gamma):
                for name, new in self._curvatures(passage, labels, factors).items():
                    self._curvature[name].mul_(1 - gamma).add_(new, alpha=gamma)
                self._step_sdlm(gradients, rate, mu)
            case SdlmBatch(mu=mu):
                self._step_sdlm(gradients, rate, mu)
            case Sgd() | Adam() | AdamW():
                assert self._optimiser is not None
                self._optimiser.param_groups[0]["lr"] = rate
                for leaf, gradient in zip(leaves, gradients, strict=True):
                    leaf.grad = gradient
                self._optimiser.step()
            case _ as unreachable:
                assert_never(unreachable)
        return each.sum().item()

    def _step_sdlm(self, gradients: tuple[Tensor, ...], rate: float, mu: float) -> None:
        with torch.no_grad():
            for (name, leaf), gradient in zip(self._parameters.items(), gradients, strict=True):
                leaf -= rate * gradient / (mu + self._curvature[name])

    def measure_curvature(self, images: NDArray[np.floating], labels: NDArray[np.uint8]) -> None:
        """Set the curvature to its mean over these digits."""
        passage, numbers = self._forward(self._tensor(images), None), self._labels(labels)
        sums = self._curvatures(passage, numbers, None)
        self._curvature = {name: part / len(labels) for name, part in sums.items()}

    def _curvatures(self, passage: Passage, labels: Tensor, factors: Tensor | None) -> Tensors:
        """Return the Gauss–Newton diagonal, summed over the patterns.

        A layer sends second derivatives down as it sends first ones, with weights, states and slopes squared:
        so they are the derivatives of its own sums taken on squares.
        """
        curvatures: Tensors = {}
        arriving = output_curvatures(self._recipe.loss, passage.states[-1].detach().flatten(1), labels)
        for level, sized in reversed(list(enumerate(self._places))):
            total, below = passage.sums[level], passage.states[level].detach()
            if isinstance(sized.layer, Rbf) or total is None:
                distances = 2 * (below.flatten(1)[:, None, :] - self._codes[sized.name])
                rubbish = arriving[:, -1:]
                arriving = (arriving[:, :-1, None] * distances.square()).sum(1) + 2 * rubbish
                continue
            slope = _slope(sized.layer.activation, total)
            if factors is not None and self._drops(sized):
                slope = slope * factors.reshape(slope.shape)
            if isinstance(sized.layer, MaxPool | AveragePool):
                arriving = _sent_down(sized, below, arriving.reshape(total.shape) * slope.square())
                continue
            weight = self._parameters[f"{sized.name}.weight"].detach().square().requires_grad_()
            bias = torch.zeros_like(self._parameters[f"{sized.name}.bias"], requires_grad=True)
            inputs = below.square().requires_grad_()
            linear = weighted_sums(sized, inputs, weight, bias, _border(sized) ** 2)
            weighted = (arriving.reshape(total.shape) * slope.square() * linear).sum()
            curvatures[f"{sized.name}.weight"], curvatures[f"{sized.name}.bias"], arriving = (
                torch.autograd.grad(weighted, (weight, bias, inputs))
            )
        return curvatures


def _sent_down(sized: SizedLayer, below: Tensor, arriving: Tensor) -> Tensor:
    """Return what a pool sends down of second derivatives: its own derivatives are squared.

    Those of a max pool are 0 or 1, those of an average pool all the same.
    """
    leaf = below.requires_grad_()
    (sent,) = torch.autograd.grad(pooled(sized, leaf), leaf, arriving)
    return sent if isinstance(sized.layer, MaxPool) else sent / sized.taps_per_plane


def _border(sized: SizedLayer) -> float:
    return sized.layer.border if isinstance(sized.layer, Conv) else 0.0


def _slope(activation: Activation, sums: Tensor) -> Tensor:
    """Return the derivatives of the states by the sums."""
    leaf = sums.detach().requires_grad_()
    (slope,) = torch.autograd.grad(squashed(activation, leaf).sum(), leaf)
    return slope


def _arrays(tensors: Tensors) -> Parameters:
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in tensors.items()}
