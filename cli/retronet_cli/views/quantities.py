"""Numbers of chips in a form to read."""

from collections.abc import Sequence

PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
DURATIONS = ((86_400.0, "days"), (3_600.0, "h"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
ENERGIES = ((1.0, "J"), (1e-3, "mJ"), (1e-6, "µJ"), (1e-9, "nJ"), (1e-12, "pJ"), (1e-15, "fJ"))


def plain(value: float) -> str:
    """Return a number with four significant digits, or all of a large one: 1,300,000 or 50.28."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def prefixed(value: float) -> str:
    """Return a rate with four significant digits: 7.797 M."""
    return _scaled(value, PREFIXES)


def duration(seconds: float) -> str:
    """Return a time with four significant digits in the unit that suits it: 8.293 ms."""
    return _scaled(seconds, DURATIONS)


def energy(joules: float) -> str:
    """Return an energy with four significant digits in the unit that suits it: 163.9 nJ."""
    return _scaled(joules, ENERGIES)


def of_unit(value: float, unit: str) -> str:
    """Return a number with its unit, scaled where the unit is one of time, energy or rate."""
    match unit:
        case "s":
            return duration(value)
        case "J":
            return energy(value)
        case "1/s" | "bytes/s":
            number, _, prefix = prefixed(value).partition(" ")
            return f"{number} {prefix}{unit.removeprefix('1')}"
        case _:
            return f"{plain(value)} {unit.removesuffix('s') if value == 1 else unit}".rstrip()


def quantity(value: float, unit: str) -> str:
    """Return a published or modelled number; what it counts stands beside it in words."""
    match unit:
        case "s":
            return duration(value)
        case "connections/s":
            return prefixed(value)
        case _:
            return plain(value)


def quantity_range(low: float | None, high: float | None, unit: str) -> str:
    """Return one number, a range, or one end of it."""
    if low is None or high is None:
        words, end = ("less than", high) if low is None else ("more than", low)
        return "–" if end is None else f"{words} {quantity(end, unit)}"
    ends = quantity(low, unit), quantity(high, unit)
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def _scaled(value: float, units: Sequence[tuple[float, str]]) -> str:
    scale, unit = next((each for each in units if abs(value) >= each[0]), units[-1])
    return f"{value / scale:.4g} {unit}".rstrip()


def passes_named(count: int) -> str:
    """Return a number of passes in words."""
    return f"{count:,} pass" if count == 1 else f"{count:,} passes"
