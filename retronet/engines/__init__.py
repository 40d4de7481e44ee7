"""Engines hold a network's arrays while it learns: Numba's, and torch's as second and judge."""
