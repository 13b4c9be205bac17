"""The world that the demonstration archive measures: storms, injections and decay rates that are known exactly.

Everything here is an assumption, chosen to look like a ring current; nothing is fitted to data.

Rate
    The population decay time is ``tau(E, L) = (2 + 8 (E / 100 keV)^2.532) (L / 4)^3`` days: at L = 4 about 3 d at 45 keV, 10 d at
    99 keV, 100 d at 269 keV. (The power of L is close to that of charge exchange in the geocorona.) In storm k every cell decays
    at ``rate_k = f_k(E, L) / tau(E, L)`` with ``f_k`` lognormal, of mean 1 and standard deviation `scatter`.
Injection
    Every dip of the index adds ``J(E) G(L) d / 130 nT`` with ``J = 7.7e5 exp(-E / 53 keV)``, ``G`` a Gaussian around L = 4 of width
    0.9 and ``d`` the depth that the dip adds. The flux rises smoothly from the onset of the main phase to the minimum of the index.
    All particles present, old and new, decay at the rate of the current storm until the next injection begins.
Fluctuation
    The log of the flux has an Ornstein-Uhlenbeck fluctuation, the same for every spacecraft: seven independent series, mixed in
    every cell (E, L) with loadings that vary smoothly and whose squares add up to one.
Floor
    Each channel counts, at every L and time, as if there were an isotropic flux of ``1e-3 J(E)`` more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.signal import lfilter

from ringdecay.errors import InputError
from ringdecay.products import get_product

Array = npt.NDArray[np.float64]
Times = npt.NDArray[np.datetime64]

DEFAULT_SEED = 20150415
PRODUCT = "rbspice-pap-tofxeh"
ENERGY: Array = np.array(get_product(PRODUCT).energy_tables[0].energies)
#: Centres of L, 0.1 wide, on which the world is tabled; between them the log of the flux is linear in L.
L_CENTRES: Array = np.round(np.arange(1.05, 7.1, 0.1), 2)
#: The part of them that is reported as the truth.
L_TRUTH: Array = L_CENTRES[(L_CENTRES > 2.0) & (L_CENTRES < 6.0)]

REFERENCE_DEPTH = 130.0  # nT, the depth whose injection is J(E) G(L)
QUIET_INDEX = -5.0  # nT
_FLUCTUATION_STEP = 0.25  # hours; the series is linear between, which takes at most 1 % off its variance
_PREEXISTING_GAP = 14.0  # days between the storms that left the pre-existing population
# Days between the minima of successive storms; the 35 days are a quiet recovery. Repeated when the series is longer.
_GAPS = (13.0, 12.5, 14.0, 12.0, 35.0, 12.5, 12.0, 12.5, 12.0, 12.5)
_DOUBLE_DIP = 3  # the fourth storm of every ten dips twice
# Late enough that the index has recovered to some -50 nT: a dip that stands out, yet too small a fall to be a storm of its own.
_SECOND_DIP_HOURS, _SECOND_FALL_HOURS = 26.0, 8.0


@dataclass(frozen=True)
class Truth:
    """A seeded world; make one with `make_truth`.

    Times are days (of 86400 s UTC; the leap second is left out of the physics) since `start`.

    Attributes
    ----------
    seed : int
        Everything random follows from it.
    start : numpy.datetime64
        Begin of the series.
    days : float
        Length of the series.
    scatter, fluctuation_std, fluctuation_hours, pitch_angle_power : float
        Relative scatter of the rate between storms; standard deviation (of log flux) and correlation time of the fluctuation;
        power n of the equatorial pitch-angle distribution sin^n.
    onset, minimum, last_minimum, depth, recovery_hours : ndarray, shape (storm,)
        Start of the main phase, deepest and last minimum, value of the index at the deepest (nT), e-folding time of the index.
    dip_storm, dip_onset, dip_minimum, dip_depth : ndarray, shape (dip,)
        Number of the storm (from 0), start, minimum, and what the dip adds to the index (nT, negative).
    population_rate : ndarray, shape (energy, L)
        1/day, on `ENERGY` and `L_CENTRES`.
    storm_rate : ndarray, shape (storm, energy, L)
        1/day.
    floor : ndarray, shape (energy,)
        cm-2 s-1 sr-1 keV-1.
    fluctuation : ndarray, shape (time, component)
        Independent unit Ornstein-Uhlenbeck series on a grid of a quarter of an hour.
    segment_start : ndarray, shape (segment,)
        Begin of each rise and each decay, in days.
    segment_rise : ndarray, shape (segment,)
        Length of the rise in days; infinite for a segment of decay alone.
    segment_log_flux, segment_rate, segment_log_injection : ndarray, shape (segment, L, energy)
        Log of the flux at the begin, rate, and log of the flux to be injected (-inf for none).
    """

    seed: int
    start: np.datetime64
    days: float
    scatter: float
    fluctuation_std: float
    fluctuation_hours: float
    pitch_angle_power: float
    onset: Array
    minimum: Array
    last_minimum: Array
    depth: Array
    recovery_hours: Array
    dip_storm: npt.NDArray[np.int64]
    dip_onset: Array
    dip_minimum: Array
    dip_depth: Array
    population_rate: Array
    storm_rate: Array
    floor: Array
    fluctuation: Array
    segment_start: Array
    segment_rise: Array
    segment_log_flux: Array
    segment_rate: Array
    segment_log_injection: Array


def make_truth(
    seed: int = DEFAULT_SEED,
    *,
    start: str | np.datetime64 = "2015-04-15",
    days: float = 150,
    first_storm: float = 5.5,
    scatter: float = 0.2,
    fluctuation_std: float = 0.15,
    fluctuation_hours: float = 12.0,
    pitch_angle_power: float = 2.0,
    floor: bool = True,
) -> Truth:
    """Draw a world from a seed.

    Parameters
    ----------
    seed : int
        The same seed and settings give the same world.
    start : str or datetime64
        Begin, UTC.
    days : float
        Length; 150 days hold ten storms (one a double dip, one with a quiet recovery of 35 days), more days more of them.
    first_storm : float
        Days from the begin to the minimum of the first storm.
    scatter : float
        Standard deviation between storms of a cell's rate, relative to the population rate. The arithmetic mean of the rates is the
        population rate.
    fluctuation_std, fluctuation_hours : float
        Standard deviation of log flux and correlation time of the Ornstein-Uhlenbeck fluctuation.
    pitch_angle_power : float
        Power n of the equatorial pitch-angle distribution sin^n.
    floor : bool
        Whether the instrument has a floor.

    Returns
    -------
    Truth

    Raises
    ------
    InputError
        If a setting is out of its range.
    """
    if days <= 0 or min(scatter, fluctuation_std, pitch_angle_power) < 0 or fluctuation_hours <= 0:
        raise InputError(
            "a simulated world needs days > 0, fluctuation_hours > 0, and no negative scatter, fluctuation_std or pitch_angle_power; "
            f"got days={days}, fluctuation_hours={fluctuation_hours}, scatter={scatter}, fluctuation_std={fluctuation_std}, "
            f"pitch_angle_power={pitch_angle_power}."
        )
    storms = _draw_storms(np.random.default_rng([seed, 1]), days, first_storm)
    population = 1.0 / population_tau(ENERGY[:, None], L_CENTRES[None, :])
    sigma = np.sqrt(np.log1p(scatter**2))
    loadings = _loadings()
    deviates = np.random.default_rng([seed, 2]).standard_normal((storms["minimum"].size, loadings.shape[-1]))
    # E[exp(sigma z - sigma^2 / 2)] = 1, so that the arithmetic mean of the storms' rates is the population rate.
    storm_rate = population * np.exp(sigma * np.einsum("kr,ler->kel", deviates, loadings) - sigma**2 / 2)
    return Truth(
        seed=seed,
        start=np.array([start], dtype="datetime64[ns]")[0],
        days=float(days),
        scatter=scatter,
        fluctuation_std=fluctuation_std,
        fluctuation_hours=fluctuation_hours,
        pitch_angle_power=pitch_angle_power,
        population_rate=population,
        storm_rate=storm_rate,
        floor=1e-3 * injection_spectrum(ENERGY) * floor,
        fluctuation=_ornstein_uhlenbeck(np.random.default_rng([seed, 3]), days, fluctuation_hours, loadings.shape[-1]),
        **storms,
        **_segments(storms, population, storm_rate),
    )


def population_tau(energy: Any, L: Any) -> Any:
    """Decay time of the population in days, at energies in keV and L."""
    return (2.0 + 8.0 * (np.asarray(energy) / 100.0) ** 2.532) * (np.asarray(L) / 4.0) ** 3


def injection_spectrum(energy: Any) -> Any:
    """Flux (cm-2 s-1 sr-1 keV-1, equatorial, 90 deg) that a dip of 130 nT injects at L = 4."""
    return 7.7e5 * np.exp(-np.asarray(energy) / 53.0)


def peak_flux(energy: Any) -> Any:
    """Flux at L = 4 at the minimum of a storm of 130 nT that follows others at 14 days' distance; for statements on sensitivity."""
    return injection_spectrum(energy) * (1.0 + 1.0 / np.expm1(_PREEXISTING_GAP / population_tau(energy, 4.0)))


