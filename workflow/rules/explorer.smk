# On a cluster it runs where Snakemake runs: some seconds for the demonstration.
localrules:
    write_explorer,


rule write_explorer:
    input:
        binned=f"{RESOURCES}/binned.nc",
        index=f"{RESOURCES}/index.nc",
        decays=f"{RESULTS}/decays.nc",
        lifetimes=f"{RESULTS}/lifetimes.nc",
        theory=f"{RESULTS}/theory.nc",
        storms=f"{RESULTS}/storms.csv",
        provenance=f"{RESULTS}/provenance.json",
        table=config["windows"]["table"] or [],
    output:
        # Not in the report, which links to it: a report shows a page through a data address, and browsers refuse such long ones.
        page=f"{RESULTS}/explorer.html",
    log:
        f"{LOGS}/write_explorer.log",
    benchmark:
        f"{LOGS}/benchmarks/write_explorer.tsv"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        code=code("write_explorer"),
    message:
        "Writing the explorer"
    script:
        "../scripts/write_explorer.py"
