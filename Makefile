# The front door. `make demo` and `make test` need Python 3.11+ and make, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO := demo/first-film.mp4

.PHONY: demo test test-all check format bench docs tables album evaluation golden clean

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $(READY)

demo: $(READY)  ## Render a shipped track to a film of about 20 seconds
	@mkdir -p demo
	$(BIN)/synesthete render album/jazz-vibe-ace.ogg --start 0:10 --end 0:30 --resolution 720p --workspace demo -o $(DEMO)
	@echo "Your first film: $(CURDIR)/$(DEMO)"

album: $(READY)  ## Render the example album in album/, as its render.yaml says
	$(BIN)/synesthete album --config album/render.yaml

test: $(READY)  ## All tests that need no GPU and no patience
	$(BIN)/python -m pytest -q -n 2 -m "not slow" --cov --cov-report=term --cov-report=xml --cov-fail-under=90

test-all: $(READY)  ## The slow ones too
	$(BIN)/python -m pytest -q -m "slow or not slow"

check: $(READY)  ## Format, lint, types, import floors, docstring examples
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q --doctest-modules src --no-cov -p no:cacheprovider

format: $(READY)  ## Format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)  ## Ratios against named baselines, measured in one run
	$(BIN)/python benchmarks/film.py
	$(BIN)/python benchmarks/programs.py
	$(BIN)/python benchmarks/evaluate.py

docs: $(READY)  ## Regenerate the pictures and tables in docs/
	$(BIN)/python docs/make_docs.py

tables: $(READY)  ## Of these, only the tables that schemas give; at once
	$(BIN)/python docs/schema_pages.py

evaluation: $(READY)  ## Measure every preset on every track of MUSIC (default: album)
	$(BIN)/python docs/make_evaluation.py --music $(or $(MUSIC),album) --workspace build/evaluation

golden: $(READY)  ## Accept the pictures that the golden tests draw now
	$(BIN)/python -m pytest -q tests/golden --update-golden

clean:  ## Remove what demo, tests and builds left
	rm -rf demo build dist htmlcov coverage.xml .coverage* .pytest_cache .mypy_cache .ruff_cache
