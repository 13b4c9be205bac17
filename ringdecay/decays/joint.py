"""Two probes fitted jointly: one rate, a level for each probe, one fluctuation that both see.

Two probes sample one ring current at different times. Their points are put in one series in order of time; the fluctuation is common,
counting noise is each point's own, and so is a share of the fluctuation (another local time, a calibration that drifts), whose size is
found from the run (`pooling.own_share`). The level may differ between the probes: where flux is merged instead, a difference between
the instruments becomes a slope as soon as one of them is silent for a part of the window.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ringdecay.decays.cells import Counted, Cut, fit_calibrated, fit_paper
from ringdecay.decays.gls import Series
from ringdecay.decays.pooling import POOL_SERIES, Pool, median_spacing
from ringdecay.decays.result import FLAGS
from ringdecay.errors import InputError

JOINT = "joint"
# A joint series holds twice the points of one of a single probe and costs three times as much.
JOINT_POOL_SERIES = POOL_SERIES // 4


def probe_pair(binned: xr.Dataset) -> tuple[int, int]:
    """Positions of the two probes among those of the data, in the order of their names; what is merged does not count.

    Raises
    ------
    InputError
        If there are not two.
    """
    names = [str(name) for name in binned["probe"].to_numpy()]
    own = sorted(name for name in names if name != "merged")
    if len(own) != 2:
        raise InputError(f"a joint fit needs the data of two probes, not of {', '.join(own) or 'none'}; give both, or leave out joint")
    return names.index(own[0]), names.index(own[1])


def join(cut: Cut, pair: tuple[int, int], n_probes: int) -> Cut:
    """Put the points of two probes in one series for each energy and L; each probe's are those of its own fit.

    Parameters
    ----------
    cut : Cut
        Of shape (probe, energy, L), raveled.
    pair : tuple of int
        Positions of the two probes.
    n_probes : int
        Number of all probes in `cut`.
    """
    rows = np.arange(len(cut.series.n)).reshape(n_probes, -1)
    first, second = rows[pair[0]], rows[pair[1]]
    parts = [cut.series.take(first), cut.series.take(second)]
    valid = np.concatenate([part.valid for part in parts], axis=1)
    t = np.concatenate([part.t for part in parts], axis=1)
    n = parts[0].n + parts[1].n
    width = max(int(n.max(initial=0)), 1)
    order = np.argsort(np.where(valid, t, np.inf), axis=1, kind="stable")[:, :width]

    def sorted_in_time(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(np.arange(width) < n[:, None], np.take_along_axis(values, order, 1), 0.0)

    y, noise = (np.concatenate([getattr(part, name) for part in parts], axis=1) for name in ("y", "noise"))
    both = (parts[0].n > 0) & (parts[1].n > 0)
    of_second = np.concatenate([np.full(part.t.shape, float(k)) for k, part in enumerate(parts)], axis=1) * both[:, None]
    series = Series(sorted_in_time(y), sorted_in_time(t), sorted_in_time(noise), n, sorted_in_time(of_second))
    nothing = np.zeros((len(n), 1))
    counted = Counted(nothing, nothing, nothing, np.zeros_like(n))
    flags = [getattr(cut, name) for name in ("floor_reached", "few_counts", "counts_unknown")]
    return Cut(series, counted, cut.floor[first], *(each[first] | each[second] for each in flags))


def with_joint(values: dict[str, np.ndarray], found: list[dict[str, np.ndarray]], pair: tuple[int, int]) -> dict[str, np.ndarray]:
    """Put the joint fits of all storms behind those of the probes.

    Parameters
    ----------
    values : dict of ndarray, shape (storm, probe, energy, L)
        What the probes' own fits found, flags included.
    found : list of dict
        What `fit_joint` found, for every storm.
    pair : tuple of int
        Positions of the two probes.
    """
    out = appended(values, {name: np.stack([row[name] for row in found]) for name in found[0]} if found else {})
    out["flag"][:, -1] |= _inherited(values["flag"][:, pair])
    return out


def _inherited(flags: NDArray[np.int32]) -> NDArray[np.int32]:
    """Take over what flags of shape (storm, probe, energy, L) of the probes' own fits say of the joint one, too."""
    either, each = np.bitwise_or.reduce(flags, axis=1), np.bitwise_and.reduce(flags, axis=1)
    kept = sum(FLAGS[name] for name in ("data_gap", "new_injection", "coarse_bins", "floor_not_separable"))
    # A joint fit has no floor of its own: where a probe's fit needed one, it is not separated here.
    needed = np.where(either & FLAGS["floor_fitted"] > 0, FLAGS["floor_not_separable"], 0)
    out: NDArray[np.int32] = (either & kept | each & FLAGS["no_window"] | needed).astype(np.int32)
    return out


def fit_joint(cut: Cut, pooled: Pool | None, min_points: int, confidence: float, r_max: float) -> dict[str, np.ndarray]:
    """Fit the joint series of a storm: as `fit_calibrated`, or as `fit_paper` if nothing is pooled.

    The two probes' neighbouring points are nearer in time than one probe's, and `n_eff` counts them as that much more alike; `rho` stays
    that of one probe's neighbours.
    """
    if pooled is None:
        return fit_paper(cut, min_points, confidence, r_max)
    values = fit_calibrated(cut, pooled, min_points, confidence)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_step = (values["t_last"] - values["t_first"]) / (values["n"] - 1)
        spacing = median_spacing(cut.series)
        nearer = values["rho"] * np.exp(np.maximum(spacing - mean_step, 0.0) / values["theta"])
        n_eff = np.where(np.isnan(values["probe_offset"]), values["n_eff"], values["n"] * (1 - nearer) / (1 + nearer))
    return values | {"n_eff": n_eff}


def appended(values: dict[str, np.ndarray], joint: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Put the joint fits behind those of the probes, along the axis of the probe, the second; what they lack is NaN or 0."""
    out = {}
    for name, value in values.items():
        shape = (value.shape[0], 1, *value.shape[2:])
        missing = np.full(shape, np.nan if value.dtype.kind == "f" else 0, dtype=value.dtype)
        out[name] = np.concatenate([value, joint[name].reshape(shape) if name in joint else missing], axis=1)
    return out
