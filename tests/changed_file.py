"""A CDF file written anew with something changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cdflib import cdfwrite

from ringdecay.cdf import open_cdf

_CODES = {
    "CDF_INT2": 2, "CDF_INT4": 4, "CDF_UINT4": 14, "CDF_REAL4": 21, "CDF_EPOCH": 31, "CDF_TIME_TT2000": 33, "CDF_FLOAT": 44,
    "CDF_DOUBLE": 45,
}  # fmt: skip


@dataclass
class Content:
    """Values and attributes of one variable, to be changed."""

    type: str
    values: np.ndarray
    attributes: dict[str, Any]
    varies: bool = True


def changed_file(source: Path, target: Path, change: Callable[[dict[str, Content]], object] | None = None, **attributes: str) -> Path:
    """Write the numbers of a CDF file to another one, after `change` and with some global attributes replaced."""
    stored = open_cdf(source)
    content = {
        name: Content(one.type, one.read(), dict(one.attributes), one.record_varying)
        for name, one in stored.variables.items()
        if one.type in _CODES
    }
    if change is not None:
        change(content)
    target.unlink(missing_ok=True)
    writer = cdfwrite.CDF(target, cdf_spec={"Majority": "row_major"})
    entries = {name: {i: str(entry) for i, entry in enumerate(of)} for name, of in stored.attributes.items()}
    writer.write_globalattrs(entries | {name: {0: value} for name, value in attributes.items()})
    table: dict[str, dict[str, Any]] = {}
    for name, one in content.items():
        sizes = one.values.shape[1:] if one.varies else one.values.shape
        spec = {"Variable": name, "Data_Type": _CODES[one.type], "Num_Elements": 1, "Rec_Vary": one.varies, "Dim_Sizes": list(sizes),
                "Compress": 1}  # fmt: skip
        writer.write_var(spec, var_data=one.values)
        for key, value in one.attributes.items():
            table.setdefault(key, {})[name] = value if isinstance(value, str) else [value, one.type]
    # One by one, the writer walks through its whole list for each.
    writer.write_variableattrs(table)
    writer.close()
    return target
