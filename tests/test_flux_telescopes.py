"""RBSPICE by telescope: six telescopes and several records a spin become flux by pitch angle, against closed forms and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from changed_file import changed_file
from telescope_file import COUNTS_PER_FLUX, RECORDS_A_SPIN, SPIN, pitch_angles, telescope_file

import ringdecay as rd
from ringdecay.cdf import StoredVariable
from ringdecay.errors import FileError
from ringdecay.flux.telescopes import CENTRES, EDGES, number_spins
from ringdecay.products import PRODUCTS

NAME = "rbsp-a-rbspice_lev-3_tofxeh_20150630_v1.1.12-01.cdf"


def sine_squared(alpha):
    return np.sin(np.deg2rad(alpha)) ** 2


def by_loop(alpha, values, weight):
    """Weighted mean of the samples in each of the 17 bins, one after the other."""
    total, weights = np.zeros(17), np.zeros(17)
    for a, v, w in zip(alpha.ravel(), values.ravel(), np.broadcast_to(weight[:, None], alpha.shape).ravel(), strict=True):
        place = 16 if a >= 165 else 0 if a < 15 else int((a - 15) // 10) + 1
        total[place] += v * w
        weights[place] += w
    return np.where(weights > 0, total / np.where(weights > 0, weights, 1), np.nan)


def test_an_isotropic_flux_is_the_same_at_all_pitch_angles(tmp_path):
    flux = rd.open_flux(telescope_file(tmp_path / NAME), "rbspice-tofxeh")
    assert flux["flux"].dims == ("time", "energy", "pitch_angle")
    assert flux["flux"].shape == (20, 14, 17)
    expected = 1e6 / 1000 / (np.arange(14) + 1)
    seen = np.isfinite(flux["flux"][0, 0].to_numpy())
    assert seen[[0, -1]].all()
    np.testing.assert_allclose(flux["flux"].to_numpy()[:, :, seen], np.broadcast_to(expected[None, :, None], (20, 14, seen.sum())))
    np.testing.assert_allclose(rd.omnidirectional(flux), np.tile(expected, (20, 1)))
    assert flux.attrs["ion"] == "H+"
    assert flux.attrs["n_records_dropped"] == 0


def test_counts_of_the_samples_add_up(tmp_path):
    flux = rd.open_flux(telescope_file(tmp_path / NAME, distribution=sine_squared), "rbspice-tofxeh")
    counts = (100 / flux["counting_error"].to_numpy()) ** 2
    # Of a spin and channel, over all angles: those that its 72 samples were given.
    expected = 1e6 * COUNTS_PER_FLUX * sine_squared(pitch_angles(1)).sum()
    np.testing.assert_allclose(np.nansum(counts[:, 0], axis=1), expected, rtol=1e-9)


def test_an_angle_on_an_edge_lies_in_the_upper_bin_and_180_degrees_in_the_last(tmp_path):
    edges = [0.0, 15.0, 85.0, 165.0, 175.0, 180.0]

    def change(data):
        data["FPDU_Alpha"][12:24] = edges
        data["FPDU"][12:24] = np.arange(1, 7)[None, :, None] * 1000.0

    flux = rd.open_flux(telescope_file(tmp_path / NAME, change=change), "rbspice-tofxeh")["flux"][:, 0].to_numpy()
    seen = {int(place): flux[1, place] for place in np.flatnonzero(np.isfinite(flux[1]))}
    assert seen == pytest.approx({0: 1, 1: 2, 8: 3, 16: 5})
    assert np.nanmax(np.abs(flux[[0, 2]] - 1000)) < 1e-6


def test_a_bin_with_a_sample_of_unknown_counts_has_no_counting_error(tmp_path):
    def change(data):
        data["FPDU_Error"][0, 0, 0] = -1e31

    flux = rd.open_flux(telescope_file(tmp_path / NAME, distribution=sine_squared, change=change), "rbspice-tofxeh").isel(time=0)
    place = int(np.searchsorted(EDGES, pitch_angles(1)[0, 0])) - 1
    seen = np.isfinite(flux["flux"])
    unknown = seen & np.isnan(flux["counting_error"])
    assert np.argwhere(unknown.to_numpy()).tolist() == [[0, place]]


def test_a_sine_squared_distribution_has_its_closed_form(tmp_path):
    flux = rd.open_flux(telescope_file(tmp_path / NAME, distribution=sine_squared), "rbspice-tofxeh")
    alpha = pitch_angles(1)
    np.testing.assert_allclose(flux["flux"][3, 0] / 1000, by_loop(alpha, sine_squared(alpha), np.ones(RECORDS_A_SPIN)), rtol=1e-9)
    # Of a bin it is the integral of sin^3 over that of sin; over the sphere, 2/3. The 72 directions of one spin clump within the bins;
    # those of spins with the field at many angles to the spin axis do not.
    path = telescope_file(tmp_path / "many.cdf", distribution=sine_squared, spins=300, tilt=np.linspace(45, 90, 300))
    many = rd.open_flux(path, "rbspice-tofxeh")
    a, b = np.deg2rad(EDGES[:-1]), np.deg2rad(EDGES[1:])
    primitive = [np.cos(x) ** 3 / 3 - np.cos(x) for x in (a, b)]
    expected = (primitive[1] - primitive[0]) / (np.cos(a) - np.cos(b))
    np.testing.assert_allclose(many["flux"][:, 0].mean("time") / 1000, expected, atol=0.025)
    whole = many.isel(time=[0]).copy(deep=True)
    whole["flux"][:] = many["flux"].mean("time")
    assert rd.omnidirectional(whole)[0, 0].item() / 1000 == pytest.approx(2 / 3, rel=0.01)
    # A single spin clumps, and leaves bins near the field unseen, where this flux is weak: 6 % too low to 17 % too high, by the tilt.
    each = rd.omnidirectional(many)[:, 0].to_numpy() / 1000
    assert 0.92 * 2 / 3 < each.min() < each.max() < 1.2 * 2 / 3


def test_a_record_weighs_as_long_as_it_lasts(tmp_path):
    rng = np.random.default_rng(1)
    duration = rng.uniform(0.1, 0.9, RECORDS_A_SPIN)

    def change(data):
        data["Duration"] = np.tile(duration, 20)

    flux = rd.open_flux(telescope_file(tmp_path / NAME, distribution=sine_squared, change=change), "rbspice-tofxeh")
    alpha = pitch_angles(1)
    np.testing.assert_allclose(flux["flux"][5, 0] / 1000, by_loop(alpha, sine_squared(alpha), duration), rtol=1e-9)
    absent = telescope_file(tmp_path / "absent.cdf", distribution=sine_squared, leave_out=("Duration",))
    equal = by_loop(alpha, sine_squared(alpha), np.ones(RECORDS_A_SPIN))
    np.testing.assert_allclose(rd.open_flux(absent, "rbspice-tofxeh")["flux"][5, 0] / 1000, equal, rtol=1e-9)
    # In milliseconds it is the same, also where a spin number that stands still leaves the time alone to part the spins.

    def stand_still(content):
        content["Spin"].values[:] = 5
        if scale != 1:
            content["Duration"].values *= scale
            content["Duration"].attributes["UNITS"] = "ms"

    found = []
    for scale in (1, 1000):
        path = changed_file(tmp_path / NAME, tmp_path / f"{scale}.cdf", stand_still)
        found.append(rd.open_flux(path, "rbspice-tofxeh"))
    xr.testing.assert_allclose(found[0]["flux"], found[1]["flux"])
    assert found[0].sizes["time"] > 10
    # One that does not say how long it lasts is taken as long as is usual.
    duration[3] = -1e31
    some = rd.open_flux(telescope_file(tmp_path / "some.cdf", distribution=sine_squared, change=change), "rbspice-tofxeh")
    usual = np.where(np.arange(RECORDS_A_SPIN) == 3, np.median(np.delete(duration, 3)), duration)
    np.testing.assert_allclose(some["flux"][5, 0] / 1000, by_loop(alpha, sine_squared(alpha), usual), rtol=1e-9)


def test_flags_come_first_and_missing_telescopes_and_sectors_do_no_harm(tmp_path):
    def change(data):
        data["FPDU_Quality"][:, 2, 4] = 3  # one telescope's channel is bad throughout
        data["FPDU"][:, 2, 4] = 1e12
        data["FPDU_Quality"][7, 1, 0] = -32768  # the fill of integers is not good quality
        data["FPDU"][:, 5] = -1e31  # a telescope is dead
        data["Alpha_Quality"][24:30] = 1  # half a spin without a pitch angle
        data["FPDU"][24:30] = 1e12
        data["FPDU"][36:48, 0, 3] = 0.0  # no count in a spin
        data["FPDU_Error"][36:48, 0, 3] = 0.0

    flux = rd.open_flux(telescope_file(tmp_path / NAME, distribution=sine_squared, change=change), "rbspice-tofxeh")
    assert flux.attrs["n_bad_quality"] == 240 + 1
    assert flux.attrs["n_fill"] == (240 - 6) * 14
    assert flux.attrs["n_records_dropped"] == 6
    assert flux["flux"].max() <= 1000
    alpha = pitch_angles(1)
    keep = [0, 1, 3, 4]
    ones = np.ones(RECORDS_A_SPIN)
    expected = by_loop(alpha[:, keep], sine_squared(alpha[:, keep]), ones)
    np.testing.assert_allclose(flux["flux"][10, 4] * 5 / 1000, expected, rtol=1e-9)
    half = by_loop(alpha[6:, :5], sine_squared(alpha[6:, :5]), ones[6:])
    np.testing.assert_allclose(flux["flux"][2, 0] / 1000, half, rtol=1e-9)
    # Zeros are measurements, and an error of zero says nothing of the counts.
    values = sine_squared(alpha[:, :5])
    values[:, 0] = 0
    np.testing.assert_allclose(flux["flux"][3, 3] * 4 / 1000, by_loop(alpha[:, :5], values, ones), rtol=1e-9)
    counts = np.nansum((100 / flux["counting_error"][3, 3].to_numpy()) ** 2)
    assert counts == pytest.approx(1e6 / 4 * COUNTS_PER_FLUX * values.sum())


def test_the_spin_number_wraps_and_gaps_part_spins(tmp_path):
    def change(data):
        data["Epoch"][120:] += 3_600_000_000_000

    path = telescope_file(tmp_path / NAME, first_spin=65530, change=change)
    flux = rd.open_flux(path, "rbspice-tofxeh")
    assert flux.sizes["time"] == 20
    steps = np.diff(flux["time"].to_numpy()) / np.timedelta64(1, "ns") / 1e9
    np.testing.assert_allclose(np.delete(steps, 9), SPIN, atol=1e-6)
    assert steps[9] == pytest.approx(3600 + SPIN)
    start = np.datetime64("2015-06-30T00:00:00", "ns")
    assert abs(flux["time"].to_numpy()[0] - start) < np.timedelta64(1, "us")


def test_spins_are_found_by_number_and_time():
    def number(seconds, spin, duration=0.9):
        time = np.datetime64("2015-06-30", "ns") + (np.asarray(seconds) * 1e9).astype("timedelta64[ns]")
        return number_spins(time, np.asarray(spin), np.full(len(spin), duration)).tolist()

    assert number([0, 1, 2, 11, 12], [7, 7, 7, 8, 8]) == [0, 0, 0, 1, 1]
    assert number([0, 5, 11], [65535, 65535, 0]) == [0, 0, 1]
    # The same number again after a gap of hours.
    assert number([0, 1, 7200, 7201], [7, 7, 7, 7]) == [0, 0, 1, 1]
    # A number that stands still does not make one spin of an hour.
    still = number(np.arange(0, 3600, 0.9), np.full(4000, 3))
    assert 190 <= still[-1] <= 3600 / SPIN
    # Multi-spin accumulations of two minutes each: one record, one spin.
    assert number([0, 120, 240], [0, 11, 22], duration=120) == [0, 1, 2]
    # One record that is as long as eleven spins, and the next of the same number, belong together.
    assert number([0, 120], [7, 7], duration=120) == [0, 0]
    # Times that jump back.
    assert number([100, 101, 0, 1], [5, 5, 5, 5]) == [0, 0, 1, 1]
    # The spin behind a gap or a jump is counted from its own first record, not from that of the run before.
    assert number([0, 5, 48, 57], [7, 7, 7, 7]) == [0, 0, 1, 1]
    assert number([55, 60, 0, 9], [7, 7, 7, 7]) == [0, 0, 1, 1]


def test_coordinates_are_means_over_the_spin_and_local_time_goes_round(tmp_path):
    flux = rd.open_flux(telescope_file(tmp_path / NAME), "rbspice-tofxeh")
    # Records at 23.9 h and 0.3 h in turn.
    np.testing.assert_allclose(flux["MLT"], 0.1, atol=1e-6)
    np.testing.assert_allclose(flux["L"], 4.05)
    np.testing.assert_allclose(flux["MLAT"], np.rad2deg(np.arctan(1 / 3)))

    def change(data):
        data["Duration"][::2] /= 3
        data["L"] = np.where(np.arange(240) % 2, 5.0, 4.0)

    weighted = rd.open_flux(telescope_file(tmp_path / "weighted.cdf", change=change), "rbspice-tofxeh")
    np.testing.assert_allclose(weighted["L"], (4.0 / 3 + 5.0) / (1 / 3 + 1))


def test_a_spin_cut_by_midnight_is_a_record_of_each_day(tmp_path):
    whole = telescope_file(tmp_path / "rbsp-a-rbspice_lev-3_tofxeh_20150629_v1.cdf", spins=2, start="2015-06-29T12:00:00")
    first = rd.open_flux(whole, "rbspice-tofxeh")

    def cut(data):
        for name, array in data.items():
            if len(array) == 24:
                data[name] = array[6:]

    path = telescope_file(tmp_path / NAME, spins=2, change=cut)
    rest = rd.open_flux(path, "rbspice-tofxeh")
    assert rest.sizes["time"] == first.sizes["time"] == 2
    both = rd.open_flux([path, whole], "rbspice-tofxeh")
    assert both.sizes["time"] == 4


def test_channels_of_another_ion_and_unused_ones_are_left_out(tmp_path):
    path = telescope_file(tmp_path / "x.cdf", "rbspice-tofxphhhelt")
    flux = rd.open_flux(path, "rbspice-tofxphhhelt")
    assert flux["energy"].to_numpy().tolist() == list(PRODUCTS["rbspice-tofxphhhelt"].energy_tables[0].energies)
    np.testing.assert_allclose(rd.omnidirectional(flux)[0], 1000 / (np.arange(20) + 1))
    moved = telescope_file(tmp_path / "y.cdf", "rbspice-tofxphhhelt", table=flux["energy"], channels=(12, 32))
    with pytest.raises(FileError, match=r"H\+ in channels 11 to 30 .* found energies in the channels \[12, 13"):
        rd.open_flux(moved, "rbspice-tofxphhhelt")


def test_telescopes_with_other_energies_are_named(tmp_path):
    def change(data):
        data["FPDU_Energy"][3, 5] *= 1.01

    with pytest.raises(FileError, match="telescope 3 in channel 5"):
        rd.open_flux(telescope_file(tmp_path / "x.cdf", change=change), "rbspice-tofxeh")


def test_one_energy_table_for_all_telescopes_will_do(tmp_path):
    def change(data):
        data["FPDU_Energy"] = data["FPDU_Energy"][0]

    flux = rd.open_flux(telescope_file(tmp_path / "x.cdf", change=change), "rbspice-tofxeh")
    assert flux.sizes["energy"] == 14


def test_axes_the_other_way_round(tmp_path):
    def change(data):
        for name in ("FPDU", "FPDU_Error", "FPDU_Quality"):
            data[name] = data[name].transpose(0, 2, 1).copy()

    usual = rd.open_flux(telescope_file(tmp_path / "x.cdf", distribution=sine_squared), "rbspice-tofxeh")
    swapped = rd.open_flux(telescope_file(tmp_path / "y.cdf", distribution=sine_squared, change=change), "rbspice-tofxeh")
    np.testing.assert_array_equal(usual["flux"], swapped["flux"])


def test_flags_of_another_convention_and_files_without_angles_are_refused(tmp_path):
    def zeros(data):
        data["FPDU_Quality"][:] = 0

    def no_angle(data):
        data["Alpha_Quality"][:] = 1

    with pytest.raises(FileError, match=r"only \[0\]"):
        rd.open_flux(telescope_file(tmp_path / "x.cdf", change=zeros), "rbspice-tofxeh")
    with pytest.raises(FileError, match="a time and a pitch angle"):
        rd.open_flux(telescope_file(tmp_path / "y.cdf", change=no_angle), "rbspice-tofxeh")

    def short(name, axis=0):
        def cut(data):
            data[name] = np.delete(data[name], 0, axis=axis)

        return cut

    for name, axis in (("FPDU_Quality", 2), ("FPDU_Error", 1), ("FPDU_Alpha", 1), ("FPDU_Energy", 0), ("FPDU", 2)):
        with pytest.raises(FileError, match=name):
            rd.open_flux(telescope_file(tmp_path / f"{name}.cdf", change=short(name, axis)), "rbspice-tofxeh")
    with pytest.raises(FileError, match="Spin"):
        rd.open_flux(telescope_file(tmp_path / "z.cdf", leave_out=("Spin",)), "rbspice-tofxeh")


def test_binning_takes_telescopes_like_pitch_angles(tmp_path):
    from ringdecay.binned import Grid  # noqa: PLC0415

    path = telescope_file(tmp_path / NAME)
    binned = rd.bin_flux([path], Grid(max_MLAT=30), product="rbspice-tofxeh")
    assert binned["file_status"].item() == "used"
    assert binned["file_records"].item() == 20
    assert binned["n_samples"].sum() == 20 * 14
    assert binned.attrs["ion"] == "H+"
    assert len(CENTRES) == 17


def test_a_long_day_is_read_in_blocks_of_spins(tmp_path, monkeypatch):
    spins, hole = 600, 256  # more than two pieces; one of them begins with what is missing

    def change(data):
        lost = slice(hole * RECORDS_A_SPIN - 3, hole * RECORDS_A_SPIN + 3)
        data["FPDU_Alpha"][lost] = -1e31
        data["FPDU_Quality"][300 * RECORDS_A_SPIN :, 2] = 0

    path = telescope_file(tmp_path / "a.cdf", spins=spins, distribution=lambda angle: np.sin(np.deg2rad(angle)) ** 2, change=change)
    at_once = []
    original = StoredVariable.read

    def counting(variable, start=None, stop=None):
        if variable.name == "FPDU":
            at_once.append(stop - start)
        return original(variable, start, stop)

    monkeypatch.setattr(StoredVariable, "read", counting)
    flux = rd.open_flux(path, "rbspice-tofxeh")
    # The flux of the whole day is never in memory.
    assert sum(at_once) == spins * RECORDS_A_SPIN
    assert max(at_once) <= 129 * RECORDS_A_SPIN
    assert flux.sizes["time"] == spins
    assert (flux.attrs["n_bad_quality"], flux.attrs["n_records_dropped"]) == (300 * RECORDS_A_SPIN * 14, 6)
    # Every spin sees the same distribution, but for those that lost records or a telescope.
    for part in (flux.isel(time=slice(0, 255)), flux.isel(time=slice(257, 300)), flux.isel(time=slice(300, None))):
        for name in ("flux", "counting_error"):
            np.testing.assert_allclose(part[name], np.broadcast_to(part[name][:1], part[name].shape), rtol=1e-12)
    np.testing.assert_allclose(flux["flux"][0], flux["flux"][260], rtol=1e-12)
