"""Answer checks: ``check("4.1", answer)`` says whether an exercise is solved, or gives the hint that fits the mistake.

The exercises of lesson NN are the dict ``EXERCISES`` in ``lesson_NN.py`` beside this file; nothing else is needed
to add one. The notebook shows ``stub`` and ``solution`` exactly as they stand there, and the tests hold it to that.
"""

import builtins
import contextlib
import ctypes
import dataclasses
import datetime
import gc
import importlib
import io
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
TIMED_OUT = f"not yet. It did not finish within {SECONDS} seconds. Is there a loop that never ends?"
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
    """

    answer: str
    stub: str
    solution: str
    wrong: list[tuple[str, str]]
    hint: str
    cases: Callable | None = None
    observe: Callable | None = None
    tolerance: float = 1e-6

    def define(self, code):
        """Run ``code`` and return the answer it defines."""
        import numpy as np

        names = {"np": np}
        exec(code, names)
        return names[self.answer]

    def outcomes(self, answer):
        """Return what ``answer`` does: one value, or one exception, for each case."""
        if self.cases is None:
            return [self.observe(answer) if self.observe and answer is not ... else answer]
        results = []
        for arguments in self.cases():
            try:
                result = answer(*arguments)
                results.append(self.observe(result) if self.observe and result is not None else result)
            except Exception as error:
                results.append(error)
        return results


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
            with np.errstate(all="ignore"):  # wrong answers divide by zero; the hint says so
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
        return "not attempted yet. Replace the ... in the cell with your code and run it again."
    if exercise.cases and not callable(answer):
        return f"not yet. Pass the function {exercise.answer} itself, without calling it."
    if exercise.cases is None and exercise.observe is None and callable(answer):
        return f"not yet. {exercise.answer} should be a value, not a function."
    got = exercise.outcomes(answer)
    if all(value is None or value is ... for value in got):
        return "not attempted yet. Replace the ... in the cell with your code and run it again."
    expected = exercise.outcomes(exercise.define(exercise.solution))
    if _same(got, expected, exercise.tolerance):
        return "right."
    for code, hint in exercise.wrong:
        if _same(got, exercise.outcomes(exercise.define(code)), exercise.tolerance):
            return f"not yet. {hint}"
    pairs = zip(got, expected, strict=True)
    first = next(pair for pair in pairs if not _same(*pair, exercise.tolerance))
    return f"not yet. {_mismatch(*first) or exercise.hint}"


def _same(got, expected, tolerance):
    """Compare by value: containers item by item, numbers within the tolerance, exceptions by type and message."""
    import numpy as np

    if isinstance(expected, BaseException):
        return type(got) is type(expected) and str(got) == str(expected)
    if isinstance(expected, dict):
        return isinstance(got, dict) and _same([got.get(key) for key in expected], [*expected.values()], tolerance)
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
        numbers = np.asarray(got)
        return numbers.shape == np.shape(expected) and bool(
            np.allclose(numbers, expected, rtol=tolerance, atol=tolerance / 1000, equal_nan=True)
        )
    except (TypeError, ValueError, OverflowError):
        return False


def _mismatch(got, expected):
    """Say in what way ``got`` cannot be the answer at all, or nothing if only its values are off."""
    import numpy as np

    if isinstance(got, BaseException):
        return f"Your code raised {type(got).__name__}: {_text(got)}"
    if isinstance(expected, list | tuple):
        if not isinstance(got, list | tuple) or len(got) != len(expected):
            return f"The answer should consist of {len(expected)} parts, in this order, separated by commas."
        return next((text for pair in zip(got, expected, strict=True) if (text := _mismatch(*pair))), "")
    if isinstance(expected, BaseException | dict | str | bool | None):
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
        return f"The answer should be made of numbers (int or float), not of type {type(got).__name__}."
    if numbers.shape != np.shape(expected):
        return f"The answer should have the shape {np.shape(expected)}, but yours has {numbers.shape}."
    return "The answer contains NaN or infinity: look for a division by zero." if not np.isfinite(numbers).all() else ""


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