def _injection_profile(L: Array) -> Array:
    return np.asarray(np.exp(-0.5 * ((L - 4.0) / 0.9) ** 2))


def _draw_storms(random: np.random.Generator, days: float, first_storm: float) -> dict[str, Any]:
    """Draw times and depths storm by storm, so that a longer series begins with the storms of a shorter one."""
    storms: dict[str, list[float]] = {name: [] for name in ("onset", "minimum", "last_minimum", "depth", "recovery_hours")}
    dips: dict[str, list[float]] = {name: [] for name in ("dip_storm", "dip_onset", "dip_minimum", "dip_depth")}
    minimum, number = first_storm, 0
    while True:
        jitter, main_hours, recovery_hours, depth = random.uniform([-0.3, 10.0, 12.0, -200.0], [0.3, 14.0, 20.0, -92.0])
        main_hours, depth = np.round(main_hours, 1), np.round(depth)
        twice = number % 10 == _DOUBLE_DIP
        if twice:
            depth = -150.0
        if minimum + 1.0 >= days:
            break
        last = minimum + _SECOND_DIP_HOURS / 24.0 if twice else minimum
        values = (minimum - main_hours / 24.0, minimum, last, depth, recovery_hours)
        for column, value in zip(storms.values(), values, strict=True):
            column.append(value)
        first_dip = (number, minimum - main_hours / 24.0, minimum, depth - QUIET_INDEX)
        # The second dip goes down to -110 nT; what is left of the first then is no part of what it adds.
        left = (depth - QUIET_INDEX) * np.exp(-_SECOND_DIP_HOURS / recovery_hours)
        second_dip = (number, minimum + (_SECOND_DIP_HOURS - _SECOND_FALL_HOURS) / 24.0, last, -110.0 - QUIET_INDEX - left)
        for dip in (first_dip, second_dip)[: 1 + twice]:
            for column, value in zip(dips.values(), dip, strict=True):
                column.append(value)
        minimum = np.round((minimum + _GAPS[number % len(_GAPS)] + jitter) * 1440.0) / 1440.0  # to a minute
        number += 1
    arrays: dict[str, Any] = {name: np.array(column, dtype=np.float64) for name, column in (storms | dips).items()}
    arrays["dip_storm"] = arrays["dip_storm"].astype(np.int64)
    return arrays


