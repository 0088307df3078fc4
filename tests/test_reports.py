"""A check that judges a report of training trains nothing itself; here the solutions train, as a learner does."""

import os
import subprocess
import sys

import pytest

import notebooks
from lepton_helpers import checks

TRAINED = [
    pytest.param(path, number, exercise.solution, id=number)
    for path in notebooks.lessons()
    for number, exercise in checks.exercises(path.name[:2]).items()
    if exercise.stand_ins is not dict
]


def program(path, number, solution):
    """Return a lesson's code up to an exercise, other exercises and figures left out, then the solution and its check."""
    cells = []
    for cell in notebooks.read(path).cells:
        if cell.source.startswith(f"### Exercise {number}"):
            return "\n".join([*cells, solution, f'check("{number}", report)'])
        if cell.cell_type == "code" and "stub" not in cell.metadata:
            cells.append(cell.source)
    raise LookupError(f"{path.name} holds no exercise {number}")


@pytest.mark.parametrize("path, number, solution", TRAINED)
def test_the_solution_is_right_when_it_really_trains(path, number, solution):
    run = subprocess.run(
        [sys.executable, "-c", program(path, number, solution)],
        capture_output=True,
        text=True,
        env={**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": str(notebooks.ROOT)},
    )
    assert run.stdout.splitlines()[-1:] == [f"Exercise {number}: right."], run.stderr[-2000:]
