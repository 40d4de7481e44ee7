"""Losses in torch, with the second derivatives that SDLM sends down."""

from typing import assert_never

import torch
from torch import Tensor

from retronet.recipe import BinaryCrossEntropy, CrossEntropy, Loss, MaximumPosterior, SquaredError


def torch_losses_of(loss: Loss, outputs: Tensor, labels: Tensor, wanted: Tensor) -> Tensor:
    """Return the loss of each pattern, given outputs and wanted outputs (n, classes)."""
    own = outputs.gather(1, labels[:, None])[:, 0]
    match loss:
        case SquaredError(form="half-sum"):
            return 0.5 * (outputs - wanted).square().sum(1)
        case SquaredError():
            return (outputs - wanted).square().mean(1)
        case CrossEntropy():
            return torch.logsumexp(outputs, 1) - own
        case BinaryCrossEntropy():
            itself = torch.eye(outputs.shape[1], dtype=torch.bool, device=outputs.device)
            others = torch.logsumexp(outputs[:, None, :].masked_fill(itself, -torch.inf), 2)
            favoured = torch.where(itself[labels], outputs, others)
            return torch.logsumexp(outputs, 1) - favoured.mean(1)
        case MaximumPosterior():
            return torch.logsumexp(_with_rubbish(loss, outputs), 1) - own
        case _ as unreachable:
            assert_never(unreachable)


def _with_rubbish(loss: MaximumPosterior, outputs: Tensor) -> Tensor:
    """Return `outputs` and the fixed one of the rubbish class."""
    return torch.cat([outputs, outputs.new_full((len(outputs), 1), -loss.j)], 1)


def output_curvatures(loss: Loss, outputs: Tensor, labels: Tensor) -> Tensor:
    """Return the positive second derivatives of each pattern's loss by each output (n, classes).

    For losses of a softmax it is the diagonal of what remains when the curvature of the softmax is dropped;
    with a rubbish class one more column holds its probability.
    """
    match loss:
        case SquaredError(form=form):
            return torch.full_like(outputs, 1.0 if form == "half-sum" else 2.0 / outputs.shape[1])
        case CrossEntropy():
            chances = torch.softmax(outputs, 1)
            return chances * (1 - chances)
        case BinaryCrossEntropy():
            chances = torch.softmax(outputs, 1)
            itself = torch.eye(outputs.shape[1], dtype=outputs.dtype, device=outputs.device)
            odds = torch.where(itself[labels] > 0, 1.0, chances / (1 - chances))
            return (odds[:, :, None] * (itself - chances[:, None, :])).square().mean(1)
        case MaximumPosterior():
            chances = torch.softmax(_with_rubbish(loss, outputs), 1)
            return torch.cat([(chances * (1 - chances))[:, :-1], chances[:, -1:]], 1)
        case _ as unreachable:
            assert_never(unreachable)
