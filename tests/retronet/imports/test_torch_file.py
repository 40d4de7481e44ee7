"""Files of torch.save: state_dicts in every wrapping, read without running anything in them."""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from retronet.errors import InputError
from retronet.imports.array_files import read_arrays

NEW_AND_OLD = pytest.mark.parametrize("new", [True, False])


def model() -> torch.nn.Module:
    torch.manual_seed(3)
    return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 2).double())


def check(path: Path, expected: dict[str, torch.Tensor]) -> list[str]:
    said: list[str] = []
    found = read_arrays(path, said.append)
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        np.testing.assert_array_equal(found[name], tensor.detach().numpy(), strict=True)
    return said


@NEW_AND_OLD
def test_state_dicts_and_parameters(tmp_path: Path, new: bool) -> None:
    net = model()
    path = tmp_path / "w.pt"
    torch.save(net.state_dict(), path, _use_new_zipfile_serialization=new)
    assert check(path, net.state_dict()) == []
    torch.save(dict(net.named_parameters()), path, _use_new_zipfile_serialization=new)
    check(path, dict(net.named_parameters()))


@NEW_AND_OLD
def test_views_of_one_storage(tmp_path: Path, new: bool) -> None:
    whole = torch.arange(24.0).reshape(4, 6)
    views = {
        "turned": whole.T, "part": whole[1:3, ::2], "one": whole[2, 3], "spread": whole[:, :1].expand(4, 5),
        "none": whole[:0],
    }  # fmt: skip
    torch.save(views, tmp_path / "w.pt", _use_new_zipfile_serialization=new)
    check(tmp_path / "w.pt", views)


def test_every_protocol_of_pickle_that_torch_writes(tmp_path: Path) -> None:
    for protocol in (2, 3, 4, 5):
        torch.save(model().state_dict(), tmp_path / "w.pt", pickle_protocol=protocol)
        check(tmp_path / "w.pt", model().state_dict())


@NEW_AND_OLD
@pytest.mark.parametrize("name", ["state_dict", "model_state_dict", "model", "net"])
def test_one_nested_state_dict_is_taken_and_it_is_said(tmp_path: Path, name: str, new: bool) -> None:
    net = model()
    optimiser = torch.optim.Adam(net.parameters())
    content = {"epoch": 3, name: net.state_dict(), "optimizer": optimiser.state_dict(), "best": None}
    torch.save(content, tmp_path / "w.pt", _use_new_zipfile_serialization=new)
    assert check(tmp_path / "w.pt", net.state_dict()) == [
        f"Took the state_dict '{name}' of the file.",
        "Left out of the file: epoch, optimizer, best.",
    ]


def test_the_state_dict_is_taken_of_several_and_others_are_refused(tmp_path: Path) -> None:
    states = model().state_dict()
    torch.save({"ema": states, "state_dict": states}, tmp_path / "w.pt")
    assert check(tmp_path / "w.pt", states)[0] == "Took the state_dict 'state_dict' of the file."
    torch.save({"ema": states, "teacher": states}, tmp_path / "w.pt")
    with pytest.raises(InputError, match="it holds several state_dicts, 'ema', 'teacher'; one is allowed"):
        read_arrays(tmp_path / "w.pt")


def test_other_entries_beside_tensors_are_left_out_and_named(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(2), "epoch": 7}, tmp_path / "w.pt")
    assert check(tmp_path / "w.pt", {"a": torch.ones(2)}) == ["Left out of the file: epoch."]


class Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[Path, str]]:
        return Path.write_text, (self.path, "x")


@NEW_AND_OLD
def test_nothing_in_a_file_is_run(tmp_path: Path, new: bool) -> None:
    sprung = tmp_path / "sprung"
    for content in (
        {"h1.weight": Trap(sprung)},
        {"state_dict": {"a": torch.ones(2), "b": Trap(sprung)}},
        Trap(sprung),
        [Trap(sprung)],
    ):
        torch.save(content, tmp_path / "trap.pt", _use_new_zipfile_serialization=new)
        with pytest.raises(InputError, match=r"can not be read as \.pt"):
            read_arrays(tmp_path / "trap.pt")
    assert not sprung.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (argparse.Namespace(a=1), "it holds 'argparse.Namespace', whose code is not run"),
        ([torch.ones(2)], "it holds no table; a state_dict is needed"),
        (torch.ones(2), "it holds no table"),
        ({"a": torch.ones(2), "b": argparse.Namespace()}, "its entry 'b' is argparse.Namespace, which"),
        ({"state_dict": {"a": torch.ones(2), "b": 5}}, "its entry 'b' is 5; tensors of float16, bfloat16"),
        ({"a": torch.ones(2).to(torch.float8_e5m2)}, r"its entry 'a' is a tensor of torch\.float8_e5m2"),
        ({"a": torch.eye(2).to_sparse()}, "its entry 'a' is torch"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_is_no_state_dict_is_named(tmp_path: Path, content: object, said: str) -> None:
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(InputError, match=said):
        read_arrays(tmp_path / "w.pt")


@pytest.mark.filterwarnings("ignore")
def test_compiled_modules_are_named(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), str(tmp_path / "w.pt"))
    with pytest.raises(InputError, match=r"compiled module \(TorchScript\).*save its state_dict"):
        read_arrays(tmp_path / "w.pt")


def test_reading_does_not_load_torch(tmp_path: Path) -> None:
    torch.save(model().state_dict(), tmp_path / "w.pt")
    code = (
        "import sys; from pathlib import Path; from retronet.imports.array_files import read_arrays;"
        "read_arrays(Path(sys.argv[1])); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, tmp_path / "w.pt"], check=False).returncode == 0
