"""Two probes fitted jointly: the likelihood against dense matrices, the offset, honest errors, and worlds where merging misleads."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
import xarray as xr
from click.testing import CliRunner
from scipy import stats
from synthetic_decays import ornstein_uhlenbeck

import ringdecay as rd
from ringdecay.binned import SUMS, with_merged_probe
from ringdecay.cli import main
from ringdecay.decays import FLAGS, VARIABLES, index_windows
from ringdecay.decays.gls import Series, least_squares, reml_grid
from ringdecay.decays.pooling import OWN_SHARES, Estimate, estimate, median_spacing, own_share, pool
from ringdecay.errors import InputError
from ringdecay.store import open_dataset, write_dataset

OFFSET, RATE, COUNTS = np.log(1.3), 0.1, 1e4


def two_probes(
    seed: int,
    number: int,
    bins: int = 28,
    *,
    own: float = 0.0,
    lag: float = 0.187,
    handover: bool = False,
    theta: float = 0.5,
    sigma: float = 0.15,
) -> Series:
    """Series of two probes that see one fluctuation, `lag` days apart in every bin.

    `own` is the share of its variance that is each point's own. A fifth of the points is missing; in a hand-over the first probe has the
    first half of the window and the second the rest.
    """
    rng = np.random.default_rng(seed)
    y, t, second, n = np.zeros((number, 2 * bins)), np.zeros((number, 2 * bins)), np.zeros((number, 2 * bins)), np.zeros(number, dtype=int)
    for k in range(number):
        base = np.arange(bins) * 0.374
        times = np.concatenate([base, base + lag]) + rng.uniform(-0.01, 0.01, 2 * bins)
        probe = np.repeat([0.0, 1.0], bins)
        kept = rng.random(2 * bins) > 0.2
        if handover:
            kept &= (times < base.mean()) == (probe == 0)
        order = np.argsort(times[kept])
        times, probe = times[kept][order], probe[kept][order]
        n[k] = len(times)
        own_points = rng.normal(size=n[k]) * np.sqrt(own * sigma**2 + 1 / COUNTS)
        t[k, : n[k]], second[k, : n[k]] = times, probe
        y[k, : n[k]] = 5 - RATE * times + OFFSET * probe + sigma * np.sqrt(1 - own) * ornstein_uhlenbeck(rng, times, theta) + own_points
    return Series(y, t, np.full(y.shape, 1 / COUNTS), n, second)


def fitted(series: Series) -> Estimate:
    return estimate(series, pool(series, len(series.n), own_share=own_share(series, len(series.n))))


def of_the_first(series: Series) -> Series:
    """Points of the first probe alone."""
    own = series.valid & (series.second == 0)
    order = np.argsort(np.where(own, series.t, np.inf), axis=1)
    return Series(*(np.take_along_axis(each, order, 1) for each in (series.y, series.t, series.noise)), own.sum(1))


def share_held(found: Estimate) -> float:
    return float(np.mean(np.abs(found.rate - RATE) < stats.t.ppf(0.975, found.df) * found.se))


# --- the likelihood


@pytest.mark.parametrize("own", [0.0, 0.3])
def test_grid_equals_gls_of_statsmodels_with_a_level_for_each_probe_and_the_dense_reml_likelihood(own):
    series = two_probes(1, 3, 15, own=0.1)
    # Two points at one time, one of each probe, and a series of one probe only.
    series.t[0, 5] = series.t[0, 4]
    series.second[0, 4:6] = [0, 1]
    series.second[2] = 0
    theta, sigma = np.array([0.05, 0.5, 4.0]), np.array([[0.1, 0.2, 0.3], [0.5, 0.4, 0.05]])
    grid = reml_grid(series, theta, sigma, own)
    for k, j, m in np.ndindex(3, 3, 2):
        n = series.n[k]
        t, y, second = series.t[k, :n], series.y[k, :n], series.second[k, :n]
        common = (1 - own) * sigma[m, k] ** 2 * np.exp(-np.abs(t[:, None] - t) / theta[j])
        covariance = common + np.diag(own * sigma[m, k] ** 2 + series.noise[k, :n])
        x = np.column_stack([np.ones(n), t, second]) if k < 2 else np.column_stack([np.ones(n), t])
        model = sm.GLS(y, x, sigma=covariance).fit()
        information = x.T @ np.linalg.solve(covariance, x)
        residual = y - x @ model.params
        log_likelihood = -0.5 * (
            np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(information)[1] + residual @ np.linalg.solve(covariance, residual)
        )
        expected = {
            "level": model.params[0],
            "slope": model.params[1],
            "slope_variance": model.normalized_cov_params[1, 1],
            "log_likelihood": log_likelihood,
            "offset": model.params[2] if k < 2 else 0.0,
            "offset_variance": model.normalized_cov_params[2, 2] if k < 2 else 0.0,
        }
        for name, value in expected.items():
            assert getattr(grid, name)[j, m, k] == pytest.approx(value, rel=1e-8, abs=1e-12), name


def test_least_squares_with_two_levels_equal_those_of_statsmodels():
    series = two_probes(2, 4, 12)
    line = least_squares(series)
    for k in range(4):
        t, y, second = (values[k, : series.n[k]] for values in (series.t, series.y, series.second))
        model = sm.OLS(y, np.column_stack([np.ones(len(t)), t, second])).fit()
        assert [line.slope[k], line.offset[k]] == pytest.approx(model.params[1:], rel=1e-9)
        assert line.freedom[k] == model.df_resid
        assert np.sqrt(line.residual_variance[k] / line.spread_t[k]) == pytest.approx(model.bse[1], rel=1e-9)
        assert line.residuals(series)[k, : series.n[k]] == pytest.approx(model.resid, abs=1e-10)


def test_the_spacing_of_two_probes_is_that_of_one_of_them():
    t = np.array([[0.0, 0.1, 1.0, 1.1, 2.0, 2.1, 9.0]])
    series = Series(t, t, t, np.array([6]), np.array([[0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0]]))
    assert median_spacing(series) == pytest.approx([1.0])


# --- the statistics


@pytest.mark.parametrize(("own", "lag", "handover"), [(0.0, 0.187, False), (0.35, 0.02, False), (0.1, 0.187, True)])
def test_intervals_cover_as_they_say_and_the_offset_is_found(own, lag, handover):
    number = 400
    found = fitted(two_probes(3, number, own=own, lag=lag, handover=handover))
    # 400 trials: the binomial error is 0.011; 0.93 to 0.97 with three of them on both sides.
    assert 0.915 <= share_held(found) <= 0.985
    assert abs(np.mean(found.rate - RATE)) < 4 * np.std(found.rate) / np.sqrt(number)
    assert abs(np.mean(found.offset - OFFSET)) < 4 * np.std(found.offset) / np.sqrt(number)
    assert 0.915 <= np.mean(np.abs(found.offset - OFFSET) < 1.96 * found.offset_se) <= 0.99
    assert np.median(found.se) == pytest.approx(np.std(found.rate), rel=0.15)


@pytest.mark.parametrize("own", [0.0, 0.1, 0.35])
def test_the_part_of_the_fluctuation_that_is_each_probes_own_is_found(own):
    asked = two_probes(4, 60, own=own, lag=0.02)
    between = float(np.max(np.diff(OWN_SHARES)[np.searchsorted(OWN_SHARES, own) - 1 :][:2])) if own else 0.02
    # Even as the evidence of ten independent series, 28 pairs each decide between neighbouring values.
    assert own_share(asked, 10) == pytest.approx(own, abs=between)


def test_no_share_of_its_own_is_given_where_no_series_has_both_probes():
    series = two_probes(5, 30)
    alone = Series(series.y, series.t, series.noise, series.n, np.zeros_like(series.t))
    assert own_share(alone, 30) == 0.0
    assert own_share(Series(series.y, series.t, series.noise, series.n), 30) == 0.0


def test_a_second_look_at_one_fluctuation_is_not_a_second_storm():
    both = two_probes(6, 150, lag=0.01, theta=1.0)
    ratio = np.median(fitted(both).se / fitted(of_the_first(both)).se)
    # Independent looks would give 0.71. That nothing is gained is known to a tenth: the pooled correlation times differ a little.
    assert 0.9 < ratio < 1.1
    # Where all scatter is each point's own, a second probe is as good as twice the points.
    white = two_probes(6, 150, own=1.0)
    assert 0.64 < np.median(fitted(white).se / fitted(of_the_first(white)).se) < 0.78


# --- from binned flux to lifetimes


@pytest.fixture(scope="module")
def world() -> tuple[rd.simulate.Truth, xr.Dataset, xr.Dataset]:
    """A simulated world without floor, its binned flux of both probes and merged, and the joint fits."""
    truth = rd.simulate.make_truth(71_000, floor=False)
    binned = rd.simulate.binned_series(truth).isel(L=slice(1, None, 6), energy=slice(0, None, 2))
    return truth, binned, fit(truth, binned)


def fit(truth: rd.simulate.Truth, binned: xr.Dataset, **settings) -> xr.Dataset:
    return rd.fit_decays(with_merged_probe(binned), rd.simulate.storms(truth), floor=None, joint=True, **settings)


def silent(binned: xr.Dataset, probe: str, when: np.ndarray) -> xr.Dataset:
    """Take away a probe's samples in some of the time bins."""
    there = xr.DataArray(~when, dims="time") | (binned["probe"] != probe)
    return binned.assign({name: binned[name] * there for name in SUMS})


