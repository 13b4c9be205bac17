"""Each estimator against an independent reference: statsmodels, scipy, or the equation it must solve."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import optimize, stats

from ringdecay.decays.cells import Counted, Cut
from ringdecay.decays.estimators import ESTIMATORS, counts, lines, theil_sen
from ringdecay.decays.fitted import Fitted
from ringdecay.decays.gls import Series
from ringdecay.decays.pooling import Pool

POOL = Pool(0.374, 0.02)


def cut_of(t: list[np.ndarray], n_counts: list[np.ndarray], exposure: list[np.ndarray], floor: float = 0.0) -> Cut:
    """Series of one's own in the form the estimators take; the log flux has half a count and the true noise about it."""
    width = max(len(one) for one in t)

    def packed(values: list[np.ndarray]) -> np.ndarray:
        return np.array([np.pad(np.asarray(one, float), (0, width - len(one))) for one in values])

    n = np.array([len(one) for one in t])
    logs = [np.log(np.maximum((k + 0.5) / x - floor, 1e-9)) for k, x in zip(n_counts, exposure, strict=True)]
    none = np.zeros(len(n), dtype=bool)
    series = Series(packed(logs), packed(t), packed([1 / (k + 0.5) for k in n_counts]), n)
    counted = Counted(packed(t), packed(n_counts), packed(exposure), n)
    return Cut(series, counted, np.full(len(n), floor if floor else np.nan), none, none, none)


