# Each target sets up what it needs in .venv; a second run installs nothing.
#   make quickstart   train three ways, draw out/quickstart.png (KERAS_BACKEND=jax|torch)
#   make test         lint, types, and all tests on TensorFlow, JAX and torch, by JOBS=2
#                     processes at a time (0: in one, for a debugger); of it alone:
#   make lint         ruff and the import contracts
#   make types        mypy
#   make test-pure    the tests that need no backend
#   make test-jax     those that do, on JAX (test-tensorflow, test-torch)
#   make bench        ours beside the peers in one run: writes benchmarks/results.md
#   make bench-full   the same with more rounds and more parts (over an hour)
#   make bench-finder how good finders and their rivals are, where the truth is known
#   make bench-search how well the glossary's search answers, and which weights fit best
#   make memory       what 10,000 scheduled fits leave behind, on the three backends
#   make evidence     measure all claims anew, ten seeds each, and record them
#   make figures      draw all figures anew from the recorded evidence
#   make keras-tests  Keras' own tests with a schedule in every fit, on the three backends
#   make docs         build the site of docs/ in docs/_build/html; a warning fails
#   make docs-links   ask all addresses that the site leads to, over the network
#   make faults       kills, Ctrl-C, exceptions, full disks and the like at random points,
#                     counted, on the three backends (FAULTS="--only kills --kills 10")
#   make distributed  train, resume, search and die on several devices and processes, and
#                     run examples/distributed
#   make runners      searches in pools of processes and on Ray, on the three backends
#   make matrix       the fast part of the tests in the corners of all versions that are
#                     supported; writes docs/versions.md (ONLY=NAME: one corner alone)
#   make wheel        build wheel and sdist, install both, and check what they can do
#   make fuzz         wrong files, configs, texts and requests: TIMES=50 times those of
#                     the tests, others each time; SEED= of an earlier run for the same

PYTHON ?= python3
KERAS_BACKEND ?= tensorflow
BACKENDS := tensorflow jax torch
# Two cores, as CI has. A process that runs out of tests takes half of another's.
JOBS ?= 2
PYTEST = $(BIN)/python -m pytest -n $(JOBS) --dist worksteal
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check -qq -c constraints.txt
# What make faults is to try: --seed, --kills, --interrupts, --rounds, --only, --backends.
FAULTS ?= --seed 0
# Small models on shared cores are faster on one thread each.
RUN := TF_CPP_MIN_LOG_LEVEL=3 OMP_NUM_THREADS=1 PYTHONPATH=
READY := .venv/ready
SPHINX = $(RUN) KERAS_BACKEND=jax $(BIN)/python -m sphinx -q -W --keep-going -n

.PHONY: quickstart test lint types test-pure test-backends keras-tests bench bench-full bench-finder bench-search memory evidence figures faults distributed docs docs-links runners matrix wheel fuzz clean $(addprefix test-,$(BACKENDS))

# What backends log as they start goes into a file, and is shown where the run fails.
quickstart: $(READY)-$(KERAS_BACKEND)-demos
	@mkdir -p out
	@$(RUN) KERAS_BACKEND=$(KERAS_BACKEND) $(BIN)/python examples/quickstart.py \
	  2>out/quickstart.log || { cat out/quickstart.log; exit 1; }

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

bench: $(READY)-all-test-bench
	$(RUN) $(BIN)/python -m benchmarks.run

bench-full: $(READY)-all-test-bench
	$(RUN) $(BIN)/python -m benchmarks.run --full

bench-finder: $(READY)-all-test-bench
	$(RUN) KERAS_BACKEND=jax $(BIN)/python -m benchmarks.finder.score

bench-search: $(READY)-all-test
	$(RUN) $(BIN)/python -m benchmarks.search_weights

memory: $(READY)-all-test
	@for b in $(BACKENDS); do \
	  $(RUN) KERAS_BACKEND=$$b $(BIN)/python -m benchmarks.memory || exit 1; done

faults: $(READY)-all-test
	$(RUN) $(BIN)/python -m tests.faults $(FAULTS)

distributed: $(READY)-all-test
	@for b in $(BACKENDS); do echo "== $$b"; \
	  $(RUN) KERAS_BACKEND=$$b $(BIN)/python -m pytest -m backend tests/distributed tests/keras_lr/fit/test_devices.py tests/keras_lr/fit/test_processes.py || exit 1; done

docs: $(READY)-jax-docs
	$(SPHINX) -b html docs docs/_build/html
	@echo "The site is in docs/_build/html/index.html"

docs-links: $(READY)-jax-docs
	$(SPHINX) -b linkcheck docs docs/_build/links

runners: $(READY)-all-test
	@for b in $(BACKENDS); do echo "== $$b"; \
	  $(RUN) KERAS_BACKEND=$$b $(BIN)/python -m pytest -m backend tests/keras_lr/finder/test_runners.py || exit 1; done

matrix: $(READY)-matrix
	$(RUN) $(BIN)/python -m tests.matrix --markdown docs/versions.md $(addprefix --only ,$(ONLY))

wheel: $(READY)-all-test
	$(RUN) $(BIN)/python -m tests.packaging

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
	rm -rf .venv .matrix out build dist docs/_build docs/elsewhere docs/glossary .pytest_cache .mypy_cache .ruff_cache .hypothesis

# One stamp for each set of extras; made anew when the requirements change.
$(READY)-%: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing keras-lr[$(subst -,$(comma),$*)] into .venv (once, some minutes) ..."
	@$(PIP) -e ".[$(subst -,$(comma),$*)]"
	@touch $@

.venv/bin/python:
	$(PYTHON) -m venv .venv

comma := ,