def held(decays: xr.Dataset, truth: rd.simulate.Truth) -> xr.DataArray:
    """Share of the fits of each probe whose interval holds the rate of their storm."""
    known = rd.simulate.truth_dataset(truth)["storm_rate"].sel(L=decays["L"], energy=decays["energy"], method="nearest")
    known = known.transpose("storm", "energy", "L").to_numpy()[:, None]
    inside = (decays["rate_low"] <= known) & (known <= decays["rate_high"])
    return inside.sum(("storm", "energy", "L")) / np.isfinite(decays["rate"]).sum(("storm", "energy", "L"))


def test_the_joint_fit_is_one_more_probe_of_the_result_and_never_a_storm(world):
    truth, _, decays = world
    assert decays["probe"].to_numpy().tolist() == ["a", "b", "merged", "joint"]
    assert set(VARIABLES) <= set(decays)
    joint = decays.sel(probe="joint")
    np.testing.assert_array_equal(joint["n"], decays["n"].sel(probe="a") + decays["n"].sel(probe="b"))
    for name, choose in (("start", np.fmin), ("stop", np.fmax)):
        np.testing.assert_array_equal(joint[name], choose(*(decays[name].sel(probe=p).to_numpy() for p in "ab")))
    assert np.isnan(decays["probe_offset"].sel(probe=["a", "b", "merged"])).all()
    assert abs(float(joint["probe_offset"].median())) < 0.01
    lives = rd.lifetimes(decays, probe="joint")
    assert int(lives["n_storms"].max()) == len(rd.simulate.storms(truth))
    # Both probes see one fluctuation: the error is that of the merged flux, not smaller by the root of two.
    ratio = decays["rate_se"].sel(probe="joint") / decays["rate_se"].sel(probe="merged")
    assert float(ratio.median()) == pytest.approx(1.0, abs=0.06)
    assert float((joint["n_eff"] / decays["n_eff"].sel(probe="merged")).median()) < 1.5


