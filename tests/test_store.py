"""Reading a part of a stored Dataset."""

from __future__ import annotations

from functools import partial

import pytest
from pap_file import pap_file

import ringdecay as rd
from ringdecay.binned import select_flux
from ringdecay.errors import FileError, InputError
from ringdecay.store import content_hash, open_dataset, write_dataset


def test_what_is_chosen_while_reading_is_what_is_chosen_of_the_whole(tmp_path):
    file = pap_file(tmp_path / "rbsp-a-rbspice_lev-3-pap_tofxeh_20150701_v1.cdf", start="2015-07-01", records=50)[0]
    write_dataset(rd.bin_flux(file, product="rbspice-pap-tofxeh"), tmp_path / "binned.nc")
    whole = open_dataset(tmp_path / "binned.nc")
    for angle in (None, 20.0, 80.0):
        chosen = open_dataset(tmp_path / "binned.nc", partial(select_flux, equatorial_pitch_angle=angle))
        assert content_hash(chosen) == content_hash(select_flux(whole, angle)) != content_hash(whole)
    # A choice that cannot be made is no fault of the file, and one that has been cut is.
    with pytest.raises(InputError, match="no bin of equatorial pitch angle holds 95"):
        open_dataset(tmp_path / "binned.nc", partial(select_flux, equatorial_pitch_angle=95.0))
    (tmp_path / "binned.nc").write_bytes((tmp_path / "binned.nc").read_bytes()[:1000])
    with pytest.raises(FileError, match="something else"):
        open_dataset(tmp_path / "binned.nc", select_flux)
