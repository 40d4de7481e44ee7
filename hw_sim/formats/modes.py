"""The names of what a cast does: how it rounds, and what becomes of a value outside the range.

Apart from the formats, so that whoever only names a mode, as the command line's options do, loads no arrays.
"""

from enum import StrEnum


class Rounding(StrEnum):
    """What happens to the bits below the last fraction bit; ap_fixed's names."""

    TRN = "TRN"
    """Down, towards −∞ (the bits are dropped)."""
    TRN_ZERO = "TRN_ZERO"
    """Towards zero."""
    RND = "RND"
    """To the nearest, halves up."""
    RND_ZERO = "RND_ZERO"
    """To the nearest, halves towards zero."""
    RND_MIN_INF = "RND_MIN_INF"
    """To the nearest, halves down."""
    RND_INF = "RND_INF"
    """To the nearest, halves away from zero."""
    RND_CONV = "RND_CONV"
    """To the nearest, halves to the even neighbour."""
    STOCHASTIC = "STOCHASTIC"
    """Up with the probability that the dropped bits stand for, else down: Höhfeld and Fahlman's probabilistic
    rounding (TNN 1992). It is seeded and for parameters; what runs per image must be one of the others."""

    @property
    def code(self) -> int:
        """The number that kernels know the mode by."""
        return tuple(Rounding).index(self)

    @property
    def computed(self) -> "Rounding":
        """The mode of what is computed for each image, where this one is that of parameters."""
        return Rounding.RND if self is Rounding.STOCHASTIC else self


DETERMINISTIC = tuple(mode for mode in Rounding if mode is not Rounding.STOCHASTIC)
"""The modes of what is computed image by image."""


class Overflow(StrEnum):
    """What happens to a rounded value outside the range; ap_fixed's names."""

    WRAP = "WRAP"
    """The high bits are dropped: modulo ``2^bits``."""
    SAT = "SAT"
    """The nearest end of the range."""
    SAT_ZERO = "SAT_ZERO"
    """Zero."""
    SAT_SYM = "SAT_SYM"
    """The nearest end of a range made symmetric: the most negative pattern is never produced."""

    @property
    def code(self) -> int:
        """The number that kernels know the mode by."""
        return tuple(Overflow).index(self)
