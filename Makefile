# The two commands of the README are `make run` and `make test`; both make the environment first.
PYTHON ?= python3
CONFIG ?= config/config.yaml
CORES ?= 2
FUZZ_MUTANTS ?= 100000
FUZZ_SEED ?= 1
CHAOS_KILLS ?= 20
CHAOS_SEED ?= 1
VENV := .venv
BIN := $(VENV)/bin
BENCH_VENV := .venv-bench
# SpacePy writes its settings into a folder on import; keep that out of the user's home.
export SPACEPY := $(CURDIR)/$(VENV)/share/spacepy
export MPLBACKEND := Agg

.PHONY: env run test docs pages validate bench fuzz chaos format lock clean

env: $(VENV)/.complete

# Nothing is installed that the lock file does not name with its hash; --no-build-isolation keeps the build backend to it too.
$(VENV)/.complete: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ringdecay needs Python 3.11 or later; name one with: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	mkdir -p $(SPACEPY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

run: env
	$(BIN)/snakemake --cores $(CORES) --configfile "$(CONFIG)"
	@run=$$($(BIN)/python -c 'import sys; from ringdecay.config import read_config; print(read_config(sys.argv[1])["run"])' "$(CONFIG)") && \
	$(BIN)/snakemake --configfile "$(CONFIG)" --report results/$$run/report.html --quiet && \
	printf '\nDone. Look at\n  %s  (decay times over energy and L-shell)\n  %s  (the same as a table)\n  %s  (every fit, to look into)\n  %s  (everything, with captions)\n' \
	  results/$$run/figures/lifetime_map.png results/$$run/lifetimes.csv results/$$run/explorer.html results/$$run/report.html

test: env
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint
	$(BIN)/mypy
	$(BIN)/pytest --numprocesses 2 --dist loadgroup --no-loadscope-reorder

# The documents as pages; the examples run, and warnings are errors.
docs: env
	$(BIN)/python -m sphinx -W -n --keep-going docs docs/_build/html
	@printf '\nDone. Open docs/_build/html/index.html\n'

# Pages and tables that scripts write, as the code is now; two of them also need what `make run` has left.
pages: env
	for page in config_page product_page architecture_page reference_pages; do $(BIN)/python tests/$$page.py || exit 1; done
	if test -f results/demo/provenance.json; then $(BIN)/python tests/variables_page.py && $(BIN)/python tests/paper_page.py; fi

# Coverage, bias and claims on simulated data, in results/validation; ten minutes. The documents' table is made from it.
validate: env
	$(BIN)/snakemake validate --cores $(CORES)
	$(BIN)/python tests/validation_page.py results/validation

# Speed against other tools and the bound of the hardware, about half an hour; the tables and the figure of docs/performance.md are
# made from it. An environment of its own, because pySPEDAS, one of the tools, needs much that the package does not.
bench: $(BENCH_VENV)/.complete
	$(BENCH_VENV)/bin/python benchmarks/bench.py $(BENCH)
	$(BENCH_VENV)/bin/python benchmarks/mission.py starts
	$(BENCH_VENV)/bin/python benchmarks/page.py

$(BENCH_VENV)/.complete: requirements.lock pyproject.toml benchmarks/requirements.txt
	test -x $(BENCH_VENV)/bin/python || $(PYTHON) -m venv $(BENCH_VENV)
	mkdir -p $(SPACEPY)
	$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock && \
	$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement benchmarks/requirements.txt && \
	$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . || \
	{ echo 'make bench installs pySPEDAS and needs a network for it once; without one: make env && $(BIN)/python benchmarks/bench.py measures all but pySPEDAS'; exit 1; }
	touch $@

# Damaged CDF files on all cores; a failure names the mutant, which $(BIN)/python tests/fuzz_cdf.py --seed SEED --only NUMBER makes again.
fuzz: env
	$(BIN)/python tests/fuzz_cdf.py --mutants $(FUZZ_MUTANTS) --seed $(FUZZ_SEED)

# The whole workflow, killed at random moments and resumed; about half an hour.
chaos: env
	$(BIN)/python tests/chaos.py --kills $(CHAOS_KILLS) --seed $(CHAOS_SEED)

format: env
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/snakefmt Snakefile workflow

# Newest versions that the bounds in pyproject.toml allow, with hashes and without the address of a registry. Needs uv.
lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header --upgrade --output-file requirements.lock

# Everything that a run makes; the environment and downloaded files stay.
clean:
	rm -rf .snakemake resources logs docs/_build $(filter-out results/README.md results/example,$(wildcard results/*))
