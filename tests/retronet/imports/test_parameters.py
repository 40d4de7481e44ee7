"""Networks trained elsewhere: renaming, transposing, what is resolved unasked, and refusals by name."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from retronet.errors import InputError
from retronet.imports.parameters import KARPATHY, import_parameters
from retronet.network import load_network, parameter_shapes

NETWORK = load_network("lecun1989")
Arrays = dict[str, NDArray[Any]]


@pytest.fixture
def arrays() -> Arrays:
    generator = np.random.default_rng(1)
    return {
        name: generator.normal(size=shape).astype(np.float32)
        for name, shape in parameter_shapes(NETWORK).items()
    }


def same(found: Arrays, expected: Arrays) -> bool:
    return found.keys() == expected.keys() and all((found[name] == expected[name]).all() for name in found)


def test_renaming(arrays: Arrays) -> None:
    theirs = dict(arrays)
    theirs["w1"] = theirs.pop("h1.weight")
    found = import_parameters(NETWORK, theirs, {"w1": "h1.weight"}, "float64")
    assert same(found, arrays)
    assert {array.dtype for array in found.values()} == {np.dtype("float64")}
    swapped = arrays | {"h1.bias": arrays["h3.bias"], "h3.bias": arrays["h1.bias"]}
    assert same(
        import_parameters(NETWORK, swapped, {"h1.bias": "h3.bias", "h3.bias": "h1.bias"}, "float32"), arrays
    )


@pytest.mark.parametrize(
    ("rename", "said"),
    [
        ({"w2": "h1.weight"}, r"no array 'w2' to rename\. It has: h1\.bias, .*, w1\."),
        ({"w1": "h1.wieght"}, r"has no array 'h1\.wieght' to rename one to\. Did you mean 'h1\.weight'"),
        ({"w1": "h3.weight"}, r"'h3\.weight' and 'w1' of the file would be 'h3\.weight'; one array for each"),
        (
            {"w1": "h1.weight", "h1.bias": "h1.weight"},
            r"'h1\.bias' and 'w1' of the file would be 'h1\.weight'",
        ),
    ],
)
def test_a_renaming_that_is_not_one_to_one_is_refused(
    arrays: Arrays, rename: dict[str, str], said: str
) -> None:
    arrays["w1"] = arrays.pop("h1.weight")
    with pytest.raises(InputError, match=said):
        import_parameters(NETWORK, arrays, rename, "float32")


def test_all_missing_and_left_over_arrays_are_named_at_once(arrays: Arrays) -> None:
    theirs = {f"net.{name}": array for name, array in arrays.items()} | {"step": np.zeros(7, np.float32)}
    with pytest.raises(InputError, match=r"missing.*belong to nothing in network 'lecun1989'") as caught:
        import_parameters(NETWORK, theirs, {}, "float32")
    said = str(caught.value)
    for name, array in arrays.items():
        assert f"'{name}' {array.shape}" in said
        assert f"'net.{name}' {array.shape}" in said
        assert f"--rename net.{name}={name}" in said  # every shape is there once
    assert "'step' (7,)" in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"h1.weight": None},
            r"'h1\.weight' \(12, 1, 5, 5\) of network 'lecun1989' is missing.*--rename THEIRS=h1",
        ),
        ({"extra": np.zeros(3)}, r"'extra' belongs to nothing.*Leave it out of the file"),
        (
            {"h3.weight": np.zeros((192, 30))},
            r"has the shape \(192, 30\).*needs \(30, 192\).*--transpose h3\.weight",
        ),
        (
            {"h1.bias": np.zeros(12)},
            r"'h1\.bias' has the shape \(12,\).*needs \(12, 8, 8\)\. Save it in that",
        ),
        ({"h3.bias": np.full(30, np.nan)}, r"'h3\.bias' holds infinite numbers or NaN \(30 of 30\)"),
        ({"h3.bias": np.full(30, -np.inf)}, "infinite numbers or NaN"),
        (
            {"h3.bias": np.full(30, 1e60)},
            r"'h3\.bias' holds 1e\+60, too large for float32; at most 3\.4e\+38",
        ),
        ({"h3.bias": np.full(30, 3.41e38)}, "too large for float32"),
        ({"h3.bias": np.ones(30, complex)}, r"'h3\.bias' holds complex128; real floating numbers"),
        ({"h3.bias": np.ones(30, np.int8)}, r"'h3\.bias' holds int8; .*integer codes times their scale"),
        ({"h3.bias": np.ones(30, np.int64)}, "holds int64"),
        ({"h3.bias": np.ones(30, np.bool_)}, "holds bool"),
        ({"h3.bias": np.full(30, "0.5")}, "holds <U3"),
        ({"h3.bias": np.full(30, b"0.5")}, r"holds \|S3"),
        ({"h3.bias": np.zeros(30, "M8[s]")}, r"holds datetime64\[s\]"),
        ({"h3.bias": np.zeros(30, "m8[s]")}, r"holds timedelta64\[s\]"),
        ({"h3.bias": np.zeros(30, [("x", "f4")])}, r"holds \[\('x', '<f4'\)\]"),
        ({"h3.bias": np.full(30, None)}, "holds object"),
        (
            {"h1.weight": None, "h1.bias": None, "a": np.zeros(1), "h3.bias": np.ones(30, np.int8)},
            r"'h1\.weight' .*, 'h1\.bias' .* are missing; 'a' \(1,\) belongs .*; .*'h3\.bias' holds int8",
        ),
    ],
)
def test_what_can_not_be_a_parameter_is_refused_by_name(
    arrays: Arrays, change: dict[str, NDArray[Any] | None], said: str
) -> None:
    changed = {name: array for name, array in (arrays | change).items() if array is not None}
    with pytest.raises(InputError, match=said):
        import_parameters(NETWORK, changed, {}, "float32")


def test_what_single_precision_can_not_hold_fits_in_double(arrays: Arrays) -> None:
    arrays["h3.bias"] = np.full(30, 1e60)
    assert same(import_parameters(NETWORK, arrays, {}, "float64"), arrays)


@pytest.mark.parametrize("kind", ["<f2", ">f2", ">f4", ">f8", np.longdouble])
def test_every_real_floating_type_is_taken(kind: Any, arrays: Arrays) -> None:
    theirs = {name: array.astype(np.float16).astype(kind) for name, array in arrays.items()}
    found = import_parameters(NETWORK, theirs, {}, "float32")
    assert same(found, {name: array.astype(np.float16) for name, array in arrays.items()})
    assert all(array.dtype == np.float32 and array.flags.c_contiguous for array in found.values())


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "_orig_mod.module."])
def test_prefixes_of_wrappers_are_left_out_and_it_is_said(prefix: str, arrays: Arrays) -> None:
    said: list[str] = []
    theirs = {prefix + name: array for name, array in arrays.items()}
    assert same(import_parameters(NETWORK, theirs, {}, "float32", (), said.append), arrays)
    assert "without their prefix" in said[0]
    theirs[f"{prefix}w"] = theirs.pop(f"{prefix}h1.weight")
    for name in ("w", f"{prefix}w"):
        assert same(import_parameters(NETWORK, theirs, {name: "h1.weight"}, "float32"), arrays)


def test_prefixes_that_tell_arrays_apart_stay(arrays: Arrays) -> None:
    theirs = arrays | {"module.h1.bias": arrays["h1.bias"]}
    with pytest.raises(InputError, match=r"'module\.h1\.bias' belongs to nothing"):
        import_parameters(NETWORK, theirs, {}, "float32")


@pytest.mark.parametrize("name", ["h3.weight", "w"])
def test_transposing_what_is_stored_inputs_by_units(name: str, arrays: Arrays) -> None:
    theirs = dict(arrays)
    theirs["w"] = theirs.pop("h3.weight").T
    found = import_parameters(NETWORK, theirs, {"w": "h3.weight"}, "float32", (name,))
    assert same(found, arrays)
    assert found["h3.weight"].flags.c_contiguous
    with pytest.raises(InputError, match=r"--rename w=h3\.weight --transpose h3\.weight"):
        import_parameters(NETWORK, theirs, {}, "float32")
    with pytest.raises(InputError, match=r"has the shape \(192, 30\)"):
        import_parameters(NETWORK, arrays, {}, "float32", ("h3.weight",))
    with pytest.raises(InputError, match="no array 'x' to transpose"):
        import_parameters(NETWORK, arrays, {}, "float32", ("x",))
    with pytest.raises(InputError, match=r"'h1\.bias' has the shape .* can not be transposed"):
        import_parameters(NETWORK, arrays, {}, "float32", ("h1.bias",))


def test_the_names_of_the_well_known_recreation_are_known(arrays: Arrays) -> None:
    theirs = {name: arrays[ours] for name, ours in KARPATHY.items()}
    theirs |= {name: theirs[name].T for name in ("H3w", "outw")}
    said: list[str] = []
    assert same(import_parameters(NETWORK, theirs, {}, "float32", (), said.append), arrays)
    assert said == [
        "Recognised arrays of karpathy/lecun1989-repro: H1w, H1b, H2w, H2b, H3w, H3b, outw, outb; "
        "transposed H3w and outw."
    ]
    assert same(import_parameters(NETWORK, theirs, {"H1w": "h1.weight"}, "float32"), arrays)
    assert same(import_parameters(NETWORK, theirs, {}, "float32", ("H3w", "outw")), arrays)
    assert same(
        import_parameters(NETWORK, theirs, KARPATHY, "float32", ("h3.weight", "output.weight")), arrays
    )
    with pytest.raises(InputError, match=r"--transpose h3\.weight.*--transpose output\.weight"):
        import_parameters(NETWORK, theirs, KARPATHY, "float32")
    with pytest.raises(InputError, match="missing"):
        import_parameters(load_network("fc40"), theirs, {}, "float32")
