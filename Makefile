# Two commands for a newcomer: `make demo` makes a report to read, `make test` proves that it holds.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONSTRAINTS := constraints.txt
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --constraint $(CONSTRAINTS)
SOURCES := pyproject.toml $(CONSTRAINTS)
# One thread a worker: workers that share cores by threads as well wait for one another. Compiled modules are kept, also where the
# environment says otherwise: the tests start Python some hundred times. Files in their order: long ones come before the many short ones.
TESTENV := OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=
# One worker more than cores: a quarter of a worker's time is waiting, for processes that are killed, servers and disks.
XDIST := --numprocesses=$(shell expr $$(getconf _NPROCESSORS_ONLN) + 1) --dist=loadfile --no-loadscope-reorder
PYTEST := $(TESTENV) $(BIN)/python -m pytest $(XDIST)
# What installs everywhere, also where no small build of torch is offered.
LIGHT := web,sources,pictures,traits,discovery,figures,release,test

WHEEL := build/wheel-test
WHEEL_PIP = $(WHEEL)/venv/bin/python -m pip --disable-pip-version-check --quiet install --constraint $(CONSTRAINTS)

.PHONY: demo test test-fast test-oldest test-py313 wheel-test coverage lint types docs pictures bench clean
.PHONY: test-s3 install-hashed hashes licences sbom

demo: $(VENV)/.demo
	$(BIN)/personax demo --out demo

test: $(VENV)/.dev lint types
	$(PYTEST)

# Without kills and without studies of level and calibration.
test-fast: $(VENV)/.dev
	$(PYTEST) -m "not slow"

# Lines and branches; fails below the share in pyproject.toml.
coverage: $(VENV)/.dev
	$(PYTEST) -m "not slow" --cov --cov-report=term --cov-report=html:coverage

# The oldest versions that pyproject.toml admits, in an environment of their own; what they use of newer ones may be deprecated.
test-oldest:
	$(MAKE) VENV=.venv-oldest CONSTRAINTS=constraints-oldest.txt .venv-oldest/.test
	$(TESTENV) .venv-oldest/bin/python -m pytest $(XDIST) -m "not slow" \
		-W default::DeprecationWarning

# The newest Python, without torch, so that what needs it must say so.
test-py313:
	$(MAKE) VENV=.venv-3.13 PYTHON=python3.13 .venv-3.13/.light
	$(TESTENV) .venv-3.13/bin/python -m pytest $(XDIST) -m "not slow" \
		--doctest-ignore-import-errors

