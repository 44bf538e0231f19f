# make demo   one command from a fresh clone to a table of spinal levels and a figure
# make test   one command from a fresh clone to a passing test suite
# make quick  what a change needs: style, floors, and the tests of the rooms it touches
#
# Both use the virtual environment .venv and make it when there is none. `make demo` installs
# only what the demo needs; `make test` adds the development tools to the same environment.
# An environment is brought up to date when setup.cfg, pyproject.toml or constraints.txt change.
#
# PYTHON=python3.12   interpreter to make the environment with
# VENV=path           another place for the environment
# JOBS=4              test processes; by default one more than there are processors, at most 8
# PIP_ARGS=...        further arguments for pip, such as an option for an offline mirror

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= python3
VENV ?= .venv
# More than processors: many tests wait for servers, locks and commands.
JOBS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); \
	echo $$((n < 8 ? n + 1 : 8)))
PIP_ARGS ?=
PYTEST_ARGS ?=
DEMO_OUTPUT ?= demo_output

BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check install --progress-bar off \
	--constraint constraints.txt $(PIP_ARGS)
SPECIFICATION = setup.cfg pyproject.toml constraints.txt

.PHONY: help demo test quick lint types imports docs check dist constraints resolve clean
.DELETE_ON_ERROR:

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile
	@echo
	@echo "Also: make quick lint types imports docs (or check, for all four), dist, constraints, resolve, clean"

# --- the environment -------------------------------------------------------------------

$(BIN)/python:
	$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 10) else \
	"sct_rootlets needs Python 3.10 or later; this is %d.%d. Try make PYTHON=python3.12" % v[:2])'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed-demo: $(SPECIFICATION) | $(BIN)/python
	@test -f $@ || echo "Installing torch and nnU-Net into $(VENV): some minutes the first time"
	$(PIP) --quiet --editable '.[standalone,qc]'
	@touch $@

# It builds on the demo's environment, so that the two never install over one another.
$(VENV)/.installed-dev: $(VENV)/.installed-demo
	$(PIP) --quiet --editable '.[standalone,qc,dev,docs]'
	@touch $@

# --- what a user runs ------------------------------------------------------------------

demo: $(VENV)/.installed-demo
	$(BIN)/sct_rootlets demo -o $(DEMO_OUTPUT)

# One thread a process: the processes of pytest-xdist are the parallelism here.
test: $(VENV)/.installed-dev
	OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 \
	$(BIN)/python -m pytest -n $(JOBS) $(PYTEST_ARGS)

# What a change needs, in less than 90 s on two processors: style, floors, and the tests of the
# rooms it touches. SINCE=commit compares with that one instead of where it left main.
quick: $(VENV)/.installed-dev
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/lint-imports --no-logo
	OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 \
	$(BIN)/python -m pytest -q -n 2 -m "not slow" $(PYTEST_ARGS) \
	$$($(BIN)/python .ci/quick.py $(SINCE))

# --- what a developer runs as well -----------------------------------------------------

check: lint types imports docs

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

imports: $(VENV)/.installed-dev
	$(BIN)/lint-imports

docs: $(VENV)/.installed-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir site

dist: $(VENV)/.installed-dev
	rm -rf build dist
	$(BIN)/python -m build --outdir dist .

# --- the known-good set ----------------------------------------------------------------

# Both need uv on the PATH. One resolution for every supported Python, with markers where
# they differ. CUDA's packages are left out: torch pins its own.
RESOLVE = uv pip compile --quiet --no-annotate --no-header --all-extras setup.cfg

constraints:
	@{ \
	echo "# Known-good set for the commands of the README, made by 'make constraints' from"; \
	echo "# setup.cfg and constraints.in; not edited by hand. CUDA's packages: torch pins its own."; \
	$(RESOLVE) --universal --python-version 3.10 --constraint constraints.in --upgrade \
	| grep -v -E '^(nvidia-|cuda-|triton)'; } > constraints.txt.new
	mv constraints.txt.new constraints.txt

# That each supported Python resolves with the known-good set, that the whole does with numpy 1.26,
# and that the base package enters an environment pinned as SCT pins its own.
resolve:
	@for version in 3.10 3.11 3.12 3.13; do \
	  echo "Python $$version with constraints.txt"; \
	  $(RESOLVE) --python-version $$version --constraint constraints.txt > /dev/null; \
	done
	@echo "Python 3.10 with numpy 1.26, and all floors at once"
	@echo 'numpy==1.26.*' | $(RESOLVE) --python-version 3.10 --constraint - > /dev/null
	@$(RESOLVE) --python-version 3.10 --resolution lowest-direct > /dev/null
	@echo "Python 3.10 with SCT's pins"
	@printf 'numpy<2\ntorch<2.3\n' | $(RESOLVE) --python-version 3.10 --constraint - > /dev/null

clean:
	rm -rf build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
