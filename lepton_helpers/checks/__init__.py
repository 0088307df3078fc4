"""Answer checks: ``check("4.1", answer)`` says whether an exercise is solved, or gives the hint that fits the mistake.

The exercises of lesson NN are the dict ``EXERCISES`` in ``lesson_NN.py`` beside this file; nothing else is needed
to add one. The notebook shows ``stub`` and ``solution`` exactly as they stand there, and the tests hold it to that.
"""

import builtins
import contextlib
import copy
import ctypes
import dataclasses
import datetime
import dis
import gc
import importlib
import io
import itertools
import json
import os
import pathlib
import pkgutil
import re
import signal
import sys
import threading
import time
import types
import warnings
from collections.abc import Callable

SECONDS = 5  # an answer that takes longer is stopped
PRINTED = 100_000  # characters that an answer prints and the cell shows
TIMED_OUT = (
    f"not yet. It did not finish within {SECONDS} seconds. Is there a loop that never ends? "
    "Or an import or a training inside the function? Put it above."
)
UNTOUCHED = "not attempted yet. Replace the ... in the cell with your code and run it again."
CAUSES = {  # what NumPy noticed on the way to a NaN, in plain words
    "divide by zero.* log": "you take the logarithm of 0",
    "invalid.* log": "you take the logarithm of a negative number",
    "invalid.* sqrt": "you take the root of a negative number",
    "overflow": "a number grew too large on the way, as exp(1000) does",
    "(divide by zero|invalid).* (divide|remainder|reciprocal)": "look for a division by zero",
}
RECORD = pathlib.Path.cwd() / "progress.jsonl"  # beside the learner's copy of the lessons, where `make lab` lays it


@dataclasses.dataclass(frozen=True)
class Exercise:
    """One exercise, whole: what the learner starts from, what is right, and what typically goes wrong.

    Attributes:
        answer: the name that the stub and the solution give to the answer (a function or a value).
        stub: the code that the learner completes; it leaves the answer, or what it returns, at ``...`` or None.
        solution: code that defines the right answer; it may use NumPy as ``np``.
        wrong: pairs (code of a typical wrong answer, the hint that leads from it to the right one), three or more.
        hint: what to say of any other wrong answer.
        cases: for a function: a function without arguments that returns the list of argument tuples to call it with.
        observe: turns an answer that is neither a function nor numbers (a Keras model, say) into comparable values.
        tolerance: relative; the absolute one is a thousandth of it.
        stand_ins: for a solution that trains with the lesson's functions: a function that returns a dict from their names to others
            that train nothing and return what real runs gave. ``define`` runs the code with them; tests/test_reports.py with the real ones.
    """

    answer: str
    stub: str
    solution: str
    wrong: list[tuple[str, str]]
    hint: str
    cases: Callable | None = None
    observe: Callable | None = None
    tolerance: float = 1e-6
    stand_ins: Callable = dict

    def define(self, code):
        """Run ``code`` and return the answer it defines."""
        import numpy as np

        names = {"np": np} | self.stand_ins()
        exec(code, names)
        return names[self.answer]

    def outcomes(self, answer):
        """Yield what ``answer`` gives: one value, or one exception, for each case. Each call gets its own copy of its arguments."""
        if self.cases is None:
            yield answer
            return
        for arguments in self.cases():
            try:
                result = answer(*copy.deepcopy(arguments))
            except Exception as error:
                result = error
            yield result

    def read(self, result):
        """Return what of a result is compared; ``Unreadable`` if it has not the form of an answer."""
        if self.observe is None or result is None or result is ... or isinstance(result, BaseException):
            return result
        try:
            return self.observe(result)
        except Exception:
            return Unreadable

    def agree(self, outcomes, expected):
        """Say whether all outcomes are those expected; it looks no further than the first that is not."""
        pairs = zip(outcomes, expected, strict=True)
        return all(_same(self.read(one), self.read(other), self.tolerance) for one, other in pairs)


class Unreadable:
    """Stands for a result in which what the task asks for is not to be found."""


