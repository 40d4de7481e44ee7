"""Compiled arithmetic on integers. Kernels take arrays and numbers and know nothing of networks or formats."""
