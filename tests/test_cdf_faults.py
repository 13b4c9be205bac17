"""Damaged, cut and hostile CDF files: the same data or one FileError that names the file, soon and in little memory."""

from __future__ import annotations

import random
import struct
import time
import tracemalloc
import zlib

import numpy as np
import pytest
from cdf_files import cdflib_file, one_variable, pycdf_file

from ringdecay.cdf import open_cdf, read_cdf, source, verify_cdf
from ringdecay.cdf.inflate import inflate
from ringdecay.errors import FileError


def outcome(path, reference=None):
    """Read all of a file: None for a FileError, else the values; and hold the promises that hold for any file."""
    started, said, found = time.perf_counter(), "", None
    try:
        stored = open_cdf(path)
        found = {name: variable.values for name, variable in read_cdf(path, list(stored.variables)).variables.items()}
    except FileError as error:
        said = str(error)
    assert time.perf_counter() - started < 5
    assert found is not None or (str(path) in said and "\n" not in said)
    if found is not None and reference is not None:
        assert found.keys() == reference.keys()
        for name, values in found.items():
            np.testing.assert_array_equal(values, reference[name], err_msg=name)
    return found


@pytest.mark.parametrize("tokens", [1, 2, 60, 100_000])
def test_run_length_compression_unpacks_as_its_rule_says(tokens, tmp_path):
    chance = random.Random(tokens)
    packed, expected = bytearray(), bytearray()
    for _ in range(tokens):
        if chance.random() < 0.5:
            # A count can be zero itself, so that zeros stand in rows of any length.
            count = chance.choice([0, 0, 1, 5, 255])
            packed += bytes([0, count])
            expected += bytes(count + 1)
        else:
            packed.append(chance.randrange(1, 256))
            expected.append(packed[-1])
    held = source.Source(tmp_path, len(packed), -1, packed)
    found = bytearray(len(expected))
    inflate(held, 0, len(packed), 1, memoryview(found), "x")
    assert found == expected
    for size in (len(expected) - 1, len(expected) + 1):
        with pytest.raises(FileError, match="to unpack to"):
            inflate(held, 0, len(packed), 1, memoryview(bytearray(size)), "x")
    with pytest.raises(FileError, match="to unpack to"):
        inflate(source.Source(tmp_path, len(packed) + 1, -1, packed + b"\0"), 0, len(packed) + 1, 1, memoryview(found), "x")


def record_at(content: bytes, kind: int, number: int = 0, word: int = 8) -> int:
    """Offset of the record of a kind that comes at place `number` in the file; found by size and type, without our reader."""
    found = []
    for at in range(8, len(content) - 12):
        if content[at + word : at + word + 4] == kind.to_bytes(4, "big", signed=True):
            size = int.from_bytes(content[at : at + word], "big")
            if 20 <= size <= len(content) - at:
                found.append(at)
    return found[number]


