"""Where input files come from: list an archive, choose the newest version of each file, load it whole, and lock its bytes.

An archive is a folder or a web server laid out like NASA SPDF's /pub/data. The room knows names, dates, versions and bytes, and
of the contents only how a file must begin.
"""

from ringdecay.archive.fetching import Fetched, default_cache, fetch
from ringdecay.archive.lock import lock_files, read_lock, write_lock
from ringdecay.archive.planning import ArchiveFile, Plan, plan

__all__ = ["ArchiveFile", "Fetched", "Plan", "default_cache", "fetch", "lock_files", "plan", "read_lock", "write_lock"]
