"""The page docs/storms_2012_2019.md, made from real SYM-H and real electron count rates.

`python tests/storm_windows_page.py FOLDER` writes it anew; FOLDER has the real files that the tests call `shared_data`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from electron_rates import binned_rates

from ringdecay.decays import FLAGS, choose_windows, fit_decays
from ringdecay.indices import open_index
from ringdecay.storms import find_storms

PAGE = Path(__file__).resolve().parents[1] / "docs/storms_2012_2019.md"
DAY = np.timedelta64(1, "D")
YEARS = [str(year) for year in range(2012, 2020)]
CLASSES = ["moderate", "intense", "super-intense"]
_HEAD = """# Storms and windows of 2012 to 2019, and three days of real electrons

Made by `python tests/storm_windows_page.py` from SYM-H of 1 min (WDC Kyoto, provisional) and from electron count rates of RBSP-A; a
test makes it again where these files are. They may not be redistributed and are not in the repository.
"""
_WINDOWS = """## Storm windows

Storms from `find_storms` with the thresholds -80 nT (the config's default) and -50 nT (the function's), windows from
`choose_windows` with its defaults: from 1 day after the last minimum to the first of the next storm's onset, 30 days, and a fall of
SYM-H by 40 nT within 24 hours. Gaps of the flux and probes that come and go are not in these numbers: no flux was looked at. A
storm of the finder can begin before the window of the one before it, which then is empty.
"""
_DIPS = """### How deep a fall ends a window

`injection_dip` against the number of windows of at least 2, 5 and 10 days, their median length and their sum (days), storms of -80
nT. Without the rule a window runs on through storms of -50 to -80 nT. 30 nT ends three windows of four, and leaves fewer than half
of those of ten days; 50 nT lets injections pass that are more than half as deep as the smallest storm that is counted. 40 nT, half
of its depth, is the default.
"""
_ELECTRONS = """## Electrons after the storm of 17 March 2013

RBSP-A count rates of 16 to 20 March 2013 by L\\* (bins of 0.5) and energy, fitted with the same code, `fit_decays`, in bins of half
an orbit, about one pass each. The window is that of the index. Given are rates in 1/day with half the width of their 95 % interval;
in bold those that are resolved, which is where the interval leaves out zero.
"""
_WORDS = """What this is. Beyond L\\* 3.5 count rates of 110 keV to 1.2 MeV fall with e-folding times of one to two days, nearly alike;
those of 1.5 and 1.9 MeV seem slower (the intervals overlap), and at 37 and 57 keV no decay is resolved. Inside L\\* 3 five passes say
nothing. The index rises little in the window, so the recovery of the field is hardly the cause; loss to the magnetopause, loss
along the field and transport look the same in such a fit.

