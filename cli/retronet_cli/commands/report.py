"""The command `retronet report`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from retronet.errors import InputError
from retronet_cli.forms import Form, Rows, form_options, give
from retronet_cli.options import COUNT, chips_option
from retronet_cli.run_page import PageChoices, check_options, page_options, write_story

if TYPE_CHECKING:
    from hw_sim.chips.cost.network_cost import CostReport
    from hw_sim.chips.cost.sliding import Model
    from hw_sim.chips.spec import ChipSpec
    from hw_sim.export.synthesis import Synthesised
    from retronet.network import NetworkSpec

WIDTH = click.IntRange(1, 64)


class FieldSize(click.ParamType[tuple[int, int]]):
    """Rows and columns with an x between them."""

    name = "field"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[int, int]:
        """Return the rows and columns in `value`."""
        if isinstance(value, tuple):
            return value
        rows, _, columns = str(value).lower().replace("×", "x").partition("x")
        if not (rows.isascii() and rows.isdigit() and columns.isascii() and columns.isdigit()):
            self.fail(f"'{value}' is no field; ROWSxCOLUMNS is allowed, such as 28x140.", param, ctx)
        if max(len(rows), len(columns)) > 6:
            self.fail(f"'{value}' is too large; up to 999,999 rows and columns are allowed.", param, ctx)
        return int(rows), int(columns)


@click.command(short_help="Model what a network costs on chips.")
@click.argument("run", required=False, metavar="[RUN]", type=click.Path(file_okay=False, path_type=Path))
@chips_option
@click.option(
    "--network", metavar="NAME", help="A network by name or TOML file, without a run.  [default: lecun1989]"
)
@click.option(
    "--rtl",
    "circuits",
    multiple=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="A circuit that `retronet export rtl` wrote, beside the chips; repeat it for several.",
)
@click.option("--weight-bits", type=WIDTH, help="Bits of the weights on arrays.  [default: the chip's]")
@click.option("--state-bits", type=WIDTH, help="Bits of the states on arrays.  [default: the chip's]")
@click.option(
    "--images-per-load",
    type=COUNT,
    default=1,
    show_default=True,
    metavar="N",
    help="Digits that pass through a layer before its weights make room for another's, where not all fit.",
)
@click.option("--chip-alone", is_flag=True, help="Without the host interface and the companion on the board.")
@click.option(
    "--field",
    type=FieldSize(),
    metavar="ROWSxCOLUMNS",
    help="Slide the network over a field so large, as 28x140, beside separate windows at all its places.",
)
@page_options
@form_options
def report(
    run: Path | None,
    chips: tuple[str, ...],
    network: str | None,
    circuits: tuple[Path, ...],
    weight_bits: int | None,
    state_bits: int | None,
    images_per_load: int,
    chip_alone: bool,
    field: tuple[int, int] | None,
    page: PageChoices,
    form: Form,
) -> None:
    """Model what a network costs on chips.

    RUN is the folder of a run, whose network is taken; cost depends on its shape alone. Work is counted and
    laid on each chip's geometry. No chip was run: every time is modelled, and the efficiency that would meet
    a published figure stands beside it, apart.

    With --html the whole of a run is told on one page that needs no network: its digits, network, training,
    precision, bits, chips and mistakes, what is assumed, and a pad to draw on. RUN is then the latest one if
    it is not named.

    \b
    Examples:
      retronet report
      retronet report --chip anna --chip dsp32c-80ns
      retronet report --chip ./mine.toml --network lenet1
      retronet report --chip net32k --weight-bits 4 --state-bits 2 --format csv
      retronet report --network lenet1 --field 28x140
      retronet report --rtl circuit
      retronet report runs/a --html story.html
    """
    from hw_sim.chips.cost.network_cost import cost
    from hw_sim.chips.spec import NeuronArray
    from retronet_cli.able_chips import chips_for
    from retronet_cli.terminal import talk

    check_options(page)
    if field is not None and (circuits or page.html is not None):
        other = "--rtl" if circuits else "--html"
        raise click.UsageError(f"--field does not go with {other}. Leave one of them out.")
    if page.html is not None:
        write_story(run, chips, page, form.as_json)
        return
    if circuits:
        spec, laid_out = _circuits(circuits, run, network)
    else:
        spec, laid_out = _network(run, network), []
    specs, left_out = chips_for(chips, spec)
    for sentence in () if page.quiet else left_out:
        talk(sentence)
    for_all = not any(isinstance(each.engine, NeuronArray) for each in specs)

    def model(chip: "ChipSpec", network: "NetworkSpec") -> "CostReport":
        takes_bits = for_all or isinstance(chip.engine, NeuronArray)
        return cost(
            chip,
            network,
            weight_bits=weight_bits if takes_bits else None,
            state_bits=state_bits if takes_bits else None,
            on_board=not chip_alone,
            images_per_load=images_per_load,
        )

    if field is not None:
        _print_slid(spec, specs, field, model, form)
        return
    reports = [model(each, spec) for each in specs]
    if circuits:
        _print_circuits(laid_out, reports, form)
        return
    _print(spec, specs, reports, run, form, details=bool(chips))


def _print_slid(
    network: "NetworkSpec",
    chips: "list[ChipSpec]",
    field: tuple[int, int],
    model: "Model",
    form: Form,
) -> None:
    import msgspec

    from hw_sim.chips.cost.sliding import all_slid_work, slid_times
    from retronet_cli.terminal import print_table
    from retronet_cli.views.reading_time import slid_table

    work, times = all_slid_work(network, [field]), slid_times(chips, network, [field], model)
    if form.given:
        rows = msgspec.to_builtins(times)
        told = {"network": network.name, "rows": field[0], "columns": field[1], **msgspec.to_builtins(work)}
        give(form, "slid", {**told, "modelled": rows}, {"chips": rows})
        return
    print_table(slid_table(f"{network.name} slid over {field[0]:,} × {field[1]:,}", work, times))


def _circuits(
    folders: tuple[Path, ...], run: Path | None, name: str | None
) -> "tuple[NetworkSpec, list[Synthesised]]":
    """Return the network that all circuits have, and each circuit on each device."""
    from hw_sim.export.synthesis import synthesised

    if run is not None or name is not None:
        other = "a run" if run is not None else "--network"
        raise click.UsageError(
            f"--rtl does not go with {other}: a circuit has its network. Leave one of them out."
        )
    each = [synthesised(folder) for folder in folders]
    networks = {network.name: network for network, _ in each}
    if len(networks) > 1:
        raise InputError(
            f"The circuits run different networks: {', '.join(networks)}. One network at a time is allowed; "
            f"name the folders of one."
        )
    return each[0][0], [circuit for _, circuits in each for circuit in circuits]


def _print_circuits(circuits: "list[Synthesised]", reports: "list[CostReport]", form: Form) -> None:
    import msgspec

    from retronet_cli.terminal import print_table
    from retronet_cli.views.export import circuits_table

    if form.given:
        fields = {"synthesised": msgspec.to_builtins(circuits), "modelled": msgspec.to_builtins(reports)}
        give(form, "circuits", {"network": circuits[0].network, **fields}, fields)
        return
    print_table(circuits_table(circuits, reports))


def _network(run: Path | None, name: str | None) -> "NetworkSpec":
    from retronet.network import load_network

    if run is None:
        return load_network(name or "lecun1989")
    if name is not None:
        raise click.UsageError("--network does not go with a run, which has its own. Leave one of them out.")
    from retronet.runs.run import open_run

    return open_run(run).configuration.network


def _print(
    network: "NetworkSpec",
    chips: "list[ChipSpec]",
    reports: "list[CostReport]",
    run: Path | None,
    form: Form,
    details: bool,
) -> None:
    import msgspec

    from hw_sim.chips.cost.network_cost import work_of
    from hw_sim.chips.cost.published import published_rows
    from retronet.network import sized_layers
    from retronet_cli.terminal import print_paragraphs, print_table
    from retronet_cli.views import costs

    layers, work = [sized.name for sized in sized_layers(network)], work_of(network)
    published = [row for each in chips for row in published_rows(each)]
    if form.given:
        counted = [
            {"layer": name, **msgspec.to_builtins(each)} for name, each in zip(layers, work, strict=True)
        ]
        shared = {"network": network.name, "run": None if run is None else str(run), "work": counted}
        modelled = msgspec.to_builtins(reports)
        totals = [{key: value for key, value in each.items() if key != "layers"} for each in modelled]
        tables: dict[str, Rows] = {
            "layers": costs.cost_records(reports), "chips": totals, "work": counted, "published": published,
        }  # fmt: skip
        told = {**shared, "modelled": modelled, "published": msgspec.to_builtins(published)}
        give(form, "report", told, tables)
        return
    title = f"{network.name}: work for one digit, counted from its shape"
    print_table(costs.shape_table(title, layers, work))
    for each, modelled in zip(chips, reports, strict=True) if details else ():
        print_table(costs.cost_table(each, modelled))
        print_table(costs.parts_table(each, modelled))
    if published:
        print_table(costs.published_table(published))
    if details:
        print_paragraphs(costs.gap_lines(published))
    title = f"{network.name} on each chip, modelled for one digit"
    print_table(costs.totals_table(title, reports, costs.COST_ALONE))
    if not details:
        print_paragraphs(
            ["Name a chip with --chip to see its layers, and what is modelled and fitted of each gap."]
        )
