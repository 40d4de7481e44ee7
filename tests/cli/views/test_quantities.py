"""Quantities as people read them."""

from collections.abc import Callable

from click.testing import Result

from retronet_cli.views.quantities import duration, plain, prefixed, quantity_range

Call = Callable[..., Result]


def test_numbers_keep_four_digits_or_all() -> None:
    assert (plain(120.58653), plain(409165.3), plain(0.0341)) == ("120.6", "409,165", "0.0341")
    assert (prefixed(327.68e9), prefixed(644075.2), prefixed(9.961)) == ("327.7 G", "644.1 k", "9.961")
    assert (duration(60349.36), duration(8.2928e-3), duration(259_200)) == ("16.76 h", "8.293 ms", "3 days")
    assert quantity_range(10, 12, "images/s") == "10 to 12"
    assert quantity_range(30, None, "images/s") == "more than 30"
    assert quantity_range(None, 1e-6, "s") == "less than 1 µs"
    assert quantity_range(3e6, 3e6, "connections/s") == "3 M"
