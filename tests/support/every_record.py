"""What every command tells when asked for JSON, its tables' rows included, and the records it leaves."""

import importlib
import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import retronet_cli
from retronet import datasets
from retronet.recipe import FOLDER
from retronet.runs.run import open_run
from retronet.studies import choices, reproduce
from retronet_cli import forms
from retronet_cli.main import cli

PACKAGE = Path(retronet_cli.__file__).parent
FEW = "--data digits5k --passes 1 --quiet"
COMMAND_LINES = f"""
train --dry-run {FEW}
train {FEW} --run a --history 40
train {FEW} --seeds 0-1 --jobs 1
train lenet1 {FEW} --set holdout={{digits=10,seed=0}} --run slides
train karpathy2022-modern-4 {FEW} --set holdout={{digits=10,seed=0}} --set patience=1 --run adam
resume a
evaluate a --arrays arrays.npz
simulate a --bits 4 --accumulator-bits 12
simulate a --chip dsp32c-80ns
simulate a --chip anna --chips 2
simulate a --chip net32k --chips 2
simulate a --chip net32k --precisions
simulate a --chip graf54 --chips 2 --set current_deviation=0.1
data compose -o codes --data digits5k --count 1 --difficulty easy --seed 1
read codes/00000.png a --digits 5 --work
read codes/00000.png slides --digits 5 --scan
codes a --count 2 --difficulty easy
read-back a
rates --data digits5k --lots 3 --lot 2
import weights.npz --data digits5k --run imported
reproduce --jobs 1 --seeds 0-39
reproduce --choices default,zero --jobs 1 --seeds 0-39
sweep a --bits 4,5 --tensors all,layers --jobs 1
allocate a --bits 4 --rise 60
retrain a --passes 1 --run retrained
prune a --delete 900 --stages 1 --passes 1 --run pruned
prune a --curve
allocate pruned --bits 4 --rise 60
compare adam --plan bits=8 --plan bits=2
report a
report --network lenet1 --field 28x140
report --html story.html a
export golden a --bits 4 --digits 1 -o golden
export rtl a --bits 4 --digits 1 -o circuit
export onnx a --form float -o net.onnx
import net.onnx --data digits5k --digits 5 --run graph
report --rtl circuit
draw a -o draw.html
show recipes
show recipe lecun1989
show networks
show network lecun1989
show plan a
show run a
show run retrained
show run pruned
show run imported
show sweep a
show chips
show chip anna
data list
data verify digits5k
data fetch digits5k
data path
"""
FILES = {
    # the section of the page: its files, a record a line or one in all
    "run.json": "*/run.json",
    "epochs.jsonl": "*/epochs.jsonl",
    "timing.jsonl": "*/timing.jsonl",
    "history.jsonl": "*/history.jsonl",
    "before.json": "*/before.json",
    "sweep.jsonl": "*/sweep.jsonl",
    "retronet/composed-codes/1": "codes/labels.json",
    "retronet/golden/1": "golden/manifest.json",
    "retronet/circuit/1": "circuit/circuit.json",
}
PUBLISHED = """
[[recipes]]
recipe = "tiny-recipe.toml"
seeds = [0]
[[recipes.figures]]
pass = 1
digits = "test"
quantity = "misses"
published = 20
source = "made up"
"""
CHOICES = """
[[choices]]
name = "default"
title = "As it is"
recipe = "tiny-recipe.toml"
[[choices]]
name = "zero"
title = "Biases from 0, to other targets"
recipe = "tiny-recipe.toml"
changes = { "initial.bias" = "zero", "targets.on" = 0.9, passes = 1, rule = { kind = "sgd" } }
"""
TINY = """
name = "tiny"
title = "A small one"
input = [1, 16, 16]
[[layers]]
kind = "dense"
name = "output"
units = 10
activation = { kind = "tanh", amplitude = 1.7159, slope = 0.6666666666666666 }
"""