def _loadings() -> Array:
    """Weights of seven components in every cell, shape (L, energy, component); their squares add up to one.

    Half of the variance is common to all cells; the rest belongs to six overlapping regions of energy and L.
    """
    u = np.log(ENERGY)[None, :, None]
    v = L_CENTRES[:, None, None]
    centres = np.array([(np.log(energy), L) for energy in (60.0, 160.0, 430.0) for L in (3.0, 5.0)])
    bumps = np.exp(-0.5 * (((u - centres[:, 0]) / 0.6) ** 2 + ((v - centres[:, 1]) / 1.2) ** 2))
    bumps /= np.sqrt((bumps**2).sum(axis=-1, keepdims=True))
    common = np.ones((*bumps.shape[:2], 1))
    return np.asarray(np.concatenate([common, bumps], axis=-1) * np.sqrt(0.5))


def _ornstein_uhlenbeck(random: np.random.Generator, days: float, hours: float, components: int) -> Array:
    """Stationary unit series on the grid; exact there (an autoregression of order one)."""
    n = int(np.ceil(days * 24.0 / _FLUCTUATION_STEP)) + 2
    step = np.exp(-_FLUCTUATION_STEP / hours)
    noise = random.standard_normal((n, components))
    noise[1:] *= np.sqrt(1.0 - step**2)
    return np.asarray(lfilter([1.0], [1.0, -step], noise, axis=0))


