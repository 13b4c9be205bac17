"""Files of every kind that can be written, read by ours, by NASA's library and by cdflib."""

from __future__ import annotations

import itertools

import cdflib
import numpy as np
import pytest
from cdf_files import cdflib_file, cdflib_values, pycdf_file, pycdf_raw

from ringdecay.cdf import open_cdf, read_cdf, verify_cdf
from ringdecay.errors import FileError

KINDS = {
    "plain": {},
    "column-major": {"column_major": True},
    "network": {"encoding": 1},
    "network-column-major": {"encoding": 1, "column_major": True},
    "gzip": {"compress": "GZIP"},
    "gzip-column-major": {"compress": "GZIP", "column_major": True},
    "rle": {"compress": "RLE"},
    "whole-gzip": {"whole": "GZIP"},
    "whole-rle": {"whole": "RLE"},
    "md5": {"checksum": True},
    "whole-md5": {"whole": "GZIP", "checksum": True},
    "sparse-pad": {"sparse": "PAD"},
    "sparse-previous": {"sparse": "PREV"},
    "sparse-pad-gzip": {"sparse": "PAD", "compress": "GZIP"},
    "sparse-previous-gzip": {"sparse": "PREV", "compress": "GZIP"},
    "version-2.7": {"backward": True},
    "version-2.7-gzip": {"backward": True, "compress": "GZIP"},
    "version-2.7-whole": {"backward": True, "whole": "GZIP"},
    "version-2.7-network-column-major": {"backward": True, "encoding": 1, "column_major": True},
    **{f"encoding-{number}": {"encoding": number, "only": ("INT2", "INT4", "FLOAT", "DOUBLE")} for number in (2, 4, 5, 7, 9, 11, 12, 13, 16, 17, 19)},
}


@pytest.fixture(scope="module")
def pycdf():
    return pytest.importorskip("spacepy.pycdf")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_every_value_and_attribute_equals_nasas_library(kind, pycdf, tmp_path):
    path = pycdf_file(tmp_path / "x.cdf", **KINDS[kind])
    stored = open_cdf(path)
    content = read_cdf(path, list(stored.variables))
    with pycdf.CDF(str(path)) as reference:
        assert set(content.variables) == set(reference)
        for name, variable in content.variables.items():
            expected = pycdf_raw(reference, name)
            if name.endswith("_half"):
                # NASA's library repeats the value along an axis on which nothing varies; here, as in cdflib, there is no such axis.
                assert (expected == expected[..., :1]).all()
                expected = expected[..., 0]
            assert variable.values.shape == expected.shape, name
            assert variable.values.dtype.kind == expected.dtype.kind, name
            if expected.dtype.kind != "U":
                assert variable.values.dtype == expected.dtype, name
                assert variable.values.dtype.isnative
            np.testing.assert_array_equal(variable.values, expected, err_msg=name)
            assert stored[name].dtype == variable.values.dtype
            assert set(variable.attributes) == set(reference[name].attrs)
            for key, value in reference[name].attrs.items():
                if reference[name].attrs.type(key) not in (31, 32, 33):
                    np.testing.assert_array_equal(variable.attributes[key], value, err_msg=f"{name} {key}")
        assert {key: list(entries) for key, entries in reference.attrs.items()} == content.attributes
    verify_cdf(path)


@pytest.mark.parametrize("kind", ["plain", "column-major", "gzip", "sparse-previous-gzip", "whole-gzip", "version-2.7-gzip"])
def test_every_slice_is_that_part_of_the_whole(kind, pycdf, tmp_path):  # noqa: ARG001
    stored = open_cdf(pycdf_file(tmp_path / "x.cdf", **KINDS[kind]))
    for name in ("FLOAT_", "DOUBLE_2x3", "INT2_2x1x4", "text", "epoch"):
        whole = stored[name].read()
        assert whole.shape == (stored[name].records, *stored[name].sizes)
        for start, stop in itertools.product((None, 0, 3, 4, 5, 19, 20, 30, 40, 41, -3, 70), (None, 0, 1, 5, 6, 20, 40, 45, -1, 99)):
            np.testing.assert_array_equal(stored[name].read(start, stop), whole[start:stop])


@pytest.mark.parametrize("encoding", [1, 2, 4, 6])
@pytest.mark.parametrize("how", [{}, {"compress": 6}, {"whole": 5}, {"checksum": True}], ids=["plain", "gzip", "whole", "md5"])
def test_files_of_cdflib_read_as_it_reads_them(encoding, how, tmp_path):
    path = cdflib_file(tmp_path / "x.cdf", encoding=encoding, **how)
    content = read_cdf(path, list(open_cdf(path).variables))
    reference = cdflib.CDF(path)
    info = reference.cdf_info()
    assert list(content.variables) == [*info.rVariables, *info.zVariables]
    for name, variable in content.variables.items():
        expected = cdflib_values(reference, name)
        np.testing.assert_array_equal(variable.values, expected, err_msg=name, strict=expected.dtype.kind != "U")
        assert variable.type == reference.varinq(name).Data_Type_Description
        attributes = reference.varattsget(name)
        assert list(variable.attributes) == list(attributes)
        for key, value in attributes.items():
            np.testing.assert_array_equal(variable.attributes[key], value)
    assert content.attributes == reference.globalattsget()
    verify_cdf(path)


