"""Digits come in the size that a network reads, and it is said what was chosen."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from retronet.datasets.catalogue import SOURCES
from retronet.datasets.prepare import NATURAL, PREPARATIONS, natural, preparations_to
from retronet.errors import InputError
from retronet.network import Dense, Identity, NetworkSpec
from retronet_cli.digits import digits_for

Call = Callable[..., Result]


def network(rows: int, columns: int, planes: int = 1) -> NetworkSpec:
    return NetworkSpec("reader", "", (planes, rows, columns), (Dense("output", 10, Identity()),))


@pytest.mark.parametrize(("side", "name"), [(16, "bipolar16"), (28, "unit28"), (32, "lenet5_32")])
def test_the_size_of_the_network_chooses(capsys: pytest.CaptureFixture[str], side: int, name: str) -> None:
    digits, chosen = digits_for(network(side, side), "digits5k", None, None)
    assert digits.test.images.shape[1:] == (side, side)
    assert digits.test.provenance.preparation == name
    told = capsys.readouterr().err
    assert chosen == (None if side == 16 else name)
    assert (f"The network reads {side}×{side}: the digits are prepared as {name}" in told) == (side != 16)


def test_what_is_asked_for_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    digits, chosen = digits_for(network(28, 28), "digits5k", "standard28", None)
    assert (chosen, digits.train.provenance.preparation) == ("standard28", "standard28")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("wanted", "preparation", "said"),
    [
        (
            (28, 28, 1),
            "bipolar16",
            r"The digits are 16×16; network 'reader' reads 28×28.*size: bipolar28, neighbours28, unit28",
        ),
        ((20, 20, 1), None, r"28×28 can not be brought to 20×20.*16×16, 28×28, 32×32 are allowed"),
        ((28, 28, 3), "unit28", r"reads 3 planes of 28×28"),
        ((28, 28, 1), "unit29", r"no preparation of 28×28 digits 'unit29'"),
    ],
)
def test_what_does_not_fit_is_refused(
    wanted: tuple[int, int, int], preparation: str | None, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        digits_for(network(*wanted), "digits5k", preparation, None)


@pytest.mark.parametrize("size", {source.size for source in SOURCES.values()})
def test_natural_forms_have_the_size_they_stand_for(size: tuple[int, int]) -> None:
    for wanted, name in NATURAL[size].items():
        assert natural(size, wanted) == name
        assert name in preparations_to(size, wanted)
    everywhere = {name for wanted in NATURAL[size] for name in preparations_to(size, wanted)}
    assert everywhere == set(PREPARATIONS[size])
    assert NATURAL[size][16, 16] == next(iter(PREPARATIONS[size]))


def test_evaluate_takes_another_form(call: Call, begin: Call, tmp_path: Path) -> None:
    begin(tmp_path / "a")
    usual = call("evaluate", tmp_path / "a", "--json")
    same = call("evaluate", tmp_path / "a", "--json", "--preparation", "bipolar16")
    other = call("evaluate", tmp_path / "a", "--json", "--preparation", "antialiased16")
    assert (usual.exit_code, other.exit_code) == (0, 0)
    assert usual.stdout == same.stdout != other.stdout
    refused = call("evaluate", tmp_path / "a", "--preparation", "unit28")
    assert refused.exit_code == 1
    assert "network 'tiny' reads 16×16" in refused.stderr
    assert "Preparations of that size: bipolar16, antialiased16." in refused.stderr
