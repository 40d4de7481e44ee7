"""Compiled arithmetic on integers. Kernels know arrays and numbers, not networks or formats."""

import retronet.kernels  # noqa: F401 - sets where compiled code is kept, before numba is imported
