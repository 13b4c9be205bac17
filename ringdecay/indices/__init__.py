"""Geomagnetic and solar indices: any provider's files in, one DataArray over time with its source and vintage out."""

from ringdecay.indices.opening import NAMES, open_index

__all__ = ["NAMES", "open_index"]