@dataclass(frozen=True)
class Told:
    """What a command printed, and the rows of its tables in the forms that have rows."""

    line: str
    document: dict[str, Any]
    tables: dict[str, list[dict[str, Any]]]


def few_digits(patch: pytest.MonkeyPatch) -> None:
    """Let data sets have a fiftieth of their digits, so that commands take no longer than they must."""
    load = datasets.load

    def loaded(*words: Any, **options: Any) -> datasets.DigitSets:
        sets = load(*words, **options)
        halves = (
            replace(half, images=half.images[::50], labels=half.labels[::50])
            for half in (sets.train, sets.test)
        )
        return datasets.DigitSets(*halves, sets.notice)

    patch.setattr(datasets, "load", loaded)
    patch.setattr("retronet.studies.seeds.load", loaded)


@contextmanager
def watched(patch: pytest.MonkeyPatch) -> Iterator[list[dict[str, list[dict[str, Any]]]]]:
    """Keep the rows of what is given meanwhile."""
    kept: list[dict[str, list[dict[str, Any]]]] = []
    give = forms.give

    def watching(form: forms.Form, what: str, fields: Any, tables: Any) -> None:
        made = {name: list(rows) for name, rows in tables.items()}
        kept.append({name: forms._chosen(forms.Form(table=name), made) for name in made})
        give(form, what, fields, made)

    with patch.context() as inner:
        for path in sorted(PACKAGE.rglob("*.py")):
            words = path.relative_to(PACKAGE.parent).with_suffix("").parts
            if words[-1] in ("__init__", "__main__"):
                continue
            module = importlib.import_module(".".join(words))
            if hasattr(module, "give"):
                inner.setattr(module, "give", watching)
        yield kept


def tell_all(patch: pytest.MonkeyPatch) -> Iterator[Told]:
    """Yield what each command prints with ``--json``, run in the present folder one after the other."""
    Path("published.toml").write_text(PUBLISHED, encoding="utf-8")
    Path("choices.toml").write_text(CHOICES, encoding="utf-8")
    Path("tiny.toml").write_text(TINY, encoding="utf-8")
    recipe = (FOLDER / "lecun1989.toml").read_text(encoding="utf-8").splitlines()
    changed = {"network": "tiny.toml", "data": "digits5k", "passes": 1}
    lines = [f"{key} = {json.dumps(value)}" for key, value in changed.items()]
    lines += [line for line in recipe if line.partition(" =")[0] not in changed]
    Path("tiny-recipe.toml").write_text("\n".join(lines), encoding="utf-8")
    patch.setattr(reproduce, "FILE", Path("published.toml"))
    patch.setattr(choices, "FILE", Path("choices.toml"))
    patch.setattr(choices, "FIGURES_OF", "tiny-recipe.toml")
    # A page is told of in the same words without its pictures, which others draw and time.
    patch.setattr("retronet_cli.run_page._picture", lambda _quiet: lambda *_: "")
    few_digits(patch)
    with watched(patch) as kept:
        for line in COMMAND_LINES.strip().splitlines():
            if "weights.npz" in line:
                np.savez("weights.npz", **open_run(Path("a")).trained.parameters)
            kept.clear()
            result = CliRunner().invoke(cli, [*shlex.split(line), "--json"])
            assert result.exit_code == 0, (line, result.stderr, result.exception)
            yield Told(line, json.loads(result.stdout), kept[0] if kept else {})


def kept_records() -> Iterator[tuple[str, Path, dict[str, Any]]]:
    """Yield every record in the files that the commands have left here, with its section of the page."""
    for section, pattern in FILES.items():
        paths = sorted(Path().glob(pattern))
        assert paths, pattern
        for path in paths:
            text = path.read_text(encoding="utf-8")
            for record in (
                text.splitlines() if path.suffix == ".jsonl" or section == "before.json" else [text]
            ):
                yield section, path, json.loads(record)