def test_it_is_the_fit_of_the_one_probe_where_the_other_is_silent(world):
    truth, binned, _ = world
    storms = rd.simulate.storms(truth)
    alone = fit(truth, silent(binned, "b", np.ones(binned.sizes["time"], dtype=bool)))
    for name in ("rate", "rate_se", "df", "rho", "sigma", "theta", "log_flux_start", "r2", "n_eff", "start", "stop", "flag"):
        expected, found = (alone[name].sel(probe=probe).to_numpy() for probe in ("a", "joint"))
        if expected.dtype.kind == "f":
            np.testing.assert_allclose(found, expected, rtol=1e-8, err_msg=name)
        else:
            # Curvature and stages are asked of the probes' own series only.
            own = ~(FLAGS["curved"] | FLAGS["two_stages"]) if name == "flag" else ~0
            np.testing.assert_array_equal(found.astype(np.int64) & own, expected.astype(np.int64) & own)
    assert np.isnan(alone["probe_offset"]).all()
    assert alone.attrs["joint_pool_own_share"] == 0
    # Silent in one storm: no offset there, and a rate as good as the one probe's.
    time = binned["time"].to_numpy()
    third = (time >= storms["onset"].to_numpy()[2]) & (time < storms["onset"].to_numpy()[3])
    one = fit(truth, silent(binned, "b", third))
    assert np.isnan(one["probe_offset"].sel(probe="joint").isel(storm=2)).all()
    assert np.isfinite(one["probe_offset"].sel(probe="joint").isel(storm=1)).all()
    moved = (one["rate"].sel(probe="joint") - one["rate"].sel(probe="a")).isel(storm=2)
    assert float(np.abs(moved / one["rate_se"].sel(probe="a").isel(storm=2)).max()) < 0.2


