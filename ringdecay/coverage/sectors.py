"""Where the records were taken: by L-shell and magnetic local time, and by L-shell and magnetic latitude."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ringdecay.errors import InputError
from ringdecay.store import SIMULATED_NOTE, is_simulated

# The coordinate -> its unit.
SECTORS = {"MLT": "h", "MLAT": "degree"}


def sector_coverage(binned: xr.Dataset) -> xr.Dataset:
    """Add the records of all time bins by L and magnetic local time, and by L and magnetic latitude.

    Parameters
    ----------
    binned : Dataset
        From `bin_flux` or `merge_binned`. A piece of it, such as one storm's time bins, gives the coverage of that piece.

    Returns
    -------
    Dataset
        Over `probe`, `L` and `MLT` or `MLAT`: the numbers of records (`n_records_by_MLT`), their share of all records of the probe and L
        (`share_by_MLT`, NaN without a record), and the number of time bins that have any (`n_time_bins_by_MLT`); likewise by MLAT.
        `n_records` and `n_time_bins` over `probe` and `L` also count records whose MLT or MLAT is not known, and the shares of those are
        `share_without_MLT` and `share_without_MLAT`.

    Raises
    ------
    InputError
        If the dataset does not count records, as one that was drawn without files.
    """
    if "n_records" not in binned:
        raise InputError("these binned data do not count records by MLT and MLAT; bin the files again")
    total = binned["n_records"].sum("time")
    some = total.where(total > 0)
    found: dict[str, Any] = {
        "n_records": total.assign_attrs(units="1", long_name="number of records"),
        "n_time_bins": (binned["n_records"] > 0).sum("time").assign_attrs(units="1", long_name="number of time bins with a record"),
    }
    for name in SECTORS:
        counts = binned[f"n_records_by_{name}"]
        records = counts.sum("time")
        found[f"n_records_by_{name}"] = records.assign_attrs(units="1", long_name=f"number of records by {name}")
        found[f"share_by_{name}"] = (records / some).assign_attrs(units="1", long_name=f"share of the records by {name}")
        found[f"n_time_bins_by_{name}"] = (
            (counts > 0).sum("time").assign_attrs(units="1", long_name=f"number of time bins with a record, by {name}")
        )
        lost = (total - records.sum(name)) / some
        found[f"share_without_{name}"] = lost.assign_attrs(units="1", long_name=f"share of the records whose {name} is not known")
    kept = {name: binned.attrs[name] for name in ("product", "L_definition", "time_bin_hours", "simulated") if name in binned.attrs}
    return xr.Dataset(
        found,
        coords={name: binned[name] for name in ("L_bounds", "MLT_bounds", "MLAT_bounds") if name in binned.coords},
        attrs={"title": "Records by L-shell and place", **kept},
    )


def cell_table(coverage: xr.Dataset) -> pd.DataFrame:
    """Write the coverage by L and place as a long table.

    Parameters
    ----------
    coverage : Dataset
        From `sector_coverage`.

    Returns
    -------
    DataFrame
        Columns `probe`, `L`, `coordinate` ("MLT" or "MLAT"), `from`, `to`, `records`, `share`, `time_bins`. For every probe and L a
        row for each sector of MLT and each bin of MLAT. The records whose MLT or MLAT is not known are a last row without `from` and `to`.
    """
    parts = []
    for name in SECTORS:
        bounds = np.vstack([coverage[f"{name}_bounds"].to_numpy(), [[np.nan, np.nan]]])
        values = {kind: coverage[f"{kind}_by_{name}"].transpose("probe", "L", name).to_numpy() for kind in ("n_records", "share")}
        lost = coverage["n_records"].transpose("probe", "L").to_numpy() - values["n_records"].sum(axis=-1)
        without = coverage[f"share_without_{name}"].transpose("probe", "L").to_numpy()
        records = np.concatenate([values["n_records"], lost[..., None]], axis=-1)
        share = np.concatenate([values["share"], without[..., None]], axis=-1)
        bins = coverage[f"n_time_bins_by_{name}"].transpose("probe", "L", name).to_numpy()
        n_probes, n_L, n = records.shape
        parts.append(
            pd.DataFrame(
                {
                    "probe": np.repeat(coverage["probe"].to_numpy().astype(str), n_L * n),
                    "L": np.tile(np.repeat(coverage["L"].to_numpy(), n), n_probes),
                    "coordinate": name,
                    "from": np.tile(bounds[:, 0], n_probes * n_L),
                    "to": np.tile(bounds[:, 1], n_probes * n_L),
                    "records": records.ravel(),
                    "share": share.ravel(),
                    # In how many time bins a place is not known was not counted.
                    "time_bins": pd.array(np.pad(bins, ((0, 0), (0, 0), (0, 1))).ravel(), dtype="Int64"),
                }
            )
        )
        parts[-1].loc[parts[-1]["from"].isna(), "time_bins"] = pd.NA
    return pd.concat(parts, ignore_index=True)


def cells_header(coverage: xr.Dataset) -> list[str]:
    """Say what the table of places is, for `write_csv`."""
    head = [SIMULATED_NOTE] if is_simulated(coverage) else []
    hours = coverage.attrs.get("time_bin_hours", "?")
    return [
        *head,
        "Where the records were taken: by L-shell and magnetic local time (MLT), and by L-shell and magnetic latitude (MLAT)",
        "read with pandas.read_csv(path, comment='#')",
        f"L_definition: {coverage.attrs.get('L_definition', 'L')}",
        "columns:",
        "  probe",
        "  L: centre of the L bin",
        "  coordinate: MLT [h] or MLAT [degree]",
        "  from, to: the sector; empty in the row of the records whose MLT or MLAT is not known",
        "  records: number of records with a flux in any channel, at all latitudes",
        "  share: of all records of the probe and L",
        f"  time_bins: number of time bins of {hours} h that have such a record",
    ]
