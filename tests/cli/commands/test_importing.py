"""`retronet import`: from a file of the well-known re-creation to a run that gives its outputs."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import Result
from torch.nn import functional

from retronet.datasets import load
from retronet.engines.forward import layer_states
from retronet.network import load_network
from retronet.runs.configuration import ByImport
from retronet.runs.run import open_run

Call = Callable[..., Result]


def recreation() -> dict[str, torch.Tensor]:
    """Return parameters in the names and shapes of karpathy/lecun1989-repro, dense weights inputs × units."""
    generator = torch.Generator().manual_seed(5)

    def draw(*shape: int, inputs: int) -> torch.Tensor:
        return (torch.rand(*shape, generator=generator) - 0.5) * 2 * 2.4 / inputs**0.5

    return {
        "H1w": draw(12, 1, 5, 5, inputs=25),
        "H1b": draw(12, 8, 8, inputs=25),
        "H2w": draw(12, 8, 5, 5, inputs=200),
        "H2b": draw(12, 4, 4, inputs=200),
        "H3w": draw(192, 30, inputs=192),
        "H3b": draw(30, inputs=192),
        "outw": draw(30, 10, inputs=30),
        "outb": draw(10, inputs=30),
    }


def outputs(state: dict[str, torch.Tensor], images: torch.Tensor) -> torch.Tensor:
    """Return what that network answers: borders of -1, and groups of four maps on eight planes each."""

    def conv(below: torch.Tensor, planes: list[int], weights: torch.Tensor) -> torch.Tensor:
        return functional.conv2d(functional.pad(below, (2,) * 4, value=-1.0)[:, planes], weights, stride=2)

    h1 = torch.tanh(conv(images, [0], state["H1w"]) + state["H1b"])
    groups = [list(range(8)), list(range(4, 12)), [0, 1, 2, 3, 8, 9, 10, 11]]
    sums = [conv(h1, planes, state["H2w"][4 * i : 4 * i + 4]) for i, planes in enumerate(groups)]
    h2 = torch.tanh(torch.cat(sums, 1) + state["H2b"])
    h3 = torch.tanh(h2.flatten(1) @ state["H3w"] + state["H3b"])
    return torch.tanh(h3 @ state["outw"] + state["outb"])


RENAMED = ("H1w=h1.weight", "H1b=h1.bias", "H2w=h2.weight", "H2b=h2.bias", "H3w=h3.weight", "H3b=h3.bias")
ALL = [word for pair in (*RENAMED, "outw=output.weight", "outb=output.bias") for word in ("--rename", pair)]
INTO = ["--recipe", "karpathy2022", "--data", "digits5k", "--run"]
TURNED = ["--transpose", "h3.weight", "--transpose", "outw"]


@pytest.mark.parametrize(
    "options", [[], ALL[:4], ALL + TURNED, TURNED], ids=["known", "some", "all", "turned"]
)
def test_the_model_of_the_well_known_recreation(call: Call, tmp_path: Path, options: list[str]) -> None:
    state = recreation()
    torch.save(state, tmp_path / "model.pt")
    result = call("import", tmp_path / "model.pt", *INTO, tmp_path / "run", "--json", *options)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["network"] == "karpathy2022"
    assert ("Recognised arrays of karpathy/lecun1989-repro" in result.stderr) == (
        "outw=output.weight" not in options
    )

    images = load("digits5k", "bipolar16").test.images[:50]
    parameters = open_run(tmp_path / "run").checkpoint().state.parameters
    found = layer_states(load_network("karpathy2022"), parameters, images)["output"].reshape(50, 10)
    expected = outputs(state, torch.tensor(images)[:, None])
    np.testing.assert_allclose(found, expected.numpy(), atol=2e-6)


def made(folder: Path) -> ByImport:
    found = open_run(folder).configuration.made
    assert isinstance(found, ByImport)
    return found


def test_all_that_changes_the_run_is_recorded(call: Call, tmp_path: Path) -> None:
    """Names and turns as asked for, and in words what was resolved unasked."""
    torch.save({"state_dict": recreation(), "epoch": 3}, tmp_path / "model.pt")
    for folder, options in (("known", []), ("turned", TURNED), ("asked", ALL + TURNED[2:] + TURNED)):
        result = call("import", tmp_path / "model.pt", *INTO, tmp_path / folder, *options)
        assert result.exit_code == 0, result.stderr
        for sentence in made(tmp_path / folder).recognised:
            assert f"{sentence}\n" in result.stderr

    known, turned, asked = (made(tmp_path / folder) for folder in ("known", "turned", "asked"))
    assert (known.renamed, known.transposed) == ({}, ())
    assert known.recognised[-1].endswith("; transposed H3w and outw.")
    assert any("state_dict" in sentence for sentence in known.recognised)
    assert (turned.renamed, turned.transposed) == ({}, ("h3.weight", "outw"))
    assert turned.recognised[-1].endswith("H3w, H3b, outw, outb.")
    assert asked.renamed == dict(pair.split("=") for pair in ALL[1::2])
    assert asked.transposed == ("h3.weight", "outw")
    assert not any("Recognised" in sentence for sentence in asked.recognised)


def test_without_transposing_it_is_told_how(call: Call, tmp_path: Path) -> None:
    torch.save(recreation(), tmp_path / "model.pt")
    result = call("import", tmp_path / "model.pt", "--recipe", "karpathy2022", *ALL)
    assert result.exit_code == 1
    assert "--transpose h3.weight" in result.stderr
    assert "--transpose output.weight" in result.stderr


def test_wrapped_and_nested_files_are_resolved_and_it_is_said(call: Call, tmp_path: Path) -> None:
    state = {f"_orig_mod.module.{name}": tensor for name, tensor in recreation().items()}
    torch.save({"epoch": 23, "state_dict": state}, tmp_path / "model.pth")
    result = call("import", tmp_path / "model.pth", *INTO, tmp_path / "run")
    assert result.exit_code == 0, result.output
    for said in ("Took the state_dict 'state_dict'", "Left out of the file: epoch", "without their prefix"):
        assert said in result.stderr


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--rename", "H1w=h1.weight", "--rename", "H1w=h1.bias"], 2, "--rename takes one name for 'H1w'"),
        (["--rename", "H1w"], 2, "--rename takes THEIRS=OURS"),
        (["--rename", "H1w=h1.weight", "--rename", "H1b=h1.weight"], 1, "would be 'h1.weight'; one array"),
        (["--transpose", "H9w"], 1, "no array 'H9w' to transpose"),
        (["--rename", "H9w=h1.weight"], 1, "no array 'H9w' to rename"),
        (["--rename", "H1w=h9.weight"], 2, "has no array 'h9.weight' to rename one to"),
    ],
)
def test_options_that_do_not_fit_the_file(
    call: Call, tmp_path: Path, options: list[str], code: int, said: str
) -> None:
    torch.save(recreation(), tmp_path / "model.pt")
    result = call("import", tmp_path / "model.pt", "--recipe", "karpathy2022", *options)
    assert result.exit_code == code
    assert said in result.stderr
    assert "Traceback" not in result.stderr
