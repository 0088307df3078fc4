"""What `check` takes on the solution of each exercise, in a copy of the kernel and in a thread of it.

`python benchmarks/checks.py`: one process, into which one lesson after the other loads its libraries; medians of three, in
seconds on the clock and, for a machine on which other programs compute as well, of the processor.
"""

import pathlib
import resource
import statistics
import time

import nbformat

from lepton_helpers import checks


def now():
    """Return seconds on the clock, and those that this process and the ended ones of its children computed."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return time.perf_counter(), sum(one.ru_utime + one.ru_stime for one in used)


def median(work, *arguments):
    spans = []
    for _ in range(3):
        start = now()
        line = work(*arguments)
        spans.append([after - before for before, after in zip(start, now(), strict=True)])
        assert line == "right.", line
    return [statistics.median(span) for span in zip(*spans, strict=True)]


def in_thread(exercise, answer):
    return checks._in_thread(lambda: checks._judge(exercise, answer))


differences = []
for path in sorted((pathlib.Path(__file__).parent.parent / "notebooks").glob("[0-9]*.ipynb")):
    cells = nbformat.read(path, as_version=4).cells
    exec(next(cell.source for cell in cells if cell.cell_type == "code"), {})
    for number, exercise in checks.exercises(path.name[:2]).items():
        answer = exercise.define(exercise.solution)
        copy, thread = median(checks.verdict, number, answer), median(in_thread, exercise, answer)
        differences.append([a - b for a, b in zip(copy, thread, strict=True)])
        print(f"{number:5} copy {copy[0]:.3f}  thread {thread[0]:.3f}  more of the processor {differences[-1][1]:.3f}")
clock, cpu = map(max, zip(*differences, strict=True))
print(f"largest difference: {clock:.3f} s on the clock, {cpu:.3f} s of the processor")
