"""The rates that charge exchange and Coulomb drag should have in the cells of a run."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from ringdecay.beside_theory.spectrum import ASSUMED, over_storms, spectral_index
from ringdecay.errors import InputError
from ringdecay.theory import loss_rate

logger = logging.getLogger(__name__)

#: What stands beside a lifetime, of all that is predicted.
BESIDE = ("rate_predicted", "rate_predicted_low", "rate_predicted_high")
_WORDS = {
    "rate_predicted": "predicted rate of loss by charge exchange and Coulomb drag",
    "rate_charge_exchange": "predicted rate of loss by charge exchange",
    "rate_coulomb": "predicted rate at which Coulomb drag lowers the flux (negative: growth)",
}
_DAY = np.timedelta64(24, "h")


def predicted_rates(
    decays: xr.Dataset, *, probe: str = "merged", kp: xr.DataArray | None = None, equatorial_pitch_angle: float = 90.0
) -> xr.Dataset:
    """Predict the loss rate in every energy and L-shell of a run.

    Parameters
    ----------
    decays : xarray.Dataset
        From `fit_decays`: its cells, its ion, and its spectra.
    probe : str
        Which probe's spectra.
    kp : xarray.DataArray, optional
        Kp from `open_index`. With it there is one plasmasphere more, with a plasmapause at the mean over storms of `highest_kp`; without
        it, the plasmasphere is saturated at all L in the default models, and the trough is still in the band.
    equatorial_pitch_angle : float
        For omnidirectional flux, degrees. Flux of one bin of equatorial pitch angle is compared with the middle of its bin, whatever is
        given here. An omnidirectional flux near the equator is lost faster than its equatorially mirroring particles, because the others
        go through denser hydrogen: for a distribution as sin^n of the pitch angle charge exchange is 1.21 to 1.25 (n = 1), 1.12 to
        1.15 (n = 2) and 1.07 to 1.08 (n = 4) times as fast as at 90 degrees at L of 3 to 6, until the distribution has narrowed. That of
        n = 2 is the rate at 57 degrees.

    Returns
    -------
    xarray.Dataset
        Over energy and L, in 1/day: `rate_predicted`, the median over all model choices, `rate_predicted_low` and `rate_predicted_high`,
        least and greatest over all model choices and over the spectral indices of the storms (16 to 84 % of them); the same of the parts,
        `rate_charge_exchange` and `rate_coulomb`; `spectral_index`, `spectral_index_low` and `spectral_index_high`, `n_spectra` (storms
        that have one; where it is zero, the indices are `ASSUMED`), and `theory_flag`, that of `theory.loss_rate`. Attributes say pitch
        angle, Kp and models. L is taken as dipole L; with another definition the attribute `L_note` says so.

    Raises
    ------
    InputError
        If `decays` is not what `fit_decays` returns or has no such probe, or an argument is out of its domain.
    """
    spectra = spectral_index(decays, probe=probe)
    index = over_storms(spectra)
    assumed = xr.DataArray(list(ASSUMED), dims="spectrum", coords={"spectrum": index["spectrum"]})
    known = index.notnull()
    index = index.where(known, assumed)
    settings = arguments_of(decays, kp, equatorial_pitch_angle)
    found = loss_rate(decays["energy"], shells_of(decays), spectral_index=index, **settings)
    middle = found.sel(spectrum="median")
    variables: dict[str, xr.DataArray] = {}
    for name, of in (("rate_predicted", "rate"), ("rate_charge_exchange", "rate_charge_exchange"), ("rate_coulomb", "rate_coulomb")):
        variables[name] = middle[f"{of}_median"].assign_attrs(long_name=f"{_WORDS[name]}, median over the models")
        for ending, word in (("low", "least"), ("high", "greatest")):
            member = found[f"{of}_{ending}"]
            # Not min and max with skipna: in the loss cone there is nothing to take the least of.
            extreme = member.min("spectrum") if ending == "low" else member.max("spectrum")
            variables[f"{name}_{ending}"] = extreme.assign_attrs(
                long_name=f"{_WORDS[name]}, {word} over the models and the spectra of the storms"
            )
    for name, which in (("spectral_index", "median"), ("spectral_index_low", "low"), ("spectral_index_high", "high")):
        of_storms = {"median": "median over", "low": "lower end of 68 % of", "high": "upper end of 68 % of"}[which]
        said = f"spectral index g, flux falls as energy to the power -g: {of_storms} the storms"
        variables[name] = index.sel(spectrum=which).assign_attrs(units="1", long_name=said)
    counts = spectra.notnull().sum("storm").astype(np.int32)
    variables["n_spectra"] = counts.assign_attrs(units="1", long_name="storms with a spectral index; 0: it is assumed, not measured")
    variables["theory_flag"] = middle["flag"]
    for name, variable in variables.items():
        if name.startswith("rate"):
            variable.attrs["units"] = "1/day"
    clean = {name: variable.reset_coords(drop=True).transpose("energy", "L") for name, variable in variables.items()}
    coords = {name: decays[name] for name in ("energy", "L", "L_bounds") if name in decays.coords}
    return xr.Dataset(clean, coords=coords, attrs=_attrs(decays, found, settings, kp))


def with_prediction(lifetimes: xr.Dataset, prediction: xr.Dataset) -> xr.Dataset:
    """Put the predicted rates beside the lifetimes.

    Parameters
    ----------
    lifetimes : xarray.Dataset
        From `lifetimes`.
    prediction : xarray.Dataset
        From `predicted_rates` of the same decays.

    Returns
    -------
    xarray.Dataset
        The lifetimes with `BESIDE` (1/day) and the attributes that say how they were predicted.

    Raises
    ------
    InputError
        If `lifetimes` is not what `lifetimes` returns, or the two do not have the same cells.
    """
    check_lifetimes(lifetimes)
    check_cells(lifetimes, prediction)
    beside = prediction[list(BESIDE)].reset_coords(drop=True)
    added = lifetimes.assign({name: beside[name].transpose(*lifetimes["flag"].dims) for name in BESIDE})
    return added.assign_attrs({name: value for name, value in prediction.attrs.items() if name.startswith("theory_") or name == "L_note"})


def highest_kp(decays: xr.Dataset, kp: xr.DataArray) -> xr.DataArray:
    """Average over each storm's recovery the highest Kp of the 24 hours before.

    The highest value among those whose three hours touch the last 24 hours sets the plasmapause (Carpenter and Anderson 1992). It is
    taken at every value of Kp from the first start to the last stop among the storm's fits, and averaged.

    Parameters
    ----------
    decays : xarray.Dataset
        From `fit_decays`.
    kp : xarray.DataArray
        Kp from `open_index`.

    Returns
    -------
    xarray.DataArray
        Over storm; NaN where a storm has no fit, or Kp is not known in more than a tenth of its time.

    Raises
    ------
    InputError
        If `kp` is no series over time.
    """
    if kp.dims != ("time",):
        raise InputError("kp must be a series over time, as open_index(files, 'Kp') gives it")
    time, values = kp["time"].to_numpy().astype("datetime64[ns]"), kp.to_numpy().astype(np.float64)
    starts, stops = (decays[name].transpose("storm", ...).to_numpy().reshape(decays.sizes["storm"], -1) for name in ("start", "stop"))
    spacing = np.median(np.diff(time)) if len(time) > 1 else np.timedelta64(3, "h")
    means = np.full(len(starts), np.nan)
    for storm in range(len(starts)):
        if np.isnat(starts[storm]).all():
            continue
        # fmin and fmax pass over NaT, a cell without a fit.
        start, stop = np.fmin.reduce(starts[storm]), np.fmax.reduce(stops[storm])
        inside = np.flatnonzero((time + spacing > start) & (time <= stop))
        before = [values[(time + spacing > time[i] - _DAY) & (time <= time[i])] for i in inside]
        highest = np.array([np.nanmax(each) for each in before if np.isfinite(each).any()])
        if len(highest) >= 0.9 * max((stop - start) / spacing, 1.0):
            means[storm] = highest.mean()
    said = {"units": "1", "long_name": "highest Kp of the 24 hours before, mean over the storm's fits"}
    return xr.DataArray(means, dims="storm", coords={"storm": decays["storm"]}, attrs=said, name="kp_max")


def arguments_of(decays: xr.Dataset, kp: xr.DataArray | None, equatorial_pitch_angle: float) -> dict[str, Any]:
    """Give what `theory.loss_rate` is to be told of a run: ion, pitch angle and, where it is known, Kp."""
    settings: dict[str, Any] = {"species": str(decays.attrs.get("ion", "H+"))}
    settings["equatorial_pitch_angle"] = angle = pitch_angle_of(decays.attrs, equatorial_pitch_angle)
    if not np.isfinite(angle):
        raise InputError(f"the equatorial pitch angle of the prediction is in degrees, 0 to 180, not {angle}")
    if kp is not None:
        of_storms = highest_kp(decays, kp)
        if bool(of_storms.notnull().any()):
            settings["kp_max"] = float(of_storms.mean())
        else:
            logger.warning("Kp is not known over the window of any storm; the plasmasphere of the prediction is saturated")
    return settings


def shells_of(decays: xr.Dataset) -> xr.DataArray:
    """Give the L-shells for `theory.loss_rate`; there is none below 1, and just at 1 all are lost."""
    return decays["L"].clip(min=1.0)


def pitch_angle_of(attributes: Mapping[Any, Any], otherwise: float) -> float:
    """Give the equatorial pitch angle of a flux: the middle of its bin, or `otherwise` for an omnidirectional one."""
    # As `select_flux` names it.
    bounds = re.fullmatch(r"equatorial pitch angle ([\d.]+) to ([\d.]+) degrees", str(attributes.get("flux", "")))
    return (float(bounds[1]) + float(bounds[2])) / 2 if bounds else float(otherwise)


def check_lifetimes(lifetimes: xr.Dataset) -> None:
    """Refuse what is not one value an energy and L-shell, such as the decays of single storms."""
    if not isinstance(lifetimes, xr.Dataset) or "flag" not in lifetimes or set(lifetimes["flag"].dims) != {"energy", "L"}:
        raise InputError("the mean over storms must be the Dataset that lifetimes returns, with a flag over energy and L")


def check_cells(first: xr.Dataset, second: xr.Dataset) -> None:
    """Refuse two results that are not of the same energies and L-shells."""
    for name in ("energy", "L"):
        if name not in first.coords or name not in second.coords or not np.array_equal(first[name], second[name]):
            raise InputError(f"the two results do not have the same {name}; make both from the same decays")


def _attrs(decays: xr.Dataset, found: xr.Dataset, settings: Mapping[str, Any], kp: xr.DataArray | None) -> dict[str, Any]:
    attrs: dict[str, Any] = {
        "theory_species": settings["species"],
        "theory_equatorial_pitch_angle": settings["equatorial_pitch_angle"],
        "theory_kp_max": settings.get("kp_max", "not known over any storm" if kp is not None else "not given"),
        **{f"theory_{name}": value for name, value in found.attrs.items() if name.startswith("model_")},
        "theory_source": found.attrs["source"],
        "theory_spectrum": "spectral index measured in the run, median over storms; the band goes over 68 % of the storms",
    }
    definition = str(decays.attrs.get("L_definition", "L"))
    if definition != "L":
        attrs["L_note"] = f"the prediction takes L as dipole L, but the observation's is {definition}"
    return attrs
