"""Checks of a file that rest on what the reader did not take, and on names that NASA gives to parts of a data set."""

from __future__ import annotations

import numpy as np
from changed_file import Content, changed_file
from pap_file import pap_file

from ringdecay.check import check_file, recognise

NAME = "rbsp-a-rbspice_lev-3-pap_tofxeh_20150630_v1.2.4-03.cdf"


def test_a_part_of_a_data_set_is_of_its_product():
    own = {"Logical_source": ["RBSP-B-RBSPICE_LEV-3-PAP_TOFXEHE-0"]}
    assert recognise("x.cdf", own) == ("rbspice-pap-tofxehe",)
    assert recognise("x.cdf", {"Logical_source": ["RBSP-B-RBSPICE_LEV-3-PAP_TOFXEHE-X"]}) == ()


def test_a_coordinate_that_the_reader_leaves_out_differs_although_its_values_are_plausible(tmp_path):
    def change(content, bad):
        content["L_Star"] = Content("CDF_FLOAT", np.full(20, 4.0, dtype=np.float32), {})
        content["Position_Quality"] = Content("CDF_INT4", np.full(20, bad, dtype=np.int32), {})

    source, _ = pap_file(tmp_path / NAME)
    verdicts = []
    for bad in (0, 1):
        (tmp_path / f"{bad}").mkdir()
        path = changed_file(source, tmp_path / f"{bad}" / NAME, lambda content, bad=bad: change(content, bad))
        table = check_file(path)
        row = table[(table["group"] == "position") & (table["expectation"] == "L_star")]
        verdicts.append((row["verdict"].item(), "not taken by the reader" in row["found"].item()))
    assert verdicts == [("holds", False), ("differs", True)]
