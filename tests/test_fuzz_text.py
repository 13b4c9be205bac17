"""Damaged text files of indices: an error that names the file, or values of the right shape, and never a number that was cut in two."""

from __future__ import annotations

import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from test_indices import dst_line, iaga_text, omni2_line

from ringdecay.errors import FileError
from ringdecay.indices import open_index

MUTANTS, SEED = 300, 30
DAYS = np.arange(np.datetime64("2015-03-01"), np.datetime64("2015-03-31")).astype(str)


def _dst() -> bytes:
    return "".join(dst_line(day, list(range(-100, -76))) for day in DAYS).encode()


def _iaga() -> bytes:
    return iaga_text("2015-03-17T00:00", [-float(value % 230) for value in range(600)]).encode()


def _omni2() -> bytes:
    return "".join(omni2_line(2015, 60 + i // 24, i % 24, -150 + i % 120) for i in range(500)).encode()


# Name of the index, a synthetic file, and a real one where it is: its place and how many bytes of its front are enough.
FORMATS = {
    "dst": ("Dst", _dst, ("dst_kyoto/WDC_Kyoto.dat", 121 * 200)),
    "iaga": ("SYM-H", _iaga, None),
    "omni2": ("Dst", _omni2, ("omni2_hourly/omni2_2015.dat", 328 * 200)),
}


def damage(content: bytes, rng: np.random.Generator) -> tuple[str, bytes]:
    """Cut the file, flip bits, drop or double a piece, or put zeros or a web page into it."""
    kind = ("cut", "cut", "bits", "drop", "double", "zeros", "page")[int(rng.integers(7))]
    at, other = sorted(int(i) for i in rng.integers(0, len(content), size=2))
    if kind == "cut":
        return kind, content[:at]
    if kind == "drop":
        return kind, content[:at] + content[min(other, at + 400) :]
    if kind == "double":
        return kind, content[:other] + content[at:]
    if kind == "zeros":
        return kind, content[:at] + bytes(min(512, len(content) - at)) + content[at + 512 :]
    if kind == "page":
        return kind, content[:at] + b"<html>503 Service Unavailable</html>\n"
    flipped = bytearray(content)
    for place in rng.integers(0, len(content), size=int(rng.integers(1, 9))):
        flipped[int(place)] ^= 1 << int(rng.integers(0, 8))
    return kind, bytes(flipped)


def check(path: Path, name: str, kind: str, sound: xr.DataArray) -> str:
    """Read a damaged file and check what comes of it; give the outcome."""
    begin = time.perf_counter()
    found, refusal = None, ""
    try:
        found = open_index(path, name)
    except FileError as error:
        refusal = str(error)
    assert time.perf_counter() - begin < 5
    if found is None:
        assert str(path) in refusal
        assert refusal.isprintable()
        return "error"
    assert (found.dims, found.dtype, found.name) == (("time",), np.float64, name)
    assert found.sizes["time"] > 0
    assert (np.diff(found["time"]) > np.timedelta64(0, "ns")).all()
    if kind in ("cut", "page"):
        # What is left of a cut file says what the whole one says.
        assert found["time"].isin(sound["time"]).all()
        np.testing.assert_array_equal(found, sound.sel(time=found["time"]))
    return "values"


def _run(name: str, content: bytes, folder: Path, label: str, mutants: int) -> set[str]:
    path = folder / f"{label}.dat"
    path.write_bytes(content)
    sound = open_index(path, name)
    outcomes = set()
    for number in range(mutants):
        rng = np.random.default_rng([SEED, zlib.crc32(label.encode()), number])
        kind, damaged = damage(content, rng)
        path.write_bytes(damaged)
        try:
            outcomes.add(check(path, name, kind, sound))
        except Exception as error:  # noqa: BLE001 - whatever it is, the mutant must be named
            kept = folder / f"{label}-{number}.dat"
            kept.write_bytes(damaged)
            pytest.fail(f"mutant {number} of {label} ({kind}), kept as {kept}: {type(error).__name__}: {error}")
    return outcomes


@pytest.mark.parametrize("label", FORMATS)
def test_a_damaged_text_file_is_an_error_or_values_of_the_right_shape(label, tmp_path):
    name, make, _ = FORMATS[label]
    assert _run(name, make(), tmp_path, label, MUTANTS // len(FORMATS)) == {"error", "values"}


@pytest.mark.parametrize("label", [label for label, (_, _, real) in FORMATS.items() if real])
def test_a_damaged_real_text_file_is_an_error_or_values_of_the_right_shape(label, tmp_path, shared_data):
    name, _, (place, size) = FORMATS[label]
    with (shared_data / place).open("rb") as stream:
        content = stream.read(size)
    assert "error" in _run(name, content, tmp_path, label, MUTANTS // len(FORMATS))


def test_a_file_cut_at_every_byte_of_its_last_line_gives_no_half_number(tmp_path):
    # The last line is where a cut hides: the characters that are left can still be a number.
    for name, make, _ in FORMATS.values():
        content = make()
        path = tmp_path / "cut.dat"
        path.write_bytes(content)
        sound = open_index(path, name)
        last = content[:-1].rindex(b"\n") + 1
        for at in range(last, len(content)):
            path.write_bytes(content[:at])
            check(path, name, "cut", sound)
