"""Compiled arithmetic on integers. Kernels know arrays and numbers, not networks or formats."""
