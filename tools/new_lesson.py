"""Start a lesson that passes the gate: `python tools/new_lesson.py 19 "Another subject"`.

Writes the notebook and its exercises; `make refresh` runs it. Everything in it is there to be replaced.
"""

import re
import sys

import links
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import notebooks
from lepton_helpers import checks

EXERCISES = '''"""Exercises of lesson {number:02d}, {title}."""

from lepton_helpers.checks import Exercise

SQUARE = """
def square(x):
    return x**2
"""

EXERCISES = {{
    f"{number}.{{i}}": Exercise(
        answer="square",
        stub="""
def square(x):
    ...
""",
        solution=SQUARE,
        cases=lambda: [(2.5,), (-3.0,)],
        wrong=[
            (SQUARE.replace("x**2", "2 * x"), "That is twice the number. A square is the number times itself."),
            (SQUARE.replace("x**2", "x**3"), "That is the cube: one factor too many."),
            (SQUARE.replace("x**2", "-(x**2)"), "The sign is wrong: the square of a real number is never negative."),
        ],
        hint="Multiply the number by itself.",
    )
    for i in (1, 2, 3)
}}
'''


def skeleton(number, title, name):
    """Return a notebook without outputs that has all the parts of a lesson; its exercises must exist already."""
    objectives = "\n".join(f"- Square a number in way {i} (exercise {number}.{i})." for i in (1, 2, 3))
    cells = [
        new_markdown_cell(f"# {number} · {title}\n\n{links.opening(name)}"),
        new_markdown_cell(
            f"**What you will be able to do**\n\n{objectives}\n\n**Before you start**: no earlier lesson is needed.\n\n"
            "**Time**: the whole notebook runs in a few seconds."
        ),
        new_code_cell(
            "import matplotlib.pyplot as plt\nimport numpy as np\n\nfrom lepton_helpers import check, course\n\n"
            f"course.start(seed={number})"
        ),
    ]
    for i in (1, 2, 3):
        stub, folded = checks.exercise_cells(f"{number}.{i}")
        cells += [
            new_markdown_cell(
                f"## {number}.{i} A question\n\nThe idea in words, then the formula $y = x^2$, then a short cell."
            ),
            new_code_cell(
                f"x = np.linspace(-{i}, {i}, 50)\nplt.plot(x, x**2)\nplt.xlabel('x')\nplt.ylabel('$x^2$')\nplt.show()\n"
                "print(f'largest square: {max(x**2):.2f}')".replace("'", '"')
            ),
            new_markdown_cell("*Figure: the square of x, which is smallest at zero.*"),
            new_markdown_cell(f"### Exercise {number}.{i}\n\nWrite `square(x)`."),
            new_code_cell(stub),
            new_markdown_cell(folded),
        ]
    cells.append(
        new_markdown_cell(
            "## Key points\n\n- One.\n- Two.\n- Three.\n\n## Further reading\n\n- Author (year), *Title*.\n\n**Next**: the lesson that follows."
        )
    )
    cells[1].source = links.timed_lesson(cells[1].source, cells)
    for i, cell in enumerate(cells, start=1):
        cell["id"] = f"cell-{i:02d}"
    return new_notebook(cells=cells)


def main(number="", title=""):
    if not re.fullmatch(r"\d\d", number) or not title:
        raise SystemExit(
            'Give the lesson\'s two-digit number and its title, as in: make lesson NUMBER=19 TITLE="Another subject"'
        )
    name = f"{number}_{re.sub(r'[^a-z0-9]+', '_', title.lower()).strip('_')}.ipynb"
    module = notebooks.ROOT / "lepton_helpers/checks" / f"lesson_{number}.py"
    if module.exists() or list(notebooks.FOLDER.glob(f"{number}_*")):
        raise SystemExit(f"There is a lesson {number} already; nothing was written.")
    module.write_text(EXERCISES.format(number=int(number), title=title), encoding="utf-8")
    notebooks.write(skeleton(int(number), title, name), notebooks.FOLDER / name)
    print(
        f"Written: notebooks/{name} and lepton_helpers/checks/{module.name}. Add its row to the README, then: make links refresh"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
