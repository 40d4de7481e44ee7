"""What a run depends on, all of it: recipe, network, digits and versions."""

import platform
import sys
from importlib.metadata import version

import msgspec

from retronet.datasets import DigitSets, Provenance
from retronet.network import NetworkSpec
from retronet.recipe import Recipe


class RunConfiguration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a run depends on, as ``run.json`` holds it.

    ``notice`` is what was said about the data; ``origin`` where a network comes from that the recipe did not
    train.
    """

    schema: str
    recipe: Recipe
    network: NetworkSpec
    data: tuple[Provenance, Provenance]
    notice: str | None
    versions: dict[str, str]
    origin: str | None = None


def versions() -> dict[str, str]:
    """Return the versions and the processor that a run's bytes depend on."""
    packages = ("numpy", "numba", "llvmlite", "retronet")
    return {
        "python": sys.version.split()[0],
        "machine": platform.machine(),
        **{package: version(package) for package in packages},
    }


def configure(
    recipe: Recipe, network: NetworkSpec, digits: DigitSets, origin: str | None = None
) -> RunConfiguration:
    """Return the configuration of a run that begins now; see :func:`retronet.runs.run.create_run`."""
    return RunConfiguration(
        schema="retronet/run/1",
        recipe=recipe,
        network=network,
        data=(digits.train.provenance, digits.test.provenance),
        notice=digits.notice,
        versions=versions(),
        origin=origin,
    )
