"""The energy content as tables: a row a probe and time, pressure by energy band and L, the decays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ringdecay.energy_content.content import check_made_by
from ringdecay.energy_content.dst_star import means_between, pressure_corrected
from ringdecay.store import is_simulated
from ringdecay.tables import about_lines

# What the tables of the content say of it, as far as it is known.
_SAID = ("product", "flux", "energy_range", "L_range", "L_definition", "L_note", "channels_without_flux", "floor", "assumptions")
# Share of the time bins that are below, by name: the middle two thirds or so, and the most.
_QUANTILES = {"median": 0.5, "low": 0.16, "high": 0.84, "greatest": 1.0}


def with_index(content: xr.Dataset, index: xr.DataArray, solar_wind: xr.Dataset | None = None) -> xr.Dataset:
    """Add the storm index, as it is and corrected for the solar wind's pressure, as means over the time bins.

    Parameters
    ----------
    content : Dataset
        From `energy_content`.
    index : DataArray
        From `open_index`.
    solar_wind : Dataset, optional
        From `open_solar_wind`.

    Returns
    -------
    Dataset
        With `index` and `index_corrected` (nT) over time; the second is NaN throughout without solar wind.

    Raises
    ------
    InputError
        If `content` or `solar_wind` is not what it should be from, or `index` is no series in order of time.
    """
    check_made_by("energy_content", content, "energy_content", "time_bounds")
    if solar_wind is not None:
        check_made_by("open_solar_wind", solar_wind, "Pdyn")
    corrected = pressure_corrected(index, solar_wind["Pdyn"] if solar_wind is not None else None)
    begin, end = content["time_bounds"].transpose("bound", "time").to_numpy()
    plain = means_between(index, begin, end)
    is_corrected = corrected.name != index.name
    better = means_between(corrected, begin, end) if is_corrected else plain * float("nan")
    words = {"units": "nT"}
    added = {
        "index": ("time", plain, words | {"long_name": f"{index.name}, mean over the time bin"}),
        "index_corrected": (
            "time",
            better,
            words | {"long_name": f"{index.name} corrected for the solar wind's pressure, mean over the bin"},
        ),
    }
    said = {"index": str(index.name), "pressure_correction": corrected.attrs["pressure_correction"]}
    simulated = {"simulated": "yes"} if is_simulated(content, index) else {}
    return content.assign(added).assign_attrs(said | simulated)


def content_table(content: xr.Dataset) -> pd.DataFrame:
    """Write the energy content as a table, a row for each probe and time bin that has any flux.

    Parameters
    ----------
    content : Dataset
        From `energy_content`, or `with_index`.

    Returns
    -------
    DataFrame
        Columns time, probe, coverage, energy_content_total_J, energy_content_J for each band, Dst_DPS_nT, and index_nT and
        index_corrected_nT if they are there.

    Raises
    ------
    InputError
        If it is not what `energy_content` returns.
    """
    check_made_by("energy_content", content, "energy_content", "energy_content_total", "Dst_DPS", "coverage", "band")
    bands = [str(band) for band in content["band"].to_numpy()]
    columns: dict[str, Any] = {"coverage": content["coverage"], "energy_content_total_J": content["energy_content_total"]}
    for i, band in enumerate(bands):
        columns[_band_column(band)] = content["energy_content"].isel(band=i, drop=True)
    columns["Dst_DPS_nT"] = content["Dst_DPS"]
    columns |= {f"{name}_nT": content[name] for name in ("index", "index_corrected") if name in content}
    kept = {name: values.drop_vars(set(values.coords) - {"probe", "time"}).rename(None) for name, values in columns.items()}
    table = xr.Dataset(kept, coords={}).to_dataframe(dim_order=["probe", "time"]).reset_index()
    return table.loc[table["coverage"] > 0, ["time", "probe", *columns]].reset_index(drop=True)


def content_header(content: xr.Dataset) -> list[str]:
    """Say what the table is, for `write_csv`: whether simulated, what is in the sums, under which assumptions, each column."""
    lines = about_lines(content, str(content.attrs["title"]), (*_SAID, "min_coverage", "Dst_DPS_constant", "index", "pressure_correction"))
    lines += ["columns:", "  time [UTC]: centre of the time bin", "  probe: Van Allen probe; merged: flux of both added"]
    described = {"coverage": "coverage", "energy_content_total_J": "energy_content_total", "Dst_DPS_nT": "Dst_DPS"}
    described |= {f"{name}_nT": name for name in ("index", "index_corrected") if name in content}
    for column, name in described.items():
        lines.append(f"  {column}: {content[name].attrs['long_name']}")
    lines += [f"  {_band_column(str(band))}: the part of it in this energy band" for band in content["band"].to_numpy()]
    return lines


def _band_column(band: str) -> str:
    low, high = band.removesuffix(" keV").split("-")
    return f"energy_content_{low}_to_{high}_keV_J"


def pressure_table(content: xr.Dataset) -> pd.DataFrame:
    """Write partial pressure and energy density by energy band and L, over the whole time, a row for each that has any flux.

    Parameters
    ----------
    content : Dataset
        From `energy_content`.

    Returns
    -------
    DataFrame
        Columns probe, band, band_low and band_high (keV), L, n (time bins with flux), and of `pressure` (nPa) and `energy_density`
        (keV cm-3) each the median over these bins, the values that 16 and 84 % of them are below, and the greatest: `pressure_median`,
        `pressure_low`, `pressure_high`, `pressure_greatest` and so on. The values at each time are in `content`.

    Raises
    ------
    InputError
        If it is not what `energy_content` returns.
    """
    check_made_by("energy_content", content, "pressure", "energy_density", "band")
    order, names = ("probe", "band", "L"), ("pressure", "energy_density")
    values = {name: content[name].transpose("time", *order).to_numpy() for name in names}
    count = np.isfinite(values["pressure"]).sum(axis=0)
    known = count > 0
    probe, band, shell = np.nonzero(known)
    columns: dict[str, Any] = {"probe": content["probe"].to_numpy()[probe]}
    columns |= {name: content[name].to_numpy()[band] for name in ("band", "band_low", "band_high")}
    columns |= {"L": content["L"].to_numpy()[shell], "n": count[known]}
    for name in names:
        found = np.nanquantile(values[name][:, known], list(_QUANTILES.values()), axis=0) if known.any() else np.empty((len(_QUANTILES), 0))
        columns |= {f"{name}_{ending}": one for ending, one in zip(_QUANTILES, found, strict=True)}
    return pd.DataFrame(columns)


def pressure_header(content: xr.Dataset) -> list[str]:
    """Say what the table of pressures is, for `write_csv`."""
    title = str(content.attrs["title"]).replace("Energy content", "Partial pressure and energy density", 1)
    lines = about_lines(content, f"{title}, over the whole time: a row a probe, energy band and L", _SAID)
    lines += [
        "columns:",
        "  probe: Van Allen probe; merged: flux of both added",
        "  band: energy band, by the ends of what is measured of it",
    ]
    lines += ["  band_low [keV]: lower end of the band", "  band_high [keV]: upper end of the band", "  L: L-shell, centre of the bin"]
    lines.append("  n: time bins with flux in every channel of the band")
    words = {"median": "median over the time bins", "greatest": "greatest of the time bins"}
    words |= {name: f"{_QUANTILES[name]:.0%} of the time bins are below" for name in ("low", "high")}
    for name in ("pressure", "energy_density"):
        said = content[name].attrs
        lines += [f"  {name}_{ending} [{said['units']}]: {said['long_name']}, {words[ending]}" for ending in _QUANTILES]
    return lines


def decay_table(decays: xr.Dataset) -> pd.DataFrame:
    """Write the decays as a table, a row for each window, storm and series that has a value.

    Parameters
    ----------
    decays : Dataset
        From `energy_decays`.

    Returns
    -------
    DataFrame
        Columns window, storm (0: the mean over storms), quantity, band, L, then every variable under its own name.

    Raises
    ------
    InputError
        If it is not what `energy_decays` returns.
    """
    check_made_by("energy_decays", decays, "window", "storm", "quantity", "band", "rate")
    table = decays.to_dataframe(dim_order=["window", "storm", "series"]).reset_index()
    first = ["window", "storm", "minimum", "depth", "quantity", "band", "L"]
    return table.loc[table["n"] > 0, [*first, *map(str, decays.data_vars)]].reset_index(drop=True)


def decay_header(decays: xr.Dataset) -> list[str]:
    """Say what the table of decays is, for `write_csv`."""
    names = ("product", "flux", "energy_range", "L_range", "L_note", "probe", "floor", "assumptions", "pressure_correction", "windows")
    settings = ("start_delay_days", "max_days", "max_gap_days", "injection_dip", "confidence", "mean")
    lines = about_lines(decays, str(decays.attrs["title"]), (*names, *settings))
    lines.append(
        "the rate of Dst from the energy is that of the energy, to which it is proportional; that of the pressure that of energy_density"
    )
    lines.append("columns:")
    for name in ("window", "storm", "minimum", "depth", "quantity", "band", "L", *map(str, decays.data_vars)):
        attributes = decays[name].attrs
        unit = "UTC" if decays[name].dtype.kind == "M" else str(attributes.get("units", ""))
        lines.append(f"  {name}{f' [{unit}]' if unit not in ('', '1') else ''}: {attributes['long_name']}")
    masks, words = decays["flag"].attrs["flag_masks"].tolist(), decays["flag"].attrs["flag_meanings"].split()
    said = [f"{mask} {word}" for mask, word in zip(masks, words, strict=True) if bool(((decays["flag"] & mask) > 0).any())]
    lines += [f"  flag is the sum of: {', '.join(said)}"] if said else []
    return lines