def report_flaw(predicted, measured, plausible, typed, distinct=3):
    """Return what no report of three trainings may be, or None: "no prediction", "not three", "not finite", "typed" or "one seed".

    Args:
        predicted: the number that was expected, None or ``...``.
        measured: what the trainings gave, a list of numbers.
        plausible: whether a number may be a prediction.
        typed: whether numbers show that they were written by hand, not computed.
        distinct: how many of the three differ at least; two shares of few items may be the same by chance.
    """
    import numpy as np

    if predicted is None or predicted is ... or isinstance(predicted, str | bool) or not plausible(float(predicted)):
        return "no prediction"
    if len(measured) != 3:
        return "not three"
    if not np.isfinite([float(predicted), *measured]).all():
        return "not finite"
    if typed(np.array(measured)):
        return "typed"
    return "one seed" if len(set(measured)) < distinct else None


def exercises(lesson):
    """Return the exercises of a lesson (its number, as in ``4``): a dict from their numbers to ``Exercise``."""
    return importlib.import_module(f"lepton_helpers.checks.lesson_{int(lesson):02d}").EXERCISES


def check(number, answer):
    """Print in one line whether ``answer`` solves exercise ``number`` (a string such as ``"4.1"``). Never raises.

    The answer runs in a copy of the kernel where that is possible: there it changes nothing, such as a list that it appends
    to, and the numbers that it draws are drawn again by the next cell. The stop button ends it.

    In a learner's copy of the lessons the verdict is also noted, in the file ``RECORD``, which nothing sends anywhere.
    """
    line = verdict(number, answer)
    print(f"Exercise {str(number)[:20]}: {' '.join(line.split())}", flush=True)
    _note(str(number), line)


def _note(number, line):
    """Append a verdict to the record, if there is one; a full disk must not cost the answer."""
    attempted = re.match("right|not yet", line)
    with contextlib.suppress(OSError):
        if attempted and RECORD.exists():
            noted = {"exercise": number, "verdict": attempted[0], "date": f"{datetime.datetime.now():%Y-%m-%d %H:%M}"}
            with open(RECORD, "a", encoding="utf-8") as file:
                file.write(json.dumps(noted) + "\n")


def solved():
    """Return what is solved in this copy of the lessons: a dict from the exercises' numbers to the date of the first time."""
    found = {}
    with contextlib.suppress(OSError):
        for text in re.findall(r"\{[^{}]*\}", RECORD.read_text(encoding="utf-8", errors="replace")):
            with contextlib.suppress(ValueError, KeyError):  # a line that was half-written, or edited
                noted = json.loads(text)
                if noted["verdict"] == "right" and isinstance(noted["date"], str):
                    found.setdefault(str(noted["exercise"]), noted["date"])
    return found


def print_progress():
    """Print for each lesson which of its exercises are solved in this copy of the lessons."""
    dates, total, count = solved(), 0, 0
    for lesson in sorted(name.removeprefix("lesson_") for _, name, _ in pkgutil.iter_modules(__path__)):
        numbers = [*exercises(lesson)]
        done = [number for number in numbers if number in dates]
        latest = f", the last on {max(dates[number] for number in done)[:10]}" if done else ""
        total, count = total + len(numbers), count + len(done)
        print(f"lesson {int(lesson):2d}: {len(done)} of {len(numbers)} solved{latest}   {' '.join(done)}".rstrip())
    print(f"\n{count} of {total} exercises solved")


def verdict(number, answer):
    """Return the line that ``check`` prints, without the exercise's number. Never raises."""
    try:
        exercise = exercises(str(number).split(".")[0])[str(number)]
    except (ValueError, KeyError, ModuleNotFoundError):
        return 'there is no exercise of this number. Numbers are strings such as "4.1".'

    def work():
        import numpy as np

        try:
            with np.errstate(all="ignore"):  # wrong answers divide by zero; the verdict says so
                return _judge(exercise, answer)
        except BaseException as error:  # an answer may raise anything, even SystemExit
            return f"not yet. Reading your answer raised {type(error).__name__}: {_text(error)}"

    return _in_process(work) or _in_thread(work)


