"""ANNA (ANNA-B): 6-bit weights, 3-bit states, eight converters."""
