"""The simulated index in the files in which OMNI hands it out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from cdflib import cdfepoch
from cdflib.cdfwrite import CDF

from ringdecay.simulate.truth import Times
from ringdecay.store import written_whole

# The 55 columns of the OMNI2 yearly files as SPDF's omni2.text lists them: width, decimals (None for an integer) and fill.
_OMNI2_COLUMNS: tuple[tuple[int, int | None, float], ...] = (
    *((4, None, 0), (4, None, 0), (3, None, 0), (5, None, 9999), (3, None, 99), (3, None, 99), (4, None, 999), (4, None, 999)),
    *((6, 1, 999.9),) * 14,
    *((9, 0, 9999999.0), (6, 1, 999.9), (6, 0, 9999.0), (6, 1, 999.9), (6, 1, 999.9), (6, 3, 9.999), (6, 2, 99.99)),
    *((9, 0, 9999999.0), (6, 1, 999.9), (6, 0, 9999.0), (6, 1, 999.9), (6, 1, 999.9), (6, 3, 9.999)),
    *((7, 2, 999.99), (7, 2, 999.99), (6, 1, 999.9)),
    *((3, None, 99), (4, None, 999), (6, None, 99999), (5, None, 9999)),
    *((10, 2, 999999.99),),
    *((9, 2, 99999.99),) * 5,
    *((3, None, 0), (4, None, 999), (6, 1, 999.9), (6, 1, 999.9), (6, None, 99999), (6, None, 99999), (5, 1, 99.9)),
)
_DST_COLUMN = 40

# Variables of the high-resolution files: CDF type, unit, fill, valid range, description.
_HRO_VARIABLES: dict[str, tuple[str, str, float, tuple[float, float], str]] = {
    "YR": ("CDF_INT4", " ", -(2**31), (1963, 2030), "Year"),
    "Day": ("CDF_INT4", " ", -(2**31), (1, 366), "Decimal Day (JAN 1=1)"),
    "HR": ("CDF_INT4", " ", -(2**31), (0, 23), "Decimal Hour"),
    "Minute": ("CDF_INT4", " ", -(2**31), (0, 59), "Minute"),
    "BZ_GSM": ("CDF_REAL4", "nT", 9999.99, (-100.0, 100.0), "Bz (nT), GSM"),
    "flow_speed": ("CDF_REAL4", "km/s", 99999.9, (0.0, 2000.0), "Flow speed (km/s), GSE"),
    "AE_INDEX": ("CDF_INT4", "nT", 99999, (0, 7000), "AE - 5-minute AE-index"),
    "SYM_D": ("CDF_INT4", "nT", 99999, (-1000, 1000), "SYM/D - 5-minute SYM/D index"),
    "SYM_H": ("CDF_INT4", "nT", 99999, (-1000, 1000), "SYM/H - 5-minute SYM/H index; SIMULATED"),
    "ASY_D": ("CDF_INT4", "nT", 99999, (-1000, 1000), "ASY/D - 5-minute ASY/D index"),
    "ASY_H": ("CDF_INT4", "nT", 99999, (-1000, 1000), "ASY/H - 5-minute ASY/H index"),
}
_TYPES: dict[str, tuple[int, type[np.generic]]] = {"CDF_INT4": (4, np.int32), "CDF_REAL4": (21, np.float32)}


def write_hro_month(sym_h: xr.DataArray, path: Path) -> None:
    """Write a month of SYM-H as OMNI's 5-minute CDF; what is not simulated is fill.

    The months of OMNI carry the start of the interval as its time, and are not compressed.
    """
    time = sym_h["time"].values
    days = time.astype("datetime64[D]")
    minutes = (time - days) // np.timedelta64(1, "m")
    known: dict[str, npt.NDArray[Any]] = {
        "YR": time.astype("datetime64[Y]").astype(np.int64) + 1970,
        "Day": _day_of_year(days),
        "HR": minutes // 60,
        "Minute": minutes % 60,
        "SYM_H": np.where(np.isnan(sym_h.values), 99999, sym_h.values),
    }
    with written_whole(path) as beside:
        cdf = CDF(beside, cdf_spec={"Majority": "row_major", "Encoding": 1})
        attributes = {
            "TITLE": "SIMULATED, in the layout of Near-Earth Heliosphere Data (OMNI)",
            "Logical_source": "omni_hro_5min",
            "Logical_file_id": path.stem,
            "Data_version": "1",
            "Time_resolution": "5 minute",
            "TEXT": "SIMULATED by ringdecay; not a measurement.",
            "SIMULATED": "yes",
        }
        cdf.write_globalattrs({key: {0: value} for key, value in attributes.items()})
        epoch_attributes = {
            "FIELDNAM": "Epoch Time",
            "CATDESC": "Epoch Time",
            "UNITS": "DD-MMM-YYYY_hr:mm",
            "VAR_TYPE": "support_data",
            "FILLVAL": [-1.0e31, "CDF_EPOCH"],
        }
        cdf.write_var(_spec("Epoch", 31), var_attrs=epoch_attributes, var_data=_cdf_epoch(time))
        for name, (cdf_type, units, fill, valid, description) in _HRO_VARIABLES.items():
            code, dtype = _TYPES[cdf_type]
            values = known.get(name, np.full(time.size, fill)).astype(dtype)
            described = {
                "FIELDNAM": name,
                "CATDESC": description,
                "UNITS": units,
                "VAR_TYPE": "data" if units != " " else "support_data",
                "FILLVAL": [fill, cdf_type],
                "VALIDMIN": [valid[0], cdf_type],
                "VALIDMAX": [valid[1], cdf_type],
                "DEPEND_0": "Epoch",
            }
            cdf.write_var(_spec(name, code), var_attrs=described, var_data=values)
        cdf.close()


def write_omni2_year(dst: xr.DataArray, year: int, path: Path) -> None:
    """Write a year of hourly Dst as OMNI2's fixed-width text; all other columns, and hours outside the index, are fill."""
    hours = np.arange(np.datetime64(f"{year}-01-01", "h"), np.datetime64(f"{year + 1}-01-01", "h")).astype("datetime64[ns]")
    values = dst.reindex(time=hours).values
    values = np.where(np.isnan(values), _OMNI2_COLUMNS[_DST_COLUMN][2], values).astype(np.int64)
    fields = [_field(width, decimals, fill) for width, decimals, fill in _OMNI2_COLUMNS]
    before, after = "".join(fields[3:_DST_COLUMN]), "".join(fields[_DST_COLUMN + 1 :])
    days = hours.astype("datetime64[D]")
    hour_of_day = (hours - days) // np.timedelta64(1, "h")
    rows = zip(_day_of_year(days).tolist(), hour_of_day.tolist(), values.tolist(), strict=True)
    with written_whole(path) as beside:
        beside.write_text("".join(f"{year:4d}{day:4d}{hour:3d}{before}{value:6d}{after}\n" for day, hour, value in rows), encoding="ascii")


def _field(width: int, decimals: int | None, value: float) -> str:
    if decimals is None:
        return f"{int(value):{width}d}"
    # Fortran's Fw.0 ends with the decimal point.
    return f"{value:#{width}.{decimals}f}"


def _day_of_year(days: Times) -> npt.NDArray[np.int64]:
    first = days.astype("datetime64[Y]").astype("datetime64[D]")
    return np.asarray((days.astype("datetime64[D]") - first) // np.timedelta64(1, "D") + 1, dtype=np.int64)


def _cdf_epoch(time: Times) -> npt.NDArray[np.float64]:
    """Milliseconds since the year 0, which the CDF library calls an epoch."""
    zero = float(cdfepoch.compute_epoch([1970, 1, 1, 0, 0, 0, 0]))
    return np.asarray(zero + time.astype("datetime64[ms]").astype(np.float64))


def _spec(name: str, code: int) -> dict[str, Any]:
    return {"Variable": name, "Data_Type": code, "Num_Elements": 1, "Rec_Vary": True, "Dim_Sizes": [], "Compress": 0}
