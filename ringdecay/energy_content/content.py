"""Energy density, pressure and total energy of the ions in binned flux."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from ringdecay.binned import mean_flux
from ringdecay.decays import FLAGS
from ringdecay.energy_content.channels import Floats, bands_within, channel_edges, energy_weights
from ringdecay.energy_content.dipole import EQUATORIAL_FIELD, dst_dps, shell_volume
from ringdecay.errors import InputError
from ringdecay.products import ion_name

logger = logging.getLogger(__name__)

BAND_EDGES = (50.0, 100.0, 200.0)
_KEV_CM3 = 1.602176634e-16 * 1e6  # keV cm-3 in J m-3
_KEPT_ATTRIBUTES = ("product", "ion", "flux", "L_definition", "L_method", "max_MLAT", "time_bin_hours", "excluded", "simulated")
# Below this share of the time bins, a probe is at an L bin too seldom for a total that goes through it.
_SEEN = 0.5


def check_made_by(maker: str, dataset: xr.Dataset, *names: str) -> None:
    """Raise InputError if a dataset lacks variables that the function which makes it gives."""
    missing = [name for name in names if not isinstance(dataset, xr.Dataset) or name not in dataset.variables]
    if missing:
        raise InputError(f"give the Dataset that {maker} returns; this has no {' and no '.join(missing)}")


def channel_floor(decays: xr.Dataset) -> xr.DataArray:
    """Take the instrument's flux floor of every channel from the fits.

    Parameters
    ----------
    decays : Dataset
        From `fit_decays`.

    Returns
    -------
    DataArray over probe, energy
        NaN where no floor of the channel is known; floors of single fits (flag floor_fitted) are not the instrument's.

    Raises
    ------
    InputError
        If `decays` is not what `fit_decays` returns.
    """
    check_made_by("fit_decays", decays, "floor", "flag", "storm")
    floor = decays["floor"].where((decays["flag"] & FLAGS["floor_fitted"]) == 0)
    if not decays.sizes["storm"]:
        # One storm that knows nothing in place of none.
        floor = floor.reindex(storm=[0])
    low, high = (getattr(floor, name)(["storm", "L"]) for name in ("min", "max"))
    same: xr.DataArray = low.where(low == high).rename("floor")
    return same


def energy_content(
    binned: xr.Dataset,
    *,
    band_edges: Sequence[float] = BAND_EDGES,
    L_range: Sequence[float] | None = None,
    floor: xr.DataArray | None = None,
    min_coverage: float = 0.8,
) -> xr.Dataset:
    """Find energy density, pressure, total energy and the Dst that it makes, by energy band, from omnidirectional flux.

    The flux is taken as isotropic (that of one bin of pitch angle as that of all, which `assumptions` then says), so that energy density
    and pressure are constant along a field line, and as equal at all magnetic local times. In the total, an L bin without flux is filled
    in a straight line from its neighbours (at the ends: with the nearest).

    Parameters
    ----------
    binned : Dataset
        From `bin_flux` or `with_merged_probe`; each probe is worked out by itself.
    band_edges : sequence of float
        Where the energy bands part, keV; each is moved to the nearest edge of a channel, so that no channel is divided. The outermost
        bands reach to the ends of the channels.
    L_range : pair of float, optional
        L-shells between which the energy is added up, whole bins; without it, from the lowest to the highest L bin that has flux in at
        least half of the time bins.
    floor : DataArray over energy and, if it differs, probe, optional
        Flux floor of each channel, to be subtracted; NaN where none is known. From `channel_floor`, for instance.
    min_coverage : float
        Least share of the volume that must have flux; a total of less is NaN.

    Returns
    -------
    Dataset
        `energy_density` (keV cm-3) and `pressure` (nPa) over probe, time, L, band, NaN where any channel of the band has no sample;
        `energy_content` (J) over probe, time, band, `energy_content_total` (J), `Dst_DPS` (nT) and `coverage` over probe, time;
        `volume` (m3) over L, zero outside the range of the total; `floor_content` (J), what was subtracted as floor, over probe and
        band. `band` is named by its ends in keV, also in `band_low` and `band_high`.

    Raises
    ------
    InputError
        If `binned` is not what `bin_flux` returns, the bands, the range of L or the coverage do not make sense, the ion is not known,
        or there are fewer than two channels.
    """
    if not 0 < min_coverage <= 1:
        raise InputError(f"min_coverage is a share of the volume, above 0 and at most 1, not {min_coverage}")
    check_made_by("bin_flux", binned, "sum_flux", "n_samples", "energy", "L_bounds")
    energy = binned["energy"].to_numpy()
    flux = mean_flux(binned).transpose("probe", "time", "L", "energy")
    known = np.isfinite(flux.to_numpy()).any(axis=(0, 1, 2))
    # What was never measured is no part of a band, and an energy that is left out leaves the widths of its neighbours as they are.
    known |= not known.any()
    measured = channel_edges(energy)[int(np.argmax(known)) : len(known) - int(np.argmax(known[::-1])) + 1]
    bands = bands_within(measured, band_edges)
    weights = energy_weights(energy, bands, str(binned.attrs.get("ion", "H+")))
    names = np.array([f"{low:.0f}-{high:.0f} keV" for low, high in itertools.pairwise(bands)], dtype=object)
    subtracted = _floor(floor, flux)
    density, pressure = (_banded((flux - subtracted.fillna(0.0)).to_numpy(), one) for one in weights)
    unseen = ", ".join(f"{value:g}" for value in energy[~known])
    if unseen:
        logger.warning("the channels at %s keV have no sample at all: their energy is not in the sums", unseen)

    bounds = binned["L_bounds"].transpose("L", "bound").to_numpy()
    seen = np.asarray(np.isfinite(density).all(axis=-1))
    inside = _inside(seen, bounds, L_range)
    volume = np.where(inside, shell_volume(*np.maximum(bounds, 1.0).T), 0.0)
    # By what is missing, so that all of it is exactly one.
    coverage = 1.0 - (~seen @ volume) / volume.sum() if inside.any() else np.zeros(seen.shape[:2])
    filled = _filled(density[:, :, inside], seen[:, :, inside], binned["L"].to_numpy()[inside])
    content = np.einsum("ptlb,l->ptb", filled, volume[inside]) * _KEV_CM3
    content[~(coverage >= min_coverage)] = np.nan
    total = content.sum(axis=-1)
    floors = np.einsum("pe,eb->pb", subtracted.fillna(0.0).to_numpy(), weights[0]) * volume.sum() * _KEV_CM3

    ion = ion_name(binned.attrs)
    four, three, two = ("probe", "time", "L", "band"), ("probe", "time", "band"), ("probe", "time")
    covered = bounds[inside]
    span = f"L {covered[0, 0]:g} to {covered[-1, 1]:g}" if inside.any() else "no L"
    variables: dict[str, Any] = {
        "energy_density": (four, density, {"units": "keV cm-3", "long_name": f"{ion} energy density"}),
        "pressure": (four, pressure, {"units": "nPa", "long_name": f"{ion} pressure, isotropic"}),
        "energy_content": (three, content, {"units": "J", "long_name": f"{ion} energy in {span}, by energy band"}),
        "energy_content_total": (two, total, {"units": "J", "long_name": f"{ion} energy in {span}, all bands"}),
        "Dst_DPS": (two, dst_dps(total), {"units": "nT", "long_name": "field at the Earth's centre that this energy makes"}),
        "coverage": (two, coverage, {"units": "1", "long_name": f"share of the volume in {span} that has flux; the rest is interpolated"}),
        "volume": ("L", volume, {"units": "m3", "long_name": "volume of the dipole shell that is added up (zero: not in the total)"}),
        "floor_content": (("probe", "band"), floors, {"units": "J", "long_name": f"energy in {span} subtracted as instrument floor"}),
    }
    coords: dict[str, Any] = {name: binned[name] for name in ("probe", "time", "time_bounds", "L", "L_bounds") if name in binned.coords}
    coords |= {
        "band": ("band", names, {"long_name": "energy band, by the ends of what is measured of it"}),
        "band_low": ("band", bands[:-1], {"units": "keV", "long_name": "lower end of the band"}),
        "band_high": ("band", bands[1:], {"units": "keV", "long_name": "upper end of the band"}),
    }
    attrs: dict[str, Any] = {"title": f"Energy content of the ring current in {ion}s"}
    attrs |= {name: binned.attrs[name] for name in _KEPT_ATTRIBUTES if name in binned.attrs}
    attrs |= {
        "energy_range": f"{bands[0]:.4g} to {bands[-1]:.4g} keV",
        "L_range": span,
        "min_coverage": min_coverage,
        "channel_edges": "geometric means of neighbouring channel energies; flux constant within a channel",
        "channels_without_flux": unseen or "none",
        "floor": "subtracted where known" if bool((subtracted > 0).any()) else "not subtracted: none is known",
        "assumptions": _assumptions(binned),
        "Dst_DPS_constant": f"-mu0/(2 pi B0 R^3) with B0 {EQUATORIAL_FIELD * 1e9:g} nT, without the Earth's induced currents",
    }
    definition = str(binned.attrs.get("L_definition", "L"))
    if definition != "L":
        attrs["L_note"] = f"the volumes are those of dipole shells, but L is {definition}"
    return xr.Dataset(variables, coords=coords, attrs=attrs)


def _assumptions(binned: xr.Dataset) -> str:
    """Say what is taken for granted; flux of one pitch angle stands for all of them."""
    flux = str(binned.attrs.get("flux", "omnidirectional"))
    isotropic = "isotropic flux" if flux == "omnidirectional" else f"isotropic flux, the one of {flux} at all pitch angles"
    return f"{isotropic}, constant along the dipole field line; the same at all magnetic local times"


def _floor(floor: xr.DataArray | None, flux: xr.DataArray) -> xr.DataArray:
    """Give the floor of each probe and channel; NaN where none is known."""
    shape = flux.sizes["probe"], flux.sizes["energy"]
    nothing = xr.DataArray(np.full(shape, np.nan), coords={"probe": flux["probe"], "energy": flux["energy"]}, dims=("probe", "energy"))
    if floor is None:
        return nothing
    if not {"energy"} <= set(map(str, floor.dims)) <= {"energy", "probe"}:
        raise InputError(f"a floor must be over energy and, if it differs, probe, not over {', '.join(map(str, floor.dims))}")
    given = floor.reindex(energy=flux["energy"], method="nearest", tolerance=1e-3)
    if "probe" in floor.dims:
        given = given.reindex(probe=flux["probe"])
    return given.broadcast_like(nothing).transpose("probe", "energy")


def _banded(flux: Floats, weights: Floats) -> Floats:
    """Add up the channels of each band, shape (..., energy) to (..., band); NaN where a channel that has data elsewhere has none."""
    alive = np.isfinite(flux).reshape(-1, flux.shape[-1]).any(axis=0)
    out = np.empty((*flux.shape[:-1], weights.shape[1]))
    for band in range(weights.shape[1]):
        used = alive & (weights[:, band] > 0)
        out[..., band] = flux[..., used] @ weights[used, band] if used.any() else np.nan
    return out


def _inside(seen: np.ndarray, bounds: Floats, L_range: Sequence[float] | None) -> np.ndarray:
    """Tell which L bins the total goes over."""
    if L_range is not None:
        if len(L_range) != 2 or not L_range[0] < L_range[1]:
            raise InputError(f"the range of L must be two rising numbers, not {list(L_range)}")
        # A rounding error is no reason to leave out the outermost bin.
        inside: np.ndarray = (bounds[:, 0] >= L_range[0] - 1e-6) & (bounds[:, 1] <= L_range[1] + 1e-6)
        if not inside.any():
            raise InputError(
                f"no L bin lies within L {L_range[0]:g} to {L_range[1]:g}; the bins go from {bounds[0, 0]:g} to {bounds[-1, 1]:g}"
            )
        return inside
    any_flux = seen.any(axis=2).sum(axis=1)
    share = np.max(seen.sum(axis=1) / np.maximum(any_flux, 1)[:, None], axis=0, initial=0.0)
    often = np.flatnonzero(share >= _SEEN)
    inside = np.zeros(len(bounds), dtype=bool)
    if often.size:
        inside[often[0] : often[-1] + 1] = True
    return inside


def _filled(values: Floats, seen: np.ndarray, L: Floats) -> Floats:
    """Fill L bins without flux in a straight line from their neighbours; values (probe, time, L, band), seen (probe, time, L)."""
    out = values.copy()
    for probe, time in zip(*np.nonzero(seen.any(axis=2) & ~seen.all(axis=2)), strict=True):
        there = seen[probe, time]
        for band in range(values.shape[-1]):
            out[probe, time, ~there, band] = np.interp(L[~there], L[there], values[probe, time, there, band])
    return out
