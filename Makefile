# `make demo` and `make test` work on a fresh clone with Python 3.10 or later, without root.
#
#   make demo            the whole road on the sample CT, into demo/
#   make test            everything the suite holds
#   make bench-extract   where the time of extraction goes (CT=... for a CT of your own)
#   make bench-generate  images a second against the plain network (BENCH="--device cuda")
#   make bench-train     iterations a second against the straightforward loop (BENCH=...)
#   make bench-quality   how good the segments of recipes are after equal time (BENCH="--minutes 10")
#   make bench-map       where the time of mapping goes (CT=... for a CT of your own)
#   make bench-evaluate  where the time of an evaluation goes (BENCH="-n 250")
#   make bench-panel     how long the panels keep the GUI thread (BENCH="SkullGAN")
#   make fuzz           hostile files into every reader (N=10000)
#   make kill           every writing command killed at random moments (N=100)
#   make screenshots     the panels' pictures in Resources/Screenshots
#   make docs            the options in Docs/commands.md and the picture of the packages
#   make clean           removes what demo and test made
#
# PYTHON chooses the interpreter, PIP_FLAGS goes to pip (a mirror, a CPU build of torch).

PYTHON ?= python3
PIP_FLAGS ?=
BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: demo test bench-extract bench-generate bench-train bench-quality bench-map \
	bench-evaluate bench-panel fuzz kill screenshots docs clean

demo: $(INSTALLED)
	$(BIN)/skullgan demo -o demo

test: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

bench-extract: $(INSTALLED)
	$(BIN)/python Testing/Benchmarks/extract.py $(CT)

bench-generate: $(INSTALLED)
	$(BIN)/python Testing/Benchmarks/generate.py $(BENCH)

bench-train: $(INSTALLED)
	$(BIN)/python Testing/Benchmarks/train.py $(BENCH)

bench-quality: $(INSTALLED)
	$(BIN)/python Testing/Benchmarks/quality.py $(BENCH)

bench-map: $(INSTALLED)
	$(BIN)/python Testing/Benchmarks/map.py $(CT)

bench-evaluate: $(INSTALLED)
	$(BIN)/python Testing/Benchmarks/evaluate.py $(BENCH)

bench-panel: $(INSTALLED)
	$(BIN)/python Testing/Benchmarks/panel.py $(BENCH)

fuzz: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -W ignore Testing/Robustness/fuzz.py -n $(or $(N),1000)

kill: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -W ignore Testing/Robustness/kill.py -n $(or $(N),20)

screenshots: $(INSTALLED)
	$(BIN)/python Resources/draw_panels.py

docs: $(INSTALLED)
	$(BIN)/python Docs/make_commands.py
	$(BIN)/python Resources/draw_architecture.py

$(INSTALLED): pyproject.toml Testing/constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 10) or sys.exit("$(PYTHON) is Python %d.%d, 3.10 or later is needed (make PYTHON=...)." % sys.version_info[:2])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet $(PIP_FLAGS) --constraint Testing/constraints.txt \
		--editable ".[dicom,evaluate,fast,scene,test]"
	@# lint-imports reads the modules' own libraries, which are not installed.
	@printf '%s\n' "$(CURDIR)/SkullGANTrain" "$(CURDIR)/SkullGANEvaluate" >"$$($(BIN)/python -c \
		'import sysconfig; print(sysconfig.get_path("purelib"))')/skullgan-modules.pth"
	@touch $(INSTALLED)

clean:
	rm -rf .venv demo
