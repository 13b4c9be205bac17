"""What a download must be before it gets its name, and what an earlier attempt may leave behind: one byte decides."""

from __future__ import annotations

from pathlib import Path

import pytest
from archive_server import FOLDER, PAP, make_archive, pap_name
from cdf_files import cdflib_file

from ringdecay.archive import partial, plan, web
from ringdecay.archive.partial import Origin, Partial
from ringdecay.archive.verify import WrongFileError, verify
from ringdecay.errors import ArchiveError

URL = "https://example.org/x.cdf"
ORIGIN = Origin(URL, '"tag"', "Sat, 01 Aug 2020 00:00:00 GMT", 1000)


def part_of(folder: Path, content: bytes, origin: Origin | None = None) -> Partial:
    part = Partial(folder / "x.cdf")
    part.begin(origin)
    part.append(content)
    return part


@pytest.mark.parametrize("whole", [0, 6], ids=["plain", "compressed as a whole"])
def test_a_whole_cdf_passes(tmp_path: Path, whole: int) -> None:
    verify(part_of(tmp_path, cdflib_file(tmp_path / "sound.cdf", whole=whole).read_bytes()), URL, "cdf", None, None)


@pytest.mark.parametrize("cut", [-1, 100], ids=["without its last byte", "within its first record"])
def test_a_cut_cdf_does_not(tmp_path: Path, cut: int) -> None:
    content = cdflib_file(tmp_path / "sound.cdf").read_bytes()[:cut]
    with pytest.raises(WrongFileError, match=rf"cut short in the archive: its header says \d+ bytes, {len(content)} came"):
        verify(part_of(tmp_path, content), URL, "cdf", None, None)


def test_a_part_waits_only_while_something_is_left_to_ask_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partial, "CHECKPOINT", 400)
    part = part_of(tmp_path, bytes(500), ORIGIN)
    part.append(bytes(500))
    part.stop()
    again = Partial(tmp_path / "x.cdf")
    assert again.recall(URL) == ORIGIN
    # The server is asked for the last bytes once more: only its answer says that the file is still the same.
    assert again.size == 500


def test_an_entity_tag_vouches_before_a_date() -> None:
    assert ORIGIN.validator == '"tag"'
    assert Origin(URL, "", ORIGIN.modified, 1000).validator == ORIGIN.modified


def test_days_are_not_called_missing_because_a_server_is_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the first year stands behind a server that does not answer: the second year may be on the server."""
    monkeypatch.setattr(web, "BACKOFF", (0.01, 0.01, 0.01))
    make_archive(tmp_path / "folder")
    assert (tmp_path / "folder" / FOLDER / pap_name("20130126")).is_file()
    span = ("2013-01-26", "2014-01-02")
    with pytest.raises(ArchiveError, match=r"127\.0\.0\.1:9"):
        plan(PAP, "a", *span, ["http://127.0.0.1:9", tmp_path / "folder"], cache=tmp_path / "cache")
    assert len(plan(PAP, "a", "2013-01-26", "2013-01-27", ["http://127.0.0.1:9", tmp_path / "folder"], cache=tmp_path / "cache").files) == 1