def _segments(storms: dict[str, Any], population: Array, storm_rate: Array) -> dict[str, Any]:
    """Cut the time into rises and decays; within each the flux has a closed form."""
    profile = injection_spectrum(ENERGY)[None, :] * _injection_profile(L_CENTRES)[:, None]
    rate = population.T
    # What storms of 130 nT every 14 days have left at the moment before the next.
    log_flux = np.log(profile) - np.log(np.expm1(_PREEXISTING_GAP * rate))
    none = np.full_like(profile, -np.inf)
    segments: list[tuple[float, float, Array, Array, Array]] = [(0.0, np.inf, log_flux, rate, none)]
    for storm, onset, minimum, depth in zip(
        storms["dip_storm"], storms["dip_onset"], storms["dip_minimum"], storms["dip_depth"], strict=True
    ):
        log_injection = np.log(profile * -depth / REFERENCE_DEPTH)
        log_flux = log_flux - rate * (onset - segments[-1][0])
        segments.append((onset, minimum - onset, log_flux, rate, log_injection))
        log_flux = np.logaddexp(log_flux - rate * (minimum - onset), log_injection)
        rate = storm_rate[storm].T
        segments.append((minimum, np.inf, log_flux, rate, none))
    names = ("segment_start", "segment_rise", "segment_log_flux", "segment_rate", "segment_log_injection")
    return dict(zip(names, map(np.array, zip(*segments, strict=True)), strict=True))


def log_flux(truth: Truth, time: Times, L: npt.ArrayLike, *, fluctuation: bool = True) -> Array:
    """Log of the equatorial flux at a pitch angle of 90 deg, without floor and counting noise.

    Parameters
    ----------
    truth : Truth
        The world.
    time : array of datetime64, shape (n,)
        UTC.
    L : array_like, shape (n,)
        Dipole L; beyond 1.05 to 7.05 the nearest of these.
    fluctuation : bool
        Whether the Ornstein-Uhlenbeck fluctuation is in it.

    Returns
    -------
    ndarray, shape (n, energy)
        Natural log of cm-2 s-1 sr-1 keV-1, at the energies `ENERGY`.
    """
    days = elapsed_days(truth, time)
    position = np.clip((np.asarray(L, dtype=np.float64) - L_CENTRES[0]) / 0.1, 0.0, L_CENTRES.size - 1.0)
    lower = np.minimum(position.astype(np.int64), L_CENTRES.size - 2)
    weight = (position - lower)[:, None]
    segment = np.maximum(np.searchsorted(truth.segment_start, days, side="right") - 1, 0)
    since = (days - truth.segment_start[segment])[:, None]

    def at(table: Array, rows: npt.NDArray[Any] | slice = slice(None)) -> Array:
        s, i, w = segment[rows], lower[rows], weight[rows]
        return np.asarray(table[s, i] * (1.0 - w) + table[s, i + 1] * w)

    result = at(truth.segment_log_flux) - at(truth.segment_rate) * since
    rising = np.flatnonzero(np.isfinite(truth.segment_rise[segment]))
    if rising.size:
        x = np.clip(since[rising] / truth.segment_rise[segment[rising], None], 0.0, 1.0)
        # A smooth step, so that the flux has no kink at the onset.
        log_step = np.log(np.maximum(x * x * (3.0 - 2.0 * x), 1e-300))
        result[rising] = np.logaddexp(result[rising], at(truth.segment_log_injection, rising) + log_step)
    if fluctuation and truth.fluctuation_std > 0:
        step = np.clip(days * 24.0 / _FLUCTUATION_STEP, 0.0, truth.fluctuation.shape[0] - 1.001)
        before = step.astype(np.int64)
        part = (step - before)[:, None]
        series = truth.fluctuation[before] * (1.0 - part) + truth.fluctuation[before + 1] * part
        loadings = _loadings()
        # One component after the other keeps the intermediate arrays as small as the result.
        for r in range(loadings.shape[-1]):
            mixed = loadings[lower, :, r] * (1.0 - weight) + loadings[lower + 1, :, r] * weight
            result += truth.fluctuation_std * series[:, r, None] * mixed
    return result


