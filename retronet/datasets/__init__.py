"""The digits: finding, fetching, checking and preparing them. Loads neither numba nor torch."""

from retronet.datasets.catalogue import dataset_names, load
from retronet.datasets.dataset import Dataset, DigitSets, Provenance

__all__ = ["Dataset", "DigitSets", "Provenance", "dataset_names", "load"]
