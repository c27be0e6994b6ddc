# Two commands do all the set-up: `make lab` and `make test`. Each target sets up what it needs and is
# quick when repeated.

SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
export PYTHONDONTWRITEBYTECODE =
# The project's own Jupyter files stay in the project, whatever the user's look like.
LAB_ENV := JUPYTER_PREFER_ENV_PATH=1

NODE := labextension/node_modules
PANEL_SOURCES := $(shell find labextension/src labextension/schema labextension/package.json \
    labextension/build.mjs -type f 2>/dev/null)
LABEXTENSION := .venv/share/jupyter/labextensions/voice-kernel

.PHONY: help setup lab demo test check together bench eval soak generate screenshot clean

help:           ## say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/ready $(LABEXTENSION)/package.json  ## make .venv with everything in it

.venv/ready: pyproject.toml .ci/constraints.txt | $(NODE)/ready
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint .ci/constraints.txt uv
	VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip install --quiet --compile-bytecode \
	    --build-constraint .ci/constraints.txt \
	    --constraint .ci/constraints.txt --editable '.[local,languages,wake,model,lab,browser,research,mcp,server,samples,test]'
	touch $@

# What builds (100 MB); JupyterLab's types and the test tools (400 MB more) only where they are needed.
$(NODE)/ready: labextension/package-lock.json
	cd labextension && npm ci --omit=dev --ignore-scripts --silent
	touch $@

$(NODE)/dev-ready: labextension/package-lock.json
	cd labextension && npm ci --ignore-scripts --silent
	touch $(NODE)/ready $@

labextension/dist/package.json: $(NODE)/ready $(PANEL_SOURCES)
	cd labextension && npm run --silent build
	touch $@

# An editable install has a copy of the extension, as any other has: this keeps it fresh.
$(LABEXTENSION)/package.json: labextension/dist/package.json .venv/ready
	rm -rf $(LABEXTENSION)
	mkdir -p $(LABEXTENSION)
	cp -r labextension/dist/. labextension/install.json $(LABEXTENSION)
	touch $@

.venv/debian: .venv/ready
	$(BIN)/python .ci/debian.py
	touch $@

lab: setup      ## open JupyterLab with the voice panel ready
	$(LAB_ENV) $(BIN)/voice-kernel lab notebooks/start.ipynb

demo: setup     ## run the tour headless: out/demo/tour.ipynb and out/demo/tour.html
	$(BIN)/python tests/demo.py out/demo

check: setup $(NODE)/dev-ready  ## format, lint, types, imports, generated files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd labextension && npm run --silent check

test: check .venv/debian  ## everything: checks and every tier of tests
	cd labextension && npm test --silent
	$(BIN)/python -m pytest -q -n 2 tests/unit tests/kernel
	$(BIN)/python -m pytest -q tests/notebooks tests/browser

# It changes how every notebook of a server is opened, so it has no place in .venv.
TOGETHER := out/together

together: setup .venv/debian  ## test cells with jupyter-collaboration, in an environment of its own
	test -x $(TOGETHER)/bin/python || $(BIN)/uv venv --quiet --python $(BIN)/python $(TOGETHER)
	VIRTUAL_ENV=$(CURDIR)/$(TOGETHER) $(BIN)/uv pip install --quiet \
	    --build-constraint .ci/constraints.txt --constraint .ci/constraints.txt \
	    --editable '.[local,lab,browser,test]' 'jupyter-collaboration>=5,<6'
	rm -rf $(TOGETHER)/share/jupyter/labextensions/voice-kernel
	cp -r $(LABEXTENSION) $(TOGETHER)/share/jupyter/labextensions/voice-kernel
	$(TOGETHER)/bin/python -m pytest -q tests/browser/test_together.py
	$(TOGETHER)/bin/python -m pytest -q tests/browser/test_cells_by_voice.py -k JupyterLab

online: .venv/debian ## the tests that fetch programs of others while they run
	$(BIN)/python -m pytest -q -m online tests/kernel

bench: setup .venv/debian ## print the figures, each beside a peer measured in the same run
	CLIPS=$(CLIPS) COFFEE=$(COFFEE) $(BIN)/python tests/bench/run.py

eval: setup ## try the configured model on tasks of our own, with checks of what came of it
	$(BIN)/python tests/evaluation/evaluate.py $(TASKS)

soak: setup      ## 2,000 tasks, cancelled, killed and reloaded at random, in at most ten minutes
	$(BIN)/python tests/soak.py

generate: setup $(NODE)/dev-ready  ## rewrite what is generated from the wire schema
	cd labextension && npm run --silent generate

screenshot: setup .venv/debian ## leave the README's pictures
	$(BIN)/python -m pytest -q tests/browser/test_first_minute.py
	cp out/panel-light.png out/panel-dark.png notebooks/images

clean:          ## remove what was built
	rm -rf .venv $(NODE) labextension/lib labextension/dist voice_kernel/ui/static out
