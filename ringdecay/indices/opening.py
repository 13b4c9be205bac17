"""Open an index from whatever files hold it; the format is seen from the content."""

from __future__ import annotations

import bz2
import gzip
import re
import zlib
from collections.abc import Iterable
from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt
import xarray as xr

from ringdecay.cdf import is_cdf, looks_like_html
from ringdecay.errors import FileError, InputError, unknown
from ringdecay.indices.celestrak import read_celestrak
from ringdecay.indices.gfz import read_gfz
from ringdecay.indices.kyoto import read_dst, read_iaga
from ringdecay.indices.omni import read_omni2, read_omni_cdf
from ringdecay.indices.series import Series, describe_vintage, merge
from ringdecay.indices.text import AGAIN

# Index -> its units and what it is.
NAMES = {
    "SYM-H": ("nT", "symmetric disturbance of the horizontal geomagnetic field, SYM-H"),
    "ASY-H": ("nT", "asymmetric disturbance of the horizontal geomagnetic field, ASY-H"),
    "Dst": ("nT", "disturbance storm time index, Dst"),
    "Kp": ("1", "planetary three-hour index, Kp"),
    "F10.7": ("sfu", "solar radio flux at 10.7 cm, adjusted to 1 AU, F10.7"),
    "Pdyn": ("nPa", "dynamic pressure of the solar wind (OMNI's flow pressure), Pdyn"),
    "Ey": ("mV/m", "electric field of the solar wind, -V Bz (GSM), Ey"),
}

_KNOWN_FORMATS = (
    "an index file (WDC Kyoto Dst, IAGA-2002, OMNI2 text, OMNI CDF hourly or of 1 or 5 min, GFZ Kp_ap_Ap_SN_F107 or Kp_ap text, "
    "or CelesTrak SW-All text)"
)
_DST = re.compile(rb"DST\d{4}\*[ \d]\d")
_IAGA = re.compile(rb" ?Format +IAGA-2002")
# Year, day of the year, hour, Bartels rotation number.
_OMNI2 = re.compile(rb" *\d{4} +\d{1,3} +\d{1,2} +\d{4} ")
# GFZ's comment lines end with one that names the columns.
_GFZ = re.compile(rb"#[^\n]*\n(?:#[^\n]*\n)*?#YYY MM DD ")
_CELESTRAK = re.compile(rb"DATATYPE +CssiSpaceWeather\n")


