"""A trained network on integers, bit for bit: quantised, proved to fit, run and counted."""