def elapsed_days(truth: Truth, time: Times) -> Array:
    """Days (of 86400 s UTC) since the begin of the world."""
    return np.asarray((np.asarray(time, dtype="datetime64[ns]") - truth.start) / np.timedelta64(1, "ns") / 86400e9)


def at_days(truth: Truth, days: npt.ArrayLike) -> Times:
    """Return the time that lies so many days after the begin of the world."""
    return np.asarray(truth.start + np.round(np.asarray(days, dtype=np.float64) * 86400e9).astype("timedelta64[ns]"))


def truth_dataset(truth: Truth) -> xr.Dataset:
    """Put what a fit should find into a Dataset.

    Returns
    -------
    xarray.Dataset
        `population_rate` (energy, L) and `storm_rate` (storm, energy, L) in 1/day, `floor` (energy) in cm-2 s-1 sr-1 keV-1,
        `storm_onset`, `storm_minimum`, `storm_last_minimum`, `storm_depth` and `storm_n_dips` (storm).
    """
    reported = np.isin(L_CENTRES, L_TRUTH)
    n_dips = np.bincount(truth.dip_storm, minlength=truth.minimum.size)
    rate = {"units": "1/day"}
    return xr.Dataset(
        {
            "population_rate": (("energy", "L"), truth.population_rate[:, reported], rate | {"long_name": "mean decay rate of the storms"}),
            "storm_rate": (("storm", "energy", "L"), truth.storm_rate[:, :, reported], rate | {"long_name": "decay rate of each storm"}),
            "floor": ("energy", truth.floor, {"units": "cm-2 s-1 sr-1 keV-1", "long_name": "instrument floor"}),
            "storm_onset": ("storm", at_days(truth, truth.onset)),
            "storm_minimum": ("storm", at_days(truth, truth.minimum)),
            "storm_last_minimum": ("storm", at_days(truth, truth.last_minimum)),
            "storm_depth": ("storm", truth.depth, {"units": "nT"}),
            "storm_n_dips": ("storm", n_dips),
        },
        coords={
            "storm": np.arange(1, truth.minimum.size + 1),
            "energy": ("energy", ENERGY, {"units": "keV"}),
            "L": ("L", L_TRUTH, {"units": "1", "long_name": "dipole L"}),
        },
        attrs={
            "title": "SIMULATED: the truth behind the demonstration archive",
            "simulated": "yes",
            "seed": truth.seed,
            "start": str(truth.start),
            "days": truth.days,
            "scatter": truth.scatter,
            "fluctuation_std": truth.fluctuation_std,
            "fluctuation_hours": truth.fluctuation_hours,
            "pitch_angle_power": truth.pitch_angle_power,
        },
    )
