"""A floor that nobody knows: the rate above it is right, or the fit says that it cannot be told."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from synthetic_decays import START, Truth, mission, ornstein_uhlenbeck, simulate

from ringdecay.decays import FLAGS, fit_decay, fit_decays, quiet_floor
from ringdecay.decays.cells import Cut, cut, fit_calibrated, pool_cuts
from ringdecay.decays.error_models import pool_models
from ringdecay.decays.estimators.lines import exponential_floor
from ringdecay.decays.floor import highest_floor
from ringdecay.decays.free_floor import fit_free_floor
from ringdecay.decays.gls import Series
from ringdecay.decays.intervals import intervals
from ringdecay.decays.pooling import Pool
from ringdecay.decays.shape import with_shape
from ringdecay.errors import InputError

SPACING = 0.374


def runs(seed: int, number: int, efolds: float, points: int, rho: float, floor: float, counts: float = 1000.0) -> tuple[Cut, float, float]:
    """Series of so many e-folds above a floor (of the first flux); their true rate, and the highest floor that they allow."""
    rng = np.random.default_rng(seed)
    t = np.broadcast_to(np.arange(points) * SPACING, (number, points)) + rng.uniform(-0.04, 0.04, (number, points))
    rate = efolds / ((points - 1) * SPACING)
    theta = -SPACING / np.log(rho) if rho else 0.0
    u = 0.15 * ornstein_uhlenbeck(rng, np.arange(points) * SPACING, theta, (number,))
    n = rng.poisson(counts * (np.exp(-rate * t + u) + floor)).astype(float)
    exposure, inside = np.full(t.shape, counts), np.ones(t.shape, dtype=bool)
    one = cut(np.log((n + 0.5) / counts), t, n / counts, n, exposure, inside, np.full(number, np.nan), 5.0, 5.0)
    return one, rate, highest_floor(n / counts, n, exposure)


def fitted(one: Cut, highest: float) -> dict[str, np.ndarray]:
    pooled = pool_cuts([one], 5)
    values = fit_calibrated(one, pooled, 5, 0.95)
    allowed = np.full(len(one.floor), highest)
    pools = pool_models([one], [values], pooled, 5)
    return with_shape(one, values, pools, highest_floor=allowed, fit_floor="auto", confidence=0.95, stages=False, bin_days=SPACING)


@pytest.mark.parametrize("floor", [0.0, 0.1])
@pytest.mark.parametrize(("efolds", "points", "rho"), [(3.0, 24, 0.0), (3.0, 24, 0.8), (4.0, 36, 0.4), (5.0, 48, 0.8)])
def test_an_unknown_floor_of_a_tenth_moves_the_median_rate_by_less_than_five_percent(efolds: float, points: int, rho: float, floor: float):
    one, rate, highest = runs(31, 200, efolds, points, rho, floor)
    found = fitted(one, highest)
    # Of 200 rates with an error of 0.17 at most the median has an error of 0.015.
    assert np.median(found["rate"]) == pytest.approx(rate, rel=0.05)
    own = (found["flag"] & FLAGS["floor_fitted"]) > 0
    assert own.mean() > 0.95
    assert (((found["flag"] & FLAGS["floor_not_separable"]) > 0) == ~own).all()
    held = (found["rate_low"] <= rate) & (rate <= found["rate_high"])
    # Binomial error 0.016.
    assert 0.90 <= held[own].mean() <= 0.995
    assert np.median(found["floor"][own]) == pytest.approx(floor, abs=0.02)


def test_short_or_coarse_windows_above_an_unknown_floor_are_flagged():
    for efolds, points in ((1.0, 30), (4.0, 14)):
        one, rate, highest = runs(32, 100, efolds, points, 0.4, 0.1)
        found = fitted(one, highest)
        assert ((found["flag"] & FLAGS["floor_not_separable"]) > 0).all()
        assert not (found["flag"] & FLAGS["floor_fitted"]).any()
        # And they had better be: the straight line is off.
        assert np.median(found["rate"]) < 0.9 * rate


def test_a_floor_far_below_the_flux_flags_nothing():
    one, rate, _ = runs(33, 100, 1.0, 30, 0.4, 0.0, counts=1e5)
    # The lowest flux that the channel has ever shown is a hundredth of the first.
    found = fitted(one, 0.01)
    assert not (found["flag"] & (FLAGS["floor_not_separable"] | FLAGS["floor_fitted"])).any()
    assert np.median(found["rate"]) == pytest.approx(rate, rel=0.05)


def test_the_floor_belongs_to_the_flux_not_to_its_logarithm():
    """Without fluctuation the curve is found exactly, whatever the units of flux and time."""
    t = np.tile(np.linspace(2.0, 14.0, 40), (2, 1))
    rate, scale, floor = np.array([0.4, 0.3])[:, None], np.array([1e5, 3.0])[:, None], np.array([2e3, 0.2])[:, None]
    y = np.log(scale * np.exp(-rate * t) + floor)
    found = fit_free_floor(Series(y, t, np.full(t.shape, 1e-8), np.array([40, 40])), Pool(0.3, 1e-6))
    np.testing.assert_allclose(found.rate, rate[:, 0], rtol=1e-4)
    np.testing.assert_allclose(found.floor, floor[:, 0], rtol=1e-3)
    np.testing.assert_allclose(found.level, np.log(scale[:, 0]), atol=1e-3)


def test_as_an_estimator_it_has_the_interface_of_the_others():
    one, rate, _ = runs(34, 40, 4.0, 30, 0.0, 0.1)
    found = exponential_floor(one, pool_cuts([one], 5), 0.95)
    held = intervals(found.rate, found.rate_se, found.df, 0.95)
    assert ((held["rate_low"] <= rate) & (rate <= held["rate_high"])).mean() > 0.85


def test_series_of_four_points_have_no_floor():
    one, _, _ = runs(35, 3, 4.0, 4, 0.0, 0.1)
    assert np.isnan(exponential_floor(one, Pool(0.4, 0.02), 0.95).rate).all()


@pytest.mark.parametrize(("points", "error"), [(24, 1.0), (60, 1.0), (60, 1.05)])
def test_a_known_floor_of_a_tenth_leaves_the_median_rate_within_five_percent(points: int, error: float):
    """A window that ends at the first low bin ends after a high one: its rates were 6 to 9 % low."""
    rng = np.random.default_rng(36)
    number, rate = 1000, 3.0 / ((points - 1) * SPACING)
    t = np.broadcast_to(np.arange(points) * SPACING, (number, points))
    n = rng.poisson(1000 * (np.exp(-rate * t + 0.15 * rng.normal(size=t.shape)) + 0.1)).astype(float)
    exposure, inside = np.full(t.shape, 1000.0), np.ones(t.shape, dtype=bool)
    one = cut(np.log((n + 0.5) / 1000), t, n / 1000, n, exposure, inside, np.full(number, 0.1 * error), 5.0, 5.0)
    assert one.floor_reached.all()
    found = fit_calibrated(one, pool_cuts([one], 5), 5, 0.95)
    assert np.isfinite(found["rate"]).mean() > 0.95
    assert np.nanmedian(found["rate"]) == pytest.approx(rate, rel=0.04)


def test_the_highest_floor_is_the_lowest_flux_with_its_counting_error():
    counts = np.array([400.0, 100.0, np.nan, 9.0, 0.0])
    exposure = np.array([1.0, 1.0, np.nan, 1.0, np.nan])
    flux = np.array([400.0, 100.0, 50.0, 9.0, np.nan])
    assert highest_floor(flux[:3], counts[:3], exposure[:3]) == pytest.approx(50, rel=0.05)
    # 9 counts allow 10 + 2 sqrt(9.75).
    assert highest_floor(flux, counts, exposure) == pytest.approx(16.2, rel=0.1)
    assert np.isnan(highest_floor(np.array([np.nan]), np.array([np.nan]), np.array([np.nan])))
    # No count at all in a long time excludes all but a low floor.
    assert highest_floor(np.zeros(1), np.zeros(1), np.array([1e3])) == pytest.approx(2.7e-3, rel=0.05)


def lone(efolds: float, points: int, floor: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray, float]:
    rng = np.random.default_rng(seed)
    t = np.arange(points) * SPACING
    rate = efolds / t[-1]
    return t, 1e4 * (np.exp(-rate * t + 0.1 * rng.normal(size=points)) + floor), rate


def test_a_lone_series_gets_a_floor_of_its_own_if_it_is_long_enough():
    t, flux, rate = lone(4.0, 40, 0.1)
    found = fit_decay(t, flux)
    assert found["flag"] & FLAGS["floor_fitted"]
    assert not found["flag"] & FLAGS["floor_not_separable"]
    assert float(found["rate_low"]) < rate < float(found["rate_high"])
    assert float(found["floor"]) == pytest.approx(1e3, rel=0.2)
    straight = fit_decay(t, flux, floor=None)
    assert straight["flag"] & FLAGS["floor_not_separable"]
    assert float(straight["rate"]) < 0.7 * rate
    # A floor that is known needs neither; the series then ends at five floors.
    known = fit_decay(t, flux, floor=1e3)
    assert not known["flag"] & (FLAGS["floor_fitted"] | FLAGS["floor_not_separable"])
    assert float(known["rate"]) == pytest.approx(rate, rel=0.2)


def test_a_short_lone_series_is_flagged_and_can_be_fitted_with_a_floor_all_the_same():
    t, flux, _ = lone(1.0, 20, 0.1)
    assert fit_decay(t, flux)["flag"] & FLAGS["floor_not_separable"]
    free = fit_decay(t, flux, floor="free")
    assert free["flag"] & FLAGS["floor_fitted"]
    assert free["flag"] & FLAGS["floor_not_separable"]
    assert float(free["rate_se"]) > 2 * float(fit_decay(t, flux)["rate_se"])


def test_the_estimator_with_a_floor_says_that_it_fitted_one_or_that_it_could_not():
    t, flux, rate = lone(4.0, 40, 0.1)
    found = fit_decay(t, flux, estimator="exponential_floor")
    assert found["flag"] & FLAGS["floor_fitted"]
    assert not found["flag"] & (FLAGS["floor_not_separable"] | FLAGS["no_estimate"])
    assert float(found["floor"]) == pytest.approx(1e3, rel=0.2)
    assert float(found["rate"]) == pytest.approx(rate, rel=0.2)
    t, flux, _ = lone(1.0, 20, 0.1)
    short = fit_decay(t, flux, estimator="exponential_floor")
    assert np.isnan(short["rate"])
    assert np.isnan(short["floor"])
    assert short["flag"] & FLAGS["floor_not_separable"]
    assert short["flag"] & FLAGS["no_estimate"]


@pytest.mark.parametrize("name", ["quiet", "given", "bend"])
def test_a_floor_of_another_name_is_refused(name: str):
    t, flux, _ = lone(1.0, 20, 0.1)
    with pytest.raises(InputError, match=name):
        fit_decay(t, flux, floor=name)


def quiet_world(seed: int, floor_decades: float, taus: tuple[float, ...] = (1.0, 1.4, 30.0)) -> Truth:
    """Three channels over 15 L-shells, and two long quiet times."""
    tau = np.array(taus)[:, None] * np.ones(15)
    return simulate(seed, tau, np.array([1e5, 1e5, 1e5]), gaps=(13.0, 30.0, 12.0, 30.0), floor_decades=floor_decades)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_floor_is_found_from_quiet_time_where_the_signal_has_gone(seed: int):
    world = quiet_world(seed, 2.0)
    floor = quiet_floor(world.binned, world.storms)
    np.testing.assert_allclose(floor.to_numpy()[:2], world.floor[:2], rtol=0.05)
    # At 30 days the signal is still there.
    assert np.isnan(floor.to_numpy()[2])
    assert floor.dims == ("energy",)
    assert floor.attrs["units"] == "cm-2 s-1 sr-1 keV-1"


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_no_quiet_floor_is_seen_where_the_flux_only_falls(seed: int):
    world = quiet_world(seed, 30.0, (3.0, 8.0, 60.0))
    assert np.isnan(quiet_floor(world.binned, world.storms).to_numpy()).all()


def test_rates_above_the_quiet_floor_are_unbiased():
    z, known = [], []
    for seed in range(4):
        world = simulate(100 + seed, np.full((1, 15), 1.5), np.array([1e5]), gaps=(13.0, 30.0, 12.0, 30.0), floor_decades=2.0)
        for out, floor in ((z, "quiet"), (known, xr.DataArray(world.floor, dims="energy"))):
            found = fit_decays(world.binned, world.storms, floor=floor)
            out.append(((found["rate"].to_numpy()[:, 0] - world.storm_rate) / found["rate_se"].to_numpy()[:, 0]).ravel())
    assert found.attrs["floor_from"] == "given"
    # 16 storms in fluctuations of their own: the mean of z has an error of 0.25; what the two have in common is not of the floor.
    assert abs(np.nanmean(z) - np.nanmean(known)) < 0.15


def test_quiet_time_needs_a_length_and_may_not_exist():
    world = quiet_world(1, 2.0)
    with pytest.raises(InputError, match="quiet_days"):
        quiet_floor(world.binned, world.storms, quiet_days=0)
    assert np.isnan(quiet_floor(world.binned, world.storms, quiet_days=40)).all()
    assert np.isnan(quiet_floor(world.binned, world.storms.iloc[:0])).all()


def test_every_choice_of_the_floor_says_what_it_was():
    world = mission(7, n_e=4, n_l=4, floor_decades=2)
    auto, free, none = (fit_decays(world.binned, world.storms, floor=floor) for floor in ("auto", "free", None))
    assert auto.attrs["floor_from"].startswith("bend of the recoveries")
    assert free.attrs["floor_from"] == "bend of each recovery"
    own = (free["flag"].to_numpy() & FLAGS["floor_fitted"]) > 0
    # The flux of slow channels is too straight to say anything of a floor; they keep their line.
    assert own[:, 0, :2].all()
    assert own[:, 0, 2:].mean() > 0.7
    np.testing.assert_array_equal(free["rate"].to_numpy()[~own], none["rate"].to_numpy()[~own])
    assert not ((none["flag"].to_numpy() & FLAGS["floor_fitted"]) > 0).any()
    assert np.isnan(none["floor"]).all()
    # The fastest channel reaches its floor, and without one its fits say so.
    assert ((none["flag"].to_numpy() & FLAGS["floor_not_separable"]) > 0)[:, 0, 0].mean() > 0.9
    assert not ((auto["flag"].to_numpy() & FLAGS["floor_not_separable"]) > 0)[:, 0, 0].any()
    with pytest.raises(InputError, match="bend"):
        fit_decays(world.binned, world.storms, floor="bend")


def test_paper_mode_fits_no_floor_but_flags_one_it_cannot_exclude():
    world = mission(7, n_e=4, n_l=4, floor_decades=2)
    found = fit_decays(world.binned, world.storms, "paper", floor=None)
    flags = found["flag"].to_numpy()
    assert not (flags & FLAGS["floor_fitted"]).any()
    assert ((flags & FLAGS["floor_not_separable"]) > 0)[:, 0, 0].mean() > 0.9
    assert found["start"].to_numpy().min() > START
