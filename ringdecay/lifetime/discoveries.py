"""Which decays are discoveries, when hundreds of cells are looked at."""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy.special import stdtr

from ringdecay.decays.gls import Floats
from ringdecay.errors import InputError

DESCRIBED = {
    "p_value": {"units": "1", "long_name": "p value of no decay (rate not above zero), one-sided"},
    "q_value": {"units": "1", "long_name": "smallest false-discovery rate over the map at which this decay is a discovery"},
    "discovered": {"units": "1", "long_name": "1 where the q value is at most the false-discovery rate, else 0"},
}


def discoveries(result: xr.Dataset, *, false_discovery_rate: float = 0.05) -> xr.Dataset:
    """Say of every fit or mean how surely the flux falls, with the number of false discoveries controlled.

    Parameters
    ----------
    result : xarray.Dataset
        From `fit_decays` or, in calibrated mode, from `lifetimes`: rate, rate_se and df.
    false_discovery_rate : float
        Largest expected share of false ones among the discoveries.

    Returns
    -------
    xarray.Dataset
        `p_value` of no decay, one-sided, from Student's t; `q_value` after Benjamini and Hochberg (1995, J. R. Stat. Soc. B 57, 289);
        `discovered` (int8). Dims and coordinates of `result`. The fits of one probe are one family, because probes are two looks at
        the same storms. The method holds for independent cells, and for those of positive dependence as neighbours are (Benjamini and
        Yekutieli 2001, Ann. Stat. 29, 1165).

    Raises
    ------
    InputError
        If there is no rate with its error, or the false-discovery rate is not between 0 and 1.
    """
    if not {"rate", "rate_se", "df"} <= set(result):
        raise InputError("discoveries need rate, rate_se and df: the Dataset that fit_decays returns, or lifetimes in calibrated mode")
    check_rate(false_discovery_rate)
    dims = result["rate"].dims
    p = no_decay(*(result[name].transpose(*dims).to_numpy() for name in ("rate", "rate_se", "df")))
    if "probe" in dims:
        axis = dims.index("probe")
        q = np.stack([benjamini_hochberg(part) for part in np.moveaxis(p, axis, 0)], axis=axis) if p.shape[axis] else p
    else:
        q = benjamini_hochberg(p)
    values = {"p_value": p, "q_value": q, "discovered": (q <= false_discovery_rate).astype(np.int8)}
    out = xr.Dataset({name: (dims, value, DESCRIBED[name]) for name, value in values.items()}, coords=result["rate"].coords)
    return out.assign_attrs(false_discovery_rate=false_discovery_rate)


def no_decay(rate: Floats, se: Floats, df: Floats) -> Floats:
    """P value of a rate that is not above zero, one-sided, from Student's t; NaN where the rate is."""
    with np.errstate(invalid="ignore", divide="ignore"):
        p: Floats = np.where(np.isfinite(rate), stdtr(df, -rate / se), np.nan)
    return p


def benjamini_hochberg(p: Floats) -> Floats:
    """Adjust the p values of one family, after Benjamini and Hochberg (1995).

    Parameters
    ----------
    p : ndarray
        P values of any shape; NaN does not belong to the family.

    Returns
    -------
    ndarray
        Of the same shape: the smallest false-discovery rate at which each would be a discovery.
    """
    q: Floats = np.full(p.shape, np.nan)
    known = np.isfinite(p)
    found = p[known]
    order = np.argsort(found)[::-1]
    m = len(found)
    adjusted = np.empty(m)
    adjusted[order] = np.minimum(np.minimum.accumulate(found[order] * m / np.arange(m, 0, -1)), 1.0)
    q[known] = adjusted
    return q


def check_rate(false_discovery_rate: float) -> None:
    """Raise InputError if a false-discovery rate does not make sense."""
    if not 0 < false_discovery_rate < 1:
        raise InputError(f"false_discovery_rate must lie between 0 and 1, not {false_discovery_rate!r}; 0.05 is usual")
