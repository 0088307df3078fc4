"""A check that judges a report of training trains nothing itself; here the solution of 9.6 trains, as a learner does."""

import os
import subprocess
import sys

import notebooks
from lepton_helpers import checks

PROGRAM = """
import runpy
from lepton_helpers import check, course

course.start(seed=9)
names = runpy.run_path({benchmark!r})["lesson_names"]()
exec({solution!r}, names)
check("9.6", names["report"])
"""


def test_the_solution_is_right_when_it_really_trains():
    benchmark = str(notebooks.ROOT / "benchmarks" / "vision.py")
    program = PROGRAM.format(benchmark=benchmark, solution=checks.exercises(9)["9.6"].solution)
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": str(notebooks.ROOT)},
    )
    assert run.stdout.splitlines()[-1:] == ["Exercise 9.6: right."], run.stderr[-2000:]
