"""What is shown of a network on a simulated chip: the tables of its report, whichever kind it is of."""

from typing import NamedTuple, assert_never

from rich.table import Table

from hw_sim.chips.anna.report import AnnaReport
from hw_sim.chips.dsp32c.report import DspReport
from hw_sim.chips.graf54.report import GrafReport
from hw_sim.chips.net32k.precisions import Precisions
from hw_sim.chips.net32k.report import Net32kReport, assumptions
from hw_sim.chips.simulate import ChipReport
from hw_sim.chips.spec import ChipSpec
from retronet.network import NetworkSpec
from retronet_cli.views import analog, anna, emulation, graf, net32k


class View(NamedTuple):
    """Tables, what the simulation assumes, and a sentence besides, if there is need of one."""

    tables: list[Table]
    assumptions: tuple[str, ...]
    note: str = ""


def view(chip: ChipSpec, network: NetworkSpec, report: ChipReport, title: str, notice: str | None) -> View:
    """Return what is shown of `report`; `title` says what was run on what, `notice` what is to be noticed."""
    match report:
        case DspReport():
            tables = [emulation.answers_table(title, report, notice), emulation.drift_table(report)]
            return View(tables, report.assumptions)
        case AnnaReport():
            tables = [
                analog.scores_table(title, report, notice),
                anna.chain_table(report),
                anna.converter_table(report),
                analog.options_table(report.options),
            ]
            return View(tables, report.assumptions)
        case Net32kReport():
            tables = [
                analog.scores_table(title, report, notice),
                net32k.mismatch_table(report),
                net32k.layers_table(chip, report),
                analog.options_table(report.options),
            ]
            return View(tables, report.assumptions)
        case Precisions():
            return View([net32k.precision_table(chip, network, report, title, notice)], assumptions(chip))
        case GrafReport():
            return _graf(report, notice)
        case _ as unreachable:
            assert_never(unreachable)


def _graf(report: GrafReport, notice: str | None) -> View:
    tables = [
        graf.rejection_table(report, notice),
        *([graf.drawn_table(report)] if report.chips else []),
        graf.published_features_table(report),
        graf.feature_work_table(report),
        analog.options_table(report.options),
    ]
    standing = (f"Templates {each}." for each in report.standing)
    note = "Graf's chip has a network of its own behind it: of the run only the digits are used."
    if not report.chips:
        note += " No chips are drawn, since both deviations are 0."
    return View(tables, (*report.assumptions, *standing), note)
