"""Files of other products than the first: energy tables that change, MagEIS with its two time bases, valid ranges, units."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from cdflib import cdfwrite
from changed_file import Content, changed_file
from pap_file import pap_file, tt2000
from telescope_file import telescope_file

import ringdecay as rd
from ringdecay.binned import Grid
from ringdecay.cdf import CdfVariable
from ringdecay.errors import FileError, InputError
from ringdecay.flux.units import energy_to_kev, factor_of, flux_to_per_kev, length_to_earth_radii
from ringdecay.flux.values import error_cleaner, flux_cleaner, measured
from ringdecay.plots.labels import energy_label
from ringdecay.products import PRODUCTS

HELIUM = "rbspice-pap-tofxehe"
BEFORE, AFTER = (np.array(table.energies) / 1000 for table in PRODUCTS[HELIUM].energy_tables)
NAME = "rbsp-a-rbspice_lev-3-pap_tofxehe_{}_v1.2.4-03.cdf"
NEAR = Grid(max_MLAT=30)


def helium(folder, day, energies, **more):
    path = folder / NAME.format(day.replace("-", ""))
    return pap_file(path, energies=energies, start=more.pop("start", day), flux_name="FHeDU", **more)[0]


def test_helium_before_and_after_its_channels_changed(tmp_path):
    early = rd.open_flux(helium(tmp_path, "2014-06-01", BEFORE), HELIUM)
    late = rd.open_flux(helium(tmp_path, "2016-06-01", AFTER), HELIUM)
    assert (early.sizes["energy"], late.sizes["energy"]) == (9, 11)
    # NASA's record ends the valid range of this energy at 0.7 MeV; the channel is there all the same.
    assert late["energy"].values[-1] == 870
    assert early.attrs["ion"] == "He+"
    assert early["flux"].attrs["long_name"] == "differential helium flux"


def test_a_table_of_the_wrong_time_is_refused(tmp_path):
    with pytest.raises(FileError, match=r"the energies of 2014-06-01T00:00:00 .* found those of another time"):
        rd.open_flux(helium(tmp_path, "2014-06-01", AFTER), HELIUM)
    with pytest.raises(FileError, match=r"9 energy channels of He\+, found 8"):
        rd.open_flux(helium(tmp_path, "2014-06-02", BEFORE[1:]), HELIUM)


def test_on_the_day_of_the_change_only_records_of_the_files_table_are_taken(tmp_path, caplog):
    # 20 records of 30 s, ten of them before 23:45.
    path = helium(tmp_path, "2015-01-14", BEFORE, start="2015-01-14T23:40:00", step=30_000_000_000)
    with caplog.at_level("WARNING"):
        found = rd.open_flux(path, HELIUM)
    taken = np.isfinite(found["flux"]).any(("energy", "pitch_angle")).to_numpy()
    # The test file's clock is a second off before the leap second of 2015; it is 35 s from TAI either way.
    np.testing.assert_array_equal(taken, found["time"].to_numpy() < np.datetime64("2015-01-14T23:45:00"))
    assert found.attrs["n_records_other_energies"] == (~taken).sum() == 10
    assert "10 of 20 records have another energy table" in caplog.text


def test_a_table_that_varies_with_the_record_is_told_apart(tmp_path):
    # Telescopes: the file of the change day, in which the table is given for every record.
    tables = PRODUCTS["rbspice-tofxenonh-he"].energy_tables

    def change(data):
        energy = np.full((240, 6, 20), -1.0)
        energy[:, :, :9] = np.array(tables[0].energies) / 1000
        late = data["Epoch"] >= tt2000("2015-01-14T23:45:00")
        energy[late, :, :11] = np.array(tables[1].energies) / 1000
        data["FHeDU_Energy"] = energy

    path = telescope_file(
        tmp_path / "x.cdf", "rbspice-tofxenonh-he", start="2015-01-14T23:43:00", change=change, table=tables[0].energies, channels=(0, 9)
    )
    found = rd.open_flux(path, "rbspice-tofxenonh-he")
    assert found.sizes["energy"] == 9
    late = found["time"].to_numpy() > np.datetime64("2015-01-14T23:45:00")
    assert late.any()
    assert np.isnan(found["flux"].to_numpy()[late]).all()
    assert np.isfinite(found["flux"].to_numpy()[~late]).any(axis=(1, 2)).all()
    # Of the spin that the change cut, the records before it were taken.
    assert found.attrs["n_records_other_energies"] == 240 - np.ceil(120 / 0.906)


def test_oxygen_takes_either_of_the_tables_that_nasas_record_gives(tmp_path):
    oxygen = PRODUCTS["rbspice-tofxenonh-o"].energy_tables
    for number, first in ((0, 65), (1, 142)):
        path = telescope_file(
            tmp_path / f"{number}.cdf", "rbspice-tofxenonh-o", start="2014-06-01", table=oxygen[number].energies, channels=(10, 19)
        )
        found = rd.open_flux(path, "rbspice-tofxenonh-o")
        assert found["energy"].values[0] == first
        assert found.attrs["ion"] == "O+"
    late = telescope_file(tmp_path / "late.cdf", "rbspice-tofxenonh-o", start="2016-06-01")
    assert rd.open_flux(late, "rbspice-tofxenonh-o").sizes["energy"] == 8


def test_a_change_of_channels_within_a_run_is_never_a_silent_mix(tmp_path):
    days = [helium(tmp_path, f"2015-01-{day}", BEFORE, start=f"2015-01-{day}T00:00:00") for day in (12, 13)]
    after = helium(tmp_path, "2015-01-16", AFTER)
    with pytest.raises(FileError, match=r"one energy table at a time.*2015-01-14T23:45:00"):
        rd.open_flux([*days, after], HELIUM)
    binned = rd.bin_flux([*days, after], NEAR, product=HELIUM)
    assert binned["file_status"].values.tolist() == ["used", "used", "refused"]
    assert "changed at 2015-01-14T23:45:00" in str(binned["file_reason"].values[2])
    assert binned.sizes["energy"] == 9
    months = [rd.bin_flux(days, NEAR, product=HELIUM), rd.bin_flux([after], NEAR, product=HELIUM)]
    with pytest.raises(InputError, match=r"differ in energy .* changed at 2015-01-14T23:45:00: split the run there"):
        rd.merge_binned(months)


def test_the_ion_stays_with_the_data_to_the_end(tmp_path):
    binned = rd.bin_flux([helium(tmp_path, "2016-06-01", AFTER)], NEAR, product=HELIUM)
    other = rd.bin_flux([helium(tmp_path, "2016-06-02", AFTER)], NEAR, product=HELIUM)
    merged = rd.merge_probes(rd.merge_binned([binned, other]))
    assert merged.attrs["ion"] == "He+"
    assert merged.attrs["title"].startswith("Helium flux")
    assert rd.bin_flux([], product=HELIUM, probe="a").attrs["ion"] == "He+"


def mageis_file(path, *, ephemeris_step=60.0, mlt=None):
    """Write a small MagEIS file: flux every 10.9 s, place every minute, 15 of 32 pitch angles in use."""
    n, m = 100, int(100 * 10.9 / ephemeris_step) + 2
    fill = {"FILLVAL": np.float64(-1e31)}
    to_epoch = 63_602_841_600_000.0 + 10 * 3_600_000  # CDF_EPOCH of 2015-06-30T10:00 (ms since year 0)
    alpha = np.full(32, -1e31)
    alpha[:15] = np.arange(6, 175, 12)
    flux = np.full((n, 32, 31), -1e31)
    flux[:, :15] = 100.0 / np.arange(1, 32)
    flux[0, :15, 0] = 0.0
    minutes = np.arange(m) * ephemeris_step
    angle = 0.001 * minutes
    position = 5.0 * np.stack([np.cos(angle), np.sin(angle), np.zeros(m)], axis=-1)
    data = {
        "FPDU_Epoch": (31, True, to_epoch + np.arange(n) * 10_900.0, {}),
        "Epoch": (31, True, to_epoch + minutes * 1000.0, {}),
        "FPDU": (45, True, flux, {"UNITS": "cm!e-2!ns!e-1!nsr!e-1!nkeV!e-1!n", **fill, "VALIDMIN": np.full(31, 1e-6)}),
        "FPDU_Energy": (45, False, np.geomspace(60, 1300, 31), {"UNITS": "keV", **fill}),
        "FPDU_Alpha": (45, False, alpha, {"UNITS": "degrees", **fill, "VALIDMIN": 0.0, "VALIDMAX": 180.0}),
        "L": (45, True, 4.0 + 0.001 * minutes, {"UNITS": " ", **fill}),
        "MLT": (45, True, ((23.9 if mlt is None else mlt) + 0.01 * minutes / 60) % 24, {"UNITS": "h", **fill}),
        "Position": (45, True, position, {"UNITS": "Re", **fill}),
    }  # fmt: skip
    writer = cdfwrite.CDF(path, cdf_spec={"Majority": "row_major"})
    for name, (kind, varies, values, attributes) in data.items():
        spec = {"Variable": name, "Data_Type": kind, "Num_Elements": 1, "Rec_Vary": varies, "Var_Type": "zVariable",
                "Dim_Sizes": list(values.shape[1:] if varies else values.shape), "Compress": 1}  # fmt: skip
        writer.write_var(spec, var_attrs=attributes, var_data=values)
    writer.close()
    return path


def test_mageis_pitch_angles_in_use_and_zeros_that_are_measurements(tmp_path):
    found = rd.open_flux(mageis_file(tmp_path / "rbspa_rel04_ect-mageis-l3_20150630_v8.1.0.cdf"), "mageis-l3")
    np.testing.assert_allclose(found["pitch_angle"], np.arange(6, 175, 12))
    np.testing.assert_allclose(found["pitch_angle_bounds"].to_numpy()[[0, -1]], [[0, 12], [168, 180]])
    assert found.sizes["energy"] == 31
    # Below VALIDMIN, but a zero is a zero.
    assert (found["flux"][0, 0] == 0).all()
    np.testing.assert_allclose(found["flux"][1:, 0], 100)
    assert found.attrs["n_fill"] == 0


def test_mageis_coordinates_are_brought_to_the_times_of_the_protons(tmp_path):
    found = rd.open_flux(mageis_file(tmp_path / "x.cdf"), "mageis-l3")
    seconds = (found["time"].to_numpy() - np.datetime64("2015-06-30T10:00:00")) / np.timedelta64(1, "s")
    np.testing.assert_allclose(found["L_eq"], 4.0 + 0.001 * seconds, rtol=1e-9)
    # Over midnight, within minutes: 23.9 h plus 0.01 h a minute.
    clock = (23.9 + 0.01 * seconds / 60) % 24
    np.testing.assert_allclose(found["MLT"], clock, atol=1e-6)
    # The dipole L comes from the position, not from the file's McIlwain L.
    assert "dipole" in found["L"].attrs["method"]
    assert np.isfinite(found["MLAT"]).all()


def test_magnetic_local_time_goes_the_short_way_over_midnight(tmp_path):
    found = rd.open_flux(mageis_file(tmp_path / "x.cdf", mlt=23.95), "mageis-l3")
    clock = found["MLT"].to_numpy()
    assert (clock > 23.9).any()
    assert (clock < 0.1).any()
    assert ((clock > 23.9) | (clock < 0.2)).all()


def test_nothing_is_interpolated_over_a_gap(tmp_path):
    found = rd.open_flux(mageis_file(tmp_path / "x.cdf", ephemeris_step=400.0), "mageis-l3")
    known = np.isfinite(found["L_eq"].to_numpy())
    # Only the record at the very time of a point.
    assert known.sum() == 1
    assert known[0]


def test_times_of_the_place_in_any_order_and_twice_do_no_harm(tmp_path):
    source = mageis_file(tmp_path / "x.cdf")

    def change(content):
        order = np.r_[np.arange(content["Epoch"].values.size)[::-1], 3, 3]
        for name in ("Epoch", "L", "MLT", "Position"):
            content[name].values = content[name].values[order]
        content["L"].values[-2:] = 99.0

    found = rd.open_flux(changed_file(source, tmp_path / "y.cdf", change), "mageis-l3")
    for name in ("L_eq", "MLT", "L"):
        np.testing.assert_allclose(found[name], rd.open_flux(source, "mageis-l3")[name])


def test_behind_the_last_place_nothing_is_known(tmp_path):
    def change(content):
        for name in ("Epoch", "L", "MLT", "Position"):
            content[name].values = content[name].values[:10]

    found = rd.open_flux(changed_file(mageis_file(tmp_path / "x.cdf"), tmp_path / "y.cdf", change), "mageis-l3")
    late = found["time"] > np.datetime64("2015-06-30T10:09:00")
    assert late.any()
    np.testing.assert_array_equal(np.isnan(found["L_eq"]), late)


def test_no_l_is_zero(tmp_path):
    def change(content):
        content["L"].values[:5] = 0.0

    found = rd.open_flux(changed_file(pap_file(tmp_path / "x.cdf")[0], tmp_path / "y.cdf", change), "rbspice-pap-tofxeh")
    assert np.isnan(found["L"]).values.tolist() == [True] * 5 + [False] * 15


def test_where_the_position_is_flagged_bad_nothing_is_known_of_the_place(tmp_path):
    def change(content):
        del content["MLT"]
        content["Position_Quality"] = Content("CDF_INT4", np.r_[[1] * 5, [0] * 15].astype(np.int32), {})

    found = rd.open_flux(changed_file(pap_file(tmp_path / "x.cdf")[0], tmp_path / "y.cdf", change), "rbspice-pap-tofxeh")
    # L is the file's own, the others come from its position.
    for name in ("L", "MLT", "MLAT", "position_SM"):
        assert np.isnan(found[name].to_numpy().reshape(20, -1)[:, 0]).tolist() == [True] * 5 + [False] * 15, name


def test_pitch_angles_that_differ_from_record_to_record_are_refused(tmp_path):
    def change(content):
        angles = content["PA_Midpoint"]
        angles.values, angles.varies = np.tile(angles.values, (20, 1)), True
        angles.values[7, 3] += 1

    with pytest.raises(FileError, match="the same PA_Midpoint in all records, found different ones"):
        rd.open_flux(changed_file(pap_file(tmp_path / "x.cdf")[0], tmp_path / "y.cdf", change), "rbspice-pap-tofxeh")


def variable(values, varying=True, **attributes):
    return CdfVariable("x", "CDF_DOUBLE", np.asarray(values, dtype=np.float64), attributes, varying)


def test_valid_ranges_may_be_given_for_each_place_on_an_axis():
    values = np.arange(24.0).reshape(2, 3, 4)
    first_axis = measured(variable(values, VALIDMIN=np.array([0.0, 5.0, 0.0])))
    np.testing.assert_array_equal(np.isnan(first_axis), (values < 5) & (np.arange(3) == 1)[None, :, None])
    last_axis = measured(variable(values, VALIDMAX=np.array([100.0, 100.0, 100.0, 10.0])))
    np.testing.assert_array_equal(np.isnan(last_axis), (values > 10) & (np.arange(4) == 3))
    whole = measured(variable(values, VALIDMAX=np.full((3, 4), 12.0)))
    np.testing.assert_array_equal(np.isnan(whole), values > 12)
    nothing_said = measured(variable(np.arange(18.0).reshape(2, 3, 3), VALIDMAX=np.array([1.0, 1.0])))
    assert np.isfinite(nothing_said).all()


def test_flags_and_errors_of_other_sizes_than_the_flux_are_refused(tmp_path):
    path, _ = pap_file(tmp_path / "x.cdf", quality=np.full((20, 14, 16), 10, dtype=np.int16))
    with pytest.raises(FileError, match=r"FPDU_Quality of 20 x 14 x 17 or 20 or 20 x 1 values, found sizes \(20, 14, 16\)"):
        rd.open_flux(path, "rbspice-pap-tofxeh")
    one_a_record, _ = pap_file(tmp_path / "y.cdf", quality=np.full(20, 10, dtype=np.int16))
    assert np.isfinite(rd.open_flux(one_a_record, "rbspice-pap-tofxeh")["flux"]).all()


def test_figures_name_the_ion():
    assert energy_label(xr.Dataset(attrs={"ion": "O+"})) == "oxygen energy (keV)"
    assert energy_label(xr.Dataset()) == "proton energy (keV)"
    assert energy_label(xr.Dataset(attrs={"ion": "unknown"})) == "particle energy (keV)"


def test_flux_of_zero_counts_and_negative_flux_does_not():
    def cleaned(given):
        return flux_cleaner(given)(given.values)

    np.testing.assert_array_equal(cleaned(variable([0.0, 1.0, -2.0, -1e31], VALIDMIN=1e-6)), [0, 1, np.nan, np.nan])
    assert np.isnan(cleaned(variable([0.0], FILLVAL=0.0))).all()
    np.testing.assert_array_equal(cleaned(variable([0.0, -2.0])), [0, np.nan])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "limit", [10.0, [1.0, 10.0, 100.0, 2.0], [5.0, 50.0, 1.0], np.geomspace(1, 100, 12).reshape(3, 4), [1.0, 2.0], "ten"]
)
def test_the_compiled_cleaning_is_that_of_measured(dtype, limit):
    random = np.random.default_rng(3)
    values = random.lognormal(2, 2, (50, 3, 4)).astype(dtype)
    values[random.random(values.shape) < 0.1] = -1e31
    values[random.random(values.shape) < 0.1] = 7.0
    values[random.random(values.shape) < 0.05] = np.nan
    values[random.random(values.shape) < 0.05] = np.inf
    limit = limit if isinstance(limit, str) else np.asarray(limit)
    for attributes in ({"VALIDMAX": limit}, {"VALIDMIN": limit, "FILLVAL": dtype(7)}, {"FILLVAL": limit}):
        given = CdfVariable("x", "CDF_FLOAT", values, attributes, record_varying=True)
        np.testing.assert_array_equal(flux_cleaner(given)(values), measured(given))


def test_errors_and_counts_of_zero_say_nothing_of_the_counts():
    for role, values, expected in (("counting_error", [10.0, 0.0, -1.0, -1e31], [10, *[np.nan] * 3]), ("counts", [4.0, 0.0], [50, np.nan])):
        given = variable(values)
        np.testing.assert_array_equal(error_cleaner({role: given})({role: given.values}), expected)
    assert error_cleaner({})({}) is None


def test_integer_fill_is_no_good_quality_and_an_error_of_zero_no_count(tmp_path):
    flags = np.full((20, 14, 17), 10, dtype=np.int16)
    flags[2] = -32768
    path, _ = pap_file(tmp_path / "x.cdf", quality=flags)
    found = rd.open_flux(path, "rbspice-pap-tofxeh")
    assert np.isnan(found["flux"][2]).all()
    assert found.attrs["n_bad_quality"] == 14 * 17


@pytest.mark.parametrize(
    ("quantity", "units", "factor"),
    [
        ("length", "EarthRadii", 1), ("length", "Earth radii", 1), ("length", "Re", 1), ("length", "R_E", 1), ("length", "km", 1 / 6371.2),
        ("length", "EarthRadii_G", None), ("length", "", None), ("angle", "Degrees", 1), ("angle", "°", 1), ("angle", "deg", 1),
        ("angle", "h", None), ("hours", "Degrees", 1), ("hours", "h", 1), ("hours", "hr", 1), ("hours", "keV", None),
        ("percent", "", 1), ("percent", "%", 1), ("percent", "keV", None), ("seconds", "Seconds", 1), ("seconds", "ms", 1e-3),
        ("energy", "MeV", 1000), ("energy", "Mev", 1000), ("energy", "eV", 1e-3), ("energy", "", None), ("time", "ns", 1),
        ("number", "x", 1), ("flux", "1/(MeV-cm^2-s-sr)", 1e-3), ("flux", "1/(Mev-cm^2-s-sr)", 1e-3), ("flux", "(cm^2 s sr MeV)^-1", 1e-3),
        ("flux", "Counts/(MeV-cm^2-s-sr)", 1e-3), ("flux", "(cm^2 s sr keV)^-1", 1),
        ("flux", "cm!e-2!ns!e-1!nsr!e-1!nkeV!e-1!n", 1),
        ("flux", "(cm^2 s keV)^-1", None), ("flux", "(cm^2 s MeV)^-1", None), ("flux", "s^-1", None),
        ("flux", "(cm^2 s sr keV nT)^-1", None),
    ],
)  # fmt: skip
def test_every_spelling_met_is_known_by_its_dimension(quantity, units, factor):
    found = factor_of(quantity, units)
    assert found is None if factor is None else found == pytest.approx(factor)


def test_the_single_functions_agree():
    assert (energy_to_kev("MeV"), length_to_earth_radii("Earth  Radii"), flux_to_per_kev("(cm^2 s keV)^-1")) == (1000.0, 1.0, None)
