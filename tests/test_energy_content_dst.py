"""The index without the solar wind's pressure, and its expected recovery: against SpacePy, on real OMNI data, and closed numbers."""

from __future__ import annotations

import datetime
import importlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from ring_current_flux import START, at, index, solar_wind

from ringdecay.energy_content import dst_recovery_rate, pressure_corrected
from ringdecay.energy_content.dst_star import means_between
from ringdecay.errors import InputError
from ringdecay.indices import open_index, open_solar_wind
from ringdecay.theory import plasmapause


@pytest.fixture(scope="module")
def empiricals() -> Any:
    """Give SpacePy's empirical models; without its own files of OMNI data they want values to be passed in."""
    pytest.importorskip("spacepy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("spacepy.empiricals")


def test_dst_star_is_that_of_spacepy_on_real_data(shared_data: Path, empiricals: Any) -> None:
    files = [shared_data / "omni2_hourly" / f"omni2_{year}.dat" for year in (2013, 2015)]
    dst, wind = open_index(files, "Dst"), open_solar_wind(files)
    ours = pressure_corrected(dst, wind["Pdyn"])
    theirs = empiricals.getDststar({"Pdyn": wind["Pdyn"].to_numpy(), "Dst": dst.to_numpy()}, model="OBrien")
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)
    assert ours.name == "Dst*"
    assert np.isfinite(ours).sum() > 17_000
    # Fills of the pressure are not known, not zero.
    assert (ours.isnull() == wind["Pdyn"].isnull()).all()


def test_sym_h_star_is_that_of_the_same_five_minutes(shared_data: Path, empiricals: Any) -> None:
    files = sorted((shared_data / "omni_hro2_5min_cdf").glob("*.cdf"))
    sym_h, wind = open_index(files, "SYM-H"), open_solar_wind(files)
    ours = pressure_corrected(sym_h, wind["Pdyn"])
    theirs = empiricals.getDststar({"Pdyn": wind["Pdyn"].to_numpy(), "Dst": sym_h.to_numpy()})
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)
    # Hourly pressure of the other data set holds for all five minutes of its hour.
    hourly = open_solar_wind([shared_data / "omni2_hourly" / f"omni2_{year}.dat" for year in (2013, 2018)])
    coarse = pressure_corrected(sym_h, hourly["Pdyn"])
    steps = (coarse - sym_h).to_numpy().reshape(-1, 12)
    known = np.isfinite(steps).all(axis=1)
    assert known.sum() > 2000
    np.testing.assert_allclose(np.ptp(steps[known], axis=1), 0.0, atol=1e-9)
    np.testing.assert_allclose(float(np.nanmedian(coarse - ours)), 0.0, atol=0.5)


def test_the_plasmapause_is_that_of_spacepy_on_real_kp(shared_data: Path, empiricals: Any) -> None:
    spacepy_time = importlib.import_module("spacepy.time")
    kp = open_index(shared_data / "omni2_hourly" / "omni2_2015.dat", "Kp").sel(time=slice("2015-03-10", "2015-03-25"))
    utc = [datetime.datetime.fromisoformat(str(time)[:19]) for time in kp["time"].to_numpy()]
    ticks = spacepy_time.Ticktock(utc[24:], "UTC")
    theirs = empiricals.getPlasmaPause(ticks, model="CA1992", omnivals={"UTC": utc, "Kp": kp.to_numpy()})
    # The hour itself and the 24 before it.
    highest = kp.to_series().rolling(25).max().to_numpy()[24:]
    np.testing.assert_allclose(plasmapause(highest), theirs, rtol=0, atol=1e-9)
    assert np.ptp(theirs) > 2.0  # the storm of 17 March brings it in


def test_the_recovery_of_dst_has_its_published_times() -> None:
    # 19 h without a southward field; the abstract's formula at 5 mV/m by hand: 2.40 exp(9.74/9.69) h.
    assert 24 / dst_recovery_rate(0.0) == pytest.approx(19.15, abs=0.01)
    assert 24 / dst_recovery_rate(5.0) == pytest.approx(6.557, abs=0.001)
    np.testing.assert_array_equal(dst_recovery_rate([-3.0, -0.1]), dst_recovery_rate([0.0, 0.0]))
    assert np.isnan(dst_recovery_rate(np.nan))


def test_without_solar_wind_the_index_is_left_and_says_so() -> None:
    plain = index()
    for none in (None, solar_wind()["Pdyn"] * np.nan, solar_wind()["Pdyn"].isel(time=[])):
        same = pressure_corrected(plain, none)
        np.testing.assert_array_equal(same, plain)
        assert same.name == "SYM-H"
        assert same.attrs["pressure_correction"].startswith("none")


def test_a_pressure_holds_for_its_own_hour_and_no_longer() -> None:
    time = at(np.arange(8) / 48)  # half hours
    sym_h = xr.DataArray(np.zeros(8), coords={"time": time}, dims="time", name="SYM-H", attrs={"units": "nT"})
    pressure = xr.DataArray(
        [1.0, 4.0, np.nan, 9.0], coords={"time": at(np.arange(4) / 24)}, dims="time", attrs={"time_label": "start of the hour"}
    )
    expected = 11 - 7.26 * np.array([1, 1, 2, 2, np.nan, np.nan, 3, 3])
    np.testing.assert_allclose(pressure_corrected(sym_h, pressure), expected)
    centred = pressure.assign_coords(time=at((np.arange(4) + 0.5) / 24)).assign_attrs(time_label="centre of the hour")
    np.testing.assert_allclose(pressure_corrected(sym_h, centred), expected)
    # After the last value and in a gap of the file nothing is known.
    np.testing.assert_allclose(pressure_corrected(sym_h, pressure.isel(time=[0, 1])), [3.74] * 2 + [-3.52] * 2 + [np.nan] * 4)
    np.testing.assert_allclose(pressure_corrected(sym_h, pressure.isel(time=[1, 3]))[:2], [np.nan] * 2)


def test_something_else_than_an_index_is_refused() -> None:
    with pytest.raises(InputError, match="over time alone"):
        pressure_corrected(xr.DataArray(np.zeros((2, 2)), dims=("time", "probe")))


def test_means_need_half_of_their_values() -> None:
    values = pd.Series([1.0, 3.0, np.nan, np.nan, 5.0, np.nan])
    series = xr.DataArray(values, coords={"time": at(np.arange(6) / 24)}, dims="time")
    hour = np.timedelta64(3600, "s")
    begin = START + np.array([0, 1, 2, 4, 10]) * hour
    end = START + np.array([2, 4, 4, 6, 12]) * hour
    np.testing.assert_array_equal(means_between(series, begin, end), [2.0, np.nan, np.nan, 5.0, np.nan])


def test_an_index_that_is_not_in_nanotesla_is_refused() -> None:
    kp = xr.DataArray([3.0, 4.0], coords={"time": np.array(["2015-03-17", "2015-03-18"], dtype="datetime64[ns]")}, dims="time", name="Kp")
    with pytest.raises(InputError, match="in nT, but Kp is in 1"):
        pressure_corrected(kp.assign_attrs(units="1"))
