"""The sound files that the fuzz test damages: small ones of every kind that two libraries write, and real ones where they are."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType

import numpy as np
from cdflib import cdfwrite
from fuzz_map import Map, byte_map
from pap_file import pap_file

# CDF data types: byte, 2- and 4-byte integers, real, double, and the three times; the last is text.
_INT1, _INT2, _INT4, _REAL4, _DOUBLE, _EPOCH, _EPOCH16, _TT2000, _CHAR = 1, 2, 4, 44, 45, 31, 32, 33, 51
_RECORDS = 60
# Real files, and which of their variables are read so that a mutant takes milliseconds; none means all.
_REAL = {
    "hope": ("hope_l3_pa/*.cdf", ["Epoch_Ion", "HOPE_ENERGY_Ion", "PITCH_ANGLE", "FPDO", "Pitch_LABL", "Position_Ion"]),
    "mageis": ("mageis_highrate_cdf/*rbspb*.cdf", []),
    "omni": ("omni_hro2_5min_cdf/*20130501*.cdf", ["Epoch", "SYM_H", "flow_speed", "BZ_GSM", "YR"]),
    "skeleton": ("rbsp_skeleton_cdf/rbspa*.cdf", ["epoch", "efield_mgse", "global_flag", "Lstar"]),
}


@dataclass(frozen=True)
class Seed:
    """A sound file: its bytes, and the variables that are read of it."""

    name: str
    content: bytes
    variables: tuple[str, ...]

    @cached_property
    def map(self) -> Map:
        """What every byte is for."""
        return byte_map(self.content)


def _data() -> dict[str, tuple[int, bool, np.ndarray]]:
    """Make a variable of every type: CDF type, whether it varies with the record, values."""
    rng = np.random.default_rng(20)
    times = np.arange(_RECORDS, dtype=np.int64)
    return {
        "tt": (_TT2000, True, 488_000_000_000_000_000 + times * 10_000_000_000),
        "epoch": (_EPOCH, True, 63_600_000_000_000.0 + times * 10_000.0),
        "flux": (_REAL4, True, rng.lognormal(size=(_RECORDS, 5, 3)).astype(np.float32)),
        "double": (_DOUBLE, True, rng.normal(size=(_RECORDS, 2))),
        "flag": (_INT1, True, rng.integers(0, 9, size=_RECORDS).astype(np.int8)),
        "quality": (_INT2, True, rng.integers(0, 4, size=(_RECORDS, 3)).astype(np.int16)),
        "energy": (_REAL4, False, np.geomspace(10, 600, 5, dtype=np.float32)),
    }


def by_cdflib(path: Path, *, majority: str = "row_major", compress: int = 0, whole: int = 0) -> Path:
    """Write the file with cdflib; `whole` compresses it as a whole."""
    writer = cdfwrite.CDF(path, cdf_spec={"Majority": majority, "Compressed": whole})
    data = dict(_data())
    pairs = np.stack([63_600_000_000.0 + np.arange(_RECORDS), np.arange(_RECORDS) * 1e9], axis=1)
    data["epoch16"] = (_EPOCH16, True, pairs[:, 0] + 1j * pairs[:, 1])
    for name, (kind, varying, values) in data.items():
        spec = {
            "Variable": name, "Data_Type": kind, "Num_Elements": 1, "Rec_Vary": varying, "Var_Type": "zVariable",
            "Dim_Sizes": list(values.shape[int(varying) :]), "Compress": compress,
        }  # fmt: skip
        writer.write_var(spec, var_attrs={"UNITS": "1", "DEPEND_0": "tt"}, var_data=values)
    text = {
        "Variable": "label", "Data_Type": _CHAR, "Num_Elements": 6, "Rec_Vary": False, "Var_Type": "zVariable", "Dim_Sizes": [3],
        "Compress": 0,
    }  # fmt: skip
    writer.write_var(text, var_attrs={"UNITS": " "}, var_data=np.array(["first ", "second", "third "]))
    writer.write_globalattrs({"Logical_source": {0: "fuzz"}, "Numbers": {0: [[1.0, 2.0], "CDF_DOUBLE"]}})
    writer.close()
    return path


def by_nasa(
    pycdf: ModuleType,
    path: Path,
    *,
    column: bool = False,
    compress: bool = False,
    whole: bool = False,
    old: bool = False,
    md5: bool = False,
) -> Path:
    """Write the file with NASA's library: blocks of variables lie between each other, and one variable has records that are not stored."""
    pycdf.lib.set_backward(old)
    try:
        with pycdf.CDF(str(path), "") as file:
            file.col_major(new_col=column)
            for name, (kind, varying, values) in _data().items():
                if old and kind == _TT2000:
                    continue
                packing = pycdf.const.GZIP_COMPRESSION if compress else pycdf.const.NO_COMPRESSION
                variable = file.new(name, type=kind, recVary=varying, dims=values.shape[int(varying) :], compress=packing)
                if varying:
                    # Written in pieces and in turns, so that blocks of variables lie between each other.
                    variable[:20] = values[:20]
                else:
                    variable[...] = values
                variable.attrs["UNITS"] = "1"
                variable.attrs["SCALE"] = 1.5
            for name, (kind, varying, values) in _data().items():
                if varying and not (old and kind == _TT2000):
                    file.raw_var(name)[20:] = values[20:]
            # Records 10 to 29 are not stored; the reader gives the one before.
            gaps = file.new("gaps", type=_INT4, recVary=True, sparse=pycdf.const.PREV_SPARSERECORDS)
            gaps[:10], gaps[30:35] = np.arange(10), np.arange(5)
            file.new("label", data=["first ", "second", "third "], recVary=False)
            file.attrs["Logical_source"] = "fuzz"
            file.attrs["Numbers"] = [1.0, 2.0]
            if whole:
                file.compress(pycdf.const.GZIP_COMPRESSION, 6)
            file.checksum(md5)
    finally:
        pycdf.lib.set_backward(False)
    return path


