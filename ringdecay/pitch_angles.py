"""Decay times by equatorial pitch angle, of a few cells: every bin of pitch angle fitted as the omnidirectional flux is.

Charge exchange and Coulomb drag are faster at small pitch angles, where particles go through denser gas; pitch-angle scattering also
depends on the angle. A decay time that does not depend on it is what loss at the equator alone would give.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import xarray as xr

from ringdecay.beside_theory import predicted_rates, with_prediction
from ringdecay.binned import select_flux, with_merged_probe
from ringdecay.decays import choose_windows, fit_decays
from ringdecay.decays.sharing import kept_workers
from ringdecay.errors import unknown
from ringdecay.lifetime import lifetimes
from ringdecay.sensitivity import given_floor

ANGLE = "equatorial_pitch_angle"
_DESCRIBED = {"units": "degree", "long_name": "centre of the bin of equatorial pitch angle", "bounds": f"{ANGLE}_bounds"}


def pitch_angle_lifetimes(
    binned: xr.Dataset,
    storms: pd.DataFrame,
    decays: xr.Dataset,
    index: xr.DataArray | None = None,
    *,
    probe: str = "merged",
    windows: Mapping[str, Any] | None = None,
    kp: xr.DataArray | None = None,
    **fit: Any,
) -> xr.Dataset:
    """Fit and average the decays of every bin of equatorial pitch angle, with the predicted rates beside.

    Parameters
    ----------
    binned : xarray.Dataset
        From `bin_flux` and `merge_binned`, with the sums by pitch angle; a few channels and L bins of it (`sensitivity.chosen_cells`).
    storms : pandas.DataFrame
        Catalogue from `find_storms`.
    decays : xarray.Dataset
        The run's own fits of the same channels: their floors are taken, because a few L bins cannot show a floor, and a flux per steradian
        that is the same from all directions has the same floor at every pitch angle. A channel without one is fitted with straight lines.
    index : xarray.DataArray, optional
        Storm index, for the windows.
    probe : str
        Whose fits: "merged" or one probe.
    windows : mapping, optional
        Settings of `choose_windows`; a window ends at the gaps of its own pitch angle.
    kp : xarray.DataArray, optional
        As for `predicted_rates`.
    **fit
        Settings of `fit_decays`.

    Returns
    -------
    xarray.Dataset
        What `lifetimes` and `with_prediction` return, over equatorial_pitch_angle, energy and L; no pitch angle if the data are not binned
        by it. The prediction is for the middle of the bin.

    Raises
    ------
    InputError
        If there is no such probe, or a setting does not make sense.
    """
    confidence = float(decays.attrs.get("confidence", 0.95))
    settings = {**fit, "compare": False, "two_stages": False, "floor": given_floor(decays, fit.get("floor", "auto"))}
    angles: list[float] = binned[ANGLE].to_numpy().tolist() if ANGLE in binned.dims else []
    parts = []
    with kept_workers():
        for angle in angles:
            flux = with_merged_probe(select_flux(binned, angle))
            probes = [str(name) for name in flux["probe"].to_numpy()]
            if probe not in probes:
                raise unknown("probe", probe, probes)
            which = [probes.index(probe)]
            chosen = choose_windows(flux, storms, index, **(windows or {})).isel(probe=which)
            fits = fit_decays(flux.isel(probe=which), storms, windows=chosen, index=index, **settings)
            parts.append(_mean(fits, probe, confidence, kp))
    if not parts:
        # Nothing by pitch angle: the form of a result without a value in it.
        return _mean(decays.isel(storm=[]), probe, confidence, None).expand_dims({ANGLE: [0.0]}).isel({ANGLE: []})
    axis = pd.Index(angles, name=ANGLE)
    out = xr.concat(parts, dim=axis, combine_attrs="drop_conflicts", coords="minimal", data_vars="all", compat="override")
    out[ANGLE].attrs = dict(_DESCRIBED)
    return out.assign_coords({f"{ANGLE}_bounds": binned[f"{ANGLE}_bounds"]}).assign_attrs(flux="by equatorial pitch angle")


def _mean(fits: xr.Dataset, probe: str, confidence: float, kp: xr.DataArray | None) -> xr.Dataset:
    return with_prediction(lifetimes(fits, probe=probe, confidence=confidence), predicted_rates(fits, probe=probe, kp=kp))
