"""Make the catalogue of storms from the index, or check the user's own."""

from ringdecay.logs import logged_to
from ringdecay.store import open_array
from ringdecay.storms import check_number, find_storms, read_storms, write_storms

with logged_to(snakemake.log[0]):
    settings = dict(snakemake.params.storms)
    table = settings.pop("table")
    storms = read_storms(table) if table else find_storms(open_array(snakemake.input[0]), **settings)
    # From the config and no parameter: another storm to draw must not make the storms again, and all that follows from them.
    check_number(storms, snakemake.config["figures"]["storm"], "figures.storm")
    write_storms(storms, snakemake.output.storms)
