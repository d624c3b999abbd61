# Each target sets up what it needs in .venv; a second run installs nothing.
#   make quickstart   train three ways, draw out/quickstart.png (KERAS_BACKEND=jax|torch)
#   make test         lint, types, and all tests on TensorFlow, JAX and torch, by JOBS=2
#                     processes at a time (0: in one, for a debugger)
#   make bench        what schedules, sweeps and fits in a loop cost, on the three backends
#   make memory       what 10,000 scheduled fits leave behind, on the three backends
#   make bench-finder how good finders and their rivals are, where the truth is known
#   make evidence     measure all claims anew, ten seeds each, and record them
#   make figures      draw all figures anew from the recorded evidence
#   make keras-tests  Keras' own tests with a schedule in every fit, on the three backends
#   make faults       kill and resume a training twenty times on each backend
#   make fuzz         wrong files, configs, texts and requests: TIMES=50 times those of
#                     the tests, others each time; SEED= of an earlier run for the same

PYTHON ?= python3
KERAS_BACKEND ?= tensorflow
BACKENDS := tensorflow jax torch
# Two cores, as CI has. A process that runs out of tests takes half of another's.
JOBS ?= 2
PYTEST = $(BIN)/python -m pytest -n $(JOBS) --dist worksteal
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt
# Small models on shared cores are faster on one thread each.
RUN := TF_CPP_MIN_LOG_LEVEL=3 OMP_NUM_THREADS=1 PYTHONPATH=
READY := .venv/ready

.PHONY: quickstart test lint types test-pure test-backends keras-tests bench memory bench-finder evidence figures faults fuzz clean $(addprefix test-,$(BACKENDS))

quickstart: $(READY)-$(KERAS_BACKEND)-demos
	$(RUN) KERAS_BACKEND=$(KERAS_BACKEND) $(BIN)/python examples/quickstart.py

test: lint types test-pure test-backends

lint: $(READY)-all-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(READY)-all-test
	$(BIN)/mypy

test-pure: $(READY)-all-test
	@echo "== tests that need no backend"
	$(RUN) KERAS_BACKEND=jax $(PYTEST) -m "not backend and not slow"
	$(RUN) KERAS_BACKEND=jax $(BIN)/python -m pytest --doctest-modules keras_lr glossary

test-backends: $(addprefix test-,$(BACKENDS))

$(addprefix test-,$(BACKENDS)): test-%: $(READY)-all-test
	@echo "== tests on $*"
	$(RUN) KERAS_BACKEND=$* $(PYTEST) -m "backend and not slow"

keras-tests: $(READY)-all-test
	@for b in $(BACKENDS); do echo "== $$b"; \
	  $(RUN) KERAS_BACKEND=$$b $(BIN)/python -m tests.keras_own.compare --jobs $(JOBS) || exit 1; done

bench: $(READY)-all-test
	$(BIN)/python benchmarks/lookup.py
	@for b in $(BACKENDS); do \
	  $(RUN) KERAS_BACKEND=$$b $(BIN)/python benchmarks/overhead.py || exit 1; \
	  $(RUN) KERAS_BACKEND=$$b $(BIN)/python benchmarks/search_cost.py || exit 1; done

memory: $(READY)-all-test
	@for b in $(BACKENDS); do \
	  $(RUN) KERAS_BACKEND=$$b $(BIN)/python benchmarks/memory.py || exit 1; done

bench-finder: $(READY)-all-test-bench
	$(RUN) KERAS_BACKEND=jax $(BIN)/python -m benchmarks.finder.score

faults: $(READY)-all-test
	@for b in $(BACKENDS); do echo "== $$b"; \
	  $(RUN) KERAS_BACKEND=$$b $(BIN)/python -m pytest -m slow tests/keras_lr || exit 1; done

TIMES ?= 50
# Drawn once, and not anew wherever it stands.
ifndef SEED
SEED := $(shell $(PYTHON) -c "import random; print(random.randrange(10**6))")
endif

fuzz: $(READY)-all-test
	@echo "== SEED=$(SEED) TIMES=$(TIMES)"
	$(RUN) KERAS_BACKEND=jax FUZZ_TIMES=$(TIMES) $(BIN)/python -m pytest tests/fuzz --hypothesis-seed=$(SEED)

evidence: $(READY)-all-test
	$(RUN) KERAS_BACKEND=jax $(BIN)/python -m glossary check --demos --full --source core --record glossary
	$(RUN) KERAS_BACKEND=jax $(BIN)/python -m glossary check --demos --full --source keras_lr --record keras_lr

figures: $(READY)-all-test
	$(RUN) $(BIN)/python -m glossary.measure.recording glossary keras_lr

clean:
	rm -rf .venv out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

# One stamp for each set of extras; made anew when the requirements change.
$(READY)-%: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing keras-lr[$(subst -,$(comma),$*)] into .venv (once, some minutes) ..."
	@$(PIP) -e ".[$(subst -,$(comma),$*)]"
	@touch $@

.venv/bin/python:
	$(PYTHON) -m venv .venv

comma := ,
