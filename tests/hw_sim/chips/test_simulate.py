"""Any chip whose file states an arithmetic simulates: options by name, and what it costs as it ran."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from support.analog_network import NETWORK, compiled, draw
from support.chip_files import PROCESSOR, chip_text, like, write

from hw_sim.chips.analog.host_layers import HostRetraining
from hw_sim.chips.anna.options import AnnaOptions
from hw_sim.chips.anna.report import AnnaReport, run_anna
from hw_sim.chips.cost.network_cost import cost
from hw_sim.chips.dsp32c.report import DspReport, dsp_report
from hw_sim.chips.load import chip_names, load_chip
from hw_sim.chips.net32k.options import Net32kOptions
from hw_sim.chips.net32k.precisions import Precisions
from hw_sim.chips.net32k.report import Net32kReport, run_net32k
from hw_sim.chips.simulate import SET_BY_PRECISIONS, cost_as_run, option_names, simulate_on
from hw_sim.chips.spec import ARITHMETICS
from retronet.errors import InputError

ANNA, NET32K = load_chip("anna"), load_chip("net32k")
ONCE = HostRetraining(passes=1, rate=0.01)


def test_every_arithmetic_is_that_of_a_chip_of_the_package() -> None:
    stated = {load_chip(name).arithmetic for name in chip_names()}
    assert stated - {None} == set(ARITHMETICS)
    for name in chip_names():
        if load_chip(name).arithmetic:
            assert option_names(load_chip(name))


@compiled
def test_options_are_those_of_the_arithmetic() -> None:
    trained, digits = draw()
    few: dict[str, Any] = {"chips": 2, "seed": 7, "retraining": ONCE}
    found = simulate_on(ANNA, trained, digits, noise=0.05, float_layers=2, **few)
    assert isinstance(found, AnnaReport)
    assert found == run_anna(ANNA, trained, digits, AnnaOptions(noise=0.05, float_layers=2), **few)
    assert simulate_on(ANNA, trained, digits, noise="0.05", float_layers="2", threads=2, **few) == found
    part = few | {"retraining": {"passes": "1", "rate": "0.01"}}
    assert simulate_on(ANNA, trained, digits, noise=0.05, float_layers=2, **part) == found
    slower = simulate_on(ANNA, trained, digits, chips=1, retraining={"rate": 1e-6})
    assert isinstance(slower, AnnaReport)
    assert slower.retraining == HostRetraining(passes=20, rate=1e-6)
    other = simulate_on(NET32K, trained, digits, weights="1-bit", **few)
    assert other == run_net32k(NET32K, trained, digits, Net32kOptions(weights="1-bit"), **few)


@compiled
def test_a_processor_computes_in_its_own_floating_point(tmp_path: Path) -> None:
    trained, digits = draw()
    text = PROCESSOR.replace("year = 2026", 'year = 2026\narithmetic = "dsp32c"')
    mine = load_chip(write(tmp_path, text))
    found = simulate_on(mine, trained, digits, tanh="sn")
    assert isinstance(found, DspReport)
    assert found.tanh == "sn"
    assert simulate_on(mine, trained, digits) == dsp_report(trained, digits.test)
    modelled = cost_as_run(mine, NETWORK, found)
    assert modelled == cost(mine, NETWORK)


@compiled
def test_a_chip_is_its_sizes_and_not_its_name(tmp_path: Path) -> None:
    trained, digits = draw()
    for name, sizes in (
        ("anna", {"neurons": 4, "inputs": 64, "weight_bits": 2, "state_bits": 1}),
        ("net32k", {"neurons": 4, "groups": 1, "inputs": 4, "max_joined": 4}),
    ):
        chip, copy, small = (
            load_chip(name),
            load_chip(str(like(tmp_path, name, "copy"))),
            load_chip(str(like(tmp_path, name, "small", **sizes))),
        )
        reports = [
            simulate_on(each, trained, digits, chips=1, retraining=None) for each in (chip, copy, small)
        ]
        assert reports[0] == reports[1]
        assert isinstance(reports[2], AnnaReport | Net32kReport)
        assert isinstance(reports[0], AnnaReport | Net32kReport)
        assert reports[2].ideal != reports[0].ideal
        assert reports[2].reference == reports[0].reference
        whole, own = (
            cost_as_run(each, NETWORK, report)
            for each, report in zip((chip, small), reports[::2], strict=True)
        )
        assert whole is not None
        assert own is not None
        assert own.seconds != whole.seconds


@compiled
def test_the_cost_is_that_of_what_ran(tmp_path: Path) -> None:
    """Layers beside the chip are its companion's, or nobody's; bits are those of the simulation."""
    trained, digits = draw()
    report = simulate_on(ANNA, trained, digits, chips=1, retraining=None, float_layers=2)
    found = cost_as_run(ANNA, NETWORK, report)
    assert found is not None
    assert [layer.chip for layer in found.layers] == ["anna"] * 3 + ["dsp32c-100ns"] * 2
    head, _, rest = chip_text("anna").partition("[companion]")
    alone = load_chip(write(tmp_path, head + rest[rest.index("[[facts]]") :]))
    found = cost_as_run(alone, NETWORK, simulate_on(alone, trained, digits, chips=1, retraining=None))
    assert found is not None
    assert found.network == "a, b, c, d of small-analog"
    assert [layer.layer for layer in found.layers] == ["a", "b", "c", "d"]
    report = simulate_on(NET32K, trained, digits, chips=1, retraining=None, layers=1, weights="4-bit")
    found = cost_as_run(NET32K, NETWORK, report)
    assert found is not None
    assert (found.network, found.weight_bits, found.state_bits) == ("a of small-analog", 4, 2)
    assert found == cost(
        NET32K,
        replace(NETWORK, name="a of small-analog", layers=NETWORK.layers[:1]),
        weight_bits=4,
        state_bits=2,
    )


@compiled
def test_a_table_of_precisions_is_every_one_that_fits(tmp_path: Path) -> None:
    trained, digits = draw(images=20)
    chip = load_chip(str(like(tmp_path, "net32k", max_joined=2)))
    table = simulate_on(chip, trained, digits, precisions=True)
    assert isinstance(table, Precisions)
    assert [(row.weights, row.state_bits) for row in table.rows] == [("1-bit", 1), ("1-bit", 2)]
    assert msgspec.to_builtins(table).keys() == {"network", "options", "float", "rows"}
    assert cost_as_run(chip, NETWORK, table) is None
    with pytest.raises(
        InputError, match=r"no precision to tabulate on NET32K: pixels of 4 bits .* at most 2"
    ):
        simulate_on(chip, trained, digits, precisions=True, input_bits=4)


def test_what_is_refused(tmp_path: Path) -> None:
    trained, digits = draw(images=5)
    with pytest.raises(
        InputError, match=r"'cnaps' can not be simulated: .*anna, dsp32c-100ns.*net32k, graf, dsp32c"
    ):
        simulate_on(load_chip("cnaps"), trained, digits)
    with pytest.raises(
        InputError, match=r"'anna' has no option 'nose'\. It has: chips, seed, retraining, weights"
    ):
        simulate_on(ANNA, trained, digits, nose=0.1)
    with pytest.raises(InputError, match=r"'dsp32c-80ns' has no option 'seed'\. It has: tanh\."):
        simulate_on(load_chip("dsp32c-80ns"), trained, digits, seed=1)
    with pytest.raises(InputError, match=r"'anna' can not be changed so: .*\$\.noise"):
        simulate_on(ANNA, trained, digits, noise="loud")
    with pytest.raises(InputError, match=r"'anna' can not be changed so: .*>= 1 - at `\$\.chips"):
        simulate_on(ANNA, trained, digits, chips=0)
    for name in SET_BY_PRECISIONS:
        with pytest.raises(InputError, match=f"'{name}' does not go with 'precisions'"):
            simulate_on(NET32K, trained, digits, precisions=True, **{name: _allowed(name)})
    text = PROCESSOR.replace("year = 2026", 'year = 2026\narithmetic = "ana"')
    with pytest.raises(InputError, match=r"no arithmetic 'ana'; anna, net32k, graf, dsp32c are known"):
        load_chip(write(tmp_path, text))


def _allowed(name: str) -> object:
    return {"law": "cell", "weights": "1-bit", "retraining": ONCE}.get(name, 1)
