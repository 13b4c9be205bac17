"""Variables that claim the same bytes: what reading one of them cannot see, and verifying the whole file must."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from cdf_files import one_variable
from cdflib import cdfwrite

from ringdecay.cdf import read_cdf, verify_cdf
from ringdecay.errors import FileError

VXR = (6).to_bytes(4, "big")


def test_two_variables_at_one_place_are_found_by_verify_only(tmp_path):
    path = tmp_path / "x.cdf"
    writer = cdfwrite.CDF(path, cdf_spec={"Majority": "row_major", "rDim_sizes": []})
    for name, level in (("one", 1.0), ("two", 2.0)):
        spec = {"Variable": name, "Data_Type": 45, "Num_Elements": 1, "Rec_Vary": True, "Var_Type": "zVariable", "Dim_Sizes": []}
        writer.write_var(spec, var_data=np.full(50, level))
    writer.close()
    content = bytearray(path.read_bytes())
    verify_cdf(path)
    # Of an index record: size, type, next, number of entries, number in use, then first and last records and offsets of the blocks.
    found = []
    for at in range(8, len(content) - 40):
        size = int.from_bytes(content[at : at + 8], "big")
        if content[at + 8 : at + 12] == VXR and 28 <= size <= 1000:
            entries = struct.unpack_from(">i", content, at + 20)[0]
            if size == 28 + 16 * entries:
                found.append(at + 28 + 8 * entries)
    one, two = found
    content[two : two + 8] = content[one : one + 8]
    path.write_bytes(content)
    assert (read_cdf(path, ["two"])["two"].values == 1.0).all()
    with pytest.raises(FileError, match="values of each variable at a place of their own, found damage: one and two in one"):
        verify_cdf(path)


@pytest.mark.timeout(30)
def test_an_index_without_blocks_that_goes_on_with_itself_is_refused(tmp_path):
    path = one_variable(tmp_path / "x.cdf", compress=0)
    content = bytearray(path.read_bytes())
    at = next(at for at in range(8, len(content)) if content[at + 8 : at + 12] == VXR and content[at : at + 6] == bytes(6))
    content[at + 12 : at + 20] = at.to_bytes(8, "big")
    content[at + 24 : at + 28] = bytes(4)
    path.write_bytes(content)
    with pytest.raises(FileError, match="an index of flux without circles"):
        read_cdf(path, ["flux"])
