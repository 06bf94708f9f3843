# Two commands: `make demo` runs the main job on a small embedded data set, `make test` runs every check.
# Each makes the environment in .venv where it lacks, or where what it is made from has changed.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
TINYML := $(CURDIR)/$(BIN)/tinyml
DEMO := build/demo

.PHONY: demo test clean

demo: $(READY)
	@mkdir -p $(DEMO)
	cd $(DEMO) && $(TINYML) train alexnet --data shapes --recipe demo
	cd $(DEMO) && $(TINYML) export --all
	cd $(DEMO) && $(TINYML) bench --quick

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -n 2 --dist loadscope

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "tinyml needs Python 3.11 to 3.13, not $$($(PYTHON) --version); name one: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

clean:
	rm -rf build
