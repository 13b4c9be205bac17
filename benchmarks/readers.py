"""Ways to read flux files and bin them, side by side. Each candidate is a function from files of one probe to mean log flux.

The result of a file is an array over time bin, L and energy: the mean of the natural log of the omnidirectional flux near the equator,
zeros left out, in the bins of `ringdecay.bin_flux`. The other tools' ways are written as a user of that tool would write them, file by
file, and do less: no pitch angles, no counts, no exposure, no second moments, no check of a damaged file beyond what the tool does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import dask
import numpy as np
import xarray as xr

from ringdecay.binned import Grid, bin_flux, file_table
from ringdecay.flux import date_and_probe
from ringdecay.products import get_product

GRID = Grid()
#: Solid angle of the pitch-angle bins of PAP files.
WEIGHT = -np.diff(np.cos(np.deg2rad([0.0, *range(15, 166, 10), 180.0])))
Result = list[xr.DataArray]
#: On what the candidates of this project run: Dask's scheduler and the number of workers.
SCHEDULERS = {"ringdecay": ("synchronous", 1), "ringdecay, 2 threads": ("threads", 2), "ringdecay, 2 processes": ("processes", 2)}


def variables_read(product: str) -> list[str]:
    """Names of the variables that `ringdecay.open_flux` reads of a file of the product, if it has them."""
    return [variable.name for variable in get_product(product).variables.values()]


# -- this project ----------------------------------------------------------------------------------------------------------------------


def ringdecay(files: Sequence[Path], product: str) -> Result:
    """Read and bin with `ringdecay.bin_flux`, on the Dask scheduler that is set."""
    binned = bin_flux([str(file) for file in files], GRID, product=product)
    refused = file_table(binned).query("status != 'used'")
    if len(refused):
        raise ValueError(f"{len(refused)} files were refused, so nothing was measured: {refused['reason'].iloc[0]}")
    return [binned]


@contextmanager
def scheduler(where: str, workers: int) -> Iterator[None]:
    """Set the Dask scheduler; processes are started before the clock is, as those of a long run are."""
    if where == "processes":
        with (
            ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool,
            dask.config.set(scheduler=where, pool=pool, chunksize=1),
        ):
            yield
    else:
        with dask.config.set(scheduler=where, num_workers=workers):
            yield


# -- other tools -----------------------------------------------------------------------------------------------------------------------


def cdflib_varget(files: Sequence[Path], product: str) -> Result:
    """Read the variables with cdflib's `varget`, bin with xarray's `groupby_bins`."""
    import cdflib  # noqa: PLC0415 - it may have been told to do without the package deflate

    result = []
    for file in files:
        cdf = cdflib.CDF(file)
        values = {name: cdf.varget(name) for name in ("Epoch", "FPDU", "FPDU_Quality", "L", "Position_SM")}
        time = cdflib.cdfepoch.to_datetime(values.pop("Epoch"))
        result.append(mean_log_flux(time, *values.values(), product))
    return result


def cdf_to_xarray(files: Sequence[Path], product: str) -> Result:
    """Read whole files with cdflib's `cdf_to_xarray`, bin with xarray's `groupby_bins`."""
    from cdflib.xarray import cdf_to_xarray as read  # noqa: PLC0415

    result = []
    for file in files:
        data = read(file, to_datetime=True, fillval_to_nan=True)
        values = (data[name].to_numpy() for name in ("FPDU", "FPDU_Quality", "L", "Position_SM"))
        result.append(mean_log_flux(data["Epoch"].to_numpy(), *values, product))
    return result


def pyspedas(files: Sequence[Path], product: str) -> Result:
    """Load with pySPEDAS, average with its own function (it has none for PAP files), bin with xarray's `groupby_bins`."""
    from pyspedas.projects.rbsp.config import CONFIG  # noqa: PLC0415 - not everyone has it
    from pyspedas.projects.rbsp.load import load  # noqa: PLC0415
    from pyspedas.projects.rbsp.rbspice_lib.rbsp_load_rbspice_read import rbsp_load_rbspice_read  # noqa: PLC0415
    from pyspedas.projects.rbsp.rbspice_lib.rbsp_rbspice_omni import rbsp_rbspice_omni  # noqa: PLC0415
    from pyspedas.tplot_tools import del_data, get_data  # noqa: PLC0415

    logging.getLogger().setLevel(logging.ERROR)
    telescopes = product == "rbspice-tofxeh"
    datatype = "TOFxEH" if telescopes else "pap_TOFxEH"
    result = []
    for file in files:
        CONFIG["local_data_dir"] = str(file.parents[5])  # the archive's folder rbsp
        date, probe = date_and_probe(file, get_product(product))
        day = f"{date[:4]}-{date[4:6]}-{date[6:]}"
        load(instrument="rbspice", trange=[day, f"{day}/23:59:59"], probe=probe, datatype=datatype, get_support_data=True, no_update=True)
        prefix = f"rbsp{probe}_rbspice_l3_{datatype}_"
        time, flux = get_data(f"{prefix}FPDU", dt=True)[:2]
        quality, L, position = (get_data(prefix + name)[1] for name in ("FPDU_Quality", "L", "Position_SM"))
        if telescopes:
            rbsp_load_rbspice_read(level="l3", probe=probe, datatype=datatype)
            rbsp_rbspice_omni(probe=probe, datatype=datatype, level="l3")
            omni = get_data(f"{prefix}proton_omni")[1]
            result.append(binned(time, np.where((quality == 10).all(axis=(1, 2))[:, None], omni, np.nan), L, position))
        else:
            result.append(mean_log_flux(time, flux, quality, L, position, product))
        del_data("*")
    return result


def mean_log_flux(time: Any, flux: Any, quality: Any, L: Any, position: Any, product: str) -> xr.DataArray:
    """Average the good flux over the sphere, or over the telescopes, and bin it."""
    good = np.where((quality == 10) & (flux > -1e30), flux / 1000.0, np.nan)
    if product == "rbspice-tofxeh":
        there = np.isfinite(good)
        with np.errstate(invalid="ignore"):
            omni = np.where(there, good, 0.0).sum(axis=1) / there.sum(axis=1)
    else:
        omni = good @ (WEIGHT / WEIGHT.sum())
    return binned(time, omni, L, position)


def binned(time: Any, omni: Any, L: Any, position: Any) -> xr.DataArray:
    """Mean log flux near the equator by time bin, L and energy, with xarray's `groupby_bins`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        latitude = np.rad2deg(np.arcsin(position[:, 2] / np.linalg.norm(position, axis=1)))
        log_flux = np.log(np.where(omni > 0, omni, np.nan))
    near = (np.abs(latitude) <= GRID.max_MLAT) & (L > 0)
    samples = xr.DataArray(
        log_flux[near],
        dims=("time", "energy"),
        coords={"time": time[near], "L": ("time", L[near]), "bin": ("time", GRID.time_index(time[near]))},
    )
    parts = {number: part.groupby_bins("L", GRID.L_edges, right=False).mean() for number, part in samples.groupby("bin")}
    return xr.concat(parts.values(), dim=xr.Variable("bin", list(parts)))


CANDIDATES: dict[str, Callable[[Sequence[Path], str], Result]] = {
    "ringdecay": ringdecay,
    "ringdecay, 2 threads": ringdecay,
    "ringdecay, 2 processes": ringdecay,
    "cdflib varget + groupby_bins": cdflib_varget,
    "cdf_to_xarray + groupby_bins": cdf_to_xarray,
    "pySPEDAS + groupby_bins": pyspedas,
}
