# What a stranger types. Every target makes .venv and installs into it first, once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export RAY_USAGE_STATS_ENABLED := 0
export OMP_NUM_THREADS := 1

.PHONY: quickstart test check format report-example reference findings readme power clean

quickstart: $(VENV)/.installed-run  ## train, aggregate and report on the bundled digits (minutes)
	$(BIN)/python jobs/quickstart.py
	$(BIN)/python -m benchmark.report reports/quickstart/results

test: $(VENV)/.installed-test  ## every test, the fast ones first
	$(BIN)/python -m pytest -m "not system" --numprocesses 2 --dist loadfile
	$(BIN)/python -m pytest -m system --numprocesses 3 --dist loadfile

check: $(VENV)/.installed-dev  ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.installed-dev  ## rewrite the files as `check` wants them
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Installs are remembered by a stamp that setup.cfg and constraints.txt outdate.
$(VENV)/.installed-run: EXTRAS :=
$(VENV)/.installed-test: EXTRAS := [test]
$(VENV)/.installed-dev: EXTRAS := [dev]
$(VENV)/.installed-%: setup.cfg constraints.txt pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
		{ echo "error: $(PYTHON) is older than Python 3.11; set PYTHON to a newer one"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable ".$(EXTRAS)"
	touch $@

report-example: $(VENV)/.installed-run  ## the committed example, from the committed table
	$(BIN)/python -m benchmark.report reports/example/results --out reports/example

reference: $(VENV)/.installed-run  ## the committed studies' pages, and what follows from them
	$(BIN)/python -m benchmark.reference --pages

findings: $(VENV)/.installed-run  ## docs/findings.md and the README's answers, from the committed tables
	$(BIN)/python -m benchmark.reference

readme: $(VENV)/.installed-run  ## the README's tree of rooms and rates, and the tables of docs/, from the code
	$(BIN)/python tests/support/room_tree.py
	$(BIN)/python tests/support/room_table.py
	$(BIN)/python tests/support/rate_table.py

power: $(VENV)/.installed-run  ## docs/power.md: how likely each committed study was to answer (minutes)
	$(BIN)/python tests/support/power_table.py

clean:  ## forget the environment and the generated reports, but for the example
	rm -rf $(VENV) reports/quickstart
