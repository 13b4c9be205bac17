"""Energy, pressure and the field they make: closed forms, units, missing data."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import xarray as xr
from ring_current_flux import EDGES, ENERGY, binned
from scipy import constants
from scipy.integrate import quad

from ringdecay.binned import with_merged_probe
from ringdecay.decays import FLAGS
from ringdecay.energy_content import channel_edges, channel_floor, content_table, dst_dps, energy_content, energy_weights, shell_volume
from ringdecay.energy_content.dipole import EARTH_RADIUS, EQUATORIAL_FIELD
from ringdecay.errors import InputError

KEV = constants.e * 1e3  # J
PROTON_KEV = constants.m_p * constants.c**2 / KEV


@pytest.mark.parametrize("temperature", [0.1, 5.0, 20.0])
def test_a_maxwellian_has_the_pressure_n_k_t(temperature: float) -> None:
    # 30 protons in a cubic centimetre: differential flux v^2/m f of the phase-space density f, in cm, s and keV.
    density, energy = 30.0, temperature * np.geomspace(1e-3, 40.0, 400)
    mass = PROTON_KEV / (100 * constants.c) ** 2
    flux = 2 * energy / mass**2 * density * (mass / (2 * np.pi * temperature)) ** 1.5 * np.exp(-energy / temperature)
    ends = channel_edges(energy)[[0, -1]]
    energy_density, pressure = energy_weights(energy, ends)
    # keV cm-3 to Pa: 1.602e-16 J in 1e-6 m3.
    nkT = density * temperature * KEV * 1e6 * 1e9  # nPa
    # The flux is not relativistic, the pressure is: they part by E/mc2.
    assert flux @ pressure == pytest.approx([nkT], rel=1e-3)
    assert flux @ energy_density == pytest.approx([1.5 * density * temperature], rel=1e-3)


def test_a_beam_of_one_energy_has_its_number_times_its_energy() -> None:
    energy = np.array([98.0, 100.0, 102.0])
    edges = channel_edges(energy)
    weight, _ = energy_weights(energy, edges[[0, -1]])
    v = np.sqrt(2 * 100.0 * KEV / constants.m_p) * 100
    number = 4 * np.pi * 1e5 * (edges[2] - edges[1]) / v  # cm-3 for 1e5 cm-2 s-1 sr-1 keV-1 in the middle channel
    assert 1e5 * weight[1, 0] == pytest.approx(number * 100.0, rel=1e-3)


def test_the_pressure_is_two_thirds_of_the_energy_density_and_a_third_for_light() -> None:
    for energy, share in ((1e-3, 2 / 3), (1e12, 1 / 3)):
        u, p = energy_weights([energy, 1.1 * energy], [energy, 1.1 * energy])
        assert p / u == pytest.approx(share * KEV * 1e15, rel=1e-5)
    # At 600 keV a proton is not quite slow: p v = E (2 + x)/(1 + x) with x = E/mc2.
    u, p = energy_weights([599.0, 601.0], [598.0, 602.0])
    x = 600 / PROTON_KEV
    assert (p / u)[0] == pytest.approx((2 + x) / (1 + x) / 3 * KEV * 1e15, rel=1e-6)


def test_a_heavier_ion_of_the_same_flux_and_energy_is_slower_and_holds_more() -> None:
    oxygen, proton = (energy_weights(ENERGY, [50.0, 600.0], ion)[0] for ion in ("O+", "H+"))
    assert oxygen.sum() / proton.sum() == pytest.approx(np.sqrt(15.9988 * constants.atomic_mass / constants.m_p), rel=5e-4)
    with pytest.raises(InputError, match="species"):
        energy_weights(ENERGY, [50.0, 600.0], "Xe+")


def test_bands_that_part_within_a_channel_add_up_to_the_whole() -> None:
    ends = channel_edges(ENERGY)[[0, -1]]
    whole = energy_weights(ENERGY, ends)
    parts = energy_weights(ENERGY, [ends[0], 50.0, 77.7, 100.0, 200.0, ends[1]])
    for one, many in zip(whole, parts, strict=True):
        np.testing.assert_allclose(many.sum(axis=1), one[:, 0], rtol=1e-9)
    assert (parts[0] > 0).sum(axis=1).max() == 2  # 81.6 keV, from 74 to 90, lies on both sides of 77.7
    assert channel_edges(ENERGY)[1:-1] == pytest.approx(np.sqrt(ENERGY[1:] * ENERGY[:-1]))


def test_widths_cannot_be_told_from_one_channel_or_unordered_ones() -> None:
    for energies in ([100.0], [100.0, 100.0], [200.0, 100.0], [-1.0, 100.0], [np.nan, 100.0]):
        with pytest.raises(InputError, match="widths of channels"):
            channel_edges(energies)


@pytest.mark.parametrize(("low", "high"), [(1.0, 2.0), (2.0, 2.1), (3.0, 6.0)])
def test_the_volume_of_a_dipole_shell_is_that_of_a_quadrature(low: float, high: float) -> None:
    # Volume of a tube of unit flux times its flux: ds/B along the field line, 2 pi L B_eq dL across.
    def per_shell(L: float) -> float:
        end = np.arccos(np.sqrt(1 / L))

        def tube(latitude: float) -> float:
            c, s = np.cos(latitude), np.sin(latitude)
            length = L * c * np.sqrt(1 + 3 * s**2)
            field = np.sqrt(1 + 3 * s**2) / c**6  # over that at the equator
            return length / field

        return 2 * np.pi * L * quad(tube, -end, end, epsabs=1e-12)[0]

    assert shell_volume(low, high) / EARTH_RADIUS**3 == pytest.approx(quad(per_shell, low, high)[0], rel=1e-8)


def test_the_volume_far_out_is_that_of_the_closed_form() -> None:
    # Of all space within L, 16/35 of the sphere; the Earth is then nothing.
    assert shell_volume(1.0, 1e3) / (4 / 3 * np.pi * (1e3 * EARTH_RADIUS) ** 3) == pytest.approx(16 / 35, rel=1e-5)
    with pytest.raises(InputError, match="does not leave the Earth"):
        shell_volume(0.9, 2.0)


def test_the_depression_is_the_usual_constant() -> None:
    assert dst_dps(KEV) == pytest.approx(-3.98e-30, rel=0.01)
    # The energy behind -100 nT; half as much again with the currents that it induces in the Earth, whence the often quoted 2.7e15 J.
    assert dst_dps(4.03e15) == pytest.approx(-100.0, rel=0.01)
    assert dst_dps(4.03e15 / 1.5) * 1.5 == pytest.approx(-100.0, rel=0.01)


def test_the_depression_is_that_of_drifting_particles_at_the_equator() -> None:
    # The two currents of W joules of equatorial protons at any distance, each by its own law: the ring of their drift, and their own
    # magnetic moments, which at the centre point the other way.
    W, r = 1e15, 4.3 * EARTH_RADIUS
    field = EQUATORIAL_FIELD * (EARTH_RADIUS / r) ** 3
    current = 3 * W / (2 * np.pi * field * r**2)
    drift = -constants.mu_0 * current / (2 * r)
    moments = constants.mu_0 / (4 * np.pi) * (W / field) / r**3
    assert dst_dps(W) == pytest.approx((drift + moments) * 1e9, rel=1e-12)


def test_the_depression_is_two_thirds_of_the_energy_over_that_of_the_dipole_field() -> None:
    def shell(r: float) -> float:
        # Mean of 1 + 3 sin^2(latitude) over the sphere is 2.
        return 4 * np.pi * r**2 * 2 * EQUATORIAL_FIELD**2 * (EARTH_RADIUS / r) ** 6 / (2 * constants.mu_0)

    U = sum(quad(shell, a * EARTH_RADIUS, b * EARTH_RADIUS)[0] for a, b in ((1, 3), (3, 30), (30, 1000)))
    assert pytest.approx(-2 / 3 * 1e15 / U * EQUATORIAL_FIELD * 1e9, rel=1e-4) == dst_dps(1e15)


def test_a_uniform_ring_current_has_its_density_times_its_volume() -> None:
    content = energy_content(with_merged_probe(binned(tau=1e9)))
    # At the edges of the channels next to 50, 100 and 200 keV.
    np.testing.assert_allclose(content["band_low"][1:], np.sqrt([44.7 * 54.7, 99.4 * 121.0, 181.0 * 220.0]))
    ends = channel_edges(ENERGY)[[0, -1]]
    # Piece by piece, in keV and cm: 1e4 a unit at all energies.
    u = 4 * np.pi * 1e4 * np.sqrt(constants.m_p / (2 * KEV)) / 100 * 2 / 3 * (ends[1] ** 1.5 - ends[0] ** 1.5)
    total = u * KEV * 1e6 * shell_volume(3.0, 5.0)
    for probe in ("a", "b", "merged"):
        one = content.sel(probe=probe)
        np.testing.assert_allclose(one["energy_density"].sum("band"), u, rtol=1e-3)
        np.testing.assert_allclose(one["pressure"].sum("band"), 2 / 3 * u * KEV * 1e15, rtol=1e-3)
        np.testing.assert_allclose(one["energy_content_total"], total, rtol=1e-3)
        np.testing.assert_allclose(one["Dst_DPS"], dst_dps(total), rtol=1e-3)
    np.testing.assert_array_equal(content["coverage"], 1.0)
    assert content["energy_content_total"].attrs["units"] == "J"
    assert content["pressure"].attrs["units"] == "nPa"
    assert "isotropic" in content.attrs["assumptions"]


def test_an_L_bin_without_flux_is_nan_and_filled_only_in_the_total() -> None:
    data = binned(tau=1e9)
    data["sum_flux"] = data["sum_flux"] * xr_slope(data)
    whole = energy_content(data)
    data["n_samples"][0, 5, 3] = 0.0
    content = energy_content(data)
    assert np.isnan(content["energy_density"][0, 5, 3]).all()
    assert np.isfinite(content["energy_density"][0, 5, 2]).all()
    # A straight line in L is filled with what was there; the coverage says how much was not.
    np.testing.assert_allclose(content["energy_content_total"], whole["energy_content_total"], rtol=1e-9)
    missing = shell_volume(EDGES[3], EDGES[4]) / shell_volume(3.0, 5.0)
    assert float(content["coverage"][0, 5]) == pytest.approx(1 - float(missing))
    assert float(content["coverage"][1, 5]) == 1.0
    # Too little of the volume is no total.
    data["n_samples"][0, 6, 4:] = 0.0
    assert np.isnan(energy_content(data)["energy_content_total"][0, 6])
    assert np.isnan(energy_content(data)["Dst_DPS"][0, 6])
    assert np.isfinite(energy_content(data, min_coverage=0.3)["energy_content_total"][0, 6])


def xr_slope(data):
    return 1.0 + (data["L"] - 3.0)


def test_a_channel_that_is_missing_once_is_no_smaller_energy() -> None:
    data = binned(tau=1e9)
    data["n_samples"][0, 4, :, 2] = 0.0
    content = energy_content(data)
    # 67.1 keV is in one band; the others go on, the total does not.
    assert np.isnan(content["energy_density"][0, 4, :, 1]).all()
    assert np.isfinite(content["energy_density"][0, 4, :, 2:]).all()
    assert np.isnan(content["energy_content_total"][0, 4])


def test_a_channel_that_is_always_missing_is_left_out_and_named(caplog: pytest.LogCaptureFixture) -> None:
    data = binned(tau=1e9)
    whole = energy_content(data)
    data["n_samples"][..., [0, 5]] = 0.0
    content = energy_content(data)
    assert content.attrs["channels_without_flux"] == "44.7, 121"
    assert "44.7, 121 keV" in caplog.text
    # The widths of the others are what they were, and the lowest band begins where there is something.
    assert float(content["band_low"][0]) == pytest.approx(channel_edges(ENERGY)[1])
    low, high = channel_edges(ENERGY)[5:7]
    lost = quad(np.sqrt, low, high)[0] / quad(np.sqrt, *channel_edges(ENERGY)[[5, 8]])[0]
    ratio = content["energy_density"].sel(band="110-200 keV") / whole["energy_density"].sel(band="110-200 keV")
    np.testing.assert_allclose(ratio, 1 - lost, rtol=1e-3)


def test_a_floor_is_subtracted_and_said() -> None:
    data = binned(tau=8.0)
    floor = data["energy"] * 0.0 + 100.0
    with_floor = data.assign(sum_flux=data["sum_flux"] + 100.0 * data["n_samples"])
    np.testing.assert_allclose(energy_content(with_floor, floor=floor)["energy_content"], energy_content(data)["energy_content"], rtol=1e-9)
    content = energy_content(with_floor, floor=floor)
    np.testing.assert_allclose(content["floor_content"][0], (energy_content(with_floor) - content)["energy_content"][0, 5], rtol=1e-9)
    assert content.attrs["floor"].startswith("subtracted")
    assert energy_content(data).attrs["floor"].startswith("not subtracted")
    # What fluctuates below its floor is negative, not nothing: a sum is then not biased.
    assert (energy_content(data, floor=floor * 200.0)["energy_content"] < 0).all()
    with pytest.raises(InputError, match="over energy"):
        energy_content(data, floor=floor.rename(energy="channel"))


def test_the_floor_of_a_channel_is_not_that_of_single_fits() -> None:
    shape = (2, 1, 3, 2)
    floor, flag = np.full(shape, np.nan), np.zeros(shape, dtype=int)
    floor[:, :, 0] = 50.0  # the channel's
    floor[0, 0, 1, 0], flag[0, 0, 1, 0] = 3.0, FLAGS["floor_fitted"]
    floor[:, 0, 2, :] = [[1.0, 2.0], [3.0, 4.0]]  # not one number
    dims = ("storm", "probe", "energy", "L")
    coords = {"storm": [1, 2], "energy": ENERGY[:3], "probe": ["a"]}
    decays = xr.Dataset({"floor": (dims, floor), "flag": (dims, flag)}, coords=coords)
    found = channel_floor(decays)
    np.testing.assert_array_equal(found.transpose("probe", "energy"), [[50.0, np.nan, np.nan]])
    # Without a storm no floor is known.
    assert channel_floor(decays.isel(storm=[])).isnull().all()


def test_the_total_goes_over_the_L_that_are_seen_or_asked_for() -> None:
    data = binned(tau=1e9)
    data["n_samples"][:, ::3, -1] = 0.0  # two times of three
    data["n_samples"][:, 1:, 0] = 0.0  # once
    content = energy_content(data)
    assert content.attrs["L_range"] == "L 3.25 to 5"
    np.testing.assert_array_equal(content["volume"] > 0, [False] + [True] * 7)
    asked = energy_content(data, L_range=[3.5, 4.5])
    assert asked.attrs["L_range"] == "L 3.5 to 4.5"
    assert float(asked["volume"].sum()) == pytest.approx(float(shell_volume(3.5, 4.5)))
    for wrong in ([4.0, 3.0], [3.0], [9.0, 10.0]):
        with pytest.raises(InputError, match=r"L bin|range of L"):
            energy_content(data, L_range=wrong)


@pytest.mark.parametrize(
    "wrong", [{"band_edges": [100.0, 50.0]}, {"band_edges": [0.0]}, {"band_edges": [np.nan]}, {"min_coverage": 0.0}, {"min_coverage": 1.2}]
)
def test_settings_that_make_no_sense_are_refused(wrong: dict) -> None:
    with pytest.raises(InputError):
        energy_content(binned(), **wrong)


@pytest.mark.parametrize("slope", [1.0, 3.0, 5.0])
def test_bands_of_wide_channels_are_those_of_the_spectrum(slope: float) -> None:
    # The flux at the centres of a steep spectrum is not the mean over the channels, but the sums over bands are near.
    bands = energy_content(binned(), band_edges=[50.0, 100.0, 200.0])
    edges = [*bands["band_low"].to_numpy(), float(bands["band_high"][-1])]
    coarse, _ = energy_weights(ENERGY, edges)
    exact = [quad(lambda e: np.sqrt(e) * e**-slope, low, high)[0] for low, high in itertools.pairwise(edges)]
    exact = 4 * np.pi * np.sqrt(constants.m_p / (2 * KEV)) / 100 * np.array(exact)
    np.testing.assert_allclose(ENERGY**-slope @ coarse, exact, rtol=0.04 if slope > 4 else 0.01)


def test_edges_beyond_the_channels_make_no_bands() -> None:
    assert list(energy_content(binned(), band_edges=[7.0, 5000.0])["band"].to_numpy()) == ["40-661 keV"]
    assert energy_content(binned(), band_edges=[]).sizes["band"] == 1


@pytest.mark.filterwarnings("error")
def test_no_flux_and_no_time_are_no_energy() -> None:
    dark = binned()
    dark["n_samples"] = dark["n_samples"] * 0
    for data in (dark, binned().isel(time=[])):
        content = energy_content(data)
        assert content["energy_content_total"].isnull().all()
        assert len(content_table(content)) == 0


def test_the_table_has_a_row_a_probe_and_time() -> None:
    content = energy_content(with_merged_probe(binned(probes=["b"])))
    table = content_table(content)
    assert set(table["probe"]) == {"b", "merged"}
    assert len(table) == 2 * content.sizes["time"]
    parts = [name for name in table if "_to_" in name]
    np.testing.assert_allclose(table[parts].sum(axis=1), table["energy_content_total_J"])
    assert parts[0] == "energy_content_40_to_49_keV_J"
