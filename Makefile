PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-clients evals docs bench bundle release clean

demo: $(VENV)/run
	@$(BIN)/bitrix24-chat-mcp demo

test: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/pytest

# Other people's programs, which the tests install for themselves; what cannot be had is skipped, and said.
test-clients: $(VENV)/dev
	$(BIN)/pytest tests/clients -rs

# Proves the scorers with scripted models; with MODEL=provider/name judges a model, with PEER="..." another server.
evals: .venv-evals/ready
	$(BIN)/pyright --project evals
	@MODEL="$(MODEL)" PEER='$(PEER)' .venv-evals/bin/python -m evals

# Writes what is generated: snippets, settings, versions.
docs: $(VENV)/dev
	$(BIN)/python -m release.readme

# For Claude Desktop.
bundle: $(VENV)/dev
	$(BIN)/python -m release.bundle

# Builds, checks the wheel on every Python there is, and says what to publish.
release: $(VENV)/dev
	$(BIN)/python -m release

bench: $(VENV)/dev
	$(BIN)/python -m bench

clean:
	rm -rf $(VENV) .venv-evals .venv-clients tests/clients/node_modules

# What a user has; compiled on installation, so that the first start is as fast as the next.
$(VENV)/run: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[terminal]'
	@touch $@

$(VENV)/dev: $(VENV)/run
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

.venv-evals/ready: pyproject.toml $(VENV)/dev
	$(PYTHON) -m venv .venv-evals
	.venv-evals/bin/python -m pip install --quiet --upgrade pip
	.venv-evals/bin/python -m pip install --quiet --group evals --editable .
	@touch $@
