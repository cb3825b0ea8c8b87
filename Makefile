# Each target installs what it needs by itself, on a fresh Debian 12 as root; without root it says what is missing.
.PHONY: help run fresh install install-test test sure format campaign bench lock clean
.NOTPARALLEL:
.DEFAULT_GOAL := help

export PORT ?= 8000
bin := .venv/bin
# Debian packages of the test suite: a browser with Chinese glyphs, a fake camera, an independent ledger checker.
test_packages := chromium fonts-noto-cjk ffmpeg hledger

help:
	@echo "make run       serve the demonstration on http://127.0.0.1:$(PORT) (PORT=... for another one)"
	@echo "make fresh     throw the demonstration's data away; make fresh run starts anew"
	@echo "make test      the whole suite on SQLite and PostgreSQL (the aim: 10 minutes on two cores)"
	@echo "make sure      format, lint, types, floors, then the suite"
	@echo "make format    put the code into its format"
	@echo "make campaign  races, kills, soaks and tampers at full count, times, pages on both databases (<= 60 minutes)"
	@echo "make bench     the measurements of docs/benchmarks.md"
	@echo "make lock      resolve requirements*.in into hash-pinned requirements*.txt"
	@echo "make clean     remove the environment and caches; data under instance/ stays"

install:
	@.ci/install requirements.txt

install-test:
	@.ci/install requirements-test.txt
	@.ci/debian-packages $(test_packages)

run: install
	@.ci/serve-demo

fresh:
	rm -rf instance/voucher.db* instance/files instance/anchors instance/demo-made instance/env

test: install-test
	$(bin)/pytest -n 2 --dist loadfile --pages-once

sure: install-test
	$(bin)/ruff format --check .
	$(bin)/ruff check .
	$(bin)/mypy
	$(bin)/lint-imports
	$(bin)/pytest -n 2 --dist loadfile --pages-once

format: install-test
	$(bin)/ruff check --fix .
	$(bin)/ruff format .

campaign: install-test
	CAMPAIGN=full $(bin)/pytest -m campaign --timeout=3600
	CAMPAIGN=full $(bin)/pytest $$(grep -rl tests.pace tests --include='test_*.py')
	$(bin)/pytest -n 2 --dist loadfile tests/web tests/api

bench: install-test
	$(bin)/python -m bench

# The resolver has an environment of its own, so that nothing of it is pinned with the product.
lock:
	@.ci/python-with-venv
	@test -x .venv-lock/bin/uv || { python3 -m venv .venv-lock && .venv-lock/bin/python -m pip install --quiet uv; }
	.venv-lock/bin/uv pip compile --quiet --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
		--python-version 3.11 --output-file requirements.txt requirements.in
	.venv-lock/bin/uv pip compile --quiet --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
		--python-version 3.11 --constraint requirements.txt --output-file requirements-test.txt requirements-test.in

clean:
	rm -rf .venv .venv-lock .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage htmlcov build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
