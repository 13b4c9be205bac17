"""Which channels of a file are taken: by its own energy table, and only if it is one that the product had at that time."""

from __future__ import annotations

import numpy as np
import pytest
from changed_file import changed_file
from pap_file import ENERGIES_MEV, pap_file
from telescope_file import telescope_file

import ringdecay as rd
from ringdecay.errors import FileError
from ringdecay.products import PRODUCTS

PROTONS, HELIUM = "rbspice-pap-tofxeh", "rbspice-pap-tofxehe"


@pytest.mark.parametrize("odd", [0.98, 1.02], ids=["lower", "higher"])
def test_the_table_of_most_records_is_the_files(tmp_path, odd):
    source, _ = pap_file(tmp_path / "x.cdf")

    def change(content):
        energy = content["FPDU_Energy"]
        energy.values, energy.varies = np.tile(ENERGIES_MEV, (20, 1)), True
        energy.values[:7] *= odd

    found = rd.open_flux(changed_file(source, tmp_path / "y.cdf", change), PROTONS)
    np.testing.assert_allclose(found["energy"], ENERGIES_MEV * 1000, rtol=1e-4)
    taken = np.isfinite(found["flux"]).any(("energy", "pitch_angle"))
    assert taken.values.tolist() == [False] * 7 + [True] * 13


def test_a_table_holds_from_its_first_instant_on(tmp_path):
    # A record stands at 23:45:00 exactly.
    table = np.array(PRODUCTS[HELIUM].energy_tables[1].energies) / 1000
    name = "rbsp-a-rbspice_lev-3-pap_tofxehe_20150114_v1.2.4-03.cdf"
    path, _ = pap_file(tmp_path / name, energies=table, flux_name="FHeDU", start="2015-01-14T23:40:00", step=30_000_000_000)
    found = rd.open_flux(path, HELIUM)
    change = np.datetime64("2015-01-14T23:45:00")
    assert change in found["time"].to_numpy()
    taken = np.isfinite(found["flux"]).any(("energy", "pitch_angle"))
    np.testing.assert_array_equal(taken, found["time"].to_numpy() >= change)


def test_a_channel_whose_energy_is_fill_is_none_of_the_ions(tmp_path):
    product = "rbspice-tofxenonh-he"

    def change(content):
        energy = content["FHeDU_Energy"]
        energy.values[energy.values < 0] = 9.0  # MeV, above all channels
        energy.attributes["FILLVAL"] = 9.0

    source = telescope_file(tmp_path / "x.cdf", product, start="2016-06-01")
    found = rd.open_flux(changed_file(source, tmp_path / "y.cdf", change), product)
    assert found["energy"].values.tolist() == list(PRODUCTS[product].energy_tables[1].energies)


def test_energies_that_do_not_rise_are_refused(tmp_path):
    path, _ = pap_file(tmp_path / "x.cdf", energies=ENERGIES_MEV[::-1])
    with pytest.raises(FileError, match=r"rising positive channel energies, found FPDU_Energy = \[598\.0, "):
        rd.open_flux(path, PROTONS)


def test_the_ion_in_other_channels_than_described_is_refused(tmp_path):
    product = "rbspice-tofxenonh-o"
    table = PRODUCTS[product].energy_tables[2].energies
    path = telescope_file(tmp_path / "x.cdf", product, start="2016-06-01", table=table, channels=(10, 18))
    with pytest.raises(FileError, match=r"O\+ in channels 11 to 18 \(counted from 0\), found energies in the channels \[10, "):
        rd.open_flux(path, product)
