# `make demo` runs the main job on a small embedded data set, `make test` runs every check but the slow ones,
# `make test-all` runs those too (under forty minutes on two cores) and writes results/checks.md, `make results` trains
# and measures the six networks (days on a CPU; stopped at any time, it goes on).
# Each makes the environment in .venv where it lacks, or where what it is made from has changed.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
DEMO := build/demo

.PHONY: demo test test-all results check clean

# Train, export, verify, measure and report; what has not changed since the last time is not done again.
demo: $(READY)
	@$(BIN)/tinyml demo --folder $(DEMO)

# make results BUDGET=1m LIMIT=200 RESULTS=build/rehearsal: every command once, on few images.
BUDGET ?= 3h
RESULTS ?= results
results: $(READY)
	$(BIN)/tinyml reproduce --budget $(BUDGET) $(if $(LIMIT),--limit $(LIMIT)) --results $(RESULTS)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy

test: check
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -n 2 --dist loadscope

# The quick checks, then the slow ones. What both gave is written down, good or bad.
test-all: check
	@mkdir -p build
	@rm -f build/quick.xml build/slow.xml
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -n 2 --dist loadscope --durations 25 --junitxml build/quick.xml; quick=$$?; \
		OMP_NUM_THREADS=1 $(BIN)/pytest -q -n 2 --dist load --durations 25 -m slow --junitxml build/slow.xml; slow=$$?; \
		$(BIN)/python tests/record_checks.py build/quick.xml build/slow.xml results/checks.md; \
		[ $$quick = 0 ] && [ $$slow = 0 ]

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "tinyml needs Python 3.11 to 3.13, not $$($(PYTHON) --version); name one: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[coreai]' 2>/dev/null || \
		echo "Core AI left out: Apple has no wheel of coreai-core for this machine; all else works"
	@touch $@

clean:
	rm -rf build
