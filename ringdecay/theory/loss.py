"""The predicted loss rate of ring-current ions, with the band over all model choices."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr

from ringdecay.errors import InputError, unknown
from ringdecay.theory.arguments import Values, arguments
from ringdecay.theory.bounce import LOWEST_MIRROR, bounce_average, loss_cone, mean_field, mirror_latitude
from ringdecay.theory.coulomb import SECONDS_PER_DAY, SLOWEST, energy_loss, flux_loss_rate, thermal_speed_ratio
from ringdecay.theory.cross_sections import CROSS_SECTIONS
from ringdecay.theory.geocorona import GEOCORONAS
from ringdecay.theory.ions import ION_MASSES, speed
from ringdecay.theory.plasmasphere import CARPENTER_ANDERSON_RANGE, electron_density, saturated, trough
from ringdecay.theory.ranges import Floats

# Season and sunspot number at which the terms of Carpenter and Anderson are least (late June, no spots) and greatest (late February).
# 100 is above the maximum of the solar cycle that the Van Allen Probes saw, in the Zuerich numbering (about 80; not read in a source).
_LEAST = {"day_of_year": 173.5, "sunspot_number": 0.0}
_GREATEST = {"day_of_year": 51.8, "sunspot_number": 100.0}

# Name -> electron density in cm-3 from L; with Kp there is one choice more, whose density is from L and Kp.
_PLASMASPHERES: dict[str, Callable[..., Floats]] = {
    "saturated": lambda L, extrapolate: saturated(L, extrapolate=extrapolate),
    "saturated_low": lambda L, extrapolate: saturated(L, **_LEAST, extrapolate=extrapolate),
    "saturated_high": lambda L, extrapolate: saturated(L, **_GREATEST, extrapolate=extrapolate),
    "trough": lambda L, extrapolate: trough(L, extrapolate=extrapolate),
}
_WITH_KP = "plasmapause"
# How the thermal plasma is spread along the field line: evenly, or as the field, which RAM-SCB assumes.
_FIELD_LINES: dict[str, Callable[[Floats], Floats]] = {"constant": np.ones_like, "proportional_to_field": mean_field}

FLAGS = {
    "cross_section_out_of_range": 1,
    "geocorona_out_of_range": 2,
    "plasmasphere_out_of_range": 4,
    "coulomb_ion_too_slow": 8,
    "loss_cone": 16,
    "growth": 32,
    "band_out_of_range": 64,
}


def loss_rate(
    energy: Values,
    L: Values,
    equatorial_pitch_angle: Values = 90.0,
    *,
    species: str = "H+",
    spectral_index: Values = 0.0,
    kp_max: Values | None = None,
    models: Mapping[str, str] | None = None,
    extrapolate: bool = True,
) -> xr.Dataset:
    """Predict how fast charge exchange and Coulomb drag lower the flux of ring-current ions.

    Charge exchange removes an ion at n_H sigma v, with the hydrogen density averaged over the bounce along a dipole field line.
    Coulomb drag moves ions to lower energy, which changes the flux by ``(g + 1) |dE/dt| / E`` for a flux that falls as energy to the
    power -g; the rate is negative, a growth, for g below -1. Other losses (waves, field-line curvature, radial transport, the
    magnetopause) are not in it.

    Parameters
    ----------
    energy : float, 1-D array or DataArray
        Energy of the ion in keV, up to 10 MeV. A 1-D array becomes the dimension `energy`; DataArrays keep their dimensions and are
        broadcast by name, also for the next two. NaN, also for a masked value, gives NaN; a lazy (dask) array is computed.
    L : float, 1-D array or DataArray
        Dipole L-shell, at least 1.
    equatorial_pitch_angle : float, 1-D array or DataArray
        In degrees, 0 to 180.
    species : {"H+", "He+", "O+"}
        The ion.
    spectral_index : float or DataArray
        g of the flux. The default, a flat spectrum, is only a convention: take it from the measured flux, because between g of -2 and
        3 the Coulomb rate goes from -1 to 4 times its value for a flat one.
    kp_max : float or DataArray, optional
        Highest Kp of the 24 hours before, which sets the plasmapause. Without it the plasmasphere is saturated at every L.
    models : mapping, optional
        Models for the rates themselves, by part: `cross_section` (names in `CROSS_SECTIONS[species]`), `geocorona` (names in
        `GEOCORONAS`), `plasmasphere` ("saturated", "saturated_low" and "saturated_high" for the extremes of season and solar cycle,
        "trough", or "plasmapause" with `kp_max`) and `field_line` ("constant" or "proportional_to_field": the thermal plasma along
        it). Parts left out take the first cross section and geocorona, "plasmapause" with and "saturated" without `kp_max`, and
        "constant". The band is always over all of them.
    extrapolate : bool
        Use models outside the range in which they hold, which `flag` then tells. Otherwise rates are NaN there, and the band is over
        the models that hold. (The models' own functions do not extrapolate unless told to, because an array cannot carry a flag.)

    Returns
    -------
    xarray.Dataset
        float64 variables over the broadcast of all arguments, 1/day: `rate_charge_exchange`, `rate_coulomb` and their sum `rate`,
        and for each the least, median and greatest value over all model choices with the suffixes `_low`, `_median` and `_high`.
        `n_models` is how many choices the band of `rate` is over: without extrapolation it can be one, and then the band says nothing.
        `lifetime`, `lifetime_low`, `lifetime_median` and `lifetime_high` in days are 1 / `rate`, 1 / `rate_high`, 1 / `rate_median`
        and 1 / `rate_low` where that is positive, and NaN elsewhere. `flag` is a bit mask of `flag_masks` and `flag_meanings`: which
        model is outside its range (`band_out_of_range`: any in the band), an ion too slow for g + 1 to be exact, the loss cone (where
        all rates are NaN) and growth.

    Raises
    ------
    InputError
        If a name is not known, a value is infinite, no number or out of its domain, an array has more than one dimension, or coordinates
        or dimensions do not agree.
    """
    if species not in list(ION_MASSES):
        raise unknown("species", species, ION_MASSES)
    arrays = arguments(energy, L, equatorial_pitch_angle, spectral_index, kp_max)
    E, shell, angle, g, kp = (arrays[name] for name in ("energy", "L", "equatorial_pitch_angle", "spectral_index", "kp_max"))
    chosen = _choose(models, species, has_kp=kp_max is not None)

    outside = _outside(E, shell, angle, species)
    lost = _in_loss_cone(shell, angle)
    exchange = _charge_exchange(E, shell, angle, species, extrapolate=extrapolate).where(~lost)
    coulomb = _coulomb(E, shell, angle, g, kp, species, has_kp=kp_max is not None, extrapolate=extrapolate).where(~lost)
    if not extrapolate:
        coulomb = coulomb.where(~outside["coulomb_ion_too_slow"])

    cx = exchange.sel(cross_section=chosen["cross_section"], geocorona=chosen["geocorona"], drop=True)
    drag = coulomb.sel(plasmasphere=chosen["plasmasphere"], field_line=chosen["field_line"], drop=True)
    variables = {
        "rate_charge_exchange": cx,
        "rate_coulomb": drag,
        "rate": cx + drag,
        **_band("rate_charge_exchange", exchange),
        **_band("rate_coulomb", coulomb),
        **_band("rate", exchange + coulomb),
        "n_models": (exchange + coulomb).count(_choices(exchange + coulomb)),
    }
    for ending, of in (("", "rate"), ("_low", "rate_high"), ("_median", "rate_median"), ("_high", "rate_low")):
        variables[f"lifetime{ending}"] = 1.0 / variables[of].where(variables[of] > 0.0)
    variables["flag"] = _flag(outside, lost, variables["rate"], chosen)
    return _dataset(variables, arrays, species, chosen)


def _choose(models: Mapping[str, str] | None, species: str, *, has_kp: bool) -> dict[str, str]:
    known: dict[str, list[str]] = {
        "cross_section": list(CROSS_SECTIONS[species]),
        "geocorona": list(GEOCORONAS),
        "plasmasphere": [*_PLASMASPHERES, _WITH_KP],
        "field_line": list(_FIELD_LINES),
    }
    chosen = {part: names[0] for part, names in known.items()}
    if has_kp:
        chosen["plasmasphere"] = _WITH_KP
    if models is not None and not isinstance(models, Mapping):
        raise InputError(f"models names a model for each part, such as {{'geocorona': 'ostgaard_2003_day'}}, but it is {models!r}.")
    for part, name in (models or {}).items():
        if part not in known:
            raise unknown("part of the model", part, known)
        if name not in known[part]:
            raise unknown(f"{part} model", name, known[part])
        chosen[part] = name
    if chosen["plasmasphere"] == _WITH_KP and not has_kp:
        raise InputError(f"the plasmasphere model {_WITH_KP!r} needs kp_max, the highest Kp of the 24 hours before.")
    return chosen


def _in_loss_cone(L: xr.DataArray, angle: xr.DataArray) -> xr.DataArray:
    """Tell where an ion mirrors below 100 km; on shells wholly below that altitude at every pitch angle."""
    edge: xr.DataArray = xr.apply_ufunc(loss_cone, L)
    folded = 90.0 - abs(90.0 - angle)
    return (folded < edge) | (LOWEST_MIRROR > L)


def _charge_exchange(E: xr.DataArray, L: xr.DataArray, angle: xr.DataArray, species: str, *, extrapolate: bool) -> xr.DataArray:
    """Rates in 1/day over all cross sections and geocoronas."""
    v = xr.apply_ufunc(speed, E, kwargs={"species": species})
    sections = CROSS_SECTIONS[species]
    sigma = _stack("cross_section", {n: xr.apply_ufunc(m.function, E, kwargs={"extrapolate": extrapolate}) for n, m in sections.items()})
    densities = {}
    for name, model in GEOCORONAS.items():

        def of_r(r: Floats, function: Callable[..., Floats] = model.function) -> Floats:
            return function(r, extrapolate=extrapolate)

        shells, angles = xr.broadcast(L, angle)
        densities[name] = shells.copy(data=bounce_average(of_r, shells.values, angles.values))
    rates: xr.DataArray = _stack("geocorona", densities) * sigma * v * SECONDS_PER_DAY
    return rates


def _coulomb(
    E: xr.DataArray,
    L: xr.DataArray,
    angle: xr.DataArray,
    g: xr.DataArray,
    kp: xr.DataArray,
    species: str,
    *,
    has_kp: bool,
    extrapolate: bool,
) -> xr.DataArray:
    """Rates in 1/day over all densities and distributions of the thermal plasma."""
    options = {"extrapolate": extrapolate}
    densities = {name: xr.apply_ufunc(function, L, kwargs=options) for name, function in _PLASMASPHERES.items()}
    if has_kp:
        densities[_WITH_KP] = xr.apply_ufunc(electron_density, L, kp, kwargs=options)
    density = _stack("plasmasphere", densities)
    along = _stack("field_line", {name: xr.apply_ufunc(mean, angle) for name, mean in _FIELD_LINES.items()})
    per_density = xr.apply_ufunc(flux_loss_rate, E, xr.apply_ufunc(energy_loss, E, 1.0, kwargs={"species": species}), g)
    rates: xr.DataArray = per_density * density * along
    return rates


def _stack(dim: str, members: Mapping[str, xr.DataArray]) -> xr.DataArray:
    return xr.concat(list(members.values()), dim=xr.DataArray(list(members), dims=dim, name=dim), join="exact")


def _band(name: str, members: xr.DataArray) -> dict[str, xr.DataArray]:
    over = _choices(members)
    return {f"{name}_low": members.min(over), f"{name}_median": members.median(over), f"{name}_high": members.max(over)}


def _choices(members: xr.DataArray) -> list[str]:
    return [dim for dim in ("cross_section", "geocorona", "plasmasphere", "field_line") if dim in members.dims]


def _outside(E: xr.DataArray, L: xr.DataArray, angle: xr.DataArray, species: str) -> dict[str, xr.DataArray]:
    """Where each model is outside its range: the cross sections and geocoronas by name, the plasmasphere and the slow ions as one."""
    r_mirror = L * np.cos(np.radians(xr.apply_ufunc(mirror_latitude, angle))) ** 2
    return {
        **{name: xr.apply_ufunc(model.range.excludes, E) for name, model in CROSS_SECTIONS[species].items()},
        **{n: xr.apply_ufunc(m.range.excludes, L) | xr.apply_ufunc(m.range.excludes, r_mirror) for n, m in GEOCORONAS.items()},
        "plasmasphere": xr.apply_ufunc(CARPENTER_ANDERSON_RANGE.excludes, L),
        "coulomb_ion_too_slow": xr.apply_ufunc(thermal_speed_ratio, E, kwargs={"species": species}) < SLOWEST,
    }


def _flag(outside: Mapping[str, xr.DataArray], lost: xr.DataArray, rate: xr.DataArray, chosen: Mapping[str, str]) -> xr.DataArray:
    anywhere = lost & False
    for where in outside.values():
        anywhere = anywhere | where
    conditions = {
        "cross_section_out_of_range": outside[chosen["cross_section"]],
        "geocorona_out_of_range": outside[chosen["geocorona"]],
        "plasmasphere_out_of_range": outside["plasmasphere"],
        "coulomb_ion_too_slow": outside["coulomb_ion_too_slow"],
        "loss_cone": lost,
        "growth": rate < 0.0,
        "band_out_of_range": anywhere,
    }
    flag = xr.zeros_like(rate, dtype=np.int32)
    for name, mask in FLAGS.items():
        flag = flag + conditions[name].astype(np.int32) * np.int32(mask)
    return flag.astype(np.int32)


def _dataset(
    variables: Mapping[str, xr.DataArray], arrays: Mapping[str, xr.DataArray], species: str, chosen: Mapping[str, str]
) -> xr.Dataset:
    template = xr.broadcast(*arrays.values())[0]
    dataset = xr.Dataset({name: variable.broadcast_like(template).transpose(*template.dims) for name, variable in variables.items()})
    words = {
        "rate_charge_exchange": "rate of loss by charge exchange with geocoronal hydrogen",
        "rate_coulomb": "rate at which Coulomb drag lowers the flux; negative is growth",
        "rate": "rate of loss by charge exchange and Coulomb drag; negative is growth",
        "n_models": "model choices that the band of `rate` is over",
        "lifetime": "1 / rate where the rate is positive",
    }
    units = {"lifetime": "day", "n_models": "1"}
    endings = {"_low": ", least over the models", "_median": ", median over the models", "_high": ", greatest over the models"}
    for name in dataset.data_vars:
        base, ending = next(
            ((str(name).removesuffix(e), words_of) for e, words_of in endings.items() if str(name).endswith(e)), (str(name), "")
        )
        if base in words:
            dataset[name].attrs = {"units": units.get(base, "1/day"), "long_name": words[base] + ending}
    dataset["flag"].attrs = {
        "long_name": "what to know about a prediction",
        "flag_masks": np.array(list(FLAGS.values()), dtype=np.int32),
        "flag_meanings": " ".join(FLAGS),
    }
    coordinates = {
        "energy": ("keV", "energy of the ion"),
        "L": ("1", "dipole L-shell"),
        "equatorial_pitch_angle": ("degree", "equatorial pitch angle"),
    }
    for name, (unit, long_name) in coordinates.items():
        if name not in dataset.coords:
            dataset = dataset.assign_coords({name: arrays[name].variable})
        dataset[name].attrs = {"units": unit, "long_name": long_name}
    # Settings that are arrays of their own stay with the result; single numbers are attributes.
    for name in ("spectral_index", "kp_max"):
        if arrays[name].ndim:
            dataset = dataset.assign_coords({name: arrays[name].variable})
    single = {name: float(arrays[name]) for name in ("spectral_index", "kp_max") if not arrays[name].ndim and bool(arrays[name].notnull())}
    dataset.attrs = {
        "title": "Predicted loss rates of ring-current ions",
        "species": species,
        **{f"model_{part}": name for part, name in chosen.items()},
        **single,
        "L_definition": "dipole",
        "source": "; ".join(
            (
                CROSS_SECTIONS[species][chosen["cross_section"]].source,
                GEOCORONAS[chosen["geocorona"]].source,
                "Carpenter and Anderson (1992), J. Geophys. Res. 97, 1097, as in RAM-SCB",
                "Coulomb drag as in RAM-SCB: Coulomb logarithm 21.5, thermal plasma of 1 eV with 77 % H+, 20 % He+ and 3 % O+",
            )
        ),
    }
    return dataset
