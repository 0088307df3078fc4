"""Whoever makes one small mistake is told so: each check refuses every mutant of the solution, and of another right answer.

``python tests/test_mutants.py`` prints, for each exercise, how many mutants there are and how many of them equal the right answer.
"""

import contextlib
import io
import pathlib
import signal
import warnings

import mutants
import numpy as np
import pytest
from equal_mutants import EQUAL
from right_answers import RIGHT

from lepton_helpers import checks

LESSONS = sorted(path.stem.removeprefix("lesson_") for path in pathlib.Path(checks.__file__).parent.glob("lesson_*.py"))
EXERCISES = {number: exercise for lesson in LESSONS for number, exercise in checks.exercises(lesson).items()}
COUNTS = {}
MOST = 0.15  # seconds of the processor's time for one mutant; the slowest right answer takes a sixth of it


class Endless(BaseException):
    """Not an Exception: a mutant's own ``except`` must not catch it."""


def stop(*arguments):
    raise Endless


def survivors(exercise, code):
    """Return how many mutants of ``code`` there are, and what was changed in those that the check calls right."""
    expected, count, accepted = [*exercise.outcomes(exercise.define(exercise.solution))], 0, []
    usual = signal.signal(signal.SIGPROF, stop)
    with np.errstate(all="ignore"), warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        for change, mutant in mutants.mutants(code, exercise.cases()):
            count += 1
            with contextlib.suppress(Exception, Endless):
                signal.setitimer(signal.ITIMER_PROF, MOST, MOST)  # again and again: code may swallow it once
                if exercise.agree(exercise.outcomes(exercise.define(mutant)), expected):
                    accepted.append(change)
            signal.setitimer(signal.ITIMER_PROF, 0)
    signal.signal(signal.SIGPROF, usual)
    return count, accepted


def both(number):
    """Return how many mutants an exercise has, and those accepted, of its solution and of the other right answer."""
    codes = [EXERCISES[number].solution, *([RIGHT[number]] if number in RIGHT else [])]
    counts, accepted = zip(*(survivors(EXERCISES[number], code) for code in codes), strict=True)
    return sum(counts), sum(accepted, [])


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="nothing here stops an endless loop")
@pytest.mark.parametrize("number", EXERCISES)
def test_every_mutant_is_refused_or_equal(number):
    count, accepted = both(number)
    listed = [change for changes in EQUAL.get(number, {}).values() for change in changes]
    assert set(accepted) - set(listed) == set(), "the check calls these right: add a case, or the reason why they are"
    assert set(listed) - set(accepted) == set(), "these are refused, or no longer made: strike them from the list"
    COUNTS[number] = count


def test_there_are_thousands_of_mutants():
    if len(COUNTS) < len(EXERCISES):
        pytest.skip("not all exercises were tried")
    assert sum(COUNTS.values()) > 8000


@pytest.mark.parametrize("number", RIGHT)
def test_another_right_answer_is_right(number):
    with np.errstate(all="ignore"):
        assert checks._judge(EXERCISES[number], EXERCISES[number].define(RIGHT[number])) == "right."


def test_mutants_are_the_mistakes_they_are_named_for():
    code = "def f(x, size=3):\n    y = x[1:]\n    if len(y) < size and size:\n        y = np.clip(y, 0, 1)\n    return y.sum(axis=0) / size\n"
    changed = {change for change, _ in mutants.mutants(code, [([1, 2], 7)])}
    for change in (
        "if len(y) <= size and size:",
        "if size:",
        "if False:",
        "y = x[2:]",
        "without y = x[1:]",
        "y = y",
        "return y.sum(axis=1) / size",
        "return y.sum() / size",
        "return y.mean(axis=0) / size",
        "return y.sum(axis=0) * size",
        "size = 7",
        "size = 3",
    ):
        assert change in changed


if __name__ == "__main__":
    total = equal = 0
    for number in EXERCISES:
        count, accepted = both(number)
        total, equal = total + count, equal + len(accepted)
        print(f"{number:5s} {count:4d} mutants, {len(accepted):2d} accepted")
    print(f"{total} mutants, {total - equal} refused, {equal} accepted")
