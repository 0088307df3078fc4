"""Every exercise answers: the solution is right, the stub is not attempted, each typical mistake gets its own hint."""

import copy
import decimal
import fractions
import itertools
import pathlib
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_helpers import check, checks

LESSONS = sorted(path.stem.removeprefix("lesson_") for path in pathlib.Path(checks.__file__).parent.glob("lesson_*.py"))
EXERCISES = [(number, exercise) for lesson in LESSONS for number, exercise in checks.exercises(lesson).items()]
by_number = pytest.mark.parametrize("number, exercise", EXERCISES, ids=[number for number, _ in EXERCISES])


@by_number
def test_solution_is_right_and_stub_is_not_attempted(number, exercise):
    assert checks.verdict(number, exercise.define(exercise.solution)) == "right."
    assert checks.verdict(number, exercise.define(exercise.stub)).startswith("not attempted yet.")


@by_number
def test_each_typical_mistake_gets_its_own_hint(number, exercise):
    hints = [hint for _, hint in exercise.wrong]
    assert len(set(hints)) >= 3
    for code, hint in exercise.wrong:
        assert checks.verdict(number, exercise.define(code)) == f"not yet. {' '.join(hint.split())}"


@by_number
def test_the_solution_is_not_in_the_hints(number, exercise):
    lines = [line.strip() for line in exercise.solution.splitlines() if len(line.strip()) > 15]
    for text in [exercise.hint, *(hint for _, hint in exercise.wrong)]:
        assert not any(line in text for line in lines)


def test_check_prints_one_line(capsys):
    check("4.3", None)
    check("4.3", lambda sizes: 1 / 0)
    check("99.1", 1)
    check(None, "x")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Exercise 4.3: not attempted yet.")
    assert lines[1] == "Exercise 4.3: not yet. Your code raised ZeroDivisionError: division by zero"
    assert "there is no exercise of this number" in lines[2]
    assert len(lines) == 4


def test_an_answer_that_never_returns_is_stopped(capsys):
    def forever(sizes):
        while True:
            pass

    start = time.monotonic()
    check("4.3", forever)
    assert time.monotonic() - start < checks.SECONDS + 2
    assert "did not finish within 5 seconds" in capsys.readouterr().out


class Nasty:
    """Raises whatever is asked of it."""

    def __getattribute__(self, name):
        raise RuntimeError("nasty")

    def __eq__(self, other):
        raise SystemExit("nasty")

    __bool__ = __len__ = __array__ = __call__ = __eq__
    __hash__ = object.__hash__


def leave(*arguments):
    raise SystemExit("leaving")


class Wordless(Exception):
    def __str__(self):
        raise ValueError


def wordless(*arguments):
    raise Wordless


