"""What every command tells when asked for JSON, tables included, and every file of records that it leaves."""

import importlib
import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from retronet_cli import forms
from retronet_cli.main import COMMANDS, cli

RECIPE = "--data digits5k --set take=60 --passes 1"
COMMAND_LINES = f"""
train --dry-run {RECIPE}
train {RECIPE} --run a --history 40
train {RECIPE} --seeds 0-1 --jobs 1
train lenet1 --data digits5k --passes 1 --set take=40 --set holdout={{digits=10,seed=0}} --run slides
resume a
evaluate a --arrays arrays.npz
simulate a --bits 4 --accumulator-bits 12
simulate a --chip dsp32c-80ns
simulate a --chip anna --chips 2
simulate a --chip net32k --chips 2
simulate a --chip net32k --precisions
simulate a --chip graf54 --chips 2 --set current_deviation=0.1
data compose -o codes --data digits5k --count 2
read codes/00000.png a --digits 5 --work
read codes/00000.png slides --digits 5 --scan
codes a --count 2 --difficulty easy
read-back a
rates --data digits5k --lots 3 --lot 2
import weights.safetensors --data digits5k --run imported
sweep a --bits 4,5 --tensors all,layers --jobs 1
allocate a --bits 4 --rise 60
retrain a --passes 1 --run retrained
prune a --delete 900 --stages 1 --passes 1 --run pruned
prune a --curve
compare a --plan bits=8 --plan bits=4
report a
report --html story.html a
export golden a --bits 4 --digits 1 -o golden
export rtl a --bits 4 --digits 1 -o circuit
export onnx a --bits 4 -o net.onnx
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


@dataclass(frozen=True)
class Told:
    """What a command printed, and the rows of its tables in the forms that have rows."""

    line: str
    document: dict[str, Any]
    tables: dict[str, list[dict[str, Any]]]


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """Keep the tables of what is given meanwhile."""
    kept: list[dict[str, Any]] = []
    give = forms.give

    def watching(form: forms.Form, what: str, fields: Any, tables: Any) -> None:
        made = {name: list(rows) for name, rows in tables.items()}
        kept.append({name: forms._chosen(forms.Form(table=name), made) for name in made})
        give(form, what, fields, made)

    with monkeypatch.context() as patch:
        names = [module for module, _, _ in COMMANDS.values()]
        for name in [*names, "retronet_cli.forms", "retronet_cli.seeds", "retronet_cli.chips"]:
            module = importlib.import_module(name)
            if hasattr(module, "give"):
                patch.setattr(module, "give", watching)
        yield kept


def told(lines: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    """Yield what each command prints with ``--json``, run in the present folder one after the other."""
    with watched(monkeypatch) as kept:
        for line in lines.strip().splitlines():
            kept.clear()
            result = CliRunner().invoke(cli, [*shlex.split(line), "--json"])
            assert result.exit_code == 0, (line, result.stderr, result.exception)
            yield Told(line, json.loads(result.stdout), dict(kept[0]) if kept else {})
