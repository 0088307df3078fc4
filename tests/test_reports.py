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
UNCHANGED = {"np", "plt", "tf"}  # to call what is in them changes no name of a lesson


def loaded(code):
    """Return the global names that code, functions in it included, loads."""
    found = {step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_NAME", "LOAD_GLOBAL")}
    return found.union(*(loaded(part) for part in code.co_consts if isinstance(part, types.CodeType)))


def made(statement):
    """Return the names that a statement makes or changes: `a = …`, `a[0] = …`, `a.append(…)`, `def a`, `import a`."""
    found, inner = set(), set()  # inner: what only a comprehension sees
    for loop in ast.walk(statement):
        if isinstance(loop, ast.comprehension):
            inner.update(ast.walk(loop.target))
    for node in [statement] if isinstance(statement, ast.FunctionDef) else ast.walk(statement):
        if node in inner:
            continue
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
        elif isinstance(getattr(node, "ctx", None), ast.Store) or isinstance(node, ast.Call):
            base = node.func if isinstance(node, ast.Call) else node
            while isinstance(base, ast.Attribute | ast.Subscript):
                base = base.value
            if not isinstance(base, ast.Name):
                continue
            if not isinstance(node, ast.Call) or (base is not node.func and base.id not in UNCHANGED):
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
    own = {
        node.id
        for node in ast.walk(ast.parse(solution))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    kept, needed = [], {"course", *loaded(compile(solution, "solution", "exec")) - own}
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