def test_an_axis_along_which_an_rvariable_does_not_vary_is_none_of_its_own(tmp_path):
    content = read_cdf(cdflib_file(tmp_path / "x.cdf"), ["r_scalar", "r_vector"])
    np.testing.assert_array_equal(content["r_scalar"].values, np.arange(5))
    np.testing.assert_array_equal(content["r_vector"].values, np.arange(20).reshape(5, 4))


@pytest.mark.parametrize("sparse", ["PAD", "PREV"])
@pytest.mark.parametrize("kind", ["DOUBLE", "FLOAT", "EPOCH", "EPOCH16", "TIME_TT2000", "CHAR", "INT2", "UINT4"])
@pytest.mark.parametrize("own", [(), ("pad",), ("fill",), ("pad", "fill")], ids=lambda own: "+".join(own) or "none")
@pytest.mark.filterwarnings("ignore")
def test_records_that_are_not_stored_are_what_nasas_library_says(sparse, kind, own, pycdf, tmp_path):
    from spacepy.pycdf import const

    number = getattr(const, f"CDF_{kind}")
    value = {"CHAR": "abc", "EPOCH16": [7.0, 1.0]}.get(kind, 7)
    pad = {"CHAR": "xyz"}.get(kind, 9)
    with pycdf.CDF(str(tmp_path / "x.cdf"), "") as cdf:
        variable = cdf.new("x", type=number, recVary=True, **({"n_elements": 3} if kind == "CHAR" else {}))
        variable.sparse(getattr(const, f"{sparse}_SPARSERECORDS"))
        if "pad" in own and kind in {"DOUBLE", "FLOAT", "CHAR", "INT2", "UINT4"}:
            variable.pad(pad)
        if "fill" in own:
            variable.attrs.new("FILLVAL", {"CHAR": "uvw", "EPOCH16": (8.0, 2.0)}.get(kind, 8), type=number)
        cdf.raw_var("x")[2:4] = [value, value]
        cdf.raw_var("x")[6:7] = [value]
    with pycdf.CDF(str(tmp_path / "x.cdf")) as reference:
        np.testing.assert_array_equal(read_cdf(tmp_path / "x.cdf", ["x"])["x"].values, pycdf_raw(reference, "x"))


def test_a_variable_without_its_one_value_is_pad(pycdf, tmp_path):
    from spacepy.pycdf import const

    with pycdf.CDF(str(tmp_path / "x.cdf"), "") as cdf:
        cdf.new("x", type=const.CDF_DOUBLE, dims=[2], recVary=False)
        cdf.new("y", type=const.CDF_CHAR, recVary=False, n_elements=5)
    content = read_cdf(tmp_path / "x.cdf", ["x", "y"])
    np.testing.assert_array_equal(content["x"].values, [-1e30, -1e30])
    assert str(content["y"].values).strip() == ""


@pytest.mark.parametrize("number", [3, 14, 15, 18, 20, 21])
def test_other_numbers_than_ieee_are_refused_by_name(number, pycdf, tmp_path):
    with pycdf.CDF(str(tmp_path / "x.cdf"), "") as cdf:
        cdf["x"] = [1.0, 2.0]
    path = tmp_path / "x.cdf"
    content = bytearray(path.read_bytes())
    # The encoding stands in the file descriptor at byte 8: behind its size, type, an offset, the version and the release.
    at = 8 + 8 + 4 + 8 + 4 + 4
    content[at : at + 4] = number.to_bytes(4, "big")
    path.write_bytes(content)
    with pytest.raises(FileError, match=r"encoding; convert it with NASA's cdfconvert"):
        open_cdf(path)


def test_huffman_compression_is_refused_by_name(pycdf, tmp_path):
    from spacepy.pycdf import const

    with pycdf.CDF(str(tmp_path / "x.cdf"), "") as cdf:
        cdf.new("x", data=np.arange(1000) % 3, compress=const.HUFF_COMPRESSION, compress_param=const.OPTIMAL_ENCODING_TREES)
    with pytest.raises(FileError, match="Huffman compression of variable x"):
        open_cdf(tmp_path / "x.cdf")


def test_a_cdf_in_several_files_is_refused_by_name(pycdf, tmp_path):
    with pycdf.CDF(str(tmp_path / "x.cdf"), "") as cdf:
        cdf["x"] = [1.0, 2.0]
    path = tmp_path / "x.cdf"
    content = bytearray(path.read_bytes())
    content[8 + 8 + 4 + 8 + 12 + 3] &= ~2
    path.write_bytes(content)
    with pytest.raises(FileError, match="one in several files"):
        open_cdf(path)
