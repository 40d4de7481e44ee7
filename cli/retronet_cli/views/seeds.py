"""Results over several seeds as tables."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from retronet.studies.seeds import SeedResult, Spread
from retronet_cli.views.scores import add_numbers, loss_of, new_table, optional

NAMES = {
    "misses": "misses",
    "error_percent": "error %",
    "half_mse": "half MSE",
    "reject_percent_at_1_percent_error": "reject % for 1 %",
}


def seed_table(title: str, results: Sequence[SeedResult], caption: str | None) -> Table:
    """Return one row a seed."""
    heading, loss = loss_of(result.records[-1].test for result in results)
    names = ("seed", "misses train", "misses test", f"{heading} train", f"{heading} test")
    table = new_table(title, caption)
    add_numbers(table, *names, "reject % for 1 %")
    for result in results:
        last = result.records[-1]
        table.add_row(
            str(result.seed),
            f"{last.train.misses:,}",
            f"{last.test.misses:,}",
            optional(loss(last.train), ".3e"),
            optional(loss(last.test), ".3e"),
            f"{last.test.reject_percent_at_1_percent_error:.1f}",
        )
    return table


def seed_spread_table(
    title: str, spreads: Mapping[str, Mapping[str, Spread]], quantities: Sequence[str]
) -> Table:
    """Return mean, deviation and 95 % interval of each quantity."""
    table = new_table(
        title, "The interval is Student's, for the mean; it does not cover the choice of test digits."
    )
    table.add_column("digits")
    table.add_column("quantity")
    add_numbers(table, "mean", "deviation", "95 % interval", "range")
    for half, of_half in spreads.items():
        for quantity in quantities:
            if quantity not in of_half:
                continue
            value = of_half[quantity]
            table.add_row(
                half,
                NAMES[quantity],
                number(value.mean),
                "–" if value.deviation is None else number(value.deviation),
                interval(value.mean_low, value.mean_high),
                interval(value.minimum, value.maximum),
            )
    return table


def number(value: float) -> str:
    """Return `value` in a few digits, without the noise behind them."""
    return f"{value:.3e}".replace("e-0", "e-") if 0 < abs(value) < 0.1 else f"{value:.4g}"


def interval(low: float | None, high: float | None) -> str:
    """Return an interval, or a dash where there is none."""
    return "–" if low is None or high is None else f"{number(low)} – {number(high)}"
