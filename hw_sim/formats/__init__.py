"""What a bit pattern means: fixed point, sets of levels, and the scales of either."""