def _in_process(work):
    """Run ``work`` in a copy of the kernel, which can be ended whatever it does; return None where only the kernel serves.

    That is: on Windows, which cannot copy a process (a new one needs seconds for its imports); on macOS, where Apple's
    linear algebra, NumPy's there, crashes in a copy; and for answers that need TensorFlow or talk with the notebook.
    """
    if sys.platform != "linux":
        return None
    import multiprocessing

    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(work, sender))
    end, printed, room = time.monotonic() + SECONDS, [], PRINTED
    try:
        with warnings.catch_warnings():  # a fork beside threads: the copy does without what needs them
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
        sender.close()
        while receiver.poll(max(0, end - time.monotonic())):
            name, text = receiver.recv()
            if name == "kernel":
                printed.clear()
            if name in ("verdict", "kernel"):
                return text
            if room:
                printed.append((name, text[:room]))
                room -= len(printed[-1][1])
        return TIMED_OUT
    except (EOFError, OSError):
        if process.pid is None:  # no memory or no number was left for it
            return None
        return "not yet. Python ended while it ran your answer. Does it leave Python, or need too much memory?"
    finally:
        sender.close()
        receiver.close()
        if process.pid:
            process.kill()
            process.join()
        for name, text in printed:
            with contextlib.suppress(UnicodeError):
                getattr(sys, name).write(text)


