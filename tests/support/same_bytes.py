"""Prints digests of what training and simulation leave behind, compiled for one processor or another.

Every recipe is trained for two passes over a few embedded digits; one of the networks then goes through the
simulations that calibrate on its floating-point states. ``tests/retronet/test_same_bytes.py`` runs this.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from click.testing import CliRunner

from retronet.recipe import Recipe, load_recipe, recipe_names
from retronet_cli.main import cli

TAKE = 50
POOLED = Path(__file__).with_name("pooled.toml")
VOLATILE = ("seconds", "run", "rows_file", "origin", "wall_seconds")
SIMULATIONS: dict[str, tuple[str, ...]] = {
    **{
        f"simulate {rule}": ("simulate", "--bits", "4", "--scale", rule)
        for rule in ("power-of-two", "max-abs", "percentile:99.5", "mse", "mse/map")
    },
    "simulate three levels": ("simulate", "--weight-format", "{-1,0,1}", "--scale", "threshold:0.7"),
    "sweep": ("sweep", "--bits", "3,5", "--tensors", "all,sums", "--scale", "max-abs,mse", "--jobs", "1"),
    "allocate": ("allocate", "--bits", "3,5"),
    "retrain": ("retrain", "--passes", "1", "--run", "{folder}/retrained"),
    "prune": ("prune", "--delete", "900", "--stages", "2", "--passes", "1", "--run", "{folder}/pruned"),
    "read back": ("read-back",),
    "dsp32c": ("simulate", "--chip", "dsp32c-80ns"),
    "anna": ("simulate", "--chip", "anna", "--chips", "1", "--set", "noise=0.05", "--set", "mismatch=0.02"),
    "net32k": ("simulate", "--chip", "net32k", "--chips", "1"),
}


def call(*arguments: str) -> str:
    result = CliRunner().invoke(cli, list(arguments))
    if result.exit_code:
        raise SystemExit(f"retronet {' '.join(arguments)}: {result.stderr or result.exception!r}")
    return result.stdout


def train(name: str, folder: Path, *changes: str) -> None:
    settings = [f"take={TAKE}", *changes]
    options = [part for setting in settings for part in ("--set", setting)]
    call("train", name, "--data", "digits5k", "--passes", "2", "--run", str(folder), *options, "--quiet")


def changes(recipe: Recipe) -> Iterator[str]:
    """Yield what makes a recipe take as few digits as this."""
    if recipe.holdout is not None:
        yield "holdout.digits=10"
    if recipe.rule.__struct_config__.tag == "sdlm-batch":
        yield "rule.patterns=20"


def digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()[:16]


def without_times(printed: str) -> str:
    fields = json.loads(printed)
    return json.dumps({key: value for key, value in fields.items() if key not in VOLATILE}, sort_keys=True)


def digests(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield names and digests of all that is compared."""
    runs = {name: (name, *changes(load_recipe(name))) for name in recipe_names()}
    runs["in double precision"] = ("lecun1989", "precision=float64")
    runs["in batches"] = ("chang2022", "rule.batch=8")
    runs["pools"] = ("lecun1989", f"network={POOLED}")
    runs["pools in double precision"] = ("lecun1989", f"network={POOLED}", "precision=float64")
    runs["one cycle"] = ("karpathy2022", 'schedule={kind="one-cycle",peak=0.05}')
    for name, (recipe, *others) in runs.items():
        train(recipe, folder / name, *others)
        yield f"{name}: checkpoint", digest(folder / name / "checkpoint.safetensors")
        yield f"{name}: epochs", digest(folder / name / "epochs.jsonl")
    for name, command in SIMULATIONS.items():
        chosen = [part.format(folder=folder) if "{folder}" in part else part for part in command]
        printed = without_times(call(*chosen, str(folder / "lecun1989"), "--json", "--quiet"))
        yield name, sha256(printed.replace(str(folder), "").encode()).hexdigest()[:16]
    for name, command in (("sweep", ("--bits", "3", "--jobs", "1")), ("simulate", ("--bits", "4"))):
        printed = without_times(call(name, *command, str(folder / "pools"), "--json", "--quiet"))
        yield f"{name} pools", sha256(printed.replace(str(folder), "").encode()).hexdigest()[:16]
    codes = folder / "codes"
    call("data", "compose", "-o", str(codes), "--data", "digits5k", "--count", "5", "--difficulty", "hard")
    written = b"".join(path.read_bytes() for path in sorted(codes.iterdir()))
    yield "composed codes", sha256(written).hexdigest()[:16]
    pictures = [str(path) for path in sorted(codes.glob("*.png"))]
    for name, network, options in (("read", "lecun1989", ()), ("scanned", "lenet1", ("--scan",))):
        words = (*pictures, str(folder / network), "--digits", "5", *options, "--json", "--quiet")
        printed = without_times(call("read", *words))
        yield name, sha256(printed.replace(str(folder), "").encode()).hexdigest()[:16]
    yield "pruned: checkpoint", digest(folder / "pruned" / "checkpoint.safetensors")
    yield "retrained: checkpoint", digest(folder / "retrained" / "checkpoint.safetensors")


if __name__ == "__main__":
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        json.dump(dict(digests(Path(folder))), sys.stdout, indent=1)
