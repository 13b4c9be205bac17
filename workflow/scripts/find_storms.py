"""Make the catalogue of storms from the index, or check the user's own."""

from ringdecay.logs import logged_to
from ringdecay.store import open_array
from ringdecay.storms import find_storms, read_storms, write_storms

with logged_to(snakemake.log[0]):
    settings = dict(snakemake.params.storms)
    table = settings.pop("table")
    storms = read_storms(table) if table else find_storms(open_array(snakemake.input[0]), **settings)
    write_storms(storms, snakemake.output.storms)