def make_seeds(folder: Path, real: Path | None) -> list[Seed]:
    """Write all seeds into a folder and read them; one that cannot be made here is replaced by another, so that numbers stay.

    Parameters
    ----------
    folder : Path
        Where to write.
    real : Path, optional
        Folder of the real files.
    """
    made: dict[str, tuple[Path | None, list[str]]] = {
        "pap": (pap_file(folder / "rbsp-a-rbspice_lev-3-pap_tofxeh_20150630_v1.1.0-00.cdf", records=4)[0], []),
        "cdflib-plain": (by_cdflib(folder / "plain.cdf"), []),
        "cdflib-gzip": (by_cdflib(folder / "gzip.cdf", compress=6), []),
        "cdflib-column": (by_cdflib(folder / "column.cdf", majority="column_major", compress=1), []),
        "cdflib-whole": (by_cdflib(folder / "whole.cdf", whole=6), []),
    }
    kinds = {"plain": {}, "gzip": {"compress": True}, "column": {"column": True}, "whole": {"whole": True}, "old": {"old": True},
             "old-gzip": {"old": True, "compress": True}, "md5": {"md5": True}}  # fmt: skip
    pycdf = _pycdf()
    for kind, options in kinds.items():
        made[f"nasa-{kind}"] = (by_nasa(pycdf, folder / f"nasa-{kind}.cdf", **options) if pycdf else None, [])
    for name, (pattern, variables) in _REAL.items():
        made[name] = (next(iter(sorted(real.glob(pattern))), None) if real else None, variables)
    seeds = [_seed(name, path, variables) for name, (path, variables) in made.items() if path]
    by_name = {seed.name: seed for seed in seeds}
    return [by_name.get(name, seeds[place % 5]) for place, name in enumerate(made)]


def _pycdf() -> ModuleType | None:
    try:
        from spacepy import pycdf  # noqa: PLC0415 - it may be missing
    except ImportError as error:
        sys.stderr.write(f"without files of NASA's library: {error}\n")
        return None
    return pycdf


def _seed(name: str, path: Path, variables: list[str]) -> Seed:
    content = bytearray(path.read_bytes())
    # cdflib puts the time of writing into the head of each gzip stream (bytes 4 to 7); without it equal seeds have equal bytes.
    at = content.find(b"\x1f\x8b\x08\x00")
    while at >= 0 and name not in _REAL:
        content[at + 4 : at + 8] = bytes(4)
        at = content.find(b"\x1f\x8b\x08\x00", at + 8)
    seed = Seed(name, bytes(content), tuple(variables))
    return Seed(name, seed.content, tuple(variables or seed.map.names or _names_inside(path)))


def _names_inside(path: Path) -> list[str]:
    """Names of a file that is compressed as a whole, which the map cannot see: those that the sound twin has."""
    twin = path.with_name({"whole.cdf": "plain.cdf", "nasa-whole.cdf": "nasa-plain.cdf"}[path.name])
    return byte_map(twin.read_bytes()).names
