"""A check that judges a report of training trains nothing itself; here the solution of 10.7 trains, as a learner does."""

import os
import subprocess
import sys

import notebooks
from lepton_helpers import checks

NEEDED = """
course.start( | wave = speech.say( | FRAME = | def agree( | def mel_filters( | import tensorflow | DIGITS = | def spoken_words(
def white( | def dense( | def new_word_network( | def train( | def train_words( | def heard( | def babble( | def crackle( | def spoken_lines(
in_babble =
"""


def test_the_solution_is_right_when_it_really_trains():
    (path,) = notebooks.lessons("10")
    cells = [cell.source for cell in notebooks.read(path).cells if cell.cell_type == "code"]
    phrases = [phrase.strip() for line in NEEDED.strip().splitlines() for phrase in line.split("|")]
    program = [next(source for source in cells if phrase in source) for phrase in phrases]
    program += [checks.exercises(10)["10.7"].solution, 'check("10.7", report)']
    run = subprocess.run(
        [sys.executable, "-c", "\n".join(program)],
        capture_output=True,
        text=True,
        env={**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": str(path.parent.parent)},
    )
    assert run.stdout.splitlines()[-1:] == ["Exercise 10.7: right."], run.stderr[-2000:]