numbers = st.one_of(st.integers(), st.floats(), st.complex_numbers(), st.booleans())
anything = st.recursive(
    st.one_of(
        st.none(),
        st.just(...),
        st.text(),
        st.binary(),
        numbers,
        st.builds(lambda n: np.full(n, np.nan), st.integers(0, 9)),
        st.builds(np.zeros, st.lists(st.integers(0, 4), max_size=3)),
        st.builds(Nasty),
        st.builds(lambda n: (i for i in range(n)), st.integers(0, 5)),
        st.builds(itertools.count),
        st.sampled_from([leave, wordless, len, print, int, np.mean, np.float64(3), 10**400, type, Exception()]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.tuples(inner, inner), st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(answer=anything, number=st.sampled_from([number for number, _ in EXERCISES]), returned=st.booleans())
def test_check_never_raises_whatever_it_is_given(answer, number, returned):
    line = checks.verdict(number, (lambda *arguments: answer) if returned else answer)
    assert isinstance(line, str) and line.startswith(("right", "not yet", "not attempted"))


def test_tensors_are_read_as_numbers():
    tensorflow = pytest.importorskip("tensorflow")
    assert checks.verdict("4.3", lambda sizes: tensorflow.constant([1.0, 2.0])).startswith(
        "not yet. The answer should be one number, but yours is a row of 2 numbers."
    )
    solution = dict(EXERCISES)["4.2"].define(dict(EXERCISES)["4.2"].solution)
    assert (
        checks.verdict("4.2", lambda *parts: tuple(tensorflow.constant(part) for part in solution(*parts))) == "right."
    )


@pytest.mark.parametrize(
    "number, wrap, kind",
    [
        ("4.3", str, "str"),
        ("4.3", lambda value: str(value).encode(), "bytes"),
        ("4.3", fractions.Fraction, "Fraction"),
        ("4.3", decimal.Decimal, "Decimal"),
        ("4.5", lambda interval: tuple(map(str, interval)), "str"),
        ("4.5", lambda interval: [fractions.Fraction(float(end)) for end in interval], "Fraction"),
        ("4.2", lambda parts: (parts[0].astype(str), parts[1]), "str"),
        ("4.2", lambda parts: (parts[0], [[decimal.Decimal(x) for x in row] for row in parts[1]]), "Decimal"),
    ],
)
def test_the_right_value_in_another_type_is_asked_for_as_a_number(number, wrap, kind):
    exercise = dict(EXERCISES)[number]
    solution = exercise.define(exercise.solution)
    line = checks.verdict(number, lambda *arguments: wrap(solution(*arguments)))
    assert line == f"not yet. The answer should be made of numbers (int or float), not of type {kind}."


def test_a_large_whole_number_is_a_number():
    assert checks.verdict("4.3", lambda sizes: 2**70) == f"not yet. {dict(EXERCISES)['4.3'].hint}"


def judge(number, answer):
    """Return the verdict as ``check`` does, but here: another process for each would take its time."""
    with np.errstate(all="ignore"):
        return checks._judge(dict(EXERCISES)[number], answer)


@by_number
def test_no_two_named_mistakes_give_the_same_on_all_cases(number, exercise):
    with np.errstate(all="ignore"):
        found = [(hint, [*exercise.outcomes(exercise.define(code))]) for code, hint in exercise.wrong]
    for (hint, one), (other_hint, other) in itertools.combinations(found, 2):
        assert hint == other_hint or not exercise.agree(one, other)


@by_number
def test_an_answer_may_change_what_it_is_given(number, exercise):
    solution = exercise.define(exercise.solution)

    def spoiling(*arguments):
        result = copy.deepcopy(solution(*arguments))  # it may be a view of what was given
        for argument in arguments:
            if isinstance(argument, np.ndarray):
                argument[...] = 0
            if isinstance(argument, list | dict | set):
                argument.clear()
        return result

    assert judge(number, spoiling) == "right."


@by_number
def test_a_forgotten_return_is_named(number, exercise):
    *body, last = exercise.solution.strip().split("    return ")
    code = "    return ".join(body) + "    result = " + last
    if "return" not in code:  # with several, the others remain
        assert judge(number, exercise.define(code)) == "not yet. Your function returns nothing: is `return` missing?"
    assert judge(number, print).startswith("not yet. Your function returns nothing")


NOT_ATTEMPTED = "not attempted yet. Replace the ... in the cell with your code and run it again."


@pytest.mark.parametrize("body", ["pass", "...", "# a comment\n    ...", '"""What it does."""', "return ..."])
def test_what_does_nothing_yet_is_not_attempted(body):
    names = {}
    exec(f"def count_parameters(sizes):\n    {body}", names)
    assert judge("4.3", names["count_parameters"]) == NOT_ATTEMPTED


@pytest.mark.parametrize(
    "number, answer, says",
    [
        ("4.3", lambda sizes: 0 if len(sizes) == 2 else None, "For some inputs your function returns None"),
        ("5.1", lambda before, after: (None, 1), "For some inputs your function returns None, or a part that is None"),
        ("4.3", lambda sizes: np.ones((2, 3)), "should be one number, but yours is a table of shape (2, 3)"),
        ("2.1", lambda y, p: [1.0], "should be one number, but yours is a row with one number in it."),
        (
            "4.1",
            lambda x, y: ((1, 2, 3), (4, 5, 6)),
            "should consist of 6 parts, in this order, separated by commas; yours has 2.",
        ),
        (
            "5.2",
            lambda values, low, high: np.round(values),
            "should consist of 2 parts, in this order, separated by commas; yours is a",
        ),
        ("5.2", lambda values, low, high: 3.0, "separated by commas; yours is one number."),
        ("7.3", lambda weights: "codes", "separated by commas; yours is a text."),
        ("3.6", lambda gradients, most: 0.5, "The answer should be a list; yours is one number."),
        (
            "3.6",
            lambda gradients, most: map(abs, gradients),
            "The answer should be a list; yours is a value of type map.",
        ),
        (
            "3.6",
            lambda gradients, most: np.concatenate([g.ravel() for g in gradients]),
            "should be a list of 2 items; yours is a row of 6 numbers.",
        ),
        (
            "3.6",
            lambda gradients, most: (gradients, sum(gradients)),
            "Where a row of 2 numbers should stand, you return a list.",
        ),
        ("10.3", lambda p, blank: "21", "The answer should be a list; yours is a text."),
        ("10.5", lambda utterances: [("s", 0.05)], "The answer should be a dictionary; yours is a list."),
        ("10.5", lambda utterances: {"s": 0.05}, "Your dictionary has no entry 'E'."),
        (
            "2.1",
            lambda y, p: -np.mean(p * np.log(y) + (1 - p) * np.log(1 - y)),
            "NaN or infinity: you take the logarithm of 0.",
        ),
        ("2.1", lambda y, p: np.mean(y / 0), "NaN or infinity: look for a division by zero."),
        ("2.1", lambda y, p: np.mean(np.sqrt(-1 - y)), "NaN or infinity: you take the root of a negative number."),
        ("2.1", lambda y, p: np.exp(1000 + y).sum(), "NaN or infinity: a number grew too large"),
        ("2.1", lambda y, p: float("nan"), "NaN or infinity: look where the first one appears."),
        (
            "1.3",
            lambda n, d, k, peak, u: round(6 * n * d / k / peak / u / 3600, 1),
            "rounded. Return them as they are.",
        ),
    ],
)
def test_an_answer_of_another_form_gets_a_plain_sentence(number, answer, says):
    line = judge(number, answer)
    assert line.startswith("not yet. ") and says in line, line


def first_images_only(body):
    for image in body["images"]:
        if len(image) != 784:
            return 422
    return 200


def stops_near_0(gradient, x, learning_rate, steps):
    for _ in range(steps):
        if np.all(np.abs(gradient(x)) < 1e-6):
            break
        x = x - learning_rate * gradient(x)
    return x


def below_1(validation_losses, patience):
    best, best_epoch = 1, 0
    for epoch, loss in enumerate(validation_losses, start=1):
        if loss < best:
            best, best_epoch = loss, epoch
        if epoch - best_epoch >= patience:
            break
    return epoch, best_epoch


@pytest.mark.parametrize(
    "number, answer",
    [
        ("2.5", lambda w, g, l1, l2: g + l1 * np.where(w > 0, 1, np.where(w < 0, -1, 1)) + 2 * l2 * w),
        ("3.1", stops_near_0),
        ("4.4", below_1),
        ("5.4", first_images_only),
        ("7.1", lambda n, y, e: (np.exp(np.log(y - e)[0]), 0.5)),
        (
            "10.1",
            lambda wave, size, hop: np.arange(1 - min(0, (size - len(wave)) // hop))[:, None] * hop + np.arange(size),
        ),
        ("10.5", lambda u: dict(dict(EXERCISES)["10.5"].define(dict(EXERCISES)["10.5"].solution)(u), more=1.0)),
        (
            "6.1",
            lambda q, k, m: (lambda e: e / e.sum(1, keepdims=True))(
                np.exp(
                    (s := q @ k.T / k.shape[1] ** 0.5 - m * abs(np.arange(len(q))[:, None] - np.arange(len(k))))
                    - s.max()
                )
            ),
        ),
        ("9.3", lambda overlap, scores, labels, limit: [int(np.argmax(scores))]),
        ("8.6", lambda h, r, n, beta: 0.5),
    ],
)
def test_wrong_answers_that_hide_between_the_cases_are_refused(number, answer):
    assert judge(number, answer).startswith("not yet. ")


@pytest.mark.parametrize(
    "number, answer, hint",
    [
        (
            "4.4",
            lambda losses, patience: (len(losses), 1 + int(np.argmin(losses))),
            "You never stop before the list ends",
        ),
        (
            "5.1",
            lambda p, q: (np.abs(p - q).max(), np.sum(np.abs(p - q) > 0.5)),
            "Take the largest absolute difference",
        ),
        ("5.1", lambda p, q: (np.abs(p - q).max(), np.sum((p > 0) != (q > 0))), "Take the largest absolute difference"),
        ("5.4", lambda body: 200, "Go from outside in"),
        (
            "11.5",
            lambda probabilities, p: np.eye(len(probabilities))[np.argmax(probabilities)],
            "Sort from likely to unlikely",
        ),
        (
            "8.5",
            lambda train, test: np.mean([not {*t.split()[1:]} <= {*" ".join(train).split()} for t in test]),
            "Collect the words",
        ),
        (
            "9.1",
            lambda size, kernel, stride, padding, i, o: ((size + 2 * padding - kernel) // stride + 1, 7),
            "The size: try it",
        ),
    ],
)
def test_no_answer_gets_the_hint_of_another_mistake(number, answer, hint):
    assert judge(number, answer).startswith(f"not yet. {hint}")


def test_what_the_checker_raises_is_not_called_the_learners():
    for number, _ in EXERCISES:
        for odd in ("text", 3.0, [], {}, (1, 2), object()):
            assert "Your code raised" not in judge(number, lambda *arguments, odd=odd: odd)
