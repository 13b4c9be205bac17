"""Observed rates beside predicted ones, cell by cell."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from theory_decays import START, decays

import ringdecay as rd
from ringdecay.beside_theory import (
    ASSUMED,
    FLAGS,
    VERDICTS,
    compare_cells,
    comparison_header,
    comparison_table,
    factor_header,
    factor_table,
    fit_factors,
    highest_kp,
    predicted_rates,
    with_prediction,
)
from ringdecay.errors import InputError
from ringdecay.theory import loss_rate

ENERGY = np.array([45.0, 99.0, 148.0, 269.0])
SHELLS = np.array([3.0, 4.0, 5.0])
# Days, for equatorial pitch angle 90, the hydrogen of Rairden et al., the cross section of Lindsay and Stebbings, the saturated
# plasmasphere of Carpenter and Anderson and a flux as E^-2: made by hand from the sourced formulas, not with this package.
TEXTBOOK_DAYS = np.array([[0.53, 1.18, 2.36], [3.75, 8.24, 16.6], [12.3, 26.7, 54.0], [60.2, 127.0, 259.0]])


def textbook(factor: float = 1.0, storms: int = 4) -> np.ndarray:
    """Rates of storms that differ by 0.1 %, so that there is an interval."""
    spread = 1 + 0.001 * np.linspace(-1, 1, storms)
    return factor / TEXTBOOK_DAYS[None] * spread[:, None, None]


def compared(rate: np.ndarray, **settings) -> xr.Dataset:
    fits = decays(rate, ENERGY, SHELLS, **settings)
    return compare_cells(rd.lifetimes(fits, resamples=1), predicted_rates(fits))


def verdicts(comparison: xr.Dataset) -> set[str]:
    words = {value: name for name, value in VERDICTS.items()}
    return {words[int(value)] for value in comparison["verdict"].to_numpy().ravel()}


def test_rates_of_the_textbook_agree_and_have_both_factors_one():
    fits = decays(textbook(), ENERGY, SHELLS)
    found = rd.compare_with_theory(fits, rd.lifetimes(fits, resamples=1))
    assert verdicts(found) == {"agrees"}
    assert (found["band_low"] <= 1).all()
    assert (found["band_high"] >= 1).all()
    assert (found["ratio_least"] <= found["ratio"]).all()
    assert (found["ratio_greatest"] >= found["ratio"]).all()
    # The textbook's own model is one of those that the band is over.
    assert (found["ratio_least"] <= 1.01).all()
    assert (found["ratio_greatest"] >= 0.99).all()
    table = factor_table(found).set_index("L")
    assert list(table.index) == ["all", "3", "4", "5"]
    np.testing.assert_allclose(table["a"], 1, atol=0.02)
    np.testing.assert_allclose(table["b"], 1, atol=0.02)
    assert (table["a_models_low"] < 1).all()
    assert (table["a_models_high"] > 1).all()


@pytest.mark.parametrize(("factor", "verdict"), [(20.0, "faster"), (0.02, "slower")])
def test_rates_beyond_the_band_are_faster_or_slower(factor, verdict):
    found = compared(textbook(factor), rate_se=1e-5)
    assert verdicts(found) == {verdict}
    excess = found["rate_excess"].to_numpy()
    assert (np.sign(excess) == (1 if verdict == "faster" else -1)).all()
    assert ((found["rate_excess_low"] > 0) if verdict == "faster" else (found["rate_excess_high"] < 0)).all()


def test_an_interval_that_would_agree_with_much_more_cannot_tell():
    rate = 1 / TEXTBOOK_DAYS[None] * np.array([0.2, 1.8, 0.1, 1.9])[:, None, None]
    found = compared(rate)
    assert verdicts(found) == {"cannot_tell"}
    # It overlaps the band, so it is not against it either.
    assert (found["rate_low"] < found["rate_predicted_high"]).all()
    assert (found["rate_high"] > found["rate_predicted_low"]).all()


def test_limits_and_growth_have_a_ratio_like_any_other():
    rate = textbook()
    rate[:, 3] = np.array([-0.02, 0.01, 0.03, -0.01])[:, None]  # not resolved
    rate[:, 2] = -0.2 * (1 + 0.01 * np.arange(4)[:, None])  # growing
    found = compared(rate)
    limit, growing = found.isel(energy=3), found.isel(energy=2)
    assert np.isfinite(limit["ratio"]).all()
    assert (limit["ratio_low"] < 0).all()
    # One-sided at 95 % is inside of the two-sided end.
    assert ((limit["ratio"] < limit["ratio_limit"]) & (limit["ratio_limit"] < limit["ratio_high"])).all()
    assert (limit["flag"] & FLAGS["not_resolved"] > 0).all()
    assert (growing["ratio_high"] < 0).all()
    assert verdicts(growing) == {"slower"}
    assert found.isel(energy=[0, 1])["ratio_limit"].isnull().all()
    assert len(comparison_table(found)) == ENERGY.size * SHELLS.size


def test_ratio_and_its_interval_are_the_observation_over_the_median():
    rate = textbook() * np.array([0.8, 1.0, 1.1, 1.3])[:, None, None]
    fits = decays(rate, ENERGY, SHELLS)
    mean = rd.lifetimes(fits, resamples=1)
    found = compare_cells(mean, predicted_rates(fits))
    predicted = loss_rate(ENERGY, SHELLS, spectral_index=2.0)["rate_median"]
    for end in ("", "_low", "_high"):
        np.testing.assert_allclose(found[f"ratio{end}"], mean[f"rate{end}"] / predicted, rtol=1e-6)
    assert found["rate"].equals(mean["rate"])


def test_a_spectrum_that_is_not_known_is_assumed_and_said():
    rate = textbook()
    rate[:, [1, 3]] = np.nan  # 45 and 148 keV have no neighbour
    found = compared(rate)
    assumed = found["flag"] & FLAGS["spectral_index_assumed"] > 0
    assert assumed.all()
    assert (found["n_spectra"] == 0).all()
    for name, value in zip(("spectral_index_low", "spectral_index", "spectral_index_high"), ASSUMED, strict=True):
        assert (found[name] == value).all()
    # The band then goes over all of them; at 269 keV growth is in it.
    known = compared(textbook())
    assert not (known["flag"] & FLAGS["spectral_index_assumed"] > 0).any()
    assert (found["rate_coulomb_low"] < 0).all()
    assert (found["rate_predicted_high"] > known["rate_predicted_high"]).all()


def test_spectra_that_differ_between_storms_widen_the_band():
    g = np.array([0.0, 1.0, 2.0, 3.0, 4.0])[:, None, None]
    steady, various = compared(textbook(storms=5)), compared(textbook(storms=5), g=g)
    np.testing.assert_allclose(various["spectral_index"], steady["spectral_index"], atol=1e-6)
    np.testing.assert_allclose(various["rate_predicted"], steady["rate_predicted"], rtol=1e-6)
    assert (various["rate_predicted_low"] < steady["rate_predicted_low"]).all()
    assert (various["rate_predicted_high"] > steady["rate_predicted_high"]).all()


def test_where_the_prediction_is_growth_there_is_no_ratio_but_a_verdict():
    # A flux that rises as E^8 at 269 keV is fed by Coulomb drag faster than charge exchange takes from it.
    found = compared(textbook(), g=-8.0).sel(energy=269.0)
    assert (found["rate_predicted"] < 0).all()
    assert found["ratio"].isnull().all()
    assert found["ratio_greatest"].isnull().all()
    assert np.isfinite(found["rate_excess"]).all()
    assert verdicts(found) <= {"faster", "agrees", "cannot_tell"}
    assert (found["flag"] & FLAGS["growth"] > 0).all()


def test_the_pitch_angle_is_that_of_the_flux_or_the_setting():
    rate = textbook()
    plain = predicted_rates(decays(rate, ENERGY, SHELLS))
    assert plain.attrs["theory_equatorial_pitch_angle"] == 90.0
    at_57 = predicted_rates(decays(rate, ENERGY, SHELLS), equatorial_pitch_angle=57.0)
    # What the docstring says: the rate of a flux as sin^2 of the pitch angle, each part of it lost at its own rate.
    angles = np.arange(1.0, 90.0, 2.0)
    one = loss_rate(45.0, 4.0, angles)["rate_charge_exchange"]
    weight = (np.sin(np.radians(angles)) ** 3)[one.notnull()]
    mixed = float((one.dropna("equatorial_pitch_angle") * weight).sum() / weight.sum() / one[-1])
    assert mixed == pytest.approx(1.125, abs=0.005)
    ratio = float((at_57["rate_charge_exchange"] / plain["rate_charge_exchange"]).sel(energy=45, L=4))
    assert ratio == pytest.approx(mixed, rel=0.02)
    resolved = decays(rate, ENERGY, SHELLS, flux="equatorial pitch angle 30 to 45 degrees")
    assert predicted_rates(resolved).attrs["theory_equatorial_pitch_angle"] == 37.5
    inside = decays(rate, ENERGY, SHELLS, flux="equatorial pitch angle 0 to 3 degrees")
    found = compare_cells(rd.lifetimes(inside, resamples=1), predicted_rates(inside))
    assert verdicts(found) == {"no_prediction"}
    assert (found["flag"] & FLAGS["loss_cone"] > 0).all()


def test_each_ion_is_compared_with_its_own_loss():
    rate = np.full((3, 2, 1), 0.5)
    for ion, days in (("O+", 1.5), ("He+", 1.4)):
        # At L = 4 and 100 keV, by hand from the polynomials of RAM-SCB and the hydrogen of Rairden et al.
        found = predicted_rates(decays(rate, [50.0, 100.0], [4.0], ion=ion)).sel(energy=100.0, L=4.0)
        assert found.attrs["theory_species"] == ion
        assert float(found["rate_charge_exchange_low"]) == pytest.approx(1 / days, rel=0.05)


def test_L_that_is_not_the_dipoles_is_said():
    rate = textbook()
    assert "L_note" not in predicted_rates(decays(rate, ENERGY, SHELLS)).attrs
    found = compared(rate, L_definition="L_star")
    assert "L_star" in found.attrs["L_note"]
    assert any("L_star" in line and line.startswith("L_note") for line in comparison_header(found))


def kp_series(values: list[float]) -> xr.DataArray:
    time = START - np.timedelta64(48, "h") + np.arange(len(values)) * np.timedelta64(3, "h")
    return xr.DataArray(np.array(values, dtype=float), dims="time", coords={"time": time}, attrs={"units": "1"})


def test_the_highest_kp_of_the_last_day_is_averaged_over_the_fits():
    fits = decays(np.full((1, 2, 1), 0.1), [50.0, 99.0], [4.0], length=2.0)
    # A single 6 that ends as the fits begin counts for eight values of three hours, of the 17 that touch the two days.
    values = [2.0] * 15 + [6.0] + [2.0] * 17
    assert float(highest_kp(fits, kp_series(values))[0]) == pytest.approx((8 * 6 + 9 * 2) / 17, abs=0.25)
    assert float(highest_kp(fits, kp_series([2.0] * 33))[0]) == 2.0
    assert np.isnan(float(highest_kp(fits, kp_series([2.0] * 20))[0]))
    with pytest.raises(InputError, match="open_index"):
        highest_kp(fits, xr.DataArray(3.0))


def test_a_disturbed_time_has_less_coulomb_drag_outside_the_plasmapause():
    fits = decays(textbook(), ENERGY, SHELLS)
    time = START - np.timedelta64(48, "h") + np.arange(8 * 140) * np.timedelta64(3, "h")
    mean = rd.lifetimes(fits, resamples=1)
    found = {
        kp: rd.compare_with_theory(fits, mean, kp=xr.DataArray(np.full(time.size, kp), dims="time", coords={"time": time}))
        for kp in (0.0, 6.0)
    }
    assert found[6.0].attrs["theory_kp_max"] == 6.0
    assert found[6.0].attrs["theory_model_plasmasphere"] == "plasmapause"
    # At Kp 6 the plasmapause is at L = 2.84: the same rates then ask for more of the little drag that there is.
    by_L = {kp: factor_table(one).set_index("L")["b"] for kp, one in found.items()}
    assert by_L[0.0]["5"] == pytest.approx(1, abs=0.02)
    assert by_L[6.0]["5"] > 5
    missing = xr.DataArray(np.full(3, 2.0), dims="time", coords={"time": time[:3]})
    assert rd.compare_with_theory(fits, mean, kp=missing).attrs["theory_kp_max"] == "not known over any storm"


def test_a_run_of_paper_mode_has_a_prediction_but_no_observation():
    fits = decays(textbook(), ENERGY, SHELLS, mode="paper").assign(tau=lambda d: 1 / d["rate"])
    found = rd.compare_with_theory(fits, rd.lifetimes(fits))
    assert verdicts(found) == {"no_observation"}
    assert found["rate_predicted"].notnull().all()
    assert len(comparison_table(found)) == 0
    assert found["a"].isnull().all()


def test_lifetimes_keep_all_they_had_and_get_the_prediction_beside():
    fits = decays(textbook(), ENERGY, SHELLS)
    mean = rd.lifetimes(fits, resamples=1)
    beside = with_prediction(mean, predicted_rates(fits))
    assert beside.drop_vars(["rate_predicted", "rate_predicted_low", "rate_predicted_high"]).equals(mean)
    assert (beside["rate_predicted_low"] < beside["rate_predicted"]).all()
    assert beside["rate_predicted"].dims == mean["rate"].dims
    assert beside.attrs["theory_equatorial_pitch_angle"] == 90.0
    with pytest.raises(InputError, match="same energy"):
        with_prediction(mean.isel(energy=[0, 1]), predicted_rates(fits))
    with pytest.raises(InputError, match="same L"):
        compare_cells(mean.assign_coords(L=SHELLS + 1), predicted_rates(fits))


def test_single_storms_and_storms_lost_to_the_floor_are_flagged():
    found = compared(textbook(storms=1))
    assert (found["flag"] & FLAGS["single_storm"] > 0).all()
    rate = textbook()
    rate[:2, 0] = np.nan
    fits = decays(rate, ENERGY, SHELLS)
    fits["flag"][:2, 0, 0] = 16  # floor_reached
    found = rd.compare_with_theory(fits, rd.lifetimes(fits, resamples=1))
    lost = found["flag"] & FLAGS["storms_lost_to_floor"] > 0
    assert lost.sel(energy=45.0).all()
    assert not lost.sel(energy=[99.0, 148.0, 269.0]).any()
    # Their means know the slow storms only, and stay out of the factors.
    assert int(found["fit_cells"][0]) == 9


def test_L_below_the_ground_is_no_error_but_has_no_prediction():
    rate = np.full((3, 2, 2), 0.1)
    found = predicted_rates(decays(rate, [50.0, 99.0], [0.95, 4.0]))
    assert found["L"].values.tolist() == [0.95, 4.0]
    assert found["rate_predicted"].sel(L=0.95).isnull().all()
    assert found["rate_predicted"].sel(L=4.0).notnull().all()


def test_tables_say_what_they_are():
    found = compared(textbook())
    table, head = comparison_table(found), comparison_header(found)
    assert table.columns[:4].tolist() == ["energy", "L", "verdict", "ratio"]
    assert set(table["verdict"]) == {"agrees"}
    assert "SIMULATED" in head[0]
    assert "nothing of nature" in head[1]
    described = {line.split(":")[0].split(" [")[0].strip() for line in head[head.index("columns:") + 1 :]}
    assert described == set(table.columns)
    assert "verdicts: 12 agrees" in head
    fits = decays(textbook(storms=3), ENERGY, SHELLS)
    for angle, told in ((90.0, True), (57.0, False)):
        whole = rd.compare_with_theory(fits, rd.lifetimes(fits, resamples=1), equatorial_pitch_angle=angle)
        assert any("a = 1.12 to 1.15" in line for line in factor_header(whole)) == told
    real = compared(textbook(), simulated="no")
    assert not any("simulated" in line.lower() for line in comparison_header(real))


def test_decays_in_the_place_of_lifetimes_are_refused_in_a_sentence() -> None:
    fits = decays(textbook(), ENERGY, SHELLS)
    for wrong in (fits, xr.Dataset()):
        for call in (
            lambda it=wrong: rd.compare_with_theory(fits, it),
            lambda it=wrong: compare_cells(it, predicted_rates(fits)),
            lambda it=wrong: fit_factors(fits, it),
            lambda it=wrong: with_prediction(it, predicted_rates(fits)),
        ):
            with pytest.raises(InputError, match="must be the Dataset that lifetimes returns"):
                call()


def test_a_pitch_angle_that_is_no_number_is_refused() -> None:
    with pytest.raises(InputError, match="equatorial pitch angle"):
        predicted_rates(decays(textbook(), ENERGY, SHELLS), equatorial_pitch_angle=np.nan)
