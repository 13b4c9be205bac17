rule bin_flux:
    input:
        lock=lock_of,
    output:
        binned=f"{RESOURCES}/binned/{{probe}}_{{month}}.nc",
    log:
        f"{LOGS}/bin_flux/{{probe}}_{{month}}.log",
    benchmark:
        f"{LOGS}/benchmarks/bin_flux/{{probe}}_{{month}}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        code=code("bin_flux"),
        span=span,
        archive=archive_place(),
        cache=config["cache"],
        product=config["product"],
        grid=config["grid"],
        exclude=config["exclude"],
    message:
        "Binning probe {wildcards.probe}, {wildcards.month}"
    script:
        "../scripts/bin_flux.py"


rule merge_binned:
    input:
        binned=expand(
            f"{RESOURCES}/binned/{{probe}}_{{month}}.nc",
            probe=config["probes"],
            month=months(config["start"], config["stop"]),
        ),
    output:
        binned=f"{RESOURCES}/binned.nc",
        files=f"{RESULTS}/files.csv",
    log:
        f"{LOGS}/merge_binned.log",
    benchmark:
        f"{LOGS}/benchmarks/merge_binned.tsv"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        code=code("merge_binned"),
        equatorial_pitch_angle=config["flux"]["equatorial_pitch_angle"],
    message:
        "Adding the months and writing the table of files"
    script:
        "../scripts/merge_binned.py"


rule find_storms:
    input:
        storm_input,
    output:
        storms=f"{RESULTS}/storms.csv",
    log:
        f"{LOGS}/find_storms.log",
    benchmark:
        f"{LOGS}/benchmarks/find_storms.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("find_storms"),
        storms=config["storms"],
    message:
        "Finding storms in the index"
    script:
        "../scripts/find_storms.py"


rule fit_decays:
    input:
        binned=f"{RESOURCES}/binned.nc",
        storms=f"{RESULTS}/storms.csv",
        index=f"{RESOURCES}/index.nc",
        lock=f"{RESULTS}/inputs.tsv",
    output:
        decays=f"{RESULTS}/decays.nc",
    log:
        f"{LOGS}/fit_decays.log",
    benchmark:
        f"{LOGS}/benchmarks/fit_decays.tsv"
    threads: 2
    resources:
        mem_mb=4000,
    params:
        code=code("fit_decays"),
        windows=config["windows"],
        fit=config["fit"],
        joint=len(config["probes"]) == 2,
    message:
        "Fitting a decay to every storm, probe, energy and L-shell"
    script:
        "../scripts/fit_decays.py"


rule average_lifetimes:
    input:
        decays=f"{RESULTS}/decays.nc",
        lock=f"{RESULTS}/inputs.tsv",
    output:
        lifetimes=f"{RESULTS}/lifetimes.nc",
    log:
        f"{LOGS}/average_lifetimes.log",
    benchmark:
        f"{LOGS}/benchmarks/average_lifetimes.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("average_lifetimes"),
        confidence=config["fit"]["confidence"],
        lifetimes=config["lifetimes"],
    message:
        "Averaging the rates over storms"
    script:
        "../scripts/average_lifetimes.py"
