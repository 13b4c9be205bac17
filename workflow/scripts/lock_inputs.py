"""Join the locks of all jobs into one table of every input file."""

from ringdecay.archive import check_same_bytes, join_locks, lock_files, read_lock, write_lock
from ringdecay.logs import logged_to

with logged_to(snakemake.log[0]):
    locks = [read_lock(path) for path in (*snakemake.input.flux, snakemake.input.index)]
    locks += [lock_files([snakemake.input.storms])] if snakemake.input.storms else []
    lock = join_locks(locks)
    if snakemake.input.locked:
        check_same_bytes(lock, read_lock(snakemake.input.locked))
    write_lock(lock, snakemake.output.lock)
