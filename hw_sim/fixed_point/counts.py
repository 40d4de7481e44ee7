"""What a layer did, counted while it was done."""

import msgspec


class LayerCounts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Work of one layer, counted while it was done, over all images.

    A MAC reads a weight, and a state unless it reads the border; a unit reads its bias as one more weight
    and writes a state. ``saturations`` are states that did not fit their format, ``overflows`` casts to the
    accumulator that did not fit it, ``preactivation_overflows`` casts to pre-activations. Pools have no
    MACs: ``comparisons`` are those of a max pool, ``additions`` those of an average pool, in a window one
    fewer than it reads states.
    """

    macs: int
    border_macs: int
    zero_macs: int
    weight_reads: int
    state_reads: int
    state_writes: int
    saturations: int
    overflows: int
    preactivation_overflows: int = 0
    comparisons: int = 0
    additions: int = 0
