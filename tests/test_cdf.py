"""Reading CDF files: the real ones against NASA's own library and cdflib, and what a user of `read_cdf` may rely on."""

from __future__ import annotations

import cdflib
import numpy as np
import pytest
from cdf_files import cdflib_values, one_variable, pycdf_raw
from cdflib import cdfwrite

from ringdecay.cdf import is_cdf, looks_like_html, open_cdf, read_cdf, verify_cdf
from ringdecay.errors import FileError


@pytest.fixture(scope="module")
def pycdf():
    return pytest.importorskip("spacepy.pycdf")


def real_files(shared_data):
    files = sorted(shared_data.glob("*/*.cdf"))
    assert {path.parent.name for path in files} >= {"hope_l3_pa", "mageis_highrate_cdf", "rbsp_skeleton_cdf", "omni_hro2_5min_cdf"}
    return files


def same(one, other):
    """Whether two attributes are equal; most are text, which numpy compares slowly."""
    return one == other if isinstance(one, str) else np.array_equal(one, other, equal_nan=np.asarray(one).dtype.kind == "f")


def test_every_variable_and_attribute_of_every_real_file_equals_nasas_library(shared_data, pycdf):
    for path in real_files(shared_data):
        with pycdf.CDF(str(path)) as reference:
            stored = open_cdf(path)
            content = read_cdf(path, list(stored.variables))
            assert set(content.variables) == set(reference)
            for name, variable in content.variables.items():
                expected = pycdf_raw(reference, name)
                found = variable.values
                assert found.shape == expected.shape, (path, name)
                # spacepy gives single numbers as Python's own.
                assert found.dtype == expected.dtype or found.dtype.kind == "U" or not found.ndim, (path, name)
                if found.dtype.kind == "U":
                    # numpy takes the blanks and NULs at the end of a text from one and leaves them on the other.
                    found, expected = np.char.rstrip(found), np.char.rstrip(expected)
                np.testing.assert_array_equal(found, expected, err_msg=f"{path.name} {name}")
                attributes = reference[name].attrs
                assert set(variable.attributes) == set(attributes), (path, name)
                for key, value in attributes.items():
                    if attributes.type(key) not in (31, 32, 33):
                        assert same(variable.attributes[key], value), (path, name, key)
            assert set(content.attributes) == {key for key, entries in reference.attrs.items() if len(entries)}
            for key, entries in content.attributes.items():
                assert entries == [reference.attrs[key][number] for number in range(len(reference.attrs[key]))], (path, key)


def test_every_variable_and_attribute_of_every_real_file_equals_cdflib(shared_data):
    # cdflib takes seconds for the attributes of many variables, so one file of each kind.
    for path in {path.parent: path for path in real_files(shared_data)}.values():
        reference = cdflib.CDF(path)
        content = read_cdf(path, list(open_cdf(path).variables))
        for name, variable in content.variables.items():
            attributes = reference.varattsget(name)
            assert list(variable.attributes) == list(attributes)
            for key, value in attributes.items():
                assert same(variable.attributes[key], value), (path, name, key)
            if reference.varinq(name).Last_Rec < 0:
                # cdflib cannot read a variable without records.
                assert variable.values.size == 0
                continue
            expected = cdflib_values(reference, name)
            np.testing.assert_array_equal(variable.values, expected, strict=expected.dtype.kind != "U", err_msg=f"{path.name} {name}")
        assert content.attributes == reference.globalattsget()


def test_every_real_file_is_whole(shared_data):
    for path in real_files(shared_data):
        verify_cdf(path)