What it is not. Two days of one storm: the resolved cells share their fluctuations and are nearer to one observation than to so
many, the scatter between storms is unknown, and an e-folding time much longer than the window could only be a limit. These are
count rates of a file whose processing is not documented, not fluxes: a decay time needs no calibration, but every channel's
background is in it. Counts are not known (`counts_unknown`), so the scatter about the line stands for all noise. The file has no
rate of zero and lacks values where rates are lowest (up to a fifth of them, 221 and 1942 keV between L\\* 2.5 and 3.5), so zeros
seem to have been taken out; there a decay would look too slow. Pitch angles are not given.
"""


def sym_h(folder: Path) -> xr.DataArray:
    """Give SYM-H of all years; `folder` holds the real files."""
    return open_index(sorted((folder / "symh_kyoto_1min").glob("SYM-*.bz2")), "SYM-H").sel(time=slice("2012", "2019"))


def page_of(folder: Path, index: xr.DataArray) -> str:
    """Give the whole page."""
    return "\n".join([_HEAD, *storm_part(index), *electron_part(folder, index)])


def always_there(index: xr.DataArray) -> xr.Dataset:
    """Give binned data without any gap in one cell, in bins of an orbit, so that windows end by the index alone."""
    span = index["time"].to_numpy()[[0, -1]]
    time = np.arange(span[0], span[1], np.timedelta64(32_292, "s")) + np.timedelta64(16_146, "s")
    coords = {"probe": ["a"], "time": time[:-1].astype("M8[ns]"), "energy": [100.0], "L": [4.0]}
    samples = np.full((1, len(time) - 1, 1, 1), 10)
    return xr.Dataset({"n_samples": (tuple(coords), samples)}, coords=coords, attrs={"time_bin_hours": 8.97})


def windows_of(index: xr.DataArray, storms: pd.DataFrame, dip: float | None = 40.0) -> pd.DataFrame:
    """Give storms with the start, the length (days, 0 for an empty one) and the end of their windows."""
    found = choose_windows(always_there(index), storms, index, injection_dip=dip).isel(probe=0, energy=0, L=0)
    start, stop = found["start"].to_numpy(), found["stop"].to_numpy()
    onset = np.append(storms["onset"].to_numpy()[1:], np.datetime64("2100"))
    ends = np.select(
        [(found["flag"].to_numpy() & FLAGS["new_injection"]) > 0, stop == onset, stop == start + 30 * DAY],
        ["fall of the index", "next storm", "30 days"],
        "end of the data",
    )
    return storms.assign(start=start, stop=stop, days=np.maximum((stop - start) / DAY, 0.0), ended_by=ends)


def storm_part(index: xr.DataArray) -> Iterator[str]:
    """Give counts by class and year, lengths, the rule of the fall, and a list of windows."""
    yield _WINDOWS
    deep = windows_of(index, find_storms(index, -80.0))
    for threshold, windows in ((-80, deep), (-50, windows_of(index, find_storms(index)))):
        year = windows["minimum"].dt.year.astype(str)
        yield f"### Threshold {threshold} nT: {len(windows)} storms\n"
        yield _row("", *YEARS, "all") + "\n" + _row(*["---"] * 10)
        for name in CLASSES:
            some = windows["storm_class"] == name
            yield _row(name, *(int((some & (year == y)).sum()) for y in YEARS), int(some.sum()))
        for least in (2, 5, 10):
            some = windows["days"] >= least
            yield _row(f"windows of {least} days or more", *(int((some & (year == y)).sum()) for y in YEARS), int(some.sum()))
        low, first, middle, third, high = np.quantile(windows["days"], [0.1, 0.25, 0.5, 0.75, 0.9])
        ends = windows["ended_by"].value_counts()
        yield f"\nLength of a window, days: median {middle:.1f}, quartiles {first:.1f} and {third:.1f}, tenths {low:.1f} and {high:.1f};"
        said = ", ".join(f"{name} {number}" for name, number in ends.items())
        yield f"all windows together {windows['days'].sum():.0f}. Ended by: {said};"
        yield f"empty {int((windows['days'] == 0).sum())}.\n"
    yield _DIPS
    yield _row("injection_dip (nT)", "ended by a fall", "2 days", "5 days", "10 days", "median", "sum") + "\n" + _row(*["---"] * 7)
    for dip in (30.0, 40.0, 50.0, None):
        one = windows_of(index, find_storms(index, -80.0), dip)
        counts = [int((one["days"] >= least).sum()) for least in (2, 5, 10)]
        cut = int((one["ended_by"] == "fall of the index").sum())
        yield _row("none" if dip is None else f"{dip:.0f}", cut, *counts, f"{one['days'].median():.1f}", f"{one['days'].sum():.0f}")
    yield "\n### The windows, threshold -80 nT\n"
    yield _row("storm", "minimum (UTC)", "SYM-H (nT)", "class", "window from", "days", "ended by") + "\n" + _row(*["---"] * 7)
    for _, one in deep.iterrows():
        begin = f"{one['start']:%Y-%m-%d %H:%M}" if one["days"] > 0 else "empty"
        minimum, depth = f"{one['minimum']:%Y-%m-%d %H:%M}", f"{one['depth']:.0f}"
        yield _row(one["storm"], minimum, depth, one["storm_class"], begin, f"{one['days']:.1f}", one["ended_by"])
    yield ""


def electron_fits(folder: Path, index: xr.DataArray) -> xr.Dataset:
    """Fit the electrons after the storm of 17 March 2013; dims energy, L."""
    year = index.sel(time=slice("2013-01", "2013-06"))
    storms = find_storms(year, -80.0)
    storms = storms[storms["minimum"].dt.strftime("%Y-%m-%d") == "2013-03-17"]
    binned = binned_rates(folder / "rbsp_mat_electron")
    return fit_decays(binned, storms, windows=choose_windows(binned, storms, year), index=year).isel(storm=0, probe=0)


def electron_part(folder: Path, index: xr.DataArray) -> Iterator[str]:
    """Give the fits as a table of rates, and what they can say."""
    fits = electron_fits(folder, index)
    first, last = fits["start"].min().to_numpy(), fits["stop"].max().to_numpy()
    yield _ELECTRONS
    yield (
        f"Fitted are {int(fits['n'].min())} to {int(fits['n'].max())} bins a cell, from {np.datetime_as_string(first, 'm')} to "
        f"{np.datetime_as_string(last, 'm')} UTC; SYM-H rises by {float(fits['index_change'].median()):.0f} nT between them.\n"
    )
    edges = [f"{low:g}-{high:g}" for low, high in fits["L_bounds"].to_numpy()]
    yield _row("keV \\ L\\*", *edges) + "\n" + _row(*["---"] * (len(edges) + 1))
    yield _row("bins", *fits["n"].max("energy").to_numpy())
    for e in range(fits.sizes["energy"]):
        yield _row(f"{float(fits['energy'][e]):g}", *(_rate(fits.isel(energy=e, L=k)) for k in range(fits.sizes["L"])))
    resolved, growing = fits["rate_low"] > 0, (fits["flag"] & FLAGS["growth"]) > 0
    cells = int(fits["rate"].notnull().sum())
    tau = fits["tau"].where(resolved)
    yield (
        f"\nOf {cells} fits {int(resolved.sum())} resolve a decay, with e-folding times of {float(tau.min()):.1f} to "
        f"{float(tau.max()):.1f} days, {int(growing.sum())} a growth, and {cells - int(resolved.sum()) - int(growing.sum())} neither.\n"
    )
    yield _WORDS


def _rate(cell: xr.Dataset) -> str:
    rate, half = float(cell["rate"]), float(cell["rate_high"] - cell["rate_low"]) / 2
    text = f"{rate:.2f} ± {half:.2f}"
    return f"**{text}**" if rate - half > 0 else text


def _row(*values: object) -> str:
    return "| " + " | ".join(map(str, values)) + " |"


if __name__ == "__main__":
    PAGE.write_text(page_of(Path(sys.argv[1]), sym_h(Path(sys.argv[1]))), encoding="utf-8")
