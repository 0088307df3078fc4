"""A check that judges a report of training trains nothing itself; here the solution trains, as a learner does."""

import os
import subprocess
import sys

import pytest

import notebooks
from lepton_helpers import checks
from lepton_helpers.checks import lesson_04

TRAINED = [number for number, exercise in lesson_04.EXERCISES.items() if isinstance(exercise, lesson_04.Trained)]


@pytest.mark.parametrize("number", TRAINED)
def test_the_solution_is_right_when_it_really_trains(number):
    (path,) = notebooks.lessons("04")
    cells = [cell.source for cell in notebooks.read(path).cells if cell.cell_type == "code"]
    last = next(i for i, source in enumerate(cells) if "def train_network(" in source)
    program = [
        *cells[: last + 1],
        checks.exercises(4)[number].solution,
        f"check('{number}', report)",
    ]
    run = subprocess.run(
        [sys.executable, "-c", "\n".join(program)],
        capture_output=True,
        text=True,
        env={**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": str(path.parent.parent)},
    )
    assert run.stdout.splitlines()[-1:] == [f"Exercise {number}: right."], run.stderr[-2000:]
