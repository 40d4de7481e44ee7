"""Networks trained elsewhere: the three kinds of file, renaming, and refusals by name."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from retronet.errors import InputError
from retronet.importing import import_parameters, read_arrays
from retronet.network import load_network, parameter_shapes

NETWORK = load_network("lecun1989")


@pytest.fixture
def arrays() -> dict[str, NDArray[np.floating]]:
    generator = np.random.default_rng(1)
    return {
        name: generator.normal(size=shape).astype(np.float32)
        for name, shape in parameter_shapes(NETWORK).items()
    }


def save(path: Path, arrays: dict[str, NDArray[np.floating]]) -> Path:
    if path.suffix == ".npz":
        np.savez(path, **arrays)  # type: ignore[arg-type]
    elif path.suffix == ".safetensors":
        from safetensors.numpy import save_file

        save_file(arrays, path)
    else:
        import torch

        torch.save({name: torch.tensor(array) for name, array in arrays.items()}, path)
    return path


@pytest.mark.parametrize("suffix", [".npz", ".safetensors", ".pt"])
def test_files_hold_what_was_saved(
    suffix: str, arrays: dict[str, NDArray[np.floating]], tmp_path: Path
) -> None:
    found = read_arrays(save(tmp_path / f"w{suffix}", arrays))
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors", ".pt"])
def test_damaged_files_are_refused(
    suffix: str, arrays: dict[str, NDArray[np.floating]], tmp_path: Path
) -> None:
    path = save(tmp_path / f"w{suffix}", arrays)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match=rf"w\{suffix} can not be read as \{suffix}"):
        read_arrays(path)


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str, str]]:
            return Path.write_text, (tmp_path / "sprung", "x")  # type: ignore[return-value]

    import torch

    torch.save({"h1.weight": Trap()}, tmp_path / "trap.pt")
    with pytest.raises(InputError, match="can not be read"):
        read_arrays(tmp_path / "trap.pt")
    assert not (tmp_path / "sprung").exists()


def test_refusals_name_the_first_offence(arrays: dict[str, NDArray[np.floating]]) -> None:
    theirs = dict(arrays)
    theirs["w1"] = theirs.pop("h1.weight")
    with pytest.raises(InputError, match=r"'h1\.weight' \(12, 1, 5, 5\) .* is missing.*--rename"):
        import_parameters(NETWORK, theirs, {}, "float32")
    found = import_parameters(NETWORK, theirs, {"w1": "h1.weight"}, "float64")
    np.testing.assert_array_equal(found["h1.weight"], arrays["h1.weight"].astype(np.float64))
    with pytest.raises(InputError, match=r"no array 'w2' to rename"):
        import_parameters(NETWORK, theirs, {"w2": "h1.weight"}, "float32")
    with pytest.raises(InputError, match=r"'h3\.weight' has the shape \(192, 30\).*needs \(30, 192\)"):
        import_parameters(NETWORK, {**arrays, "h3.weight": arrays["h3.weight"].T}, {}, "float32")
    with pytest.raises(InputError, match=r"'extra' belongs to nothing"):
        import_parameters(NETWORK, {**arrays, "extra": arrays["h3.bias"]}, {}, "float32")
    with pytest.raises(InputError, match="infinite numbers or NaN"):
        import_parameters(NETWORK, {**arrays, "h3.bias": np.full(30, np.nan)}, {}, "float32")


def test_unknown_kind_of_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.npz, \.safetensors, \.pt, \.pth are allowed"):
        read_arrays(tmp_path / "w.h5")
