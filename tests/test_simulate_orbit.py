"""The simulated orbit, against Kepler's laws, spacepy and the dipole."""

from __future__ import annotations

import numpy as np
import pytest

from ringdecay.simulate.orbit import PERIOD_HOURS, eccentric_anomaly, ephemeris, field_ratio

TIME = np.datetime64("2015-05-01", "ns") + np.arange(0, 40 * 86400, 60).astype("timedelta64[s]")


@pytest.mark.parametrize("eccentricity", [0.0, 0.3, 0.68, 0.99])
def test_keplers_equation_is_solved(eccentricity: float) -> None:
    M = np.linspace(-50.0, 50.0, 10_001)
    E = eccentric_anomaly(M, eccentricity)
    np.testing.assert_allclose(E - eccentricity * np.sin(E), M, atol=1e-11)


def test_orbit_has_the_size_period_and_inclination_of_the_mission() -> None:
    where = ephemeris("a", TIME)
    assert where.radius.min() == pytest.approx(1.1, abs=1e-3)
    assert where.radius.max() == pytest.approx(5.8, abs=1e-3)
    np.testing.assert_allclose(np.linalg.norm(where.position, axis=1), where.radius)
    np.testing.assert_allclose(np.linalg.norm(where.position_SM, axis=1), where.radius)
    latitude = np.rad2deg(np.arcsin(where.position[:, 2] / where.radius))
    assert np.abs(latitude).max() == pytest.approx(10.2, abs=0.05)
    perigees = np.flatnonzero((where.radius[1:-1] < where.radius[:-2]) & (where.radius[1:-1] <= where.radius[2:])) + 1
    period = np.diff(TIME[perigees]).mean() / np.timedelta64(1, "h")
    assert period == pytest.approx(PERIOD_HOURS, abs=0.01)
    # The dipole is tilted by 11 deg, so that the magnetic latitude reaches about the sum of both.
    assert 19.0 < np.abs(where.MLAT).max() <= 21.2


def test_probes_are_half_an_orbit_apart() -> None:
    a, b = ephemeris("a", TIME), ephemeris("b", TIME)
    assert np.corrcoef(a.radius, b.radius)[0, 1] < -0.5
    assert (b.orbit - a.orbit >= 0).all()


def test_solar_magnetic_coordinates_agree_with_spacepy() -> None:
    coordinates = pytest.importorskip("spacepy.coordinates")
    ticktock = pytest.importorskip("spacepy.time").Ticktock
    time = TIME[::720]
    where = ephemeris("a", time)
    geographic = coordinates.Coords(where.position, "GEO", "car", use_irbem=False)
    geographic.ticks = ticktock(time.astype("datetime64[us]").tolist(), "UTC")
    x, y, z = geographic.convert("SM", "car").data.T
    # The real dipole of 2015 is tilted by 9.7 deg, ours by 11; the Sun's circle is off by up to 2 deg and 16 minutes.
    np.testing.assert_allclose(where.MLAT, np.rad2deg(np.arcsin(z / where.radius)), atol=2.0)
    MLT = np.mod(12.0 + np.arctan2(y, x) * 12.0 / np.pi, 24.0)
    assert np.abs((where.MLT - MLT + 12.0) % 24.0 - 12.0).max() < 0.5


def test_dipole_L_and_field() -> None:
    where = ephemeris("b", TIME)
    np.testing.assert_allclose(where.L * np.cos(np.deg2rad(where.MLAT)) ** 2, where.radius)
    # A sin2 distribution falls by 13 % at 10 deg and by 41 % at 20 deg of magnetic latitude.
    assert field_ratio(0.0) == 1.0
    assert 1.0 - field_ratio(10.0) == pytest.approx(0.13, abs=0.005)
    assert 1.0 - field_ratio(20.0) == pytest.approx(0.41, abs=0.005)
