# One line a verb; each is one `python -m pipeline <verb>`.
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python -m pipeline
# The locks are whole, so nothing is to be resolved; bytecode is made by every core afterwards.
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps --no-compile
COMPILE := $(BIN)/python -m compileall -qq -j0 .venv/lib || true
LANGUAGE := $(shell sed -n 's/^language = "\(..\)".*/\1/p' publish.toml)
SETTING_UP := sed -n 's/^setting_up = "\(.*\)"$$/\1/p' site/text/terminal.$(LANGUAGE).toml
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

publish: .venv/run.stamp ## the whole flow for every country → build/public (AREA=CL, FLOW=DF_STOCK narrow it; DRY_RUN=1 only lists)
	@$(RUN) publish --area "$(AREA)" --flow "$(FLOW)" $(if $(DRY_RUN),--dry-run)

validate: .venv/run.stamp ## validate one file: FILE=… AREA=… FLOW=…
	@$(RUN) validate --area "$(AREA)" --flow "$(FLOW)" $(if $(FILE),--file "$(FILE)")

suggest: .venv/run.stamp ## suggest codes for labels without one: AREA=… FLOW=… (ACCEPT=… adds the rows that you marked)
	@$(RUN) suggest --area "$(AREA)" --flow "$(FLOW)" $(if $(ACCEPT),--accept "$(ACCEPT)")

template: .venv/run.stamp ## a workbook with drop-downs to be filled: AREA=… FLOW=… → build/templates/ (OUT=… elsewhere)
	@$(RUN) template --area "$(AREA)" --flow "$(FLOW)" $(if $(OUT),--out "$(OUT)")

new-country: .venv/run.stamp ## the folder of a country: AREA=… (SAMPLE=… FLOW=… guesses a layout from a table)
	@$(RUN) new-country --area "$(AREA)" --flow "$(FLOW)" $(if $(SAMPLE),--sample "$(SAMPLE)")

new-dataflow: .venv/run.stamp ## the folder of a dataflow: ID=DF_… (LIKE=DF_… to begin from another)
	@$(RUN) new-dataflow --id "$(ID)" $(if $(LIKE),--like "$(LIKE)")

serve: .venv/run.stamp ## serve build/public and SDMX REST over it on 127.0.0.1 (PORT=8000)
	@$(RUN) serve --port "$(or $(PORT),8000)"

harvest-check: .venv/test.stamp ## play the harvesting agency against build/public
	@$(RUN) harvest-check

harvest: .venv/run.stamp ## the regional hub: gather published sites into build/hub/public: URLS="…" (or @list.toml)
	@$(RUN) harvest $(if $(URLS),--urls "$(URLS)")

release: .venv/run.stamp ## put out the release that waited for its hour (embargo in publish.toml)
	@$(RUN) release

verify: .venv/run.stamp ## hold build/public against its manifest and signature (FOLDER=… KEY=…)
	@$(RUN) verify $(if $(FOLDER),"$(FOLDER)") $(if $(KEY),--key "$(KEY)")

test: .venv/test.stamp ## the tests
	$(BIN)/pytest -n auto --dist loadfile

check: .venv/test.stamp ## lint, format, types and tests: what the continuous integration runs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n auto --dist loadfile

bench: export PYTHONPATH := .
bench: .venv/test.stamp ## the benchmarks, written to build/bench/
	$(BIN)/python bench/run.py
	$(BIN)/python bench/whole.py
	$(BIN)/python bench/validation.py
	$(BIN)/python bench/formats.py
	$(BIN)/python bench/protection.py
	$(BIN)/python bench/pages.py
	$(BIN)/python bench/border.py
	$(BIN)/python bench/survey.py
	$(BIN)/python bench/hub.py
	-$(BIN)/python bench/lighthouse.py

protect: .venv/run.stamp ## withhold cells of any table: TABLE=… HIERARCHY=… OUT=… (OPTIONS="--table …" adds linked ones)
	@$(RUN) protect --table "$(TABLE)" --hierarchy "$(HIERARCHY)" --out "$(OUT)" $(OPTIONS)

audit: .venv/run.stamp ## attack a published table: PUBLISHED=… HIERARCHY=… (OPTIONS="--published …" adds linked ones)
	@$(RUN) audit --published "$(PUBLISHED)" --hierarchy "$(HIERARCHY)" $(OPTIONS)

border: .venv/run.stamp ## stocks and flows from border-control records: CROSSINGS=… OUT=… OBS_END=… (OPTIONS="…" adds others)
	@$(RUN) border --crossings "$(CROSSINGS)" --out "$(OUT)" --obs-end "$(OBS_END)" $(OPTIONS)

survey: .venv/run.stamp ## weights of a survey adjusted to migrant margins: INPUT=… DESIGN=… CONTROLS=… OUT=… (OPTIONS="…" adds others)
	@$(RUN) survey --input "$(INPUT)" --design "$(DESIGN)" --controls "$(CONTROLS)" --out "$(OUT)" $(OPTIONS)

questions: .venv/run.stamp ## hold a questionnaire against the question modules: FILE=… (OPTIONS="--kind survey --year 2026 --area CL")
	@$(RUN) questions "$(FILE)" $(OPTIONS)

docs: .venv/run.stamp ## the generated pages of docs/
	@$(RUN) docs

.venv/run.stamp: requirements.lock
	@$(SETTING_UP)
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(INSTALL) -r requirements.lock
	@$(COMPILE)
	@touch $@

.venv/test.stamp: .venv/run.stamp requirements-test.lock
	@$(SETTING_UP)
	@$(INSTALL) -r requirements-test.lock
	@$(COMPILE)
	@touch $@

.PHONY: help publish validate suggest template new-country new-dataflow serve harvest-check harvest release verify test check bench protect audit border survey questions docs
