"""A check that judges a report of training trains nothing itself; here the solutions train, as a learner does."""

import ast
import dis
import os
import subprocess
import sys
import types

import pytest

import notebooks
from lepton_helpers import checks

TRAINED = [
    pytest.param(path, number, exercise.solution, id=number)
    for path in notebooks.lessons()
    for number, exercise in checks.exercises(path.name[:2]).items()
    if exercise.stand_ins is not dict and number != "10.7"  # test_reports_10.py
]


def loaded(code):
    """Return the global names that code, functions in it included, loads."""
    found = {step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_NAME", "LOAD_GLOBAL")}
    return found.union(*(loaded(part) for part in code.co_consts if isinstance(part, types.CodeType)))


def made(statement):
    """Return the names that a statement makes or changes: `a = …`, `a[0] = …`, `a.append(…)`, `def a`, `import a`."""
    found = set()
    for node in [statement] if isinstance(statement, ast.FunctionDef) else ast.walk(statement):
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
        elif isinstance(getattr(node, "ctx", None), ast.Store) or isinstance(node, ast.Call):
            base = node.func if isinstance(node, ast.Call) else node
            while isinstance(base, ast.Attribute | ast.Subscript):
                base = base.value
            if isinstance(base, ast.Name) and not (isinstance(node, ast.Call) and base is node.func):
                found.add(base.id)
    return found


def program(path, number, solution):
    """Return the solution and its check, and before them those of the lesson's statements, up to the exercise, that they need."""
    statements = []
    for cell in notebooks.read(path).cells:
        if cell.source.startswith(f"### Exercise {number}\n"):
            break
        if cell.cell_type == "code" and "stub" not in cell.metadata:
            statements += ast.parse(cell.source).body
    kept, needed = [], {"course", *loaded(compile(solution, "solution", "exec"))}
    for statement in reversed(statements):
        if needed & made(statement):
            kept.insert(0, ast.unparse(statement))
            needed |= loaded(compile(kept[0], path.name, "exec"))
    return "\n".join([*kept, solution, f'check("{number}", report)'])


@pytest.mark.parametrize("path, number, solution", TRAINED)
def test_the_solution_is_right_when_it_really_trains(path, number, solution):
    run = subprocess.run(
        [sys.executable, "-c", program(path, number, solution)],
        capture_output=True,
        text=True,
        env={**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": str(notebooks.ROOT)},
    )
    assert run.stdout.splitlines()[-1:] == [f"Exercise {number}: right."], run.stderr[-2000:]
