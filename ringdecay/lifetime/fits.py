"""The fits that go into what is said over storms: which count, and with which variance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ringdecay.decays.gls import Floats
from ringdecay.decays.result import FLAGS
from ringdecay.errors import InputError, unknown


@dataclass(frozen=True)
class Fits:
    """Rates of many cells over storms; every array has shape (storm, cell).

    Attributes
    ----------
    rate, se, df : ndarray
        1/day, the scale of its t distribution, and its degrees of freedom.
    variance : ndarray
        Of that t distribution: one with few degrees of freedom is wider than its scale says. Where a storm does not count, 1.
    use : ndarray of bool
        Which storms have a fit. Limits and growth count like any other.
    """

    rate: Floats
    se: Floats
    df: Floats
    variance: Floats
    use: NDArray[np.bool_]

    def but(self, use: NDArray[np.bool_]) -> Fits:
        """Give the same fits with only some of them counting."""
        return replace(self, use=self.use & use)

    def cells(self, rows: NDArray[np.intp]) -> Fits:
        """Give some of the cells, in the order named."""
        return Fits(self.rate[:, rows], self.se[:, rows], self.df[:, rows], self.variance[:, rows], self.use[:, rows])


def one_probe(decays: xr.Dataset, probe: str) -> xr.Dataset:
    """Take one probe's fits, ordered (storm, energy, L), with whole-numbered flags.

    Parameters
    ----------
    decays : xarray.Dataset
        From `fit_decays`.
    probe : str
        Which probe.

    Returns
    -------
    xarray.Dataset
        Without `probe`.

    Raises
    ------
    InputError
        If `decays` is not what `fit_decays` returns or has no such probe.
    """
    if (
        not isinstance(decays, xr.Dataset)
        or not {"rate", "rate_se", "df", "flag"} <= set(decays)
        or not {"storm", "probe", "energy", "L"} <= set(decays.dims)
    ):
        raise InputError("this needs the Dataset that fit_decays returns, with rate, rate_se, df and flag over storm, probe, energy and L")
    probes = [str(p) for p in decays["probe"].to_numpy()]
    if probe not in probes:
        raise unknown("probe", probe, probes)
    chosen = decays.isel(probe=probes.index(probe), drop=True).transpose("storm", "energy", "L", ...)
    # Flags become floating point where a storm was masked, with `where`.
    chosen["flag"] = chosen["flag"].fillna(0).astype(np.int32)
    return chosen


def fits_of(chosen: xr.Dataset) -> Fits:
    """Give the fits of one probe, cells in one axis.

    Parameters
    ----------
    chosen : xarray.Dataset
        From `one_probe`.

    Returns
    -------
    Fits
    """
    shape = chosen.sizes["storm"], chosen.sizes["energy"] * chosen.sizes["L"]
    rate, se, df = (chosen[name].to_numpy().reshape(shape) for name in ("rate", "rate_se", "df"))
    use = has_fit(rate, se)
    return Fits(rate, se, df, t_variance(se, df, use), use)


def t_variance(se: Floats, df: Floats, use: NDArray[np.bool_]) -> Floats:
    """Variance of t distributions of a scale and degrees of freedom (with 2 or fewer the scale's square); 1 where one does not count."""
    with np.errstate(invalid="ignore", divide="ignore"):
        out: Floats = np.where(use, se**2 * np.where(df > 2, df / (df - 2), 1.0), 1.0)
    return out


def has_fit(rate: Floats, se: Floats) -> NDArray[np.bool_]:
    """Tell where there is a rate with an error; one without any, of points that lie exactly on a line, cannot be weighed."""
    out: NDArray[np.bool_] = np.isfinite(rate) & np.isfinite(se) & (se > 0)
    return out


def kinds(chosen: xr.Dataset) -> dict[str, NDArray[np.bool_]]:
    """Tell of each fit what it counts as: with a fit, resolved, a limit, growing, or lost to the floor; shape (storm, energy, L)."""
    flags = chosen["flag"].to_numpy()
    fitted = has_fit(chosen["rate"].to_numpy(), chosen["rate_se"].to_numpy())
    growth = fitted & (flags & FLAGS["growth"] > 0)
    limits = fitted & ~growth & (flags & FLAGS["not_resolved"] > 0)
    lost = ~fitted & (flags & FLAGS["floor_reached"] > 0)
    return {"n_storms": fitted, "n_resolved": fitted & ~growth & ~limits, "n_limits": limits, "n_growth": growth, "n_lost": lost}