def _answer(work, sender):
    """Send what ``work`` prints and returns, as pairs (kind, text), from inside the copy, and end it."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the stop button reaches the kernel, which then ends this process
        signal.alarm(SECONDS + 1)  # and if the kernel dies, this does
        lock = threading.RLock()

        def send(*message):
            with lock:
                sender.send(message)

        def leave(*arguments, **options):
            send("kernel", None)
            os._exit(0)

        sys.stdout, sys.stderr = _Sent(send, "stdout"), _Sent(send, "stderr")
        gc.freeze()  # what the kernel left behind is not collected here: TensorFlow's part of it would want to compute
        if os.environ.get("OMP_NUM_THREADS") != "1":  # threads that were waiting for work are not in the copy
            import threadpoolctl

            threadpoolctl.threadpool_limits(1)
        # What hangs or does harm in a copy leaves it, for the thread: TensorFlow's threads are missing, and Jupyter's
        # sockets would be used by two.
        builtins.input = leave
        if "jupyter_client.session" in sys.modules:
            sys.modules["jupyter_client.session"].Session.send = leave
        if entries := sys.modules.get("tensorflow.python.pywrap_tfe"):
            for name in [name for name in dir(entries) if re.match("TFE_Py_.*Execute", name)]:
                setattr(entries, name, leave)
        else:

            def find_spec(name, path=None, target=None):
                return leave() if name == "tensorflow" else None

            sys.meta_path.insert(0, types.SimpleNamespace(find_spec=find_spec))
        send("verdict", work())
    finally:
        os._exit(0)


class _Sent(io.TextIOBase):
    """A stream, as ``sys.stdout``, that sends what is written to it."""

    encoding = "utf-8"

    def __init__(self, send, name):
        self.send, self.name = send, name

    def write(self, text):
        self.send(self.name, text[:PRINTED])
        return len(text)


def _in_thread(work):
    """Run ``work`` in a thread, which is ended when the time is over or the cell is stopped (not in a long call in C)."""
    result = []
    thread = threading.Thread(target=lambda: result.append(work()), daemon=True)
    thread.start()
    try:
        thread.join(SECONDS)
    finally:
        if not result:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))
    return result[0] if result else TIMED_OUT


def _judge(exercise, answer):
    if answer is None or answer is ...:
        return UNTOUCHED
    if exercise.cases and not callable(answer):
        return f"not yet. Pass the function {exercise.answer} itself, without calling it."
    if exercise.cases is None and exercise.observe is None and callable(answer):
        return f"not yet. {exercise.answer} should be a value, not a function."
    got, noticed = [], []
    for outcome, warned in _warned(exercise.outcomes(answer)):
        got.append(outcome)
        noticed.append(warned)
    if all(value is ... for value in got):
        return UNTOUCHED
    if all(value is None for value in got):
        stub = exercise.define(exercise.stub)
        return (
            UNTOUCHED
            if _code(answer) == _code(stub)
            else "not yet. Your function returns nothing: is `return` missing?"
        )
    expected = [*exercise.outcomes(exercise.define(exercise.solution))]
    for i, one in enumerate(got):  # where no list is asked for, what yields the items is as good
        if isinstance(one, types.GeneratorType | map) and not isinstance(expected[i], list):
            got[i] = [*itertools.islice(one, PRINTED)]
    if exercise.agree(got, expected):
        return "right."
    for code, hint in exercise.wrong:
        if exercise.agree(got, exercise.outcomes(exercise.define(code))):
            return f"not yet. {hint}"
    rows = zip(got, expected, noticed, strict=True)
    one, other, warned = next(row for row in rows if not exercise.agree(row[:1], row[1:2]))
    read = exercise.read(one)
    pair = (one, other) if read is Unreadable else (read, exercise.read(other))
    return f"not yet. {_mismatch(*pair, warned) or _rounded(exercise, got, expected) or exercise.hint}"


def _warned(outcomes):
    """Yield each outcome with what NumPy noticed while it was computed, such as "divide by zero encountered in log"."""
    import numpy as np

    while True:
        words = io.StringIO()
        with np.errstate(all="log", under="ignore", call=words):
            try:
                outcome = next(outcomes)
            except StopIteration:
                return
        yield outcome, words.getvalue()


def _code(function):
    """Return what a function does, without its comments; nothing for what is not written in Python."""
    code = getattr(function, "__code__", None)
    if isinstance(code, types.CodeType):
        return [
            (step.opname, step.argval) for step in dis.get_instructions(code) if step.opname not in ("NOP", "RESUME")
        ]
    return None


def _same(got, expected, tolerance):
    """Compare by value: containers item by item, numbers within the tolerance, exceptions by type and message."""
    import numpy as np

    if isinstance(expected, BaseException):
        return type(got) is type(expected) and str(got) == str(expected)
    if isinstance(expected, dict):
        return (
            isinstance(got, dict)
            and got.keys() == expected.keys()
            and all(_same(got[key], expected[key], tolerance) for key in expected)
        )
    if isinstance(expected, list | tuple):
        got = list(got) if isinstance(got, np.ndarray) and got.ndim else got
        return (
            isinstance(got, list | tuple)
            and len(got) == len(expected)
            and all(_same(*pair, tolerance) for pair in zip(got, expected, strict=True))
        )
    if expected is None or isinstance(expected, str | bool):
        return isinstance(got, str | bool | np.bool_ | None) and bool(got == expected)
    try:
        # Both as arrays: beside an answer in float32 a bare number would be rounded to float32 as well.
        numbers, expected = np.asarray(got), np.asarray(expected)
        return numbers.shape == expected.shape and bool(
            np.allclose(numbers, expected, rtol=tolerance, atol=tolerance / 1000, equal_nan=True)
        )
    except (TypeError, ValueError, OverflowError):
        return False


def _rounded(exercise, got, expected):
    """Say that the values would be right without rounding, if that is so."""
    import numpy as np

    for digits in range(7):
        with contextlib.suppress(TypeError, ValueError):
            rounded = [np.round(exercise.read(value), digits) for value in expected]
            if _same(rounded[0], expected[0], 0.05) and exercise.agree(got, rounded):
                return "Your numbers are close, but rounded. Return them as they are."
    return ""


def _mismatch(got, expected, warned=""):
    """Say in what way ``got`` cannot be the answer at all, or nothing if only its values are off."""
    import numpy as np

    if isinstance(got, BaseException):
        return f"Your code raised {type(got).__name__}: {_text(got)}"
    if got is None and expected is not None:
        return "For some inputs your function returns None, or a part that is None: does every branch end with `return` and a value?"
    if isinstance(expected, dict):
        if not isinstance(got, dict):
            return f"The answer should be a dictionary; yours is {_form(got)}."
        if lacking := [key for key in expected if key not in got]:
            return f"Your dictionary has no entry {_text(repr(lacking[0]))}."
        if more := [key for key in got if key not in expected]:
            return f"Your dictionary has an entry {_text(repr(more[0]))} too many."
        return next((text for key in expected if (text := _mismatch(got[key], expected[key], warned))), "")
    if isinstance(expected, list | tuple):
        items = got.tolist() if isinstance(got, np.ndarray) and got.ndim else got
        of_numbers = isinstance(expected, list) and all(np.ndim(item) == 0 for item in expected)
        what = (
            "be a list"
            if isinstance(expected, list)
            else f"consist of {len(expected)} parts, in this order, separated by commas"
        )
        if not isinstance(items, list | tuple):
            return f"The answer should {what}; yours is {_form(got)}."
        if len(items) != len(expected):  # of a list of numbers, how many there are is a part of the question
            what = f"be a list of {len(expected)} items" if isinstance(expected, list) else what
            yours = f"is {_form(got)}" if isinstance(got, np.ndarray) else f"has {len(items)}"
            return "" if of_numbers else f"The answer should {what}; yours {yours}."
        for n, pair in enumerate(zip(got, expected, strict=True), 1):
            if text := _mismatch(*pair, warned):
                part = f"Part {n} of the answer" if isinstance(expected, tuple) else "The answer"
                return text.replace("The answer should be one", f"{part} should be one")
        return ""
    if isinstance(expected, BaseException | str | bool | None):
        return ""
    try:
        numbers = np.asarray(got)
        items = () if numbers.dtype.kind in "biufc" else numbers.ravel().tolist()
        for item in items:  # float(...) would read text, too
            if not issubclass(type(item), int | float | complex):
                got = item
                raise TypeError
        numbers = np.asarray(got, dtype=float)
    except (TypeError, ValueError, OverflowError):
        if isinstance(got, list | tuple) and np.ndim(expected) > 1:  # NumPy makes no table of them
            return "The parts of your answer differ in length or form."
        if isinstance(got, list | tuple):
            return f"Where {_form(expected)} should stand, you return {_form(got)}."
        return f"The answer should be made of numbers (int or float), not of type {type(got).__name__}."
    if numbers.shape != np.shape(expected):
        return f"The answer should be {_form(expected)}, but yours is {_form(numbers)}."
    if np.isfinite(numbers).all():
        return ""
    cause = next(
        (cause for pattern, cause in CAUSES.items() if re.search(pattern, warned)), "look where the first one appears"
    )
    return f"The answer contains NaN or infinity: {cause}."


def _form(value):
    """Say in plain words what a value is: one number, a row of 3 numbers, a table of 2 rows and 3 columns, a dict."""
    import numpy as np

    try:
        numbers = np.asarray(value)
        if numbers.dtype.kind not in "biufc":
            raise ValueError
    except Exception:
        kind = type(value).__name__
        names = {
            "str": "a text",
            "dict": "a dictionary",
            "list": "a list",
            "tuple": "several parts",
            "ndarray": "an array",
        }
        return names.get(kind, f"a value of type {kind}")
    match numbers.shape:
        case ():
            return "one number"
        case (n,):
            return f"a row of {n} numbers" if n != 1 else "a row with one number in it"
        case (n, m):
            return f"a table of shape ({n}, {m}), rows and columns"
    return f"an array of shape {numbers.shape}"


def _text(error):
    try:
        return str(error)[:200]
    except Exception:
        return "(an error without a message)"


def exercise_cells(number):
    """Return what a notebook shows of an exercise: the stub's cell, and the cell with the folded solution."""
    exercise = exercises(number.split(".")[0])[number]
    stub = exercise.stub.strip().replace("    ...", "    # Your code goes here.\n    ...")
    stub = f'{stub}\n\n\ncheck("{number}", {exercise.answer})'
    folded = f"<details><summary>Solution</summary>\n\n```python\n{exercise.solution.strip()}\n```\n\n</details>"
    return stub, folded
