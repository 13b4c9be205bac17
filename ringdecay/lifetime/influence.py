"""How much the mean hangs on each storm."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ringdecay.decays.fit import SAID_ATTRIBUTES
from ringdecay.decays.gls import Floats
from ringdecay.lifetime.fits import Fits, fits_of, one_probe
from ringdecay.lifetime.mean import Mean, mean_rate

_DESCRIBED = {
    "rate_without": {"units": "1/day", "long_name": "mean decay rate over the other storms"},
    "shift": {"units": "1", "long_name": "mean without the storm minus mean of all, in standard errors of the mean of all"},
    "share": {"units": "1", "long_name": "weight of the storm in the mean; all add up to one"},
}
# Not a storm's number.
NO_STORM = -1


def influence(decays: xr.Dataset, *, probe: str = "merged") -> xr.Dataset:
    """Leave out every storm in turn and see how far the mean over storms moves.

    Parameters
    ----------
    decays : xarray.Dataset
        From `fit_decays`, calibrated mode.
    probe : str
        Which probe's fits.

    Returns
    -------
    xarray.Dataset
        Dims storm, energy, L: `rate_without`, `shift` and `share`. NaN for a storm without a fit, and where no other storm has one;
        `shift` also where the mean has no error of its own. The scatter and all weights are estimated anew without the storm.

    Raises
    ------
    InputError
        If `decays` is not what `fit_decays` returns or has no such probe.
    """
    chosen = one_probe(decays, probe)
    fits = fits_of(chosen)
    mean = mean_rate(fits)
    without, shift = left_out(fits, mean)
    shape = tuple(chosen.sizes[dim] for dim in ("storm", "energy", "L"))
    values = {"rate_without": without, "shift": shift, "share": np.where(fits.use, mean.share, np.nan)}
    attrs = {name: decays.attrs[name] for name in SAID_ATTRIBUTES if name in decays.attrs} | {"probe": probe}
    variables = {name: (("storm", "energy", "L"), value.reshape(shape), _DESCRIBED[name]) for name, value in values.items()}
    names = ("storm", "onset", "minimum", "depth", "storm_class", "energy", "L", "L_bounds")
    return xr.Dataset(
        variables,
        coords={name: chosen[name] for name in names if name in chosen.coords},
        attrs={"title": "Influence of each storm on the mean over storms", **attrs},
    )


def left_out(fits: Fits, mean: Mean) -> tuple[Floats, Floats]:
    """Give the mean without each storm, and its shift in standard errors of the mean of all; both of shape (storm, cell)."""
    without = np.full(fits.rate.shape, np.nan)
    for storm in range(len(without)):
        others = np.arange(len(without)) != storm
        cells = np.flatnonzero(fits.use[storm])
        without[storm, cells] = mean_rate(fits.cells(cells).but(others[:, None])).rate
    with np.errstate(invalid="ignore", divide="ignore"):
        shift = np.where(mean.se > 0, (without - mean.rate) / mean.se, np.nan)
    return without, shift


def largest(shift: Floats, storms: np.ndarray) -> dict[str, np.ndarray]:
    """Name the storm whose absence shifts the mean of a cell most, and by how much; NaN and -1 where there is none."""
    size = np.where(np.isfinite(shift), np.abs(shift), -1.0)
    most = size.argmax(0)
    known = size.max(0, initial=-1.0) >= 0
    value = np.take_along_axis(shift, most[None], 0)[0]
    return {"largest_shift": np.where(known, value, np.nan), "largest_shift_storm": np.where(known, storms[most], NO_STORM)}
