# Everything here works on a fresh machine with Python 3.11 or later, its venv module and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.stamp-setup
WORKERS ?= 2

.PHONY: demo test check setup clean

demo: $(SETUP)
	$(BIN)/jde demo --output demo

test: $(SETUP)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope -q

check: $(SETUP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/test_code_size.py

setup: $(SETUP)

$(SETUP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[all,dev]'
	touch $(SETUP)

clean:
	rm -rf $(VENV) demo
