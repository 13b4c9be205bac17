"""Opening flux files: real HOPE against NASA's library, and quirks that RBSPICE files have."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from pap_file import CENTRES, ENERGIES_MEV, pap_file
from scipy.integrate import quad

import ringdecay as rd
from ringdecay.cdf import read_cdf, strictly_increasing
from ringdecay.errors import FileError, InputError
from ringdecay.flux.pitch_angle import edges_of_centres, equatorial_pitch_angle, solid_angle
from ringdecay.flux.units import flux_to_per_kev
from ringdecay.products import PRODUCTS


@pytest.fixture(scope="module")
def hope(shared_data):
    return next(shared_data.glob("hope_l3_pa/*.cdf"))


def test_real_hope_flux_is_what_nasas_library_returns(hope):
    pycdf = pytest.importorskip("spacepy.pycdf")
    found = rd.open_flux(hope, "hope-pa")
    with pycdf.CDF(str(hope)) as reference:
        expected = np.transpose(reference["FPDU"][...], (0, 2, 1))
        energy = reference["HOPE_ENERGY_Ion"][0] / 1000
        time = np.array(reference["Epoch_Ion"][...], dtype="datetime64[us]")
    missing = expected < -1e30
    assert missing.any()
    assert (~missing).any()
    np.testing.assert_array_equal(found["flux"].to_numpy()[~missing], expected[~missing])
    assert np.isnan(found["flux"].to_numpy()[missing]).all()
    np.testing.assert_allclose(found["energy"], energy, rtol=1e-4)
    assert np.abs(found["time"].to_numpy() - time).max() < np.timedelta64(1, "ms")
    assert found.attrs["n_fill"] == missing.sum()
    assert found.attrs["simulated"] == "no"


def test_real_hope_omnidirectional_flux_is_the_files_own(hope):
    expected = read_cdf(hope, ["FPDO"])["FPDO"].masked()
    found = rd.omnidirectional(rd.open_flux(hope, "hope-pa")).to_numpy()
    positive = expected > 0
    assert positive.sum() > 1000
    assert np.max(np.abs(found[positive] / expected[positive] - 1)) < 1e-6
    np.testing.assert_array_equal(found[expected == 0], 0)


def test_real_hope_l_comes_from_its_position(hope):
    coordinates = pytest.importorskip("spacepy.coordinates")
    time = pytest.importorskip("spacepy.time")
    found = rd.open_flux(hope, "hope-pa")
    assert "L_star" not in found.coords
    assert "Position_Ion" in found["L"].attrs["method"]
    position = read_cdf(hope, ["Position_Ion"])["Position_Ion"].values[:10] / 6371.2
    geo = coordinates.Coords(position, "GEO", "car", use_irbem=False)
    geo.ticks = time.Ticktock(found["time"].to_numpy()[:10].astype("datetime64[us]").astype(object), "UTC")
    sm = geo.convert("SM", "car").data
    expected = np.rad2deg(np.arcsin(sm[:, 2] / np.linalg.norm(sm, axis=1)))
    np.testing.assert_allclose(found["MLAT"][:10], expected, atol=0.05)
    np.testing.assert_allclose(found["L"][:10], np.linalg.norm(sm, axis=1) / np.cos(np.deg2rad(expected)) ** 2, rtol=2e-3)


def test_per_mev_becomes_per_kev_and_mev_becomes_kev(tmp_path):
    path, flux = pap_file(tmp_path / "rbsp-a-rbspice_lev-3-pap_tofxeh_20150630_v1.2.4-03.cdf")
    found = rd.open_flux(path, "rbspice-pap-tofxeh")
    np.testing.assert_allclose(found["flux"], flux / 1000, rtol=1e-6)
    assert found["energy"].to_numpy().tolist() == list(PRODUCTS["rbspice-pap-tofxeh"].energy_tables[0].energies)
    assert found.attrs["probe"] == "a"
    # The file calls hours "Degrees".
    assert found["MLT"].attrs["units"] == "h"
    np.testing.assert_allclose(found["MLAT"], np.rad2deg(np.arctan(1 / 3)))


def test_axes_are_found_from_the_file_not_assumed(tmp_path):
    usual, _ = pap_file(tmp_path / "rbsp-a-rbspice_lev-3-pap_tofxeh_20150630_v1.cdf")
    swapped, _ = pap_file(tmp_path / "rbsp-b-rbspice_lev-3-pap_tofxeh_20150630_v1.cdf", swap=True)
    one, other = rd.open_flux(usual, "rbspice-pap-tofxeh"), rd.open_flux(swapped, "rbspice-pap-tofxeh")
    np.testing.assert_array_equal(one["flux"], other["flux"])


def test_bad_quality_is_no_data_and_is_counted(tmp_path):
    flags = np.full((20, 14, 17), 10, dtype=np.int16)
    flags[3:5, 2] = 4
    path, _ = pap_file(tmp_path / "rbsp-a-rbspice_lev-3-pap_tofxeh_20150630_v1.cdf", quality=flags)
    found = rd.open_flux(path, "rbspice-pap-tofxeh")
    np.testing.assert_array_equal(np.isnan(found["flux"]), flags != 10)
    assert found.attrs["n_bad_quality"] == 34


def test_a_quality_flag_of_another_convention_is_not_a_silent_loss(tmp_path):
    path, _ = pap_file(tmp_path / "x.cdf", quality=np.zeros((20, 14, 17), dtype=np.int16))
    with pytest.raises(FileError, match=r"FPDU_Quality .* only \[0\]"):
        rd.open_flux(path, "rbspice-pap-tofxeh")


@pytest.mark.parametrize("units", ["(cm^2 s MeV)^-1", "keV", "", "1/(cm^2 s sr MeV keV)"])
def test_a_unit_of_another_dimension_is_refused(tmp_path, units):
    path, _ = pap_file(tmp_path / "x.cdf", units=units or " ")
    with pytest.raises(FileError, match="the unit"):
        rd.open_flux(path, "rbspice-pap-tofxeh")


@pytest.mark.parametrize(
    ("units", "factor"),
    [
        ("Counts/(MeV-cm^2-s-sr)", 1e-3),
        ("(cm^2 s sr MeV)^-1", 1e-3),
        ("1/(MeV-cm^2-s-sr)", 1e-3),
        ("s!E-1!Ncm!E-2!Nster!E-1!NkeV!E-1!N", 1.0),
        ("(cm^2 s sr keV)^-1", 1.0),
        ("(cm^2 s sr eV)^-1", 1e3),
        ("(cm^2 s MeV)^-1", None),
    ],
)
def test_units_are_compared_by_dimension(units, factor):
    assert flux_to_per_kev(units) == pytest.approx(factor) if factor else flux_to_per_kev(units) is None


def test_a_file_without_l_and_position_says_so(tmp_path, caplog):
    path, _ = pap_file(tmp_path / "x.cdf", leave_out=("L", "Position_SM"))
    with caplog.at_level("WARNING"):
        found = rd.open_flux(path, "rbspice-pap-tofxeh")
    assert "L" not in found.coords
    assert "neither L nor a position" in caplog.text


def test_an_energy_table_that_changed_is_refused_by_name(tmp_path):
    first, _ = pap_file(tmp_path / "rbsp-a-rbspice_lev-3-pap_tofxeh_20150630_v1.cdf")
    other, _ = pap_file(tmp_path / "rbsp-a-rbspice_lev-3-pap_tofxeh_20150701_v1.cdf", energies=ENERGIES_MEV * 1.02, start="2015-07-01")
    far, _ = pap_file(tmp_path / "rbsp-a-rbspice_lev-3-pap_tofxeh_20150702_v1.cdf", energies=ENERGIES_MEV * 1.5)
    with pytest.raises(FileError, match="20150701"):
        rd.open_flux([first, other], "rbspice-pap-tofxeh")
    with pytest.raises(FileError, match="energy table has changed"):
        rd.open_flux(far, "rbspice-pap-tofxeh")


def test_wrong_arguments_get_one_sentence(tmp_path):
    path, _ = pap_file(tmp_path / "rbsp-a-rbspice_lev-3-pap_tofxeh_20150630_v1.2.3-01.cdf")
    newer, _ = pap_file(tmp_path / "rbsp-a-rbspice_lev-3-pap_tofxeh_20150630_v1.2.4-03.cdf")
    other, _ = pap_file(tmp_path / "rbsp-b-rbspice_lev-3-pap_tofxeh_20150630_v1.2.4-03.cdf")
    for call, message in (
        (lambda: rd.open_flux([], "hope-pa"), "no file"),
        (lambda: rd.open_flux(path, "rbspice-pap-tofeh"), "did you mean 'rbspice-pap-tofxeh'"),
        (lambda: rd.open_flux(path, "omni-hro-5min"), "open_index"),
        (lambda: rd.open_flux([path, newer], "rbspice-pap-tofxeh"), "same day"),
        (lambda: rd.open_flux([path, other], "rbspice-pap-tofxeh"), "more than one probe"),
    ):
        with pytest.raises(InputError, match=message):
            call()


def test_time_is_strictly_increasing_over_a_leap_second(tmp_path):
    # Four records a second from two seconds before the leap second of 2015-06-30 on; the four in it share one time, three are dropped.
    path, _ = pap_file(tmp_path / "x.cdf", start="2015-06-30T23:59:58", step=250_000_000)
    found = rd.open_flux(path, "rbspice-pap-tofxeh")
    assert (np.diff(found["time"].to_numpy()) > np.timedelta64(0, "ns")).all()
    assert found.attrs["n_records_dropped"] == 3
    assert found["time"].to_numpy()[-1] == np.datetime64("2015-07-01T00:00:01.75")
    time = np.array(
        ["2015-06-30T23:59:59.5", "2015-06-30T23:59:59.999999999", "2015-06-30T23:59:59.999999999", "NaT", "2015-07-01"],
        dtype="datetime64[ns]",
    )
    assert strictly_increasing(time).tolist() == [True, True, False, False, True]


def test_pitch_angle_edges_of_the_two_instruments():
    np.testing.assert_allclose(edges_of_centres(CENTRES), [0, *range(15, 166, 10), 180])
    np.testing.assert_allclose(edges_of_centres([4.5, *range(18, 163, 18), 175.5]), [0, *range(9, 172, 18), 180])
    assert edges_of_centres([10, 20, 30]) is None


def test_solid_angle_weights_are_the_integral_over_the_sphere():
    edges = edges_of_centres(CENTRES)
    weight = solid_angle(np.stack([edges[:-1], edges[1:]], axis=-1))
    expected = [quad(np.sin, np.deg2rad(a), np.deg2rad(b))[0] / 2 for a, b in pairwise(edges)]
    np.testing.assert_allclose(weight, expected, rtol=1e-12)
    assert weight.sum() == pytest.approx(1)


def test_equatorial_pitch_angle_of_known_field_lines():
    # A particle that mirrors at latitude 90 degrees of pitch angle there; B_eq/B(10 deg) of a dipole is 0.8734.
    found = equatorial_pitch_angle(np.array([90.0, 30.0, 150.0]), np.array([0.0, 10.0, -10.0]))
    ratio = np.cos(np.deg2rad(10)) ** 6 / np.sqrt(1 + 3 * np.sin(np.deg2rad(10)) ** 2)
    np.testing.assert_allclose(found[0], [90, 30, 30])
    assert found[1, 0] == pytest.approx(np.rad2deg(np.arcsin(np.sqrt(ratio))))
    np.testing.assert_allclose(found[1], found[2])
