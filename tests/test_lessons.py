"""An exercise asks for what the lesson has not shown yet, and references lead to what they promise."""

import ast

import numpy as np
import pytest
import references

import notebooks
from lepton_helpers import checks

EXERCISES = [
    pytest.param(path, number, id=number) for path in notebooks.lessons() for number in checks.exercises(path.name[:2])
]


def shown_until(path, number):
    """Return the functions that the lesson's cells define up to the end of the exercise's section, stubs left out."""
    functions, seen = {"np": np}, False
    for cell in notebooks.read(path).cells:
        seen |= cell.source.startswith(f"### Exercise {number}\n")
        if seen and cell.cell_type == "markdown" and cell.source.startswith("## "):
            break
        if cell.cell_type == "code" and "stub" not in cell.metadata:
            kept = (ast.FunctionDef, ast.Import, ast.ImportFrom)
            tree = ast.Module([node for node in ast.parse(cell.source).body if isinstance(node, kept)], [])
            for node in ast.walk(tree):  # a default may need what the lesson has computed
                if isinstance(node, ast.arguments):
                    node.defaults = [d if isinstance(d, ast.Constant) else ast.Constant(None) for d in node.defaults]
            exec(compile(ast.fix_missing_locations(tree), path.name, "exec"), functions)
    return functions


@pytest.mark.parametrize("path, number", EXERCISES)
def test_no_function_shown_in_the_section_is_an_answer(path, number):
    functions = shown_until(path, number)
    own = [value for value in functions.values() if getattr(value, "__module__", "") is None]
    assert own, "the lesson's own functions are not found"
    for function in own:
        assert checks.verdict(number, function) != "right.", f"{function.__name__} answers exercise {number}"


@pytest.mark.parametrize(
    "around, number, doubtful",
    [
        ("the Kullback–Leibler divergence of [lesson 2]", "2", True),  # it stood in lesson 9; lesson 2 has not the word
        ("the softmax of [lesson 2]", "2", False),
        ("where attention loses the order ([section 3.5])", "3.5", True),
        ("a step size for each parameter ([section 3.5])", "3.5", False),
    ],
)
def test_a_reference_to_what_another_lesson_does_not_teach_is_doubtful(around, number, doubtful):
    _, text = references.place(references.lessons(), "section" if "section" in around else "lesson", number)
    assert references.doubtful(around, text) == doubtful


def test_every_lesson_names_places_of_the_course():
    for lesson, _ in references.lessons().values():
        assert len([*references.references(lesson)]) > 2, lesson.name
