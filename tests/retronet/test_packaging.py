"""The wheel: these three packages, all their data, and nothing else."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = {"retronet": "retronet", "hw_sim": "hw_sim", "retronet_cli": "cli/retronet_cli"}
FILES = ("pyproject.toml", "README.md", "LICENSE", "NOTICE", ".gitignore")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Build the wheel in a copy, as `pip` would."""
    pytest.importorskip("hatchling")
    copy = tmp_path_factory.mktemp("source")
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    for folder in ("retronet", "hw_sim", "cli", "tests"):
        shutil.copytree(REPOSITORY / folder, copy / folder, ignore=ignored)
    for name in FILES:
        if (REPOSITORY / name).exists():
            shutil.copy(REPOSITORY / name, copy)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "dist"],
        cwd=copy,
        check=True,
        capture_output=True,
    )
    (built,) = (copy / "dist").glob("*.whl")
    return zipfile.ZipFile(built)


def installed(wheel: zipfile.ZipFile) -> set[str]:
    return {name for name in wheel.namelist() if ".dist-info/" not in name}


def test_top_level_names(wheel: zipfile.ZipFile) -> None:
    """A package called `cli` or `tests` in site-packages would clash with others."""
    assert {name.partition("/")[0] for name in installed(wheel)} == set(PACKAGES)


def test_every_module_and_every_description_is_inside_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    expected = {
        f"{package}/{path.relative_to(REPOSITORY / folder).as_posix()}"
        for package, folder in PACKAGES.items()
        for path in (REPOSITORY / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.endswith(".part")
    }

    found = installed(wheel)
    assert found == expected
    for suffix in (".toml", ".npz"):
        assert {name for name in expected if name.endswith(suffix)} <= found
    assert "retronet/datasets/digits5k.npz" in found
    assert {"retronet/networks/lecun1989.toml", "retronet/recipes/lecun1989.toml"} <= found


def test_it_installs_the_command_and_its_licences(wheel: zipfile.ZipFile) -> None:
    (folder,) = {name.partition("/")[0] for name in wheel.namelist() if ".dist-info/" in name}

    entry_points = wheel.read(f"{folder}/entry_points.txt").decode()
    metadata = wheel.read(f"{folder}/METADATA").decode()
    assert entry_points.split() == ["[console_scripts]", "retronet", "=", "retronet_cli.start:main"]
    assert metadata.startswith("Metadata-Version: ")
    assert "\nName: retronet\n" in metadata
    assert {f"{folder}/licenses/LICENSE", f"{folder}/licenses/NOTICE"} <= set(wheel.namelist())
    assert wheel.getinfo("retronet/datasets/digits5k.npz").file_size < 1_500_000


def test_the_wheel_works_from_a_folder_of_its_own(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """What it needs at run time is inside: networks, recipes and the embedded digits."""
    wheel.extractall(tmp_path)
    code = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
import retronet, retronet_cli
assert retronet.__file__.startswith({str(tmp_path)!r}), retronet.__file__
assert retronet_cli.__file__.startswith({str(tmp_path)!r}), retronet_cli.__file__
from retronet.datasets import load
from retronet.network import load_network, network_names
from retronet.recipe import load_recipe, recipe_names
networks = {{name: load_network(name) for name in network_names()}}
for name in recipe_names():
    assert load_recipe(name).network in networks
print(len(load("digits5k").train.labels), len(networks) > 2)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    )

    assert done.stdout.split() == ["4000", "True"]