def decays(
    seed: int,
    number: int,
    points: int,
    *,
    tau: float = 6.0,
    peak: float = 300.0,
    sigma: float = 0.2,
    floor: float = 0.0,
    ragged: bool = True,
) -> Cut:
    """Poisson counts of decaying flux that fluctuates from bin to bin, at irregular times with uneven exposure."""
    rng = np.random.default_rng(seed)
    t, n_counts, exposure = [], [], []
    for _ in range(number):
        k = rng.integers(points // 2, points + 1) if ragged else points
        times = np.sort(rng.uniform(0, 12, k))
        x = rng.uniform(0.5, 1.5, k)
        t.append(times)
        exposure.append(x)
        n_counts.append(rng.poisson(x * (peak * np.exp(-times / tau + sigma * rng.normal(size=k)) + floor)))
    return cut_of(t, n_counts, exposure, floor)


def own(cut: Cut, k: int) -> tuple[np.ndarray, ...]:
    """Times, log flux, noise, counts and exposure of one series."""
    n = cut.series.n[k]
    return tuple(each[k, :n] for each in (cut.series.t, cut.series.y, cut.series.noise, cut.counted.counts, cut.counted.exposure))


def root(function, high: float) -> float:
    """Where a falling function of a variance is zero; 0 if it is below zero from the start."""
    return 0.0 if function(0.0) <= 0 else optimize.brentq(function, 0.0, high, xtol=1e-9, rtol=1e-9)


def fitted(name: str, cut: Cut) -> Fitted:
    return ESTIMATORS[name](cut, POOL, 0.95)


def test_ols_is_that_of_statsmodels():
    cut = decays(1, 6, 24)
    found = fitted("ols", cut)
    for k in range(6):
        t, y, *_ = own(cut, k)
        model = sm.OLS(y, sm.add_constant(t)).fit()
        got = [found.level[k], -found.rate[k], found.rate_se[k], found.df[k]]
        assert got == pytest.approx([*model.params, model.bse[1], model.df_resid], rel=1e-10)


@pytest.mark.parametrize("sigma", [0.0, 0.1, 0.4])
def test_weighted_is_wls_with_the_excess_that_leaves_the_sum_of_squares_at_its_degrees_of_freedom(sigma: float):
    cut = decays(2, 12, 24, sigma=sigma)
    found = fitted("weighted", cut)
    excesses = []
    for k in range(12):
        t, y, noise, *_ = own(cut, k)

        def model(excess: float, t=t, y=y, noise=noise):
            return sm.WLS(y, sm.add_constant(t), weights=1 / (noise + excess)).fit(cov_type="fixed scale")

        excess = root(lambda s, y=y, model=model: np.sum(model(s).wresid ** 2) - (len(y) - 2), 10.0)
        excesses.append(excess)
        reference = model(excess)
        assert [found.level[k], -found.rate[k], found.rate_se[k]] == pytest.approx([*reference.params, reference.bse[1]], rel=1e-5)
    # Both branches are tried: counting alone is enough, and it is not.
    assert max(excesses) > 0
    assert sigma != 0.0 or min(excesses) == 0


def test_weighted_is_ordinary_where_all_points_are_equally_noisy_or_nothing_is_known_of_them():
    cut = decays(3, 5, 20)
    plain = fitted("ols", cut)
    for noise in (0.0, 1e-4):
        same = Series(cut.series.y, cut.series.t, np.full_like(cut.series.y, noise), cut.series.n)
        found = fitted("weighted", Cut(same, cut.counted, cut.floor, cut.floor_reached, cut.few_counts, cut.counts_unknown))
        np.testing.assert_allclose(found.rate, plain.rate, rtol=1e-9)
        np.testing.assert_allclose(found.rate_se, plain.rate_se, rtol=1e-6)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("pairs", [50, 2_000_000])
def test_theil_sen_is_that_of_scipy(monkeypatch: pytest.MonkeyPatch, ties: bool, pairs: int):
    monkeypatch.setattr(theil_sen, "PAIRS", pairs)
    cut = decays(4, 20, 25, peak=30.0)
    if ties:
        # Low counts of one exposure repeat themselves, and so do rounded times.
        series = Series(np.round(cut.series.y, 1), np.round(cut.series.t), cut.series.noise, cut.series.n)
        cut = Cut(series, cut.counted, cut.floor, cut.floor_reached, cut.few_counts, cut.counts_unknown)
    found = fitted("theil_sen", cut)
    for k in range(20):
        t, y, *_ = own(cut, k)
        reference = stats.theilslopes(y, t, alpha=0.95, method="joint")
        got = [-found.rate[k], -found.high[k], -found.low[k], found.level[k]]
        assert got == pytest.approx([reference.slope, reference.low_slope, reference.high_slope, reference.intercept], rel=1e-9)
    # The standard error is that of a t interval as wide.
    half = stats.t.ppf(0.975, found.df) * found.rate_se
    np.testing.assert_allclose(2 * half, found.high - found.low)


def test_theil_sen_is_not_moved_by_a_few_wild_points():
    cut = decays(5, 300, 20, sigma=0.1, peak=1e4, ragged=False)
    y = cut.series.y.copy()
    # A fifth of the points, all late: another injection, say.
    y[:, -4:] += 3.0
    wild = Cut(
        Series(y, cut.series.t, cut.series.noise, cut.series.n),
        cut.counted,
        cut.floor,
        cut.floor_reached,
        cut.few_counts,
        cut.counts_unknown,
    )
    assert abs(np.median(fitted("ols", wild).rate) - 1 / 6) > 0.15
    assert abs(np.median(fitted("theil_sen", wild).rate) - 1 / 6) < 0.06


class AboveFloor(sm.families.links.Link):
    """Log of the counts per exposure above a floor, as a link of statsmodels."""

    def __init__(self, exposure: np.ndarray, floor: float):
        self.exposure, self.floor = exposure, floor

    def __call__(self, mean):
        return np.log(np.maximum(mean / self.exposure - self.floor, 1e-12))

    def inverse(self, z):
        return self.exposure * (np.exp(z) + self.floor)

    def deriv(self, mean):
        return 1 / np.maximum(mean - self.exposure * self.floor, 1e-12)

    def inverse_deriv(self, z):
        return self.exposure * np.exp(z)


@pytest.mark.filterwarnings("ignore:The AboveFloor link")
@pytest.mark.parametrize(("peak", "floor"), [(300.0, 0.0), (8.0, 0.0), (300.0, 5.0)])
def test_poisson_is_that_of_statsmodels_with_exposure_floor_and_pearsons_scale(peak: float, floor: float):
    cut = decays(6, 8, 24, peak=peak, floor=floor)
    found = fitted("poisson", cut)
    assert found.counted
    for k in range(8):
        t, _, _, n_counts, exposure = own(cut, k)
        family = sm.families.Poisson(link=AboveFloor(exposure, floor), check_link=False)
        start = np.array([found.level[k], -found.rate[k]]) + 0.01
        model = sm.GLM(n_counts, sm.add_constant(t), family=family).fit(start_params=start, scale="X2", tol=1e-12)
        # statsmodels' weights for the error are those of the expected information, as ours.
        got = [found.level[k], -found.rate[k], found.rate_se[k]]
        assert got == pytest.approx([*model.params, model.bse[1]], rel=1e-5)
        if not floor:
            usual = sm.GLM(n_counts, sm.add_constant(t), family=sm.families.Poisson(), exposure=exposure).fit(scale="X2", tol=1e-12)
            assert got == pytest.approx([*usual.params, usual.bse[1]], rel=1e-6)


@pytest.mark.parametrize(("peak", "sigma"), [(300.0, 0.2), (1e5, 0.15), (8.0, 0.0)])
def test_negative_binomial_is_that_of_statsmodels_at_the_dispersion_that_leaves_chi_square_at_its_degrees_of_freedom(
    peak: float, sigma: float
):
    cut = decays(7, 6, 24, peak=peak, sigma=sigma)
    found = fitted("negative_binomial", cut)
    dispersions = []
    for k in range(6):
        t, _, _, n_counts, exposure = own(cut, k)

        def model(alpha: float, t=t, n_counts=n_counts, exposure=exposure):
            # statsmodels takes no dispersion of exactly 0.
            family = sm.families.NegativeBinomial(alpha=max(alpha, 1e-12))
            return sm.GLM(n_counts, sm.add_constant(t), family=family, exposure=exposure).fit(scale=1.0, tol=1e-12, maxiter=60)

        dispersion = root(lambda a, n_counts=n_counts, model=model: model(a).pearson_chi2 - (len(n_counts) - 2), 5.0)
        dispersions.append(dispersion)
        reference = model(dispersion)
        assert [found.level[k], -found.rate[k], found.rate_se[k]] == pytest.approx([*reference.params, reference.bse[1]], rel=1e-5)
    assert (min(dispersions) == 0) == (sigma == 0.0), dispersions


def test_the_moment_dispersion_is_nearer_the_truth_than_the_likelihoods_on_short_series():
    rng = np.random.default_rng(8)
    t, alpha = np.linspace(0, 6, 12), 0.05
    n_counts = [rng.poisson(rng.gamma(1 / alpha, alpha * 500 * np.exp(-t / 6))) for _ in range(150)]
    by_likelihood = [
        sm.NegativeBinomial(k, sm.add_constant(t)).fit(disp=0, start_params=[np.log(500), -1 / 6, alpha]).params[2] for k in n_counts
    ]
    cut = cut_of([t] * 150, n_counts, [np.ones(12)] * 150)
    se = fitted("negative_binomial", cut).rate_se
    # The error at a known dispersion, by closed form, tells which dispersion was used.
    mean = 500 * np.exp(-t / 6)
    weight = mean / (1 + alpha * mean)
    known = 1 / np.sqrt((weight * (t - np.average(t, weights=weight)) ** 2).sum())
    assert np.mean(se**2) == pytest.approx(known**2, rel=0.12)
    assert np.mean(by_likelihood) < 0.88 * alpha


def test_regressions_on_counts_keep_zeros_and_are_not_biased_where_logs_are():
    # From 5 counts in the first bin to 0.4 in the last: three in ten bins are empty.
    rng = np.random.default_rng(9)
    t, rate = np.arange(32) * 0.374, 1 / 4.5
    n_counts = rng.poisson(5 * np.exp(-rate * t), (3000, 32))
    assert 0.25 < (n_counts == 0).mean() < 0.5
    cut = cut_of([t] * 3000, list(n_counts), [np.ones(32)] * 3000)
    for name in ("poisson", "negative_binomial"):
        found = fitted(name, cut)
        assert np.nanmean(found.rate) == pytest.approx(rate, rel=0.05), name
        inside = np.abs(found.rate - rate) < stats.t.ppf(0.975, found.df) * found.rate_se
        assert 0.92 < inside.mean() < 0.98, name
    # Half a count in every bin: the log flattens out where the counts do.
    assert np.mean(fitted("ols", cut).rate) < 0.8 * rate
    # Zeros left out: what remains cannot fall below one count.
    kept = [k > 0 for k in n_counts]
    lost = cut_of([t[k] for k in kept], [n[k] - 0.5 for n, k in zip(n_counts, kept, strict=True)], [np.ones(k.sum()) for k in kept])
    assert np.mean(fitted("ols", lost).rate) < 0.65 * rate


def test_counts_without_a_maximum_of_the_likelihood_have_no_rate():
    t, one = np.arange(8.0), np.ones(8)
    only_first, nothing, enough = one * 0, one * 0, one * 3
    only_first[0] = 20
    cut = cut_of([t, t, t, t[:2]], [only_first, nothing, enough, enough[:2]], [one, one, one, one[:2]])
    for name in ("poisson", "negative_binomial"):
        found = fitted(name, cut)
        assert np.isnan(found.rate).tolist() == [True, True, False, True], name
        assert np.isnan(found.rate_se).tolist() == [True, True, False, True], name
        assert found.rate[2] == pytest.approx(0, abs=1e-9)


def test_one_count_amid_zeros_has_a_maximum_and_a_start_far_off_reaches_it():
    t = np.arange(9.0)
    middle = np.where(t == 3, 4.0, 0.0)
    found = fitted("poisson", cut_of([t], [middle], [np.ones(9)]))

    def minus_log_likelihood(x: np.ndarray) -> float:
        eta = x[0] - x[1] * t
        return float(np.sum(np.exp(eta) - middle * eta))

    best = optimize.minimize(minus_log_likelihood, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}).x
    assert [found.level[0], found.rate[0]] == pytest.approx(list(best), abs=1e-5)