def open_index(files: str | PathLike[str] | Iterable[str | PathLike[str]], name: str) -> xr.DataArray:
    """Open a geomagnetic or solar index, or the solar wind, from one file or many.

    The format is seen from the content of a file, not from its name. Text may be packed as .bz2 or .gz, and its lines may end as in
    Unix or Windows. Read are

    ==================================================  ===================  ==============================================
    format                                              indices              vintage from
    ==================================================  ===================  ==============================================
    WDC Kyoto, 120-byte Dst records                     Dst                  the version of each record
    WDC Kyoto, IAGA-2002                                SYM-H, ASY-H         Data Type in the header
    OMNI high-resolution CDF, 1 and 5 min (HRO, HRO2)   SYM-H, ASY-H, Pdyn,  unknown
                                                        Ey
    OMNI2 hourly CDF (OMNI2_H0_MRG1HR)                  Dst, Kp, F10.7,      unknown
                                                        Pdyn, Ey
    OMNI2 yearly text                                   Dst, Kp, F10.7,      unknown
                                                        Pdyn, Ey
    GFZ Kp_ap_Ap_SN_F107_*.txt                          Kp, F10.7            column D for Kp; unknown for F10.7
    GFZ Kp_ap_*.txt                                     Kp                   column D
    CelesTrak SW-All.txt, observed days only            Kp, F10.7            unknown; the time of the update is in source_date
    ==================================================  ===================  ==============================================

    F10.7 is the one adjusted to 1 AU, in all formats: OMNI2 has one F10.7 and does not say which, and it is the adjusted one (of the
    2555 days of 2012-2018 that a copy of 2019 has, 2543 equal CelesTrak's adjusted value and 26 the observed one). Days that CelesTrak
    marks as interpolated, not measured, are NaN, as they are in OMNI2; GFZ's files have no such mark. Kp is in exact thirds.

    All files of one call must be of one source, because sources differ: of Dst, Kyoto's final values and an OMNI2 of 2019 differ in
    most hours after 2014, by up to 24 nT. Where files overlap, equal values are merged; of contradicting ones a value is kept before
    a fill, then the more settled vintage, then the value of the file that begins later; each contradiction is counted in the log.

    Parameters
    ----------
    files : path-like, or iterable of path-like
        The files, in any order.
    name : {"SYM-H", "ASY-H", "Dst", "Kp", "F10.7", "Pdyn", "Ey"}
        The index, or the dynamic pressure or electric field (-V Bz, positive for a southward field) of the solar wind.

    Returns
    -------
    DataArray of float64, dimension `time` (datetime64[ns], UTC, strictly increasing, as labelled in the files)
        Fills are NaN; hours that no file has are left out. Attributes: `units`, `long_name`, `source`, `vintage` (final,
        provisional, quicklook, unknown, or mixed with the shares in `vintage_spans`), `vintage_rule` (where the vintage comes from),
        `source_date` (when the provider made the file, if it says), `time_label`, `cadence`, `files` and `simulated`.

    Raises
    ------
    InputError
        If the name is not known or no file is given.
    FileError
        If a file is missing, empty, a web page, cut short, of a format that is not known, of another source than the first, or has
        no such index.
    """
    if name not in NAMES:
        raise unknown("index", name, NAMES)
    paths = [Path(files)] if isinstance(files, str | PathLike) else [Path(file) for file in files]
    if not paths:
        raise InputError(f"no file is given to open {name} from")
    parts: list[Series] = []
    for path in paths:
        part = _read(path, name)
        if parts and (part.source, part.time_label) != (parts[0].source, parts[0].time_label):
            expected = f"{parts[0].source} with times at the {parts[0].time_label}, like {paths[0].name}"
            raise FileError(path, expected, f"{part.source} with times at the {part.time_label}", "open one source at a time")
        parts.append(part)
    series = merge(parts, [path.name for path in paths])
    units, long_name = NAMES[name]
    attributes = {
        "long_name": long_name,
        "units": units,
        "source": series.source,
        **describe_vintage(series),
        "vintage_rule": series.vintage_rule,
        **({"source_date": series.source_date} if series.source_date else {}),
        "time_label": series.time_label,
        "cadence": _cadence(series.time),
        "files": len(paths),
        "simulated": "yes" if "SIMULATED" in series.source else "no",
    }
    return xr.DataArray(series.values, coords={"time": series.time}, dims="time", name=name, attrs=attributes)


def _read(path: Path, name: str) -> Series:
    """Read one file by the format that its first bytes show."""
    if not path.is_file():
        raise FileError(path, _KNOWN_FORMATS, "no file", "check the path, or fetch it")
    with path.open("rb") as stream:
        head = stream.read(8)
    if is_cdf(head):
        return read_omni_cdf(path, name)
    content = _unpacked(path).replace(b"\r\n", b"\n")
    if not content.strip():
        raise FileError(path, _KNOWN_FORMATS, "an empty file", AGAIN)
    if looks_like_html(content):
        raise FileError(path, _KNOWN_FORMATS, "a web page (HTML or XML)", AGAIN)
    if _DST.match(content):
        return read_dst(path, content, name)
    if _IAGA.match(content):
        return read_iaga(path, content, name)
    if _OMNI2.match(content):
        return read_omni2(path, content, name)
    if _GFZ.match(content):
        return read_gfz(path, content, name)
    if _CELESTRAK.match(content):
        return read_celestrak(path, content, name)
    raise FileError(path, _KNOWN_FORMATS, f"a file that begins with {content[:40]!r}", "check that it is the file you meant")


def _unpacked(path: Path) -> bytes:
    packed = path.read_bytes()
    try:
        if packed.startswith(b"BZh"):
            return bz2.decompress(packed)
        if packed.startswith(b"\x1f\x8b"):
            return gzip.decompress(packed)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise FileError(path, "a whole packed file", f"damage ({error})", AGAIN) from error
    return packed


def _cadence(time: npt.NDArray[np.datetime64]) -> str:
    """Say the most usual step between values."""
    if time.size < 2:
        return "unknown"
    seconds = float(np.median(np.diff(time)) / np.timedelta64(1, "s"))
    if seconds % 3600 == 0:
        return f"{seconds / 3600:g} h"
    return f"{seconds / 60:g} min" if seconds % 60 == 0 else f"{seconds:g} s"
