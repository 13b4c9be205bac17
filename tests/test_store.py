"""Files of results: what is not needed is not read."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from ringdecay.errors import FileError
from ringdecay.store import open_dataset, write_dataset


def test_only_the_variables_over_time_that_are_named_are_read(tmp_path):
    values = np.arange(6.0).reshape(2, 3)
    whole = xr.Dataset(
        {"kept": (("time", "L"), values), "left": (("time", "L"), -values), "table": ("file", ["one", "two"])},
        coords={
            "time": np.array(["2015-03-17", "2015-03-18"], dtype="datetime64[ns]"),
            "L": [3.0, 4.0, 5.0],
            "L_bounds": ("L", [1.0, 2, 3]),
        },
        attrs={"product": "made up"},
    )
    write_dataset(whole, tmp_path / "whole.nc")
    assert open_dataset(tmp_path / "whole.nc").identical(whole)
    part = open_dataset(tmp_path / "whole.nc", over_time=("kept", "not there"))
    assert part.identical(whole.drop_vars("left"))
    assert set(open_dataset(tmp_path / "whole.nc", over_time=()).data_vars) == {"table"}
    # Nothing is left open: the file can be written again.
    write_dataset(whole.drop_vars("left"), tmp_path / "whole.nc")
    with pytest.raises(FileError, match="netCDF"):
        open_dataset(tmp_path / "absent.nc", over_time=("kept",))
