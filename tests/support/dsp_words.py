"""Memory words of the DSP-32C as hypothesis draws them."""

from hypothesis import strategies as st

MANTISSAS = st.one_of(
    st.integers(0, 0xFFFFFF), st.sampled_from([0, 1, 2, 0x7FFFFF, 0x7FFFFE, 0x800000, 0x800001, 0xFFFFFF])
)


def words(low: int, high: int) -> st.SearchStrategy[int]:
    """Return words whose exponent field is between `low` and `high`."""
    return st.builds(lambda mantissa, exponent: mantissa << 8 | exponent, MANTISSAS, st.integers(low, high))
