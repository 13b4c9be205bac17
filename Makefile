# The two commands of the README are `make run` and `make test`; both make the environment first.
PYTHON ?= python3
CONFIG ?= config/config.yaml
CORES ?= 2
VENV := .venv
BIN := $(VENV)/bin
# SpacePy writes its settings into a folder on import; keep that out of the user's home.
export SPACEPY := $(CURDIR)/$(VENV)/share/spacepy
export MPLBACKEND := Agg

.PHONY: env run test format lock clean

env: $(VENV)/.complete

# Nothing is installed that the lock file does not name with its hash; --no-build-isolation keeps the build backend to it too.
$(VENV)/.complete: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ringdecay needs Python 3.11 or later; name one with: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	mkdir -p $(SPACEPY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@
