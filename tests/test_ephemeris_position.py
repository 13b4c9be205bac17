"""Coordinates computed from position, against SpacePy and IRBEM, the two real MagEphem rows, and what geometry says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from filelock import FileLock
from pap_file import pap_file

import ringdecay as rd
from ringdecay.binned import Grid
from ringdecay.cdf import CdfVariable, read_cdf
from ringdecay.ephemeris import (
    along_orbit,
    dipole_axis_geo,
    dipole_L,
    dipole_moment,
    drift_shells,
    geo_to_sm,
    magnetic_latitude,
    magnetic_local_time,
    open_ephemeris,
    sun_direction_geo,
)
from ringdecay.ephemeris.drift_shell import _nodes, _spacepy
from ringdecay.errors import FileError, InputError
from ringdecay.flux import with_traced
from ringdecay.flux.coordinates import coordinates_of
from ringdecay.simulate.orbit import ephemeris as orbit

Z = np.array([0.0, 0.0, 1.0])
PAP = "rbsp-a-rbspice_lev-3-pap_tofxeh_20150630_v1.2.4-03.cdf"


@pytest.fixture(scope="module")
def magephem(shared_data):
    return open_ephemeris(shared_data / "magephem_txt/20130218_rbspa_MagEphem.txt")


def hours_apart(one, other):
    return np.abs(np.mod(one - other + 12.0, 24.0) - 12.0)


@pytest.mark.parametrize("irbem", [True, False])
def test_solar_magnetic_coordinates_are_those_of_spacepy(irbem):
    coordinates = pytest.importorskip("spacepy.coordinates")
    times = pytest.importorskip("spacepy.time")
    rng = np.random.default_rng(11)
    n = 100 if irbem else 30  # SpacePy's own conversion is slow
    time = np.datetime64("2012-08-30", "ns") + (rng.uniform(0, 7.15 * 365.25 * 86400e9, n)).astype("timedelta64[ns]")
    direction = rng.normal(size=(n, 3)) * [1.0, 1.0, 0.3]
    position = direction / np.linalg.norm(direction, axis=1, keepdims=True) * rng.uniform(1.1, 6.0, (n, 1))
    reference = coordinates.Coords(position, "GEO", "car", use_irbem=irbem)
    reference.ticks = times.Ticktock(time.astype("datetime64[us]").tolist(), "UTC")
    expected = reference.convert("SM", "car").data
    found = geo_to_sm(position, time)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), np.linalg.norm(position, axis=1), rtol=1e-12)
    near = np.abs(magnetic_latitude(expected, Z)) < 60  # an hour of local time is nothing near the pole
    assert near.sum() > 0.8 * n
    assert hours_apart(magnetic_local_time(found), magnetic_local_time(expected))[near].max() < 0.004
    # IRBEM takes the dipole of the middle of the year.
    assert np.abs(magnetic_latitude(found, Z) - magnetic_latitude(expected, Z)).max() < (0.04 if irbem else 0.005)


def test_solar_magnetic_coordinates_are_those_of_the_real_magephem_rows(magephem):
    time = magephem["time"].to_numpy()
    found = geo_to_sm(magephem["position"].to_numpy(), time)
    assert np.abs(found - magephem["position_SM"].to_numpy()).max() < 0.002
    assert hours_apart(magnetic_local_time(found), magephem["MLT"].to_numpy()).max() < 0.002
    assert np.abs(magnetic_latitude(found, Z) - magephem["MLAT"].to_numpy()).max() < 0.01
    np.testing.assert_allclose(dipole_L(np.linalg.norm(found, axis=1), magnetic_latitude(found, Z)), magephem["L"], rtol=2e-4)
    # The file's own M_igrf, which L_eq is made with.
    np.testing.assert_allclose(dipole_moment(time), 29898.0, atol=0.5)


def test_the_sun_is_where_the_almanac_has_it():
    # Equinox 2015-03-20 22:45 UTC and solstice 2015-06-21 16:38 UTC (Astronomical Almanac): declination 0 and 23.44 deg.
    time = np.array(["2015-03-20T22:45", "2015-06-21T16:38", "2015-09-01T12:00"], dtype="datetime64[ns]")
    x, y, z = sun_direction_geo(time).T
    np.testing.assert_allclose(np.rad2deg(np.arcsin(z))[:2], [0.0, 23.437], atol=0.012)
    # On 1 September the equation of time is nearly nought (-0.1 min): at noon of Greenwich the Sun stands over its meridian.
    assert np.rad2deg(np.arctan2(y, x))[2] == pytest.approx(0.0, abs=0.1)


def test_local_time_is_noon_at_the_sun_and_six_in_the_morning_behind():
    time = np.array(["2017-05-05T03:00", "NaT"], dtype="datetime64[ns]")
    sun = sun_direction_geo(time[:1])[0]
    assert hours_apart(magnetic_local_time(geo_to_sm(np.stack([sun, sun]), time))[0], 12.0) < 1e-9
    assert np.isnan(geo_to_sm(np.stack([sun, sun]), time)[1]).all()
    assert magnetic_local_time(np.array([[-1.0, 0, 0], [0, -1, 0], [0, 1, 0], [1, 0, 1]])).tolist() == [0.0, 6.0, 18.0, 12.0]


def test_dipole_axis_is_where_the_geomagnetic_pole_is():
    # IGRF geomagnetic north pole: 80.4 N, 72.6 W in 2015 (WDC Kyoto's table of poles).
    axis = dipole_axis_geo(np.array(["2015-01-01"], dtype="datetime64[ns]"))[0]
    assert np.rad2deg(np.arcsin(axis[2])) == pytest.approx(80.4, abs=0.1)
    assert np.rad2deg(np.arctan2(axis[1], axis[0])) == pytest.approx(-72.6, abs=0.1)


def test_l_of_a_point_on_a_dipole_field_line():
    latitude = np.array([0.0, 15.0, -40.0])
    radius = 4.5 * np.cos(np.deg2rad(latitude)) ** 2
    position = np.stack([radius * np.cos(np.deg2rad(latitude)), 0 * radius, radius * np.sin(np.deg2rad(latitude))], axis=-1)
    found = magnetic_latitude(position, np.array([0.0, 0.0, 1.0]))
    np.testing.assert_allclose(found, latitude, atol=1e-12)
    np.testing.assert_allclose(dipole_L(radius, found), 4.5)


# What IRBEM's Tsyganenko 1989 gives where MagEphem's does: it differs by up to 0.0103 (L*), 0.0080 (L), 0.039 (L_eq), 0.018 (B) of
# the value. The
# two programs differ in the field (their B by 1.8 %), not in the tracing.
@pytest.mark.parametrize("pitch_angle", [90.0, 45.0, 10.0])
def test_drift_shells_are_those_of_the_real_magephem_rows(magephem, pitch_angle):
    pytest.importorskip("spacepy.irbempy")
    expected = magephem.sel(pitch_angle=pitch_angle)
    found = drift_shells(magephem["time"], magephem["position_SM"].to_numpy(), pitch_angle=pitch_angle, model="T89", kp=2.0)
    for name, tolerance in (("L_star", 0.015), ("L_m", 0.01), ("L_eq", 0.05), ("B", 0.025), ("I", 0.12 if pitch_angle == 90 else 0.06)):
        np.testing.assert_allclose(found[name], expected[name], rtol=tolerance, err_msg=name)
    assert "T89" in found["L_star"].attrs["method"]
    assert f"pitch angle {pitch_angle:g}" in found["L_star"].attrs["method"]


def test_quiet_l_star_is_near_that_of_the_real_magephem_rows(magephem):
    pytest.importorskip("spacepy.irbempy")
    # Kp was 2 and Dst -5 nT: the quiet field of the default is no bad guess.
    found = drift_shells(magephem["time"], magephem["position_SM"].to_numpy(), names=("L_star",))
    np.testing.assert_allclose(found["L_star"], magephem["L_star"].sel(pitch_angle=90), rtol=0.01)


def test_l_of_a_nearly_dipolar_field_is_the_dipoles():
    pytest.importorskip("spacepy.irbempy")
    # At L = 2 the external field is below 1 % of the Earth's; what is left is the IGRF's own departure from a dipole, of some per cent.
    hours = np.arange(0, 24, 6)
    position = 2.0 * np.stack([-np.cos(hours * np.pi / 12), -np.sin(hours * np.pi / 12), 0 * hours], axis=-1)
    found = drift_shells(np.full(hours.size, "2015-01-01", dtype="datetime64[ns]"), position)
    for name in ("L_star", "L_m", "L_eq"):
        np.testing.assert_allclose(found[name], 2.0, rtol=0.06)


def test_the_same_point_has_the_same_l_star_in_any_order_and_any_thread():
    pytest.importorskip("spacepy.irbempy")
    # Other years between, because IRBEM keeps the field of the last one; the same point three times as in issue 69 of PRBEM/IRBEM.
    time = np.array(["2013-06-01", "2013-06-01", "2013-06-01", "2018-01-01T06", "2014-12-31T23:59", "2015-01-01"], dtype="datetime64[ns]")
    position = np.array([[4.0, 1.0, 0.5]] * 3 + [[3.0, -3.0, 0.2], [-4.5, 2.0, 0.1], [-4.5, 2.0, 0.1]])
    first = drift_shells(time, position)["L_star"].to_numpy()
    assert np.isfinite(first).all()
    assert first[0] == first[1] == first[2]
    order = [5, 3, 1, 4, 0, 2]
    np.testing.assert_array_equal(drift_shells(time[order], position[order])["L_star"], first[order])
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda i: drift_shells(time[[i]], position[[i]])["L_star"].item(), order))
    np.testing.assert_array_equal(found, first[order])


def test_off_the_range_there_is_no_drift_shell():
    pytest.importorskip("spacepy.irbempy")
    position = np.array([[0.5, 0, 0], [1.0, 0, 0], [20.0, 0, 0], [np.nan, 0, 0], [0, 0, 0], [0, 0, 5.0], [4.0, 0, 0]])
    time = np.array(["2015-01-01"] * 6 + ["NaT"], dtype="datetime64[ns]")
    found = drift_shells(time, position)
    for name in ("L_star", "L_m"):
        assert np.isnan(found[name]).all(), name
    for arguments, message in (
        ({"model": "TS04"}, "field model 'TS04' is not known"),
        ({"model": "T89"}, "needs Kp"),
        ({"kp": 2.0}, "needs Kp"),
        ({"pitch_angle": 0.0}, "pitch_angle"),
        ({"names": ("Lstar",)}, "did you mean 'L_star'"),
    ):
        with pytest.raises(InputError, match=message):
            drift_shells(time, position, **arguments)


def test_between_traced_points_l_star_is_within_the_scatter_of_the_tracing():
    pytest.importorskip("spacepy.irbempy")
    # Measured on a whole orbit: rms 0.010 beyond L = 4 and 0.004 below, 0.021 at most. Records half way between two traced ones.
    time = np.datetime64("2015-04-01T02:30", "ns") + np.arange(0, 80 * 60, 150) * np.timedelta64(1, "s")
    place = orbit("a", time)
    assert place.L.min() < 3.7
    assert place.L.max() > 4.5
    half = np.arange(1, time.size - 1, 6)
    values, method = along_orbit("L_star", time, place.position_SM)
    np.testing.assert_allclose(values[half], drift_shells(time[half], place.position_SM[half])["L_star"], atol=0.03)
    assert "every 5 min" in method


def test_between_traced_points_the_dipole_leads_the_way():
    pytest.importorskip("spacepy.irbempy")
    # Where L rises fast: straight lines between the traced values of L_eq itself are 0.006 off, by the ratio to dipole L it is 0.0037.
    time = np.datetime64("2015-04-01T02:00", "ns") + np.arange(0, 1800, 150) * np.timedelta64(1, "s")
    position = orbit("a", time).position_SM
    values, _ = along_orbit("L_eq", time, position)
    half = np.arange(1, time.size - 1, 2)
    np.testing.assert_allclose(values[half], drift_shells(time[half], position[half], names=("L_eq",))["L_eq"], atol=0.0045)


def test_the_first_import_of_spacepy_waits_for_that_of_another_process(tmp_path, monkeypatch):
    pytest.importorskip("spacepy.irbempy")
    monkeypatch.setenv("SPACEPY", str(tmp_path))
    _spacepy.cache_clear()
    with ThreadPoolExecutor(1) as pool:
        with FileLock(tmp_path / ".spacepy-import.lock"):
            waiting = pool.submit(_spacepy)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.5)
        assert len(waiting.result(timeout=60)) == 3


def test_what_is_traced_is_the_first_of_each_piece_and_both_sides_of_a_gap():
    seconds = np.array([10, 100, 299, 300, 301, 650, 890, 1600, 1790, 1800])
    time = np.datetime64("2015-04-01", "ns") + seconds * np.timedelta64(1, "s")
    #                                    first, next piece, next, last before the gap, after it, last of all
    assert seconds[_nodes(time)].tolist() == [10, 300, 650, 890, 1600, 1800]


def test_records_without_a_position_have_no_l_star_and_take_none_from_others():
    pytest.importorskip("spacepy.irbempy")
    time = np.datetime64("2015-04-01T03:00", "ns") + np.arange(0, 900, 150) * np.timedelta64(1, "s")
    position = orbit("a", time).position_SM
    whole, _ = along_orbit("L_eq", time, position)
    holed, _ = along_orbit("L_eq", time, np.where(np.arange(6)[:, None] == 2, np.nan, position))
    # The third record is one of those that are traced; the fourth takes its place.
    assert np.isnan(holed).tolist() == [False, False, True, False, False, False]
    np.testing.assert_allclose(np.delete(holed, 2), np.delete(whole, 2), rtol=1e-3)
    assert np.isnan(along_orbit("L_eq", time, position * np.nan)[0]).all()


def test_a_file_without_mlt_mlat_and_l_has_them_from_its_position(tmp_path, caplog):
    path, _ = pap_file(tmp_path / PAP, leave_out=("L", "MLT"))
    with caplog.at_level("INFO"):
        found = rd.open_flux(path, "rbspice-pap-tofxeh")
    assert "has no MLAT, MLT, L; computed from Position_SM (SM)" in caplog.text
    # The file's position is (3, 0, 1): at noon, at a latitude whose tangent is 1/3.
    np.testing.assert_allclose(found["MLT"], 12.0)
    np.testing.assert_allclose(found["MLAT"], np.rad2deg(np.arctan(1 / 3)))
    np.testing.assert_allclose(found["L"], 10**1.5 / 9)
    assert found["position_SM"].dims == ("time", "component")
    for name in ("MLT", "MLAT", "L"):
        assert found[name].attrs["method"] == "dipole, from Position_SM (SM)"
    given = rd.open_flux(pap_file(tmp_path / PAP.replace("0630", "0701"), start="2015-07-01")[0], "rbspice-pap-tofxeh")
    assert given["MLT"].attrs["method"] == "MLT of the file"
    assert (given["MLT"] == 13.0).all()


def test_a_files_own_latitude_is_used_and_one_of_fills_is_none(tmp_path):
    time = np.array(["2015-01-01", "2015-01-02"], dtype="datetime64[ns]")
    position = CdfVariable("Position", "CDF_FLOAT", np.array([[3.0, 0, 0], [3.0, 0, 0]]), {"UNITS": "km"}, record_varying=True)
    fill = CdfVariable("L", "CDF_FLOAT", np.array([-1e31, -1e31]), {}, record_varying=True)
    own = CdfVariable("MLAT", "CDF_FLOAT", np.array([-12.5, -1e31]), {"UNITS": "degrees"}, record_varying=True)
    found = coordinates_of(tmp_path / "x.cdf", {"position": position, "L": fill, "MLAT": own}, time)
    np.testing.assert_array_equal(found["MLAT"][0], [-12.5, np.nan])
    assert found["MLAT"][1]["method"] == "MLAT of the file"
    assert np.isfinite(found["L"][0]).all()
    assert found["L"][1]["method"].startswith("dipole, from Position (GEO")


def test_real_hope_local_time_comes_from_its_position(shared_data):
    coordinates = pytest.importorskip("spacepy.coordinates")
    times = pytest.importorskip("spacepy.time")
    hope = next(shared_data.glob("hope_l3_pa/*.cdf"))
    found = rd.open_flux(hope, "hope-pa").isel(time=slice(0, 200, 20))
    assert "Position_Ion (GEO" in found["position_SM"].attrs["method"]
    position = read_cdf(hope, ["Position_Ion"])["Position_Ion"].values[:200:20] / 6371.2
    geo = coordinates.Coords(position, "GEO", "car", use_irbem=False)
    geo.ticks = times.Ticktock(found["time"].to_numpy().astype("datetime64[us]").tolist(), "UTC")
    expected = geo.convert("SM", "car").data
    np.testing.assert_allclose(found["position_SM"], expected, atol=0.003)
    assert hours_apart(found["MLT"].to_numpy(), magnetic_local_time(expected)).max() < 0.004


def test_flux_is_binned_in_an_l_that_its_files_lack(tmp_path):
    pytest.importorskip("spacepy.irbempy")
    path, _ = pap_file(tmp_path / PAP)
    binned = rd.bin_flux(path, Grid(L_definition="L_star"), product="rbspice-pap-tofxeh")
    assert binned["file_status"].to_numpy().tolist() == ["used"]
    flux = rd.open_flux(path, "rbspice-pap-tofxeh")
    traced = with_traced(flux, "L_star")
    used = np.unique(binned["n_samples_by_pitch_angle"].sum(["probe", "time", "energy", "equatorial_pitch_angle"]).to_numpy().nonzero()[0])
    centre = binned["L"].to_numpy()[used]
    assert np.abs(centre[:, None] - traced["L_star"].to_numpy()).min(axis=1).max() <= 0.05 + 1e-9
    assert "IRBEM" in traced["L_star"].attrs["method"]
    assert with_traced(flux, "L") is flux
    assert with_traced(traced, "L_star") is traced
    nowhere, _ = pap_file(tmp_path / "x.cdf", leave_out=("Position_SM",))
    with pytest.raises(FileError, match="choose another L_definition"):
        rd.bin_flux(rd.open_flux(nowhere, "rbspice-pap-tofxeh"), Grid(L_definition="L_star"), product="rbspice-pap-tofxeh")
