"""The 1989 zip-code network and its line: descriptions, training, evaluation.

Import what you need from the modules; importing the package itself loads neither numba nor torch.
"""

__version__ = "0.1.0"
