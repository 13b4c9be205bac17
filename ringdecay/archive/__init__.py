"""Where input files come from: list an archive, choose the newest version of each file, load it whole, and lock its bytes.

An archive is a folder or a web server laid out like NASA SPDF's /pub/data, or several of them with the same files. The room knows
names, dates, versions and bytes, and of the contents only how a file must begin.
"""

from ringdecay.archive.fetching import Fetched, fetch, fetch_locked, fetch_planned
from ringdecay.archive.inspecting import Prospect, preview
from ringdecay.archive.lock import check_same_bytes, join_locks, lock_files, read_lock, write_lock
from ringdecay.archive.planning import ArchiveFile, Plan, default_cache, plan, plan_locked

__all__ = [
    "ArchiveFile", "Fetched", "Plan", "Prospect", "check_same_bytes", "default_cache", "fetch", "fetch_locked", "fetch_planned",
    "join_locks", "lock_files", "plan", "plan_locked", "preview", "read_lock", "write_lock",
]  # fmt: skip
