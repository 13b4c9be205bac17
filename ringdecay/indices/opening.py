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
from ringdecay.indices.kyoto import read_dst, read_iaga
from ringdecay.indices.omni import read_hro, read_omni2
from ringdecay.indices.series import Series, describe_vintage, merge
from ringdecay.indices.text import AGAIN

# Index -> its units and what it is.
NAMES = {
    "SYM-H": ("nT", "symmetric disturbance of the horizontal geomagnetic field, SYM-H"),
    "ASY-H": ("nT", "asymmetric disturbance of the horizontal geomagnetic field, ASY-H"),
    "Dst": ("nT", "disturbance storm time index, Dst"),
    "Kp": ("1", "planetary three-hour index, Kp"),
    "F10.7": ("sfu", "solar radio flux at 10.7 cm, F10.7"),
}

_KNOWN_FORMATS = "an index file (WDC Kyoto Dst, IAGA-2002, OMNI2 text or OMNI high-resolution CDF)"
_DST = re.compile(rb"DST\d{4}\*[ \d]\d")
_IAGA = re.compile(rb" ?Format +IAGA-2002")
# Year, day of the year, hour, Bartels rotation number.
_OMNI2 = re.compile(rb" *\d{4} +\d{1,3} +\d{1,2} +\d{4} ")


def open_index(files: str | PathLike[str] | Iterable[str | PathLike[str]], name: str) -> xr.DataArray:
    """Open a geomagnetic or solar index from one file or many.

    Read are hourly Dst of WDC Kyoto (120-byte records), SYM-H and ASY-H of WDC Kyoto (IAGA-2002, also packed as .bz2 or .gz),
    SYM-H and ASY-H of OMNI's high-resolution CDF files, and Dst, Kp and F10.7 of OMNI2's yearly text files. The format is seen from
    the content of a file, not from its name.

    All files of one call must be of one source, because sources differ: of Dst, Kyoto's final values and an OMNI2 of 2019 differ in
    most hours after 2014, by up to 24 nT. Where files overlap, equal values are merged; of contradicting ones a value is kept before
    a fill, then the more settled vintage, then the value of the file that begins later; each contradiction is counted in the log.

    Parameters
    ----------
    files : path-like, or iterable of path-like
        The files, in any order.
    name : {"SYM-H", "ASY-H", "Dst", "Kp", "F10.7"}
        The index.

    Returns
    -------
    DataArray of float64, dimension `time` (datetime64[ns], UTC, strictly increasing, as labelled in the files)
        Fills are NaN; hours that no file has are left out. Attributes: `units`, `long_name`, `source`, `vintage` (final,
        provisional, quicklook, unknown, or mixed with the shares in `vintage_spans`), `time_label`, `cadence` and `files`.

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
        if parts and part.source != parts[0].source:
            raise FileError(path, f"{parts[0].source} like {paths[0].name}", part.source, "open one source at a time")
        parts.append(part)
    series = merge(parts, [path.name for path in paths])
    units, long_name = NAMES[name]
    attributes = {
        "long_name": long_name,
        "units": units,
        "source": series.source,
        **describe_vintage(series),
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
        return read_hro(path, name)
    content = _unpacked(path)
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
