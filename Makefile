# drorch: `make demo` shows the main job, `make test` passes the tests. Both set up what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export DRORCH_RESTIC_VERSIONS ?= $(CURDIR)/.restics
export PIP_DISABLE_PIP_VERSION_CHECK = 1

# What tests need of the system, as PROGRAM=PACKAGE.
PARTS := restic=restic "/usr/lib/postgresql/*/bin/initdb=postgresql" \
  chromium=chromium curl=curl pdftoppm=poppler-utils ceph-mon=ceph-mon ceph-osd=ceph-osd \
  radosgw=radosgw radosgw-admin=ceph-common setpriv=util-linux /usr/sbin/sshd=openssh-server ssh=openssh-client \
  /usr/sbin/named=bind9 nsupdate=bind9-dnsutils mariadbd=mariadb-server /usr/sbin/mkfs.btrfs=btrfs-progs

.PHONY: help demo test lint check campaign bench format lock wheel clean
.DEFAULT_GOAL := help

help: ## say what can be made
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 18

demo: $(VENV)/.runtime ## back up a hospital to two regions, lose one, recover from the other
	@.ci/packages restic=restic
	@$(BIN)/drorch demo

test: $(VENV)/.dev .restics/.complete ## every test, as in CI
	@.ci/packages $(PARTS)
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup

lint: $(VENV)/.dev ## format, lint, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

check: lint test ## lint, then test

campaign: $(VENV)/.dev .restics/.complete ## the kill and fault campaigns whole, and every test against every restic
	@.ci/packages $(PARTS)
	DRORCH_CAMPAIGN=1 $(BIN)/python -m pytest -q -m campaign
	DRORCH_CAMPAIGN=1 $(BIN)/python -m pytest -q -n 2 --dist loadgroup -m "not campaign" tests/integration

bench: $(VENV)/.dev ## measure against restic, Chaos Toolkit and Ansible, side by side
	@.ci/packages restic=restic
	$(BIN)/python -m bench

format: $(VENV)/.dev ## put the code into its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(VENV)/.dev ## renew the lock files from pyproject.toml
	$(BIN)/pip-compile -q --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --extra build -o requirements.lock pyproject.toml
	$(BIN)/pip-compile -q --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --extra build --extra dev -o requirements-dev.lock pyproject.toml

wheel: $(VENV)/.dev ## build the wheel into dist/
	$(BIN)/python -m build --wheel --no-isolation

clean: ## remove what was made (not the demo's data: `drorch demo --clean` does)
	rm -rf $(VENV) .restics dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/pip:
	@.ci/packages $(PYTHON)=python3
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON) is older than 3.11" >&2; echo "hint: make PYTHON=python3.11 ..." >&2; exit 2; }
	@# Debian keeps ensurepip in a package of its own.
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || .ci/packages no-ensurepip=python3-venv
	@rm -rf $(VENV)
	@echo "making a virtual environment"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/bin/pip
	@echo "installing drorch"
	@$(BIN)/pip install -q --require-hashes -r requirements.lock
	@$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "installing the development tools"
	@$(BIN)/pip install -q --require-hashes -r requirements-dev.lock
	@touch $@

.restics/.complete:
	@.ci/packages restic=restic
	@.ci/restic-versions .restics
	@mkdir -p .restics && touch $@
