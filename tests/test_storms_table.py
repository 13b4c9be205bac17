"""Tables of storms: written, read back, and given by a user."""

from __future__ import annotations

from pathlib import Path

import fake_results as fake
import numpy as np
import pandas as pd
import pytest
from storm_series import series

from ringdecay.errors import FileError, InputError
from ringdecay.storms import COLUMNS, check_number, find_storms, read_storms, write_storms


def test_a_table_comes_back_as_it_was_written(tmp_path: Path) -> None:
    index = series({0: 0, 10: -100.1, 40: -30, 50: -90, 100: 0, 120: -20, 130: -70, 131: -71})
    for shift in (np.timedelta64(0, "ns"), np.timedelta64(1, "ns")):
        storms = find_storms(index.assign_coords(time=index["time"] + shift))
        assert len(storms) == 2
        write_storms(storms, tmp_path / "storms.csv")
        pd.testing.assert_frame_equal(read_storms(tmp_path / "storms.csv"), storms)
    assert "T10:00:00.000000001Z" in (tmp_path / "storms.csv").read_text()
    index.attrs["simulated"] = "yes"
    write_storms(find_storms(index), tmp_path / "storms.csv")
    assert (tmp_path / "storms.csv").read_text().startswith("# SIMULATED")
    again = read_storms(tmp_path / "storms.csv")
    assert again.attrs["simulated"] == "yes"
    pd.testing.assert_frame_equal(again, find_storms(index))
    empty = find_storms(series({0: 0, 10: 0}))
    write_storms(empty, tmp_path / "empty.csv")
    pd.testing.assert_frame_equal(read_storms(tmp_path / "empty.csv"), empty)


def test_a_table_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(
        "onset, minimum, recovery_end, depth, note\n"
        "2015-06-22T19:00+02:00, 2015-06-23 04:24, 2015-06-25, -204, second\n"
        "2015-03-17T06:00Z, 2015-03-17T22:47Z, 2015-03-22T02:48Z, -234.5, first\n"
    )
    storms = read_storms(path)
    assert storms["note"].to_list() == ["first", "second"]
    assert storms["storm"].to_list() == [1, 2]
    assert storms["onset"][1] == pd.Timestamp("2015-06-22T17:00")
    assert storms["storm_class"].to_list() == ["intense", "intense"]
    assert {name: str(storms[name].dtype) for name in COLUMNS} == COLUMNS


ROW = "2015-03-17T06:00,2015-03-17T22:00,2015-03-22T00:00,-234"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "something else"),
        ("onset,minimum,depth\n", "no recovery_end"),
        (f"onset,minimum,recovery_end,depth\n{ROW.replace('2015-03-17T22:00', 'then')}\n", "'then' in row 1"),
        (f"onset,minimum,recovery_end,depth\n{ROW.replace('-234', '234')}\n", "'234' in row 1"),
        (f"onset,minimum,recovery_end,depth\n{ROW.replace('-234', '')}\n", "'' in row 1"),
        (f"onset,minimum,recovery_end,depth\n{ROW.replace('03-22', '03-16')}\n", "expected last_minimum before recovery_end"),
        (f"onset,minimum,recovery_end,depth\n{ROW.replace('17T06', '18T06')}\n", "expected onset before minimum"),
        (f"onset,minimum,recovery_end,depth\n{ROW}\n{ROW.replace('03-17', '03-19')}\n", "lasting beyond the onset of storm 2"),
        (f"onset,minimum,recovery_end,depth,last_minimum\n{ROW},2015-03-17T21:00\n", "expected minimum before last_minimum"),
        (f"storm,onset,minimum,recovery_end,depth\n7,{ROW}\n7,{ROW.replace('2015', '2016')}\n", "7 twice"),
        (f"storm,onset,minimum,recovery_end,depth\n1.5,{ROW}\n", "'1.5' in row 1"),
        (f"n_dips,onset,minimum,recovery_end,depth\n0,{ROW}\n", "'0' in row 1"),
        (f"n_dips,onset,minimum,recovery_end,depth\ninf,{ROW}\n", "'inf' in row 1"),
        (f"complete,onset,minimum,recovery_end,depth\nmaybe,{ROW}\n", "'maybe' in row 1"),
    ],
)
def test_a_wrong_table_is_refused_in_one_sentence(tmp_path: Path, text: str, found: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text(text)
    with pytest.raises(FileError) as caught:
        read_storms(path)
    assert found in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_table_and_a_missing_column(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no file"):
        read_storms(tmp_path / "absent.csv")
    with pytest.raises(InputError, match="n_dips"):
        write_storms(find_storms(series({0: 0, 10: 0})).drop(columns="n_dips"), tmp_path / "a.csv")


def test_a_number_that_no_storm_has_is_refused_with_those_that_are_there() -> None:
    storms = fake.storms(3)
    check_number(storms, 3, "figures.storm")
    check_number(storms, None, "figures.storm")
    with pytest.raises(InputError, match=r"figures.storm is 4, but the run has the storms 1, 2, 3; name one"):
        check_number(storms, 4, "figures.storm")
    with pytest.raises(InputError, match="the storms 1 to 40; name one"):
        check_number(fake.storms(40), 41, "figures.storm")
    with pytest.raises(InputError, match="has no storm; name one"):
        check_number(storms[:0], 1, "figures.storm")
