"""Ratios of powers in decibels, the same digits on every processor."""

from decimal import Decimal


def decibels(signal: float, noise: float) -> float | None:
    """Return ``10 log10(signal / noise)``, None where either is 0.

    By decimals, rounded once: the last digit of a library's logarithm depends on the processor.
    """
    if signal <= 0 or noise <= 0:
        return None
    return float(10 * Decimal(signal / noise).log10())
