"""What a run depends on, all of it: what made it, recipe, network, digits and versions."""

import hashlib
import platform
import re
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from retronet.datasets import DigitSets, Provenance
from retronet.errors import InputError
from retronet.network import NetworkSpec
from retronet.recipe import Recipe

_version = cache(version)  # from a file each time: of a hundred finished runs this was the half
FIRST_SCHEMA = "retronet/run/1"
SCHEMA = "retronet/run/2"


class ByTraining(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="trained", tag_field="kind"):
    """Made by training as the recipe says; ``history`` is the number of steps from snapshot to snapshot."""

    history: int | None = None


class ByRetraining(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="retrained", tag_field="kind"
):
    """Made from the run ``origin`` by training on within the number formats of ``plan``.

    ``origin_sha256`` is the digest of that run's checkpoint file; ``settings`` and ``plan`` are those of
    :mod:`hw_sim.studies.retrain`, as JSON has them. A run of the first schema says neither.
    """

    origin: str
    origin_sha256: str | None = None
    settings: dict[str, Any] = {}
    plan: dict[str, Any] = {}


class ByImport(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="imported", tag_field="kind"):
    """Taken from a file.

    ``renamed`` maps names of its arrays to those here and ``transposed`` names arrays that were turned, both
    as they were asked for; ``recognised`` is what was resolved unasked, a sentence each.
    """

    file: str
    sha256: str
    renamed: dict[str, str] = {}
    transposed: tuple[str, ...] = ()
    recognised: tuple[str, ...] = ()


class ByPruning(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="pruned", tag_field="kind"):
    """Made from the run ``origin`` by deleting parameters.

    ``origin_sha256`` is the digest of that run's checkpoint file; ``settings`` are those of
    :mod:`retronet.training.pruning`, as JSON has them.
    """

    origin: str
    origin_sha256: str
    settings: dict[str, Any]


Made = ByTraining | ByRetraining | ByImport | ByPruning


class RunProcessor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a run was begun. It is no part of what a run depends on if its bytes are the same elsewhere.

    ``code_target`` is the processor that code is compiled for, in LLVM's words; ``same_bytes_on`` where the
    same seed gives the same bytes, the versions being the same.
    """

    name: str
    code_target: str
    same_bytes_on: Literal["any x86-64 processor", "this processor"]


class RunConfiguration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a run depends on, as ``run.json`` holds it.

    ``notice`` is what was said about the data; ``sha256`` is the digest of all the rest.
    """

    schema: str
    recipe: Recipe
    network: NetworkSpec
    data: tuple[Provenance, Provenance]
    notice: str | None
    versions: dict[str, str]
    made: Made
    processor: RunProcessor | None = None
    sha256: str | None = None

    @property
    def origin(self) -> str | None:
        """Where a network comes from that the recipe did not train, in words."""
        match self.made:
            case ByRetraining(origin=origin, settings=settings):
                layers = f"its {settings['layers']} layers " if "layers" in settings else ""
                return f"{origin}, {layers}retrained with weights and states cast as in plan.toml"
            case ByPruning(origin=origin, settings=settings):
                return f"{origin}, {settings['delete']:,} of its parameters deleted"
            case ByImport(file=file, sha256=digest):
                return f"imported from {file}, SHA-256 {digest}"
            case _:
                return None


class _First(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first schema, which told makers apart by a sentence alone."""

    schema: str
    recipe: Recipe
    network: NetworkSpec
    data: tuple[Provenance, Provenance]
    notice: str | None
    versions: dict[str, str]
    origin: str | None = None

    def made(self) -> Made:
        """Return what made the run."""
        if self.origin is None:
            return ByTraining()
        if match := re.fullmatch(r"imported from (.*), SHA-256 ([0-9a-f]*)", self.origin, re.DOTALL):
            return ByImport(match[1], match[2])
        return ByRetraining(self.origin.partition(", its ")[0])


def processor(recipe: Recipe) -> RunProcessor:
    """Return the processor that trains here."""
    from llvmlite.binding import get_host_cpu_name
    from numba import config

    target = getattr(config, "CPU_NAME", None) or get_host_cpu_name()
    proved = recipe.engine == "numba" and platform.machine() in ("x86_64", "AMD64")
    return RunProcessor(_processor_name(), target, "any x86-64 processor" if proved else "this processor")


def _processor_name() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


class _Schema(msgspec.Struct):
    schema: str


def read_configuration(content: bytes) -> RunConfiguration:
    """Return the configuration that is the JSON `content`, of either schema.

    Raises
    ------
    InputError
        If it has a schema that is not known here.
    msgspec.DecodeError, ValueError
        If it can not be read.
    """
    schema = msgspec.json.decode(content, type=_Schema).schema
    if schema == SCHEMA:
        return msgspec.json.decode(content, type=RunConfiguration)
    if schema == FIRST_SCHEMA:
        first = msgspec.json.decode(content, type=_First)
        return RunConfiguration(
            schema, first.recipe, first.network, first.data, first.notice, first.versions, first.made()
        )
    raise InputError(f"its schema is '{schema}'; {FIRST_SCHEMA} and {SCHEMA} can be read")


def versions() -> dict[str, str]:
    """Return the versions and the kind of processor that a run's bytes depend on."""
    packages = ("numpy", "numba", "llvmlite", "retronet")
    return {
        "python": sys.version.split()[0],
        "machine": platform.machine(),
        **{package: _version(package) for package in packages},
    }


def configure(
    recipe: Recipe, network: NetworkSpec, digits: DigitSets, made: Made | None = None
) -> RunConfiguration:
    """Return the configuration of a run that begins now; see :func:`retronet.runs.create.create_run`."""
    configuration = RunConfiguration(
        schema=SCHEMA,
        recipe=recipe,
        network=network,
        data=(digits.train.provenance, digits.test.provenance),
        notice=digits.notice,
        versions=versions(),
        made=ByTraining() if made is None else made,
        processor=processor(recipe),
    )
    return replace(configuration, sha256=digest_of(configuration))


def digest_of(configuration: RunConfiguration) -> str:
    """Return the digest of all but the digest."""
    return digest_of_text(msgspec.json.encode(replace(configuration, sha256=None)))


def digest_of_text(text: bytes) -> str:
    """Return the digest of a configuration as it was written, of all but the digest.

    Of the text and not of what is made of it: a later version knows keys that this one did not write.
    """
    content = msgspec.json.decode(text) | {"sha256": None}
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()
