# `make book` builds the book, `make test` checks everything. Both create the environment
# in .venv on their first run. `make help` lists the rest.

VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
JOBS ?= 2
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3,$(shell command -v $(name) 2>/dev/null)))
PAGES := _build/html/index.html

# Sums depend on the number of threads, and sets on the hash seed: stored outputs and the
# page that Sphinx writes are the same on each run only when both are fixed. A backend
# from the reader's shell would replace the one that stores pictures in notebooks.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export PYTHONHASHSEED := 0
unexport MPLBACKEND

BOOK_SOURCES := _config.yml _toc.yml tools/assets.py tools/live.py $(shell find book notebooks attention_course benchmarks web vendor \
    \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -o -type f -print 2>/dev/null)

.PHONY: help live setup book test pdf assets pages lint types unit validate audit notebooks format lab serve links constraints clean
.DELETE_ON_ERROR:

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: $(VENV)/.installed  ## create the environment (the others do it when needed)

$(VENV)/pyvenv.cfg:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "This course needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	"$(PYTHON)" -m venv $(VENV)

$(VENV)/.installed: requirements.txt constraints.txt pyproject.toml | $(VENV)/pyvenv.cfg
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/.installed-lab: requirements-lab.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-lab.txt
	@touch $@

book: $(PAGES)  ## build the book
	@echo "The book is built. Open $(PAGES) in a browser, or run: make serve"
	@ls _build/html/_static | grep -q '^live-' || \
	    echo "No cell runs in its pages: Python for browsers could not be fetched. Later: make assets, then make book"

# Sphinx repeats no warning for a page that it does not read again, and leaves the old
# contents list on pages that it does not write again: so each build starts from nothing.
$(PAGES): $(BOOK_SOURCES) $(VENV)/.installed
	rm -rf _build
	$(BIN)/python tools/assets.py
	$(BIN)/python -m tools.live
	$(BIN)/jupyter-book build . -W -n --keep-going || { rm -rf _build; exit 1; }
	$(BIN)/python -m pytest -q -m book tests/test_book.py || { rm -rf _build; exit 1; }
	@touch $@

test: lint types unit validate pages  ## check everything: style, types, unit tests, notebooks, pages

assets: $(VENV)/.installed  ## fetch what the book takes from npm and PyPI
	$(BIN)/python tools/assets.py
	$(BIN)/python -m tools.live
	@rm -f $(PAGES)  # the next `make book` takes them in

pages: $(PAGES)  ## look at the built pages: links, formulas, and each in a browser
	$(BIN)/python -m pytest -q -n $(JOBS) -m book tests

lint: $(VENV)/.installed  ## style of code and notebooks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed  ## types
	$(BIN)/mypy

live: $(VENV)/.installed  ## assemble the Python that runs in the pages
	$(BIN)/python -m tools.live

unit: live  ## unit tests, layout tests and the examples in docstrings
	$(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile --doctest-modules tests attention_course

validate: $(VENV)/.installed  ## run the notebooks and compare with their stored outputs
	$(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile --nbval --nbval-current-env notebooks

audit: $(PAGES)  ## proofs that take long; also axe-core, Lighthouse and Firefox on the book
	$(BIN)/python -m pytest -q -m audit tests
	$(BIN)/python benchmarks/known_wrong.py
	$(BIN)/python benchmarks/mutants.py
	$(BIN)/python -m tools.audit.axe
	$(BIN)/python -m tools.audit.lighthouse --runs 5
	$(BIN)/python -m tools.audit.live_cells
	$(BIN)/python -m tools.audit.firefox
	$(BIN)/python -m tools.audit.verdicts
	$(BIN)/python -m tools.audit.pdf --record

pdf: $(PAGES)  ## the whole book as one PDF, printed by Chromium
	$(BIN)/python -m tools.audit.pdf

notebooks: $(VENV)/.installed  ## put in the exercises, run what has changed, store it
	$(BIN)/python -m tools.exercises
	$(BIN)/python tools/notebooks.py

format: $(VENV)/.installed  ## put code and notebooks into the form that lint wants
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lab: $(VENV)/.installed-lab  ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks

serve: $(PAGES)  ## build the book and serve it on this machine
	@echo "http://localhost:$(PORT)  (stop with Ctrl-C)"
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

links: $(VENV)/.installed  ## ask the other hosts whether the links to them still work
	$(BIN)/jupyter-book build . --builder linkcheck --path-output _build/links

constraints: $(VENV)/.installed-lab  ## store the versions of the present environment
	$(BIN)/python tools/constraints.py

clean:  ## remove build results, caches and the environment
	rm -rf _build .cache $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -rf attention_course.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
