# On a cluster it runs where Snakemake runs: it takes some seconds, and waiting in a queue longer.
localrules:
    write_summary,


# The last word: all that it counts has been made.
rule write_summary:
    input:
        decays=f"{RESULTS}/decays.nc",
        lifetimes=f"{RESULTS}/lifetimes.nc",
        comparison=f"{RESULTS}/theory.nc",
        surface=f"{RESULTS}/surface.nc",
        energy_decays=f"{RESULTS}/energy_decay.nc",
        storms=f"{RESULTS}/storms.csv",
        days=f"{RESULTS}/coverage.csv",
        files=f"{RESULTS}/files.csv",
        provenance=f"{RESULTS}/provenance.json",
        truth=truth_input,
    output:
        page=report(
            f"{RESULTS}/summary.html",
            caption="../report/summary.rst",
            category="Summary",
            labels={"result": "The run on one page"},
        ),
        numbers=SUMMARY,
    log:
        f"{LOGS}/write_summary.log",
    benchmark:
        f"{LOGS}/benchmarks/write_summary.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("write_summary"),
        config=config,
        # What the page links to.
        files=results_in_folder(),
    message:
        "Putting the run on one page"
    script:
        "../scripts/write_summary.py"
