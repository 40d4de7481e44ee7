"""What studies are going to compile, for a process that does it ahead of them."""

import numpy as np

from hw_sim.fixed_point.ahead import run_one_layer
from hw_sim.formats.fixed import Fixed
from hw_sim.kernels.quantised_training import CastTables, Scales, address_of_cast, train_quantised
from hw_sim.studies.cast_tables import casters
from retronet.curvature import goal_of
from retronet.engines.ahead import Job, learnt, to_answer, to_send_back
from retronet.engines.workspace import Workspace
from retronet.kernels.passes import measure_curvature
from retronet.kernels.separate import address_of
from retronet.kernels.unit_curvature import measure_unit_curvature
from retronet.trained import Trained


def to_retrain(trained: Trained) -> list[Job]:
    """Return what `hw_sim.studies.retrain` compiles, in the order of its doing."""
    workspace = Workspace(trained.network)
    flat, doubles, table = workspace.bare.flat.parameters, np.zeros(0), casters([Fixed(8, 6)])
    machine, images, labels, order, goal = learnt(workspace)
    casts = CastTables(
        0, table, Scales(np.zeros((0, 2), np.int64), doubles, doubles), table, doubles, doubles
    )
    return [
        *to_answer(workspace),
        *to_send_back(workspace),
        lambda: goal_of(trained.recipe, workspace.sized_layers[-1].output[0], workspace.dtype),
        lambda: run_one_layer(trained.recipe),
        lambda: address_of_cast(table, flat, doubles),
        lambda: address_of(measure_curvature, machine, images, labels, order, goal),
        lambda: address_of(train_quantised, machine, casts, flat, images, labels, order, goal, 0, 1.0, 1.0),
    ]


def to_allocate(trained: Trained) -> list[Job]:
    """Return what `hw_sim.studies.allocator` compiles, in the order of its doing."""
    workspace = Workspace(trained.network)
    flat = np.zeros(0)
    return [
        *to_answer(workspace),
        *to_send_back(workspace),
        lambda: goal_of(trained.recipe, workspace.sized_layers[-1].output[0], workspace.dtype),
        lambda: address_of(measure_unit_curvature, *learnt(workspace), flat, flat),
        lambda: run_one_layer(trained.recipe),
    ]
