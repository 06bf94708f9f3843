# Two commands: `make demo` runs the main job on a small embedded data set, `make test` runs every check.
# Each makes the environment in .venv when it lacks or when what it is made from has changed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO := build/demo

.PHONY: demo test lint clean

demo: $(READY)
	@mkdir -p $(DEMO)
	@cd $(DEMO) && $(CURDIR)/$(BIN)/python $(CURDIR)/tests/demo.py

test: $(READY) lint
	$(BIN)/pytest -q -n 2 --dist loadscope

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "tinyml needs Python 3.11 to 3.13, found $$($(PYTHON) --version); name another: make PYTHON=python3.12 demo"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade -c constraints.txt pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

clean:
	rm -rf build
