# Two commands for a newcomer: `make demo` makes a report to read, `make test` proves that it holds.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --constraint constraints.txt
SOURCES := pyproject.toml constraints.txt

.PHONY: demo test lint types docs bench clean

demo: $(VENV)/.demo
	$(BIN)/personax demo --out demo

# One thread a worker: workers that share cores by threads as well wait for one another.
test: $(VENV)/.dev lint types
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=auto --dist=loadfile

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

docs: $(VENV)/.docs
	$(BIN)/mkdocs build --strict --quiet
	@echo site/index.html

bench: $(VENV)/.dev
	@for script in benchmarks/*.py; do echo "$$script"; $(BIN)/python "$$script" || exit 1; done

clean:
	rm -rf $(VENV) demo site dist build

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "personax needs Python 3.11 or newer: make PYTHON=python3.12 demo"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "this Python cannot make virtual environments; on Debian: apt-get install python3-venv"; exit 1; }
	@touch $@

# torch first and by its exact version: that is the small CPU build where one is offered; a looser wish may bring gigabytes.
$(VENV)/.torch: $(VENV)/.made constraints.txt
	@echo "installing into $(VENV) (a minute or two, once)"
	$(PIP) torch==2.13.0
	@touch $@

$(VENV)/.demo: $(VENV)/.torch $(SOURCES)
	$(PIP) --editable '.[all]'
	@touch $@

$(VENV)/.dev: $(VENV)/.torch $(SOURCES)
	$(PIP) --editable '.[dev]'
	@touch $@

$(VENV)/.docs: $(VENV)/.dev $(SOURCES)
	$(PIP) --editable '.[docs]'
	@touch $@
