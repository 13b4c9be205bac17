"""Write the page in which the run's results can be looked into."""

from ringdecay.explorer import explorer_of_run
from ringdecay.logs import logged_to

with logged_to(snakemake.log[0]):
    names = ("binned", "index", "decays", "lifetimes", "theory", "storms", "provenance")
    explorer_of_run({name: snakemake.input[name] for name in names}, snakemake.output.page)
