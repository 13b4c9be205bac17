"""The fallback: cdflib in the place of our own reader gives the same values, all the way to the binned flux."""

from __future__ import annotations

import numpy as np
import pytest
from cdf_files import cdflib_file
from pap_file import pap_file
from telescope_file import telescope_file

import ringdecay as rd
from ringdecay.cdf import open_cdf, reading_cdf
from ringdecay.errors import FileError, InputError


def read_by(reader, path, names, **settings):
    with reading_cdf(path, names, reader=reader, **settings) as (content, waiting):
        return content, {name: variable.read(1, 3) for name, variable in waiting.items()}


@pytest.mark.parametrize("compress", [0, 6])
def test_both_readers_give_the_same_of_every_variable(tmp_path, compress):
    path = cdflib_file(tmp_path / "x.cdf", compress=compress)
    names = [name for name, variable in open_cdf(path).variables.items() if variable.records]
    (ours, our_pieces), (theirs, their_pieces) = (
        read_by(reader, path, names, optional=["none"], later=names[::2]) for reader in ("ringdecay", "cdflib")
    )
    assert list(ours.variables) == list(theirs.variables)
    assert ours.attributes == theirs.attributes
    assert our_pieces.keys() == their_pieces.keys()
    for name, values in our_pieces.items():
        np.testing.assert_array_equal(values, their_pieces[name])
    for name, variable in ours.variables.items():
        other = theirs[name]
        assert (variable.type, variable.record_varying, variable.shape) == (other.type, other.record_varying, other.shape)
        np.testing.assert_array_equal(variable.values, other.values)
        assert variable.attributes.keys() == other.attributes.keys()


def test_every_flux_file_at_hand_is_the_same_flux_with_both_readers(tmp_path, shared_data):
    files = {
        "rbspice-pap-tofxeh": [pap_file(tmp_path / "p.cdf")[0]],
        "rbspice-tofxeh": [telescope_file(tmp_path / "t.cdf", spins=150)],
        "hope-pa": [*(shared_data / "hope_l3_pa").glob("*.cdf")],
    }
    for product, paths in files.items():
        for path in paths:
            ours, theirs = (rd.open_flux(path, product, reader=reader) for reader in ("ringdecay", "cdflib"))
            assert rd.content_hash(ours) == rd.content_hash(theirs), path


def test_binned_flux_is_the_same_with_both_readers(tmp_path):
    path = telescope_file(tmp_path / "rbsp-a-rbspice_lev-3_tofxeh_20150630_v1.1.12-01.cdf", spins=300)
    ours, theirs = (rd.bin_flux([path], product="rbspice-tofxeh", reader=reader) for reader in ("ringdecay", "cdflib"))
    assert ours["n_records"].sum() > 0
    assert rd.content_hash(ours) == rd.content_hash(theirs)


@pytest.mark.parametrize("reader", ["ringdecay", "cdflib"])
def test_what_cannot_be_read_is_one_sentence_with_both(tmp_path, reader):
    path = cdflib_file(tmp_path / "x.cdf", compress=6)
    content = path.read_bytes()
    (tmp_path / "page.cdf").write_text("<html>not found</html>")
    (tmp_path / "short.cdf").write_bytes(content[: len(content) // 2])
    names = list(open_cdf(path).variables)
    for name in ("page.cdf", "short.cdf", "none.cdf"):
        with pytest.raises(FileError, match=name), reading_cdf(tmp_path / name, names, reader=reader):
            pass
    with pytest.raises(FileError, match="none called nothing"), reading_cdf(path, ["nothing"], reader=reader):
        pass


@pytest.mark.parametrize("reader", ["ringdecay", "cdflib"])
def test_a_file_without_its_last_bytes_is_cut_short_for_both(tmp_path, reader):
    # cdflib by itself reads what is left of some of these: without the attributes or the variable that stood last.
    path, _ = pap_file(tmp_path / "x.cdf")
    content = path.read_bytes()
    for lost in (1, 50, 60, 80, 100, 1000):
        path.write_bytes(content[:-lost])
        with pytest.raises(FileError, match="cut short"), reading_cdf(path, ["Epoch", "FPDU"], optional=["MLT"], reader=reader):
            pass


def test_damage_in_a_compressed_block_is_noticed_by_both(tmp_path):
    path = cdflib_file(tmp_path / "x.cdf", compress=6)
    stored = open_cdf(path)["v45_2x3"]
    with stored._handle.reading() as source:
        (block,) = stored._index(source)
    content = path.read_bytes()
    # Behind the ten bytes of gzip's head, whose time and system say nothing of the values.
    for at in range(block.offset + 10, block.offset + block.stored, 11):
        (tmp_path / "y.cdf").write_bytes(content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
        for reader in ("ringdecay", "cdflib"):
            with pytest.raises(FileError), reading_cdf(tmp_path / "y.cdf", ["v45_2x3"], reader=reader):
                pass


def test_an_unknown_reader_is_refused(tmp_path):
    with pytest.raises(InputError, match="reader"):
        rd.bin_flux([tmp_path / "x.cdf"], product="rbspice-pap-tofxeh", reader="pycdf")