def test_the_probes_swapped_give_the_same_rate_and_the_offset_turned(world):
    truth, binned, decays = world
    swapped = fit(truth, binned.assign_coords(probe=["b", "a"])).sel(probe="joint")
    for name in ("rate", "rate_se", "df", "n_eff", "log_flux_start", "sigma", "theta"):
        np.testing.assert_allclose(swapped[name], decays[name].sel(probe="joint"), rtol=1e-6, err_msg=name)
    np.testing.assert_allclose(swapped["probe_offset"], -decays["probe_offset"].sel(probe="joint"), atol=1e-7)


def test_a_hand_over_between_probes_that_differ_misleads_the_merged_flux_and_not_the_joint_fit(world):
    truth, binned, _ = world
    # Probe b measures 30 % more, and in the middle of every window one probe takes over from the other.
    scale = xr.DataArray([1.0, 1.3], dims="probe")
    factors = {"sum_flux": scale, "sum_flux_squared": scale**2, "exposure": 1 / scale}
    binned = binned.assign({name: binned[name] * factor for name, factor in factors.items()})
    storms, time = rd.simulate.storms(truth), binned["time"].to_numpy()
    last = storms["last_minimum"].to_numpy()
    ends = np.minimum(np.append(storms["onset"].to_numpy()[1:], time[-1]), last + np.timedelta64(31, "D"))
    turns = np.searchsorted(last + (ends - last) / 2, time) % 2 == 0
    handed = silent(silent(binned, "b", turns), "a", ~turns)
    # Windows of the run end at a hand-over; these do not.
    decays = fit(truth, handed, windows=index_windows(handed, storms))
    share = held(decays, truth)
    assert float(share.sel(probe="merged")) < 0.75
    # One world's cells share their storms: measured over worlds 0.974, with 0.02 from world to world.
    assert float(share.sel(probe="joint")) > 0.92
    # With both probes all the time neither is misled, and the offset is found.
    steady = fit(truth, binned)
    assert float(held(steady, truth).sel(probe="merged")) > 0.92
    assert float(steady["probe_offset"].sel(probe="joint").median()) == pytest.approx(np.log(1.3), abs=0.01)


def test_the_command_line_averages_the_joint_fits(world, tmp_path):
    decays = world[2]
    write_dataset(decays, tmp_path / "decays.nc")
    told = CliRunner().invoke(main, ["lifetimes", str(tmp_path / "decays.nc"), "--probe", "joint", "--output", str(tmp_path / "tau.nc")])
    assert told.exit_code == 0, told.output
    found = open_dataset(tmp_path / "tau.nc")
    assert found.attrs["probe"] == "joint"
    np.testing.assert_array_equal(found["rate"], rd.lifetimes(decays, probe="joint")["rate"])


def test_paper_mode_fits_least_squares_with_two_levels(world):
    truth, binned, _ = world
    decays = fit(truth, binned, mode="paper")
    joint = decays.sel(probe="joint")
    fitted_cells = np.isfinite(joint["rate"].to_numpy())
    np.testing.assert_array_equal(joint["df"].to_numpy()[fitted_cells], joint["n"].to_numpy()[fitted_cells] - 3.0)
    assert "joint_pool_own_share" not in decays.attrs


def test_a_joint_fit_of_one_probe_is_refused(world):
    truth, binned, _ = world
    with pytest.raises(InputError, match="two probes, not of a"):
        fit(truth, binned.isel(probe=[0]))


def test_without_storms_there_is_an_empty_result(world):
    truth, binned, _ = world
    none = rd.fit_decays(with_merged_probe(binned), rd.simulate.storms(truth).iloc[:0], joint=True)
    assert none.sizes["storm"] == 0
    assert none["probe"].to_numpy().tolist() == ["a", "b", "merged", "joint"]


def test_flags_of_either_probe_are_flags_of_both(world):
    truth, binned, _ = world
    unknown = binned.assign(exposure=binned["exposure"].where(binned["probe"] == "a"))
    flags = fit(truth, unknown)["flag"].to_numpy()
    assert (flags[:, 3] & FLAGS["counts_unknown"] > 0).any()
    assert not (flags[:, 0] & FLAGS["counts_unknown"] > 0).any()
