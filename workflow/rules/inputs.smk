localrules:
    fetch_flux,
    fetch_index,
    lock_inputs,


rule simulate_archive:
    output:
        truth=f"{DEMO}/truth.nc",
    log:
        f"{LOGS}/simulate_archive.log",
    benchmark:
        f"{LOGS}/benchmarks/simulate_archive.tsv"
    threads: 2
    resources:
        mem_mb=2000,
    params:
        code=code("simulate_archive"),
        span=(config["start"], config["stop"]),
        probes=config["probes"],
    message:
        "Making the demonstration archive (simulated)"
    script:
        "../scripts/simulate_archive.py"


# A year at a time, because an archive has a folder a year: each is listed once a run.
rule fetch_flux:
    input:
        archive_input,
        locked=config["lock"] or [],
    output:
        lock=f"{RESOURCES}/inputs/{{probe}}_{{year}}.tsv",
    log:
        f"{LOGS}/fetch_flux/{{probe}}_{{year}}.log",
    benchmark:
        f"{LOGS}/benchmarks/fetch_flux/{{probe}}_{{year}}.tsv"
    retries: 2 if archive_is_remote() else 0
    threads: 1
    resources:
        mem_mb=500,
        downloads=4 if archive_is_remote() else 0,
    params:
        code=code("fetch_flux"),
        archive=archive_place(),
        cache=config["cache"],
        product=config["product"],
        span=span,
    message:
        "Fetching the files of probe {wildcards.probe}, {wildcards.year}"
    script:
        "../scripts/fetch_flux.py"


rule fetch_index:
    input:
        archive_input,
        files=config["index"]["files"],
        locked=config["lock"] or [],
    output:
        lock=f"{RESOURCES}/inputs/index.tsv",
        index=f"{RESOURCES}/index.nc",
        solar_wind=f"{RESOURCES}/solar_wind.nc",
    log:
        f"{LOGS}/fetch_index.log",
    benchmark:
        f"{LOGS}/benchmarks/fetch_index.tsv"
    retries: 2 if archive_is_remote() else 0
    threads: 1
    resources:
        mem_mb=2000,
        downloads=4 if archive_is_remote() else 0,
    params:
        code=code("fetch_index"),
        archive=archive_place(),
        cache=config["cache"],
        index=config["index"],
        span=(config["start"], config["stop"]),
    message:
        "Fetching and reading the storm index"
    script:
        "../scripts/fetch_index.py"


rule lock_inputs:
    input:
        flux=expand(
            f"{RESOURCES}/inputs/{{probe}}_{{year}}.tsv",
            probe=config["probes"],
            year=years(config["start"], config["stop"]),
        ),
        index=f"{RESOURCES}/inputs/index.tsv",
        storms=config["storms"]["table"] or [],
        locked=config["lock"] or [],
    output:
        lock=report(
            f"{RESULTS}/inputs.tsv",
            caption="../report/inputs.rst",
            category="Provenance",
            labels={"result": "Input files (table)"},
        ),
    log:
        f"{LOGS}/lock_inputs.log",
    benchmark:
        f"{LOGS}/benchmarks/lock_inputs.tsv"
    threads: 1
    resources:
        mem_mb=500,
    params:
        code=code("lock_inputs"),
    message:
        "Listing every input file with its version and SHA-256"
    script:
        "../scripts/lock_inputs.py"
