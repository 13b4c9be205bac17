"""Small CDF files of every kind that NASA's library (through spacepy) and cdflib can write, and how to read them with both."""

from __future__ import annotations

import ctypes
import datetime as dt
import warnings
from pathlib import Path

import cdflib
import numpy as np
from cdflib import cdfwrite

RECORDS = 60
SIZES = [(), (3,), (1,), (2, 3), (2, 1, 4)]
# Types that CDF 2.7 has, too; then those that came with version 3.
OLD_TYPES = {
    "INT1": "i1", "INT2": "i2", "INT4": "i4", "UINT1": "u1", "UINT2": "u2", "UINT4": "u4", "REAL4": "f4", "REAL8": "f8", "FLOAT": "f4",
    "DOUBLE": "f8", "BYTE": "i1",
}  # fmt: skip
NEW_TYPES = {"INT8": "i8", "TIME_TT2000": "i8"}


def numbers(rng: np.random.Generator, kind: str, shape: tuple[int, ...]) -> np.ndarray:
    """Make random numbers of a numpy type, most of them zero so that run-length compression has work."""
    values = rng.normal(size=shape) * 30 * (rng.random(shape) < 0.3)
    return np.abs(values).astype(kind) if kind[0] == "u" else values.astype(kind)


def pycdf_file(
    path: Path, *, encoding=None, column_major=False, compress=None, whole=None, checksum=False, sparse=None, backward=False, only=None
) -> Path:
    """Write a file with NASA's library: every type and number of axes, with and without records, text and times."""
    import spacepy.pycdf as pycdf
    from spacepy.pycdf import const

    rng = np.random.default_rng(5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pycdf.lib.set_backward(backward)
        try:
            cdf = pycdf.CDF(str(path), "")
        finally:
            pycdf.lib.set_backward(False)
        try:
            if encoding is not None:
                cdf._call(const.PUT_, const.CDF_ENCODING_, ctypes.c_long(encoding))
            cdf.col_major(column_major)
            if whole is not None:
                cdf.compress(getattr(const, f"{whole}_COMPRESSION"), 5 if whole == "GZIP" else const.RLE_OF_ZEROs)
            if checksum:
                cdf.checksum(True)
            cdf.attrs["Title"] = ["one", "two", "f\u00fcnf"]
            cdf.attrs["Number"] = [1.5]
            how = {}
            if compress is not None:
                parameter = 6 if compress == "GZIP" else const.RLE_OF_ZEROs
                how = {"compress": getattr(const, f"{compress}_COMPRESSION"), "compress_param": parameter}
            types = OLD_TYPES if backward else OLD_TYPES | NEW_TYPES
            for name, kind in types.items():
                if only is not None and name not in only:
                    continue
                cdf_type = getattr(const, f"CDF_{name}")
                for sizes in SIZES:
                    variable = cdf.new(f"{name}_{'x'.join(map(str, sizes))}", type=cdf_type, dims=list(sizes), recVary=True, **how)
                    values = numbers(rng, kind, (RECORDS, *sizes))
                    raw = cdf.raw_var(variable.name())
                    if sparse is None:
                        raw[...] = values
                    else:
                        variable.sparse(getattr(const, f"{sparse}_SPARSERECORDS"))
                        raw[5:20], raw[40:RECORDS] = values[5:20], values[40:]
                    variable.attrs.new("FILLVAL", numbers(rng, kind, (1,))[0], type=cdf_type)
                    variable.attrs.new("VALIDMIN", numbers(rng, kind, (3,)), type=cdf_type)
                    variable.attrs["UNITS"] = "cm-2"
                cdf.new(f"{name}_fixed", type=cdf_type, dims=[2, 3], recVary=False)
                cdf.raw_var(f"{name}_fixed")[...] = numbers(rng, kind, (2, 3))
                cdf.new(f"{name}_empty", type=cdf_type, dims=[2], recVary=True)
                # An axis along which nothing varies is stored once, as those of rVariables are.
                cdf.new(f"{name}_half", type=cdf_type, dims=[2, 3], recVary=True, dimVarys=[True, False])
                cdf.raw_var(f"{name}_half")[...] = numbers(rng, kind, (4, 2, 3))
            cdf.new("text", type=const.CDF_CHAR, n_elements=7, dims=[3])[...] = [["a", "bcd  ", "efghijk"]] * 9
            cdf.new("text_scalar", type=const.CDF_UCHAR, n_elements=4)[...] = ["x", "yz", "", "tutu"]
            cdf.new("text_fixed", type=const.CDF_CHAR, n_elements=7, dims=[2, 2], recVary=False)[...] = [["a", "b"], ["c", "ddd"]]
            times = [dt.datetime(2015, 6, 30, 23, 59, 50, 123456) + dt.timedelta(seconds=i) for i in range(20)]
            cdf.new("epoch", type=const.CDF_EPOCH, **how)[...] = times
            cdf["epoch"].attrs["VALIDMIN"] = times[0]
            if not backward:
                cdf.new("epoch16", type=const.CDF_EPOCH16, **how)[...] = times
                cdf.new("epoch16_pair", type=const.CDF_EPOCH16, dims=[2])[...] = [[time, time] for time in times]
        finally:
            cdf.close()
    return path


def pycdf_raw(reference, name: str) -> np.ndarray:
    """Give the values of a variable as NASA's library has them, in the form of ringdecay.cdf: complex EPOCH16, `str` without NULs."""
    raw = reference.raw_var(name)
    values = np.asarray(raw[...])
    if values.dtype.kind == "S":
        return np.char.decode(values, "utf-8")
    return values.reshape(-1).view(np.complex128).reshape(values.shape[:-1]) if raw.type() == 32 else values


def cdflib_file(path: Path, *, encoding=6, compress=0, whole=0, checksum=False) -> Path:
    """Write a file with cdflib: zVariables and rVariables, numbers, text and times."""
    rng = np.random.default_rng(6)
    spec = {"Majority": "row_major", "Encoding": encoding, "Compressed": whole, "Checksum": checksum, "rDim_sizes": [4]}
    writer = cdfwrite.CDF(path, cdf_spec=spec)
    writer.write_globalattrs({"Title": {0: "one", 1: "two"}, "Number": {0: [1.5, "CDF_DOUBLE"]}})

    def write(name, number, values, *, sizes=(), varies=True, elements=1, kind="zVariable", attributes=None):
        variable = {
            "Variable": name, "Data_Type": number, "Num_Elements": elements, "Rec_Vary": varies, "Var_Type": kind,
            "Dim_Sizes": list(sizes), "Compress": compress,
        }  # fmt: skip
        if kind == "rVariable":
            variable["Dim_Vary"] = [bool(sizes)]
        writer.write_var(variable, var_attrs=attributes or {}, var_data=values)

    for number, kind in {1: "i1", 2: "i2", 4: "i4", 8: "i8", 11: "u1", 12: "u2", 14: "u4", 44: "f4", 45: "f8", 33: "i8", 31: "f8"}.items():
        for sizes in SIZES:
            name = f"v{number}_{'x'.join(map(str, sizes))}"
            write(name, number, numbers(rng, kind, (RECORDS, *sizes)), sizes=sizes, attributes={"UNITS": "m", "DEPEND_0": "v33_"})
        write(f"fixed{number}", number, numbers(rng, kind, (2, 3)), sizes=(2, 3), varies=False)
    write("epoch16", 32, np.array([6.35e10 + 5e11j, 6.36e10 + 1e11j]), attributes={"VALIDMIN": [6.35e10 + 1j, "CDF_EPOCH16"]})
    write("text", 51, np.array([["ab", "cde"], ["f", "ghi"]]), sizes=(2,), elements=3)
    write("r_scalar", 44, np.arange(5, dtype=np.float32), kind="rVariable")
    write("r_vector", 44, np.arange(20, dtype=np.float32).reshape(5, 4), sizes=(4,), kind="rVariable")
    writer.close()
    return path


def cdflib_values(reference: cdflib.CDF, name: str) -> np.ndarray:
    """Give the values of a variable as cdflib has them, with the axes of length one that it drops."""
    inquiry = reference.varinq(name)
    sizes = tuple(inquiry.Dim_Sizes)
    shape = (inquiry.Last_Rec + 1, *sizes) if inquiry.Rec_Vary else sizes
    return np.asarray(reference.varget(name)).reshape(shape)


def one_variable(path: Path, *, compress: int = 6, records: int = 1000, name: str = "flux") -> Path:
    """Write a file of one variable of random numbers of shape (records, 3)."""
    writer = cdfwrite.CDF(path, cdf_spec={"Majority": "row_major", "rDim_sizes": []})
    spec = {
        "Variable": name, "Data_Type": 44, "Num_Elements": 1, "Rec_Vary": True, "Var_Type": "zVariable", "Dim_Sizes": [3],
        "Compress": compress,
    }  # fmt: skip
    values = np.random.default_rng(1).normal(size=(records, 3)).astype(np.float32)
    writer.write_var(spec, var_attrs={"UNITS": "1", "FILLVAL": np.float32(-1e31)}, var_data=values)
    writer.close()
    return path