# The wheel by itself: built, installed bare in a fresh environment and tried, then with what the demo needs, and the demo run from it.
wheel-test: $(VENV)/.made
	rm -rf $(WHEEL) && mkdir -p $(WHEEL)/studies && $(PYTHON) -m venv $(WHEEL)/venv
	$(BIN)/python -m pip --disable-pip-version-check --quiet wheel --no-deps --wheel-dir $(WHEEL)/dist .
	$(WHEEL_PIP) $(WHEEL)/dist/*.whl
	$(WHEEL)/venv/bin/python -I tests/wheel.py bare $(WHEEL)/studies $(WHEEL)/dist
	$(WHEEL_PIP) torch==2.13.0
	$(WHEEL_PIP) "$$(echo $(WHEEL)/dist/*.whl)[demo]"
	$(WHEEL)/venv/bin/python -I tests/wheel.py demo $(WHEEL)/studies $(WHEEL)/dist
	rm -rf $(WHEEL)

# Studies in buckets against moto, in an environment of its own: botocore and our pins do not go together (python-dateutil).
test-s3: $(VENV)/.dev
	test -x .venv-moto/bin/moto_server || { $(PYTHON) -m venv .venv-moto && .venv-moto/bin/python -m pip --quiet install 'moto[server,s3]==5.2.5'; }
	.venv-moto/bin/moto_server -H 127.0.0.1 -p 5987 > /dev/null 2>&1 & server=$$!; trap "kill $$server" EXIT; \
		$(BIN)/python -c 'import time, urllib.request as u; time.sleep(3); u.urlopen(u.Request("http://127.0.0.1:5987/bucket", method="PUT"))' \
		&& PERSONAX_TEST_S3=http://127.0.0.1:5987 $(TESTENV) $(BIN)/python -m pytest tests/store/test_remote.py

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

# --strict: a page or a docstring that names what is not there is an error; so is a page that asks a network.
docs: $(VENV)/.dev
	$(BIN)/mkdocs build --strict --quiet
	$(BIN)/python scripts/check_site.py site
	@echo site/index.html

# Every picture of README and docs, in order; those of pages need chromium (.ci/browser) and are else left as they are.
pictures: $(VENV)/.dev demo
	$(BIN)/python docs/screenshots.py demo/report/index.html docs/images
	$(BIN)/python docs/screenshots.py demo/report/index.html docs/images --section dependence
	$(BIN)/python docs/screenshots.py demo/report/index.html docs/images --first
	$(BIN)/python docs/screenshots.py demo/report/index.html docs/images/sections --every
	$(BIN)/python scripts/gallery.py
	$(BIN)/python scripts/methods_figures.py
	$(BIN)/python scripts/session.py

bench: $(VENV)/.dev
	@for script in benchmarks/*.py; do echo "$$script"; $(BIN)/python "$$script" || exit 1; done

# What is installed is what was hashed, or nothing is (Linux x86_64, CPython 3.11; torch by its version alone, see the script).
# One package comes as source: the backends are there before it is built.
install-hashed: $(VENV)/.made
	$(BIN)/python -m pip --disable-pip-version-check --quiet install --no-deps torch==2.13.0
	grep -v '^jsonpath-rw==' requirements-hashed.txt > $(VENV)/wheels.txt
	$(BIN)/python -m pip --disable-pip-version-check --quiet install --require-hashes --no-deps -r $(VENV)/wheels.txt
	$(BIN)/python -m pip --disable-pip-version-check --quiet install --require-hashes --no-deps --no-build-isolation -r requirements-hashed.txt
	$(BIN)/python -m pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation --editable .
	@touch $(VENV)/.torch $(VENV)/.demo $(VENV)/.dev

# After a change of constraints.txt: nothing is installed, pip says which files it would take.
hashes: $(VENV)/.made
	$(BIN)/python -m pip --disable-pip-version-check --quiet install --dry-run --ignore-installed --no-deps --report $(VENV)/report.json -r $(CONSTRAINTS)
	$(BIN)/python scripts/supply_chain.py hashes $(VENV)/report.json > requirements-hashed.txt

licences: $(VENV)/.dev
	$(BIN)/python scripts/supply_chain.py licences > docs/licences.md

# Written beside the wheel of a release.
sbom: $(VENV)/.dev
	@mkdir -p dist
	$(BIN)/python scripts/supply_chain.py sbom > dist/sbom.spdx.json

clean:
	rm -rf .venv .venv-oldest .venv-3.13 .venv-moto demo site coverage dist build

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "personax needs Python 3.11 or newer: make PYTHON=python3.12 demo"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "this Python cannot make virtual environments; on Debian: apt-get install python3-venv"; exit 1; }
	@touch $@

# torch first and by its exact version: that is the small CPU build where one is offered; a looser wish may bring gigabytes.
$(VENV)/.torch: $(VENV)/.made $(CONSTRAINTS)
	@echo "installing into $(VENV) (a minute or two, once)"
	$(PIP) torch==2.13.0
	@touch $@

$(VENV)/.demo: $(VENV)/.torch $(SOURCES)
	$(PIP) --editable '.[demo]'
	@touch $@

$(VENV)/.dev: $(VENV)/.torch $(SOURCES)
	$(PIP) --editable '.[dev]'
	@touch $@

$(VENV)/.test: $(VENV)/.torch $(SOURCES)
	$(PIP) --editable '.[all,test]'
	@touch $@

$(VENV)/.light: $(VENV)/.made $(SOURCES)
	$(PIP) --editable '.[$(LIGHT)]'
	@touch $@
