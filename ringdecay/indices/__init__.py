"""Geomagnetic and solar indices: any provider's files in, one DataArray over time with its source and vintage out."""

from ringdecay.indices.opening import NAMES, open_index
from ringdecay.indices.solar_wind import open_solar_wind

__all__ = ["NAMES", "open_index", "open_solar_wind"]