def test_masked_follows_fill_and_valid_range(tmp_path):
    writer = cdfwrite.CDF(tmp_path / "m.cdf", cdf_spec={"Majority": "row_major"})
    spec = {"Variable": "x", "Data_Type": 45, "Num_Elements": 1, "Rec_Vary": True, "Var_Type": "zVariable", "Dim_Sizes": [], "Compress": 0}
    writer.write_var(spec, var_attrs={"FILLVAL": [7.0, "CDF_DOUBLE"], "VALIDMIN": [0.0, "CDF_DOUBLE"], "VALIDMAX": [10.0, "CDF_DOUBLE"]},
                     var_data=np.array([1.0, 7.0, -1e31, -0.5, 10.0, 10.5]))  # fmt: skip
    writer.close()
    np.testing.assert_array_equal(np.isnan(read_cdf(tmp_path / "m.cdf", ["x"])["x"].masked()), [False, True, True, True, False, True])


def test_masked_takes_a_limit_for_each_element_of_the_last_axis(tmp_path):
    writer = cdfwrite.CDF(tmp_path / "m.cdf", cdf_spec={"Majority": "row_major"})
    spec = {"Variable": "x", "Data_Type": 45, "Num_Elements": 1, "Rec_Vary": True, "Var_Type": "zVariable", "Dim_Sizes": [3], "Compress": 0}
    limits = {"VALIDMIN": [[0.0, 1.0, 2.0], "CDF_DOUBLE"], "VALIDMAX": [[5.0, 6.0], "CDF_DOUBLE"], "FILLVAL": "none"}
    writer.write_var(spec, var_attrs=limits, var_data=np.array([[0.5, 0.5, 0.5], [9.0, 9.0, 9.0]]))
    writer.close()
    # Two numbers as the VALIDMAX of three elements say nothing, and neither does a text.
    expected = [[False, True, True], [False, False, False]]
    np.testing.assert_array_equal(np.isnan(read_cdf(tmp_path / "m.cdf", ["x"])["x"].masked()), expected)


def test_html_named_cdf_is_called_what_it_is(tmp_path):
    path = tmp_path / "page.cdf"
    path.write_text("<!DOCTYPE HTML><html><body>403 Forbidden</body></html>")
    with pytest.raises(FileError, match="a web page"):
        read_cdf(path, ["flux"])


@pytest.mark.parametrize(
    ("head", "cdf"),
    [
        ("cdf300010000ffff", True),  # version 3
        ("cdf30001cccc0001", True),  # compressed as a whole
        ("cdf260020000ffff", True),
        ("0000ffff0000ffff", True),  # version 2.5 and older
        ("cdf30001", False),  # cut
        ("894844460d0a1a0a", False),  # HDF5
        ("0000ffff00000000", False),
    ],
)
def test_a_cdf_is_known_by_its_first_two_words(head, cdf):
    assert is_cdf(bytes.fromhex(head)) is cdf


@pytest.mark.parametrize(
    ("head", "page"), [(b"\r\n <!doctype html>", True), (b"<?xml version='1.0'?>", True), (b"", False), (b" 2015", False)]
)
def test_a_web_page_is_known_by_its_first_sign(head, page):
    assert looks_like_html(head) is page


def test_missing_variable_and_missing_file_are_named(tmp_path):
    with pytest.raises(FileError, match="none called nothing"):
        read_cdf(one_variable(tmp_path / "x.cdf"), ["nothing"])
    with pytest.raises(FileError, match="no file"):
        read_cdf(tmp_path / "absent.cdf", ["x"])
    with pytest.raises(FileError, match="no file"):
        read_cdf(tmp_path, ["x"])


def test_optional_variables_are_read_if_they_are_there(tmp_path):
    content = read_cdf(one_variable(tmp_path / "x.cdf"), [], optional=["flux", "nothing"])
    assert list(content.variables) == ["flux"]
    assert "nothing" not in content


def test_a_file_without_records_reads_as_empty(shared_data):
    path = next(shared_data.glob("rbsp_skeleton_cdf/*.cdf"))
    content = read_cdf(path, ["epoch", "efield_mgse"])
    assert content["epoch"].values.shape == (0,)
    assert content["epoch"].values.dtype == np.complex128
    assert content["efield_mgse"].values.shape == (0, 3)
    assert content["efield_mgse"].values.dtype == np.float32
