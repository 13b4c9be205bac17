"""Find the energy of the ring current and how it decays, beside the index, and write both as netCDF and CSV."""

from ringdecay import energy_content as ec
from ringdecay.archive import read_lock
from ringdecay.binned import with_merged_probe
from ringdecay.logs import logged_to
from ringdecay.provenance import provenance, with_provenance
from ringdecay.store import open_array, open_dataset, write_dataset
from ringdecay.storms import read_storms
from ringdecay.tables import write_csv

with logged_to(snakemake.log[0]):
    source, params, target = snakemake.input, snakemake.params, snakemake.output
    binned = with_merged_probe(open_dataset(source.binned, over_time=("n_samples", "sum_flux")))
    index, wind = open_array(source.index), open_dataset(source.solar_wind)
    floor = ec.channel_floor(open_dataset(source.decays)) if params.subtract_floor else None
    content = ec.with_index(ec.energy_content(binned, floor=floor, **params.energy), index, wind)
    windows = ec.recovery_windows(binned, read_storms(source.storms), index, **params.windows)
    decays = ec.energy_decays(content, windows, index, wind, L=params.L, confidence=params.confidence)
    record = provenance(snakemake.config, read_lock(source.lock))
    write_dataset(with_provenance(content, record), target.content)
    write_dataset(with_provenance(decays, record), target.decays)
    write_csv(ec.content_table(content), target.content_table, ec.content_header(content))
    write_csv(ec.pressure_table(content), target.pressure_table, ec.pressure_header(content))
    write_csv(ec.decay_table(decays), target.decay_table, ec.decay_header(decays))
