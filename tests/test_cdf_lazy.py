"""An opened file reads what is asked for and no more, from any thread or process, into no more memory than it must."""

from __future__ import annotations

import pickle
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from cdf_files import one_variable, pycdf_file

from ringdecay.cdf import blocks, open_cdf, read_cdf, source
from ringdecay.errors import FileError


@pytest.fixture(scope="module")
def gzipped(tmp_path_factory):
    """A file of two compressed variables of ten blocks each."""
    pycdf = pytest.importorskip("spacepy.pycdf")
    path = tmp_path_factory.mktemp("lazy") / "x.cdf"
    values = np.random.default_rng(1).integers(0, 9, size=(1000, 3)).astype(np.float32)
    with pycdf.CDF(str(path), "") as cdf:
        for name in ("one", "two"):
            cdf.new(name, type=pycdf.const.CDF_FLOAT, dims=[3], compress=pycdf.const.GZIP_COMPRESSION, compress_param=6)
            # The blocking factor is how many records NASA's library packs together.
            cdf[name]._call(pycdf.const.PUT_, pycdf.const.zVAR_BLOCKINGFACTOR_, 100)
            cdf[name][...] = values
    return path, values


@pytest.fixture
def unpacked(monkeypatch):
    """What is unpacked, in words, in its order."""
    found = []
    inflate = blocks.inflate

    def counting(*arguments):
        found.append(arguments[-1])
        inflate(*arguments)

    monkeypatch.setattr(blocks, "inflate", counting)
    return found


def test_opening_unpacks_nothing_and_a_slice_only_its_blocks(gzipped, unpacked):
    path, values = gzipped
    stored = open_cdf(path)
    assert stored["one"].sizes == (3,)
    assert (stored["one"].records, stored["one"].type, stored["one"].dtype) == (1000, "CDF_FLOAT", np.float32)
    assert unpacked == []
    np.testing.assert_array_equal(stored["one"].read(250, 310), values[250:310])
    assert unpacked == ["records 200 to 299 of one", "records 300 to 399 of one"]
    unpacked.clear()
    np.testing.assert_array_equal(stored["two"].read(-1), values[-1:])
    assert unpacked == ["records 900 to 999 of two"]
    unpacked.clear()
    assert stored["two"].read(5, 5).shape == (0, 3)
    assert unpacked == []


def test_reading_one_variable_unpacks_no_other(gzipped, unpacked):
    path, values = gzipped
    np.testing.assert_array_equal(read_cdf(path, ["two"])["two"].values, values)
    assert len(unpacked) == 10
    assert all(what.endswith("of two") for what in unpacked)


def test_an_uncompressed_slice_reads_its_own_bytes_only(tmp_path, monkeypatch):
    path = one_variable(tmp_path / "x.cdf", compress=0, records=100_000)
    stored = open_cdf(path)
    stored["flux"].read(0, 1)
    counted = []
    monkeypatch.setattr(source.Source, "fill", lambda _source, _offset, target: counted.append(len(target)))
    stored["flux"].read(50_000, 50_010)
    assert counted == [10 * 3 * 4]


@pytest.mark.parametrize("compress", [0, 6])
def test_memory_is_that_of_the_values(tmp_path, compress):
    path = one_variable(tmp_path / "x.cdf", compress=compress, records=1_000_000)
    read_cdf(path, ["flux"])
    tracemalloc.start()
    values = read_cdf(path, ["flux"])["flux"].values
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert values.nbytes == 12_000_000
    assert peak < 1.1 * values.nbytes


def test_values_are_ones_own_to_change(tmp_path):
    for compress in (0, 6):
        values = read_cdf(one_variable(tmp_path / f"{compress}.cdf", compress=compress), ["flux"])["flux"].values
        before = values.copy()
        values += 1.0
        np.testing.assert_array_equal(read_cdf(tmp_path / f"{compress}.cdf", ["flux"])["flux"].values, before)


@pytest.mark.parametrize("whole", [None, "GZIP"])
def test_an_opened_file_can_be_pickled_and_read_by_threads(tmp_path, monkeypatch, whole):
    pytest.importorskip("spacepy.pycdf")
    path = pycdf_file(tmp_path / "x.cdf", whole=whole, compress=None if whole else "GZIP", only=("DOUBLE",))
    monkeypatch.chdir(tmp_path)
    stored = open_cdf("x.cdf")
    variable = stored["DOUBLE_2x3"]
    expected = variable.read()
    copied = pickle.dumps(variable)
    assert len(copied) < 20_000
    np.testing.assert_array_equal(pickle.loads(copied).read(), expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(stored))["DOUBLE_2x3"].read(3, 9), expected[3:9])
    monkeypatch.chdir("/")
    np.testing.assert_array_equal(pickle.loads(copied).read(), expected)
    with ThreadPoolExecutor(8) as pool:
        for start, found in enumerate(pool.map(lambda at: open_cdf(path)["DOUBLE_2x3"].read(at, at + 7), range(50))):
            np.testing.assert_array_equal(found, expected[start : start + 7])
        for start, found in enumerate(pool.map(lambda at: variable.read(at, at + 7), range(50))):
            np.testing.assert_array_equal(found, expected[start : start + 7])


def test_nothing_stays_open(gzipped):
    path, _ = gzipped
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("this system does not show what is open")
    before = len(list(descriptors.iterdir()))
    kept = [open_cdf(path) for _ in range(20)]
    for stored in kept:
        stored["one"].read(0, 3)
    assert len(list(descriptors.iterdir())) == before


def test_a_file_that_changed_since_it_was_opened_is_refused(tmp_path):
    path = one_variable(tmp_path / "x.cdf")
    stored = open_cdf(path)
    path.unlink()
    one_variable(path, records=900)
    with pytest.raises(FileError, match="the file as it was when it was opened"):
        stored["flux"].read()
    path.unlink()
    with pytest.raises(FileError, match=r"x\.cdf"):
        stored["flux"].read()