@pytest.mark.parametrize("kind", ["cdflib", "cdflib-gzip", "gzip", "whole-gzip", "whole-rle", "version-2.7", "md5"])
def test_a_file_cut_anywhere_is_refused_by_name_or_read_whole(kind, tmp_path):
    if kind.startswith("cdflib"):
        path = one_variable(tmp_path / "whole.cdf", compress=6 if kind.endswith("gzip") else 0)
    else:
        pytest.importorskip("spacepy.pycdf")
        how = {
            "gzip": {"compress": "GZIP"}, "whole-gzip": {"whole": "GZIP"}, "whole-rle": {"whole": "RLE"}, "md5": {"checksum": True},
            "version-2.7": {"backward": True},
        }[kind]  # fmt: skip
        path = pycdf_file(tmp_path / "whole.cdf", only=("INT4", "FLOAT"), **how)
    whole = path.read_bytes()
    reference = outcome(path)
    cut = tmp_path / "cut.cdf"
    refused = 0
    for part in range(200):
        cut.write_bytes(whole[: len(whole) * part // 200])
        refused += outcome(cut, reference) is None
    # Only the checksum at the end of a file can be missed by one who does not check it.
    assert refused >= 199
    cut.write_bytes(whole[:-1])
    with pytest.raises(FileError, match=r"cut\.cdf"):
        verify_cdf(cut)


@pytest.mark.parametrize("at", [0.1, 0.3, 0.5, 0.9, 0.99])
def test_a_damaged_compressed_block_is_refused(tmp_path, at):
    path = one_variable(tmp_path / "damaged.cdf")
    content = bytearray(path.read_bytes())
    first = bytes(content).index(b"\x1f\x8b\x08")
    size = int.from_bytes(content[first - 8 : first], "big")
    content[first + int(size * at)] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(FileError, match="damage"):
        read_cdf(path, ["flux"])


def test_the_checksum_of_a_compressed_block_is_checked(tmp_path):
    path = one_variable(tmp_path / "x.cdf")
    content = bytearray(path.read_bytes())
    first = bytes(content).index(b"\x1f\x8b\x08")
    end = first + int.from_bytes(content[first - 8 : first], "big")
    for back in range(1, 9):
        damaged = bytearray(content)
        damaged[end - back] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(FileError, match="damage"):
            read_cdf(path, ["flux"])


def test_a_wrong_checksum_of_the_file_is_found_by_verify_only(tmp_path):
    pytest.importorskip("spacepy.pycdf")
    for whole in (None, "GZIP"):
        path = pycdf_file(tmp_path / f"{whole}.cdf", checksum=True, whole=whole, only=("FLOAT",))
        verify_cdf(path)
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
        outcome(path)
        with pytest.raises(FileError, match="MD5"):
            verify_cdf(path)


def test_bytes_behind_the_end_are_found_by_verify(tmp_path):
    path = one_variable(tmp_path / "x.cdf")
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(FileError, match="bytes as its header says"):
        verify_cdf(path)


def bomb(size: int) -> bytes:
    machine = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(machine.compress(bytes(2**20)) for _ in range(size // 2**20)) + machine.flush()


def test_a_block_that_unpacks_to_more_than_it_may_takes_no_memory(tmp_path):
    path = one_variable(tmp_path / "x.cdf")
    content = bytearray(path.read_bytes())
    at = record_at(content, 13)
    packed = bomb(50 * 2**20)
    # The first block, with the index pointing to a new one at the end of the file.
    index = record_at(content, 6)
    entries = int.from_bytes(content[index + 20 : index + 24], "big")
    offset = index + 28 + 8 * entries
    assert int.from_bytes(content[offset : offset + 8], "big") == at
    content[offset : offset + 8] = len(content).to_bytes(8, "big")
    content += struct.pack(">qiiq", 24 + len(packed), 13, 0, len(packed)) + packed
    path.write_bytes(content)
    tracemalloc.start()
    assert outcome(path) is None
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("claim", [2**31, 2**40, 2**62, -1])
def test_a_packed_file_that_claims_to_be_huge_takes_no_memory(tmp_path, claim):
    pytest.importorskip("spacepy.pycdf")
    path = pycdf_file(tmp_path / "x.cdf", whole="GZIP", only=("FLOAT",))
    content = bytearray(path.read_bytes())
    # Size, type and the offset of the compression record stand before the size of what is packed.
    content[8 + 20 : 8 + 28] = struct.pack(">q", claim)
    path.write_bytes(content)
    tracemalloc.start()
    assert outcome(path) is None
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


FIELDS = {
    # Kind of the record: offset and width of each of its counts, sizes and offsets in version 3.
    "file descriptor": (1, [(0, 8), (12, 8), (28, 4)]),
    "global descriptor": (2, [(0, 8), (12, 8), (20, 8), (28, 8), (36, 8), (44, 4), (48, 4), (56, 4), (60, 4)]),
    "attribute": (4, [(0, 8), (12, 8), (20, 8), (28, 4), (36, 4), (48, 8), (56, 4)]),
    "attribute entry": (9, [(0, 8), (12, 8), (20, 4), (24, 4), (28, 4), (32, 4)]),
    "variable": (8, [(0, 8), (12, 8), (20, 4), (24, 4), (28, 8), (44, 4), (48, 4), (64, 4), (68, 4), (72, 8), (340, 4), (344, 4)]),
    "index": (6, [(0, 8), (12, 8), (20, 4), (24, 4), (28, 4)]),
    "compressed block": (13, [(0, 8), (16, 8)]),
}
HOSTILE = [0, 1, -1, 2, 8, 2**16, 2**31 - 1, -(2**31), 2**40, 2**62, -(2**63)]


@pytest.mark.parametrize("kind", FIELDS)
def test_any_count_size_or_offset_may_be_anything(tmp_path, kind):
    path = one_variable(tmp_path / "x.cdf")
    whole = path.read_bytes()
    reference = outcome(path)
    number, fields = FIELDS[kind]
    at = record_at(whole, number)
    refused = 0
    tracemalloc.start()
    for offset, width in fields:
        for value in [*HOSTILE, at]:
            content = bytearray(whole)
            content[at + offset : at + offset + width] = (value % 2 ** (8 * width)).to_bytes(width, "big")
            path.write_bytes(content)
            refused += outcome(path) is None
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()
    assert refused > len(fields)
    assert reference is not None


@pytest.mark.parametrize("kind", [4, 8, 9], ids=["attributes", "variables", "entries"])
def test_lists_that_run_in_a_circle_are_refused(tmp_path, kind):
    path = cdflib_file(tmp_path / "x.cdf")
    whole = path.read_bytes()
    first = record_at(whole, kind)
    # The next record of a list stands behind size and type.
    second = int.from_bytes(whole[first + 12 : first + 20], "big")
    assert second
    for at in (first, second):
        content = bytearray(whole)
        content[at + 12 : at + 20] = first.to_bytes(8, "big")
        path.write_bytes(content)
        with pytest.raises(FileError, match="twice"):
            open_cdf(path)


@pytest.mark.parametrize(
    ("kind", "offset", "width"),
    [(4, 48 + 8, 4), (2, 48, 4), (2, 60, 4), (8, 28, 8)],
    ids=["entries of an attribute", "attributes", "variables", "index"],
)
def test_what_is_there_and_said_not_to_be_is_refused(tmp_path, kind, offset, width):
    path = one_variable(tmp_path / "x.cdf")
    content = bytearray(path.read_bytes())
    at = record_at(content, kind) + offset
    assert any(content[at : at + width])
    content[at : at + width] = bytes(width)
    path.write_bytes(content)
    with pytest.raises(FileError, match="damage"):
        read_cdf(path, ["flux"])


def test_an_index_that_points_to_itself_is_refused(tmp_path):
    path = one_variable(tmp_path / "x.cdf", compress=0)
    content = bytearray(path.read_bytes())
    index = record_at(content, 6)
    entries = int.from_bytes(content[index + 20 : index + 24], "big")
    offset = index + 28 + 8 * entries
    content[offset : offset + 8] = index.to_bytes(8, "big")
    path.write_bytes(content)
    with pytest.raises(FileError, match="without circles"):
        read_cdf(path, ["flux"])


def test_an_index_that_names_one_block_again_and_again_is_refused_at_once(tmp_path):
    path = one_variable(tmp_path / "x.cdf", compress=0)
    content = bytearray(path.read_bytes())
    variable = record_at(content, 8)
    index = int.from_bytes(content[variable + 28 : variable + 36], "big")
    block = int.from_bytes(content[index + 28 + 8 * int.from_bytes(content[index + 20 : index + 24], "big") :][:8], "big")
    many = 200_000
    content[variable + 28 : variable + 36] = len(content).to_bytes(8, "big")
    ranges = np.arange(many, dtype=">i4").tobytes()
    content += struct.pack(">qiqii", 28 + many * 16, 6, 0, many, many) + 2 * ranges + np.full(many, block, dtype=">i8").tobytes()
    path.write_bytes(content)
    started = time.perf_counter()
    with pytest.raises(FileError, match="once in the index"):
        read_cdf(path, ["flux"])
    assert time.perf_counter() - started < 1


def test_a_record_larger_than_a_file_can_count_is_refused(tmp_path):
    pycdf = pytest.importorskip("spacepy.pycdf")
    with pycdf.CDF(str(tmp_path / "x.cdf"), "") as cdf:
        cdf.new("x", type=pycdf.const.CDF_DOUBLE, dims=[2, 2, 2], recVary=True)
    path = tmp_path / "x.cdf"
    content = bytearray(path.read_bytes())
    sizes = record_at(content, 8) + 344
    assert content[sizes : sizes + 12] == struct.pack(">3i", 2, 2, 2)
    content[sizes : sizes + 12] = struct.pack(">3i", *[2**31 - 1] * 3)
    path.write_bytes(content)
    with pytest.raises(FileError, match="bytes a record of x"):
        read_cdf(path, ["x"])


def test_a_name_that_is_no_text_does_not_break_the_sentence(tmp_path):
    path = one_variable(tmp_path / "x.cdf")
    path.write_bytes(path.read_bytes().replace(b"flux\0", b"fl\nx\0"))
    with pytest.raises(FileError, match=r"'fl\\nx'") as caught:
        open_cdf(path)
    assert "\n" not in str(caught.value)


def test_padding_without_end_is_refused_as_a_whole_and_read_in_part(tmp_path):
    pycdf = pytest.importorskip("spacepy.pycdf")
    with pycdf.CDF(str(tmp_path / "x.cdf"), "") as cdf:
        cdf.new("x", type=pycdf.const.CDF_DOUBLE, recVary=True).sparse(pycdf.const.PAD_SPARSERECORDS)
        cdf["x"][2_000_000_000:2_000_000_001] = [4.0]
    stored = open_cdf(tmp_path / "x.cdf")
    with pytest.raises(FileError, match="read fewer records"):
        stored["x"].read()
    np.testing.assert_array_equal(stored["x"].read(1_999_999_999), [-1e30, 4.0])


@pytest.mark.parametrize("kind", ["plain", "gzip", "rle", "sparse", "whole", "version-2.7"])
def test_mutants_of_the_descriptors_end_in_data_or_a_file_error(tmp_path, kind):
    pytest.importorskip("spacepy.pycdf")
    how = {
        "plain": {}, "gzip": {"compress": "GZIP"}, "rle": {"compress": "RLE"}, "sparse": {"sparse": "PREV", "compress": "GZIP"},
        "whole": {"whole": "GZIP"}, "version-2.7": {"backward": True},
    }[kind]  # fmt: skip
    whole = pycdf_file(tmp_path / "x.cdf", only=("INT2",), **how).read_bytes()
    chance = random.Random(4)
    mutant = tmp_path / "mutant.cdf"
    for _ in range(60):
        content = bytearray(whole)
        for _ in range(chance.choice([1, 1, 2, 4])):
            at = chance.randrange(len(content) - 8)
            if chance.random() < 0.5:
                content[at] ^= 1 << chance.randrange(8)
            else:
                content[at : at + 4] = chance.choice([b"\xff" * 4, b"\x7f\xff\xff\xff", bytes(4), b"\x80\0\0\0"])
        mutant.write_bytes(content)
        outcome(mutant)
