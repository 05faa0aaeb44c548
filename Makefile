# make run: everything on this machine.  make test: every test.  make check: what CI checks.
# PYTHON=python3.12 chooses the Python that .venv is made of (make clean first).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header \
	--custom-compile-command "make lock"
UPGRADE ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test faults lint types check docs vocabulary sbom clean lock

help:
	@echo "make run     start PocketBase, the gateway and (without Stripe keys) the Stripe simulator"
	@echo "make test    run the tests; ARGS='-k checkout' chooses some"
	@echo "make faults  20,000 deliveries, and work under 70 kills and pauses; ARGS='--chaos-seed 2'"
	@echo "make lint    ruff, import-linter, deptry"
	@echo "make types   mypy --strict"
	@echo "make check   lint, types and tests"
	@echo "make docs    write .env.example, docs/settings.md and docs/openapi.json from the code"
	@echo "make vocabulary  write pb_hooks/lib/vocabulary.json from the registry and the migrations"
	@echo "make sbom    write a CycloneDX bill of materials per image into sbom/"
	@echo "make lock    bring the lock files in line with pyproject.toml; UPGRADE=--upgrade for newer"
	@echo "make clean   remove .venv and caches (your data in .local stays)"

run: $(VENV)/run.stamp
	@exec $(BIN)/python -m gateway dev --project=examples --folder=.local --env-file=.env

test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -n 4 $(ARGS)

# Half an hour; `make test` has the same in small.
faults: $(VENV)/dev.stamp
	$(BIN)/python -m pytest tests/faults --chaos-deliveries 20000 --chaos-work-faults 70 $(ARGS)

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/deptry --no-ansi .

types: $(VENV)/dev.stamp
	$(BIN)/mypy

check: lint types test

docs: $(VENV)/dev.stamp
	$(BIN)/python -m gateway.dev.reference

vocabulary: $(VENV)/dev.stamp
	$(BIN)/python -m gateway.dev.vocabulary

sbom: $(VENV)/dev.stamp
	$(BIN)/python -m gateway.dev.sbom sbom

lock: | $(BIN)/uv
	$(COMPILE) $(UPGRADE) pyproject.toml -o requirements.lock
	$(COMPILE) $(UPGRADE) --extra postgres --extra tracing pyproject.toml -c requirements.lock \
		-o requirements-image.lock
	$(COMPILE) $(UPGRADE) --group pocketbase -o requirements-pocketbase.lock
	$(COMPILE) $(UPGRADE) --group caddy -o requirements-caddy.lock
	$(COMPILE) $(UPGRADE) --group backup -o requirements-backup.lock
	$(COMPILE) $(UPGRADE) --group mail -o requirements-mail.lock
	$(COMPILE) $(UPGRADE) --group examples -o examples/requirements.lock
	$(COMPILE) $(UPGRADE) --group dev pyproject.toml -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or later is needed; choose one with make PYTHON=/path/to/python3." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "$(PYTHON) cannot make a virtual environment (Debian: apt-get install python3-venv)." >&2; \
		exit 1; }

# Not by dev.stamp: that fails while the lock files lag behind pyproject.toml.
$(BIN)/uv: | $(BIN)/python
	$(INSTALL) --require-hashes -r requirements-dev.lock

# Two steps, because running needs a third of what testing needs.
$(VENV)/run.stamp: requirements.lock requirements-pocketbase.lock examples/requirements.lock | $(BIN)/python
	@echo "Installing what a run needs into $(VENV) (once) …"
	@$(INSTALL:--quiet=) --require-hashes $(addprefix -r ,$(filter %.lock,$^))
	@touch $@

# Without build isolation: an isolated build would fetch its backend unhashed.
$(VENV)/dev.stamp: requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo "Installing what tests and checks need into $(VENV) (once) …"
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@$(BIN)/python -m pip check
	@touch $@
