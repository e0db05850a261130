# make demo    from nothing to a report of a trained VAE
# make test    everything that a change must pass
# make docs    the documentation, into site/
# make bench   speed and size against other ways of doing the same, about an hour; needs a quiet machine

PYTHON ?= python3
BIN := .venv/bin
CORES := $(shell nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2)
DEMO := runs/demo

.PHONY: demo test test-slow check docs format bench pictures chromium clean

demo: .venv/.installed
	rm -rf $(DEMO)
	$(BIN)/vaelab train digits --out $(DEMO)
	$(BIN)/vaelab report $(DEMO)
	@echo "The report: $(CURDIR)/$(DEMO)/report.html"

# The closing line of pytest is the last line printed. One process more than there are cores, as some wait for browsers.
test: check docs chromium
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $$(($(CORES) + 1)) --dist loadfile -m "not slow"

test-slow: .venv/.installed-dev
	OMP_NUM_THREADS=1 $(BIN)/pytest -m slow

check: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

# With --quiet, --strict would not see the warnings either.
docs: .venv/.installed-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

format: .venv/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.installed-bench
	$(BIN)/python -m benchmarks

pictures: .venv/.installed-dev
	$(BIN)/python docs/make_pictures.py

# A headless browser opens the reports in the tests; without one those tests say that they were skipped.
chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	       && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
	  || echo "No chromium here and none could be installed."

clean:
	rm -rf build dist site .pytest_cache .ruff_cache .hypothesis .import_linter_cache

.venv/.made:
	$(PYTHON) -m venv .venv
	touch $@

.venv/.installed: .venv/.made pyproject.toml constraints.txt
	$(BIN)/pip install --quiet -c constraints.txt -e .
	touch $@

.venv/.installed-dev: .venv/.made pyproject.toml constraints.txt
	$(BIN)/pip install --quiet -c constraints.txt -e '.[dev,docs,tensorboard,anndata,parquet,codecs,slurm,features]'
	touch $@ .venv/.installed

.venv/.installed-bench: .venv/.installed-dev benchmarks/requirements.txt
	$(BIN)/pip install --quiet -r benchmarks/requirements.txt
	$(BIN)/pip install --quiet --no-deps pythae==0.1.2
	touch $@