def test_a_floor_is_added_not_taken_off():
    cut = decays(10, 400, 30, tau=3.0, peak=400.0, floor=10.0, sigma=0.0, ragged=False)
    none = Cut(cut.series, cut.counted, np.full(400, np.nan), cut.floor_reached, cut.few_counts, cut.counts_unknown)
    assert np.mean(fitted("poisson", cut).rate) == pytest.approx(1 / 3, rel=0.01)
    assert np.mean(fitted("poisson", none).rate) < 0.9 / 3


def test_series_are_fitted_each_by_itself_whatever_their_order_and_number(monkeypatch: pytest.MonkeyPatch):
    cut = decays(11, 30, 24)
    turned = np.arange(30)[::-1]
    other = Cut(
        Series(*(each[turned] for each in (cut.series.y, cut.series.t, cut.series.noise, cut.series.n))),
        Counted(*(each[turned] for each in (cut.counted.t, cut.counted.counts, cut.counted.exposure, cut.counted.n))),
        cut.floor, cut.floor_reached, cut.few_counts, cut.counts_unknown,
    )  # fmt: skip
    before = {name: fitted(name, cut) for name in ESTIMATORS}
    monkeypatch.setattr(counts, "CHUNK", 7)
    monkeypatch.setattr(lines, "CHUNK", 7)
    for name, one in before.items():
        np.testing.assert_allclose(fitted(name, other).rate[turned], one.rate, rtol=1e-7, err_msg=name)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_exact_decay_is_found_exactly_and_too_few_points_are_nan(name: str):
    t = np.arange(30) * 0.6  # two and a half e-folds: a floor of its own is fitted in long windows alone
    cut = cut_of([t, t[:2], t[:0]], [1e9 * np.exp(-t / 7) - 0.5, t[:2] + 5, t[:0]], [t * 0 + 2, t[:2] + 1, t[:0]])
    found = fitted(name, cut)
    assert found.rate[0] == pytest.approx(1 / 7, rel=1e-6)
    assert found.level[0] == pytest.approx(np.log(5e8), rel=1e-6)
    for each in (found.rate, found.rate_se, found.df, found.level):
        assert np.isnan(each[1:]).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", [name for name in ESTIMATORS if name not in ("gls", "exponential_floor")])
def test_points_at_one_time_have_no_rate(name: str):
    one = np.ones(6)
    found = fitted(name, cut_of([2 * one, np.arange(6.0)], [one * 5, np.arange(9.0, 3.0, -1)], [one, one]))
    assert np.isnan(found.rate).tolist() == [True, False]


@pytest.mark.parametrize("name", ["ols", "weighted", "theil_sen", "negative_binomial"])
def test_intervals_hold_where_bins_fluctuate_independently(name: str):
    cut = decays(12, 1500, 20, sigma=0.2, peak=500.0, ragged=False)
    found = fitted(name, cut)
    half = stats.t.ppf(0.975, found.df) * found.rate_se
    assert np.mean(np.abs(found.rate - 1 / 6) < half) == pytest.approx(0.95, abs=0.025)
