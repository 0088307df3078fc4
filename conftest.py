"""How pytest runs the lessons: nbval compares every printed output; here figures are compared, a dead kernel is noticed, and budgets are kept."""

import pathlib
import threading
import time
from queue import Empty

import figures
import lab

import notebooks  # noqa: F401  it spares nbval a second at each start, so it comes before, and pytest loads none (-p no:nbval)

lab.shield()  # kernels inherit it: what the person who runs the tests has set for other programs stays out

# A slow machine's first import would say in a lesson's cell that it looks for fonts.
import matplotlib.font_manager  # noqa: E402, F401
import nbval.kernel  # noqa: E402
import nbval.plugin  # noqa: E402
import pytest  # noqa: E402

pytest_plugins = ["nbval.plugin"]

MOST_MEGABYTES = 1300
REFERENCE_SECONDS = 0.045  # what `calibration` takes on an idle core of the machine the budgets are stated for


def budget_seconds(lesson):
    """Return a lesson's budget on two idle cores: its number decides."""
    return 60 if lesson[:2] < "06" else 150


def calibration():
    """Return the seconds that a fixed piece of work takes now."""
    start = time.perf_counter()
    sum(i * i for i in range(500_000))
    return time.perf_counter() - start


def calibrate(samples, finished):
    """Measure the machine every few seconds while a lesson runs; neighbors come and go, so once is not enough."""
    while not finished.wait(3):
        samples.append(calibration())


def await_reply(self, msg_id, timeout=None):
    """Wait for a cell's end as nbval does, but look every second whether the kernel is still there.

    Raises:
        RuntimeError: the kernel died, or gave the request up.
        queue.Empty: ``timeout`` seconds have passed.
    """
    end = time.monotonic() + timeout
    while True:
        try:
            message = self.get_message("shell", timeout=1)
        except Empty:
            if not self.is_alive():
                raise RuntimeError(
                    "The kernel died while it ran this cell (out of memory, or ended by the code)."
                ) from None
            if time.monotonic() > end:
                raise
            continue
        if message["parent_header"].get("msg_id") == msg_id:
            if message["content"]["status"] == "aborted":
                raise RuntimeError("The kernel gave up this cell, because an earlier one failed.")
            return


nbval.kernel.RunningKernel.await_reply = await_reply


def start_kernel(self, *arguments, nbval_start=nbval.kernel.RunningKernel.__init__, **options):
    """Start a kernel as nbval does, up to three times: another program may take a port between its choice and its use."""
    for attempt in range(3):
        try:
            return nbval_start(self, *arguments, **options)
        except RuntimeError:  # it died, or does not answer
            if attempt == 2:
                raise
            if hasattr(self, "km"):
                self.stop()


nbval.kernel.RunningKernel.__init__ = start_kernel


def run_once(self, nbval_runtest=nbval.plugin.IPyNbCell.runtest):
    """Run a cell and compare what it prints, as nbval does, and what it draws."""
    nbval_runtest(self)
    if fault := figures.fault(self.cell.outputs, self.test_outputs, self.options["check"]):
        raise nbval.plugin.NbCellError(self.cell_num, fault, self.cell.source)


def run_cell(self):
    """Run a cell and compare; with --twice, run it again and compare that, too."""
    run_once(self)
    if self.config.option.twice:
        try:
            run_once(self)
        except nbval.plugin.NbCellError as error:
            raise nbval.plugin.NbCellError(
                error.cell_num, f"Run a second time, this cell differs. {error}", error.source, error.inner_traceback
            ) from None


nbval.plugin.IPyNbCell.runtest = run_cell


class Budget(pytest.Item):
    """The last test of each lesson: it kept its budget of memory; and of time, if that is what is measured (make budgets)."""

    def runtest(self):
        lesson, seconds = self.path.name, time.monotonic() - self.parent.started
        self.parent.finished.set()
        slowness = max(1.0, sum(self.parent.samples) / len(self.parent.samples) / REFERENCE_SECONDS)
        kernel = self.parent.kernel
        peak = peak_megabytes(kernel.km.provisioner.pid) if kernel.is_alive() else None
        budget = budget_seconds(lesson)
        self.user_properties.append(("lesson", (lesson, seconds, budget, slowness, peak)))
        if self.config.option.twice:
            return  # the budgets are those of a single run
        if self.config.option.budget_table and seconds > budget * slowness:
            pytest.fail(f"{lesson} took {seconds:.0f} s; its budget is {budget} s x {slowness:.1f} on this machine.")
        if peak and peak > MOST_MEGABYTES:
            pytest.fail(f"{lesson} used {peak:.0f} MB at its peak; the budget is {MOST_MEGABYTES} MB.")

    def repr_failure(self, excinfo):
        return str(excinfo.value)

    def reportinfo(self):
        return self.path, 0, f"{self.path.name}::budget"


def peak_megabytes(pid):
    """Return the most memory that process ``pid`` has used so far, or None where the system does not tell."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM")), None)


def collect(self, nbval_collect=nbval.plugin.IPyNbFile.collect):
    yield from nbval_collect(self)
    yield Budget.from_parent(self, name="budget")


def setup(self, nbval_setup=nbval.plugin.IPyNbFile.setup):
    self.samples, self.finished = [calibration()], threading.Event()
    threading.Thread(target=calibrate, args=(self.samples, self.finished), daemon=True).start()
    self.started = time.monotonic()
    nbval_setup(self)


def teardown(self, nbval_teardown=nbval.plugin.IPyNbFile.teardown):
    self.finished.set()
    nbval_teardown(self)


nbval.plugin.IPyNbFile.collect = collect
nbval.plugin.IPyNbFile.setup = setup
nbval.plugin.IPyNbFile.teardown = teardown


def pytest_addoption(parser):
    parser.addoption(
        "--twice", action="store_true", help="Run each cell twice in a row; both must print what is stored."
    )
    parser.addoption("--budget-table", help="Write the table of the lessons' seconds and memory to this file.")


def pytest_terminal_summary(terminalreporter, config):
    rows = sorted(
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", [])
        if name == "lesson" and report.when == "call"
    )
    if not rows:
        return
    table = "| lesson | seconds | budget | machine | peak memory |\n|---|---|---|---|---|\n"
    for lesson, seconds, budget, slowness, peak in rows:
        memory = f"{peak:.0f} MB" if peak else "not known"
        table += f"| {lesson} | {seconds:.0f} | {budget} | x {slowness:.1f} | {memory} |\n"
    terminalreporter.section("lessons: time and memory")
    terminalreporter.write(table)
    if config.option.budget_table:
        title = "Time and memory of each lesson, as measured by `make budgets`; *machine* is its slowness, by which the budget is multiplied.\n\n"
        pathlib.Path(config.option.budget_table).write_text(title + table)
