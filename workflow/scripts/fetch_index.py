"""Fetch the storm index, or take the user's own files, and store it as one series, and the solar wind that they hold beside it."""

from ringdecay.archive import fetch, lock_files, read_lock, write_lock
from ringdecay.indices import open_index, open_solar_wind
from ringdecay.logs import logged_to
from ringdecay.store import is_simulated, write_dataset

with logged_to(snakemake.log[0]):
    params, offline = snakemake.params, snakemake.config["offline"]
    if snakemake.input.files:
        files, lock = list(snakemake.input.files), lock_files(snakemake.input.files)
    else:
        lock = read_lock(snakemake.input.locked) if snakemake.input.locked else None
        settings = {"cache": params.cache, "lock": lock, "offline": offline}
        fetched = fetch(params.index["product"], None, *params.span, params.archive, **settings)
        files, lock = fetched.files, fetched.lock
    index = open_index(files, params.index["name"])
    # OMNI2's text has no place to say it, but the archive has.
    index.attrs |= {"simulated": "yes"} if is_simulated(lock) else {}
    write_dataset(index.to_dataset(), snakemake.output.index)
    write_dataset(open_solar_wind(files), snakemake.output.solar_wind)
    write_lock(lock, snakemake.output.lock)
