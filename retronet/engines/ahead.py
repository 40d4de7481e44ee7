"""What runs are going to compile, in the order in which they will: for a process that does it ahead of them.

Types alone decide what is compiled: arrays are empty here, and addresses 0.
"""

from collections.abc import Callable
from typing import assert_never

import numpy as np

from retronet.engines.numba_engine import NumbaEngine
from retronet.engines.workspace import Workspace
from retronet.kernels.compiling import goal_for, learning
from retronet.kernels.layers import backward, forward
from retronet.kernels.losses import SQUARED
from retronet.kernels.optimisers import Dropped, Moments, train_adam, train_batches
from retronet.kernels.passes import Goal, measure_curvature, run_forward, train_sdlm, train_sgd
from retronet.kernels.products import rows_by_columns, rows_by_rows
from retronet.kernels.separate import address_of
from retronet.network import NetworkSpec
from retronet.recipe import Adam, AdamW, Recipe, SdlmBatch, SdlmRunning, Sgd

Job = Callable[[], object]
"""Compiles something."""


def to_answer(workspace: Workspace) -> list[Job]:
    """Return what running a network forward compiles.

    The slowest come by themselves after the rest, so that two processes share them.
    """
    bare, flat = workspace.bare, workspace.bare.flat.activity
    images, states = np.zeros((0, 1, 1), workspace.dtype), np.zeros((0, 1), workspace.dtype)
    product = (flat, 1, flat, 1, flat, 1, 1, 1, 1, bare.wiring.runs, 1, True)
    return [
        lambda: workspace.answering,
        lambda: address_of(rows_by_columns, *product),
        lambda: address_of(rows_by_rows, *product),
        lambda: address_of(forward, bare.wiring, flat, flat),
        lambda: address_of(run_forward, bare, images, 0, np.zeros(0, np.int64), states),
    ]


def to_send_back(workspace: Workspace) -> list[Job]:
    """Return what running it backward compiles besides."""
    bare, flat = workspace.bare, workspace.bare.flat.activity
    return [
        lambda: learning(bare),
        lambda: address_of(backward, bare.wiring, flat, flat, flat, flat),
    ]


def to_train(recipe: Recipe, network: NetworkSpec) -> list[Job]:
    """Return what training compiles; nothing where the engine is another."""
    if recipe.engine != "numba":
        return []
    workspace = Workspace(network, recipe.precision, None if recipe.dropout is None else recipe.dropout.layer)
    *passes, run = to_answer(workspace)
    measured = isinstance(recipe.rule, SdlmBatch)
    return [
        lambda: NumbaEngine(recipe, network),
        *passes,
        *to_send_back(workspace),
        *([lambda: address_of(measure_curvature, *learnt(workspace))] if measured else []),
        lambda: _loop_of(recipe, workspace),
        run,
    ]


def to_learn_beside(workspace: Workspace) -> list[Job]:
    """Return what plain gradient descent on half the squared error compiles, after `to_answer`."""
    return [
        *to_send_back(workspace),
        lambda: goal_for(np.zeros((1, 1), workspace.dtype), SQUARED, 1.0),
        lambda: address_of(train_sgd, *learnt(workspace), 1.0),
    ]


def learnt(workspace: Workspace) -> tuple[object, ...]:
    """Return the first arguments of the loops of training: network, images, labels, order and goal."""
    dtype = workspace.dtype
    goal = Goal(np.zeros((0, 1), dtype), 0, 1.0)
    labels, order = np.zeros(0, np.uint8), np.zeros(0, np.int64)
    return workspace.bare, np.zeros((0, 1, 1), dtype), labels, order, goal


def _loop_of(recipe: Recipe, workspace: Workspace) -> object:
    machine, images, labels, order, goal = learnt(workspace)
    dropped = Dropped(workspace.factors, np.zeros((0, 0), workspace.dtype))
    rates, flat = np.zeros(0), workspace.bare.flat.parameters
    match recipe.rule:
        case Sgd(batch=1) if recipe.dropout is None:
            return address_of(train_sgd, machine, images, labels, order, goal, 1.0)
        case Sgd():
            return address_of(train_batches, machine, images, labels, goal, dropped, rates, 1)
        case Adam() | AdamW():
            moments = Moments(flat, flat, 1.0, 1.0, 1.0, 1.0)
            return address_of(train_adam, machine, images, labels, goal, dropped, rates, 1, moments, 1)
        case SdlmRunning() | SdlmBatch():
            return address_of(train_sdlm, machine, images, labels, order, goal, 1.0, 1.0, 1.0)
        case _ as unreachable:
            assert_never(unreachable)
