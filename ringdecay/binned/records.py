"""Where a bin's records were taken: counts by magnetic local time and by magnetic latitude."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

# Sectors of 3 h: a spacecraft sweeps through more than one in a pass, and its orbit drifts through all of them in two years.
MLT_EDGES = np.arange(0.0, 25.0, 3.0)
# Five degrees, as far as the Van Allen Probes' orbit (inclination 10 degrees) and the dipole's tilt (10 degrees) reach; the rest in one.
MLAT_EDGES = np.array([-90.0, *np.arange(-20.0, 21.0, 5.0), 90.0])

# Variable -> its dimension after (probe, time, L), and what it is. Whole numbers that add up over days, months and probes.
RECORDS: dict[str, tuple[tuple[str, ...], str]] = {
    "n_records": ((), "number of records with a flux in any channel, at all latitudes"),
    "n_records_by_MLT": (("MLT",), "number of records with a flux in any channel, by magnetic local time; without those of unknown MLT"),
    "n_records_by_MLAT": (("MLAT",), "number of records with a flux in any channel, by magnetic latitude; without those of unknown MLAT"),
}


def count_records(
    cell: npt.NDArray[np.integer], shape: tuple[int, int], MLT: npt.NDArray[np.floating], MLAT: npt.NDArray[np.floating]
) -> dict[str, npt.NDArray[np.int32]]:
    """Count records by cell, and in each cell by MLT and by MLAT.

    Parameters
    ----------
    cell : ndarray of int, shape (n,)
        Number of the cell of each record, row by row, below 0 for a record that does not count.
    shape : tuple of int
        Number of time bins and of L bins: a cell is one of each.
    MLT : ndarray, shape (n,)
        Magnetic local time, hours; NaN where it is not known, and the record is then in no sector.
    MLAT : ndarray, shape (n,)
        Magnetic latitude, degrees; NaN likewise.

    Returns
    -------
    dict of ndarray of int32
        The names of `RECORDS`, each of that shape, the last two with the sectors as a third dimension.
    """
    n_cells = shape[0] * shape[1]
    return {
        "n_records": np.bincount(cell[cell >= 0], minlength=n_cells).astype(np.int32).reshape(shape),
        "n_records_by_MLT": _by_sector(cell, n_cells, np.mod(MLT, 24.0), MLT_EDGES).reshape(*shape, MLT_EDGES.size - 1),
        "n_records_by_MLAT": _by_sector(cell, n_cells, MLAT, MLAT_EDGES).reshape(*shape, MLAT_EDGES.size - 1),
    }


def record_variables(records: Mapping[str, npt.NDArray[np.int32]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Put names and coordinates to the counts of one probe.

    Parameters
    ----------
    records : mapping of ndarray
        The names of `RECORDS`, each over (time, L) and its sectors.

    Returns
    -------
    variables, coordinates : dict
        For a Dataset, over (probe, time, L) and the sectors.
    """
    variables = {
        name: (("probe", "time", "L", *more), records[name][None], {"units": "1", "long_name": long_name})
        for name, (more, long_name) in RECORDS.items()
    }
    coordinates: dict[str, Any] = {}
    for name, units, edges, long_name in (
        ("MLT", "h", MLT_EDGES, "centre of the sector of magnetic local time"),
        ("MLAT", "degree", MLAT_EDGES, "centre of the bin of magnetic latitude; the outermost are open"),
    ):
        centres = (edges[:-1] + edges[1:]) / 2
        if name == "MLAT":
            # An open bin has no centre; it is named as if it were as wide as the others.
            centres[[0, -1]] = edges[1] - 2.5, edges[-2] + 2.5
        coordinates[name] = (name, centres, {"units": units, "long_name": long_name, "bounds": f"{name}_bounds"})
        coordinates[f"{name}_bounds"] = ((name, "bound"), np.stack([edges[:-1], edges[1:]], axis=-1))
    return variables, coordinates


def _by_sector(
    cell: npt.NDArray[np.integer], n_cells: int, values: npt.NDArray[np.floating], edges: npt.NDArray[np.float64]
) -> npt.NDArray[np.int32]:
    counted = (cell >= 0) & np.isfinite(values)
    n = edges.size - 1
    # The last edge belongs to the last bin: +90 degrees is a latitude.
    sector = np.minimum(np.searchsorted(edges, values[counted], side="right") - 1, n - 1)
    return np.bincount(cell[counted] * n + sector, minlength=n_cells * n).astype(np.int32)
