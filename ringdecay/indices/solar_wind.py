"""The solar wind that OMNI's files hold beside the index: its dynamic pressure and its electric field."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from os import PathLike
from pathlib import Path

import numpy as np
import xarray as xr

from ringdecay.errors import FileError
from ringdecay.indices.opening import NAMES, open_index

logger = logging.getLogger(__name__)

SOLAR_WIND = ("Pdyn", "Ey")


def open_solar_wind(files: str | PathLike[str] | Iterable[str | PathLike[str]]) -> xr.Dataset:
    """Open dynamic pressure and electric field of the solar wind from the files of an index, as far as they hold them.

    Parameters
    ----------
    files : path-like, or iterable of path-like
        The files that `open_index` reads the index from.

    Returns
    -------
    Dataset of float64 over `time`
        `Pdyn` (nPa) and `Ey` (-V Bz, mV/m), each as `open_index` gives it. Files of a provider that has no solar wind (WDC Kyoto, the
        demonstration archive) give no time at all, and the attribute `missing` says why.
    """
    paths = [Path(files)] if isinstance(files, str | PathLike) else [Path(file) for file in files]
    try:
        series = [open_index(paths, name) for name in SOLAR_WIND]
    except FileError as error:
        # The folder differs from machine to machine while the result does not.
        reason = str(error).replace(error.path, Path(error.path).name)
        logger.info("no solar wind: %s", reason)
        empty = np.empty(0, dtype="datetime64[ns]")
        values = {name: ("time", np.empty(0), {"units": NAMES[name][0], "long_name": NAMES[name][1]}) for name in SOLAR_WIND}
        return xr.Dataset(values, coords={"time": empty}, attrs={"missing": reason, "simulated": "no"})
    # Of the same files, so of the same times.
    return xr.Dataset({str(one.name): one for one in series}, attrs={"simulated": series[0].attrs["simulated"]})
