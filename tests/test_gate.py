"""The lessons pass the gate; and the gate and nbval catch every fault planted into a real lesson, each by name."""

import copy
import json
import os
import re
import subprocess
import sys

import gate
import links
import pytest

import notebooks

LESSONS = notebooks.lessons()
NAME = "04_train_a_model.ipynb"
REAL = notebooks.read(notebooks.FOLDER / NAME)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_the_lesson_passes_the_gate(path):
    assert gate.problems(notebooks.read(path), path.name) == []


def code(notebook, text="", output=""):
    """The first code cell that contains ``text`` and prints ``output``."""
    return next(
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and text in cell.source and output in "".join(map(gate.text_of, cell.outputs))
    )


def prose(notebook, text):
    return next(cell for cell in notebook.cells if cell.cell_type == "markdown" and text in cell.source)


def another_digit(text, pattern):
    """Change one digit of what ``pattern``'s first group matches."""
    match = re.search(pattern, text)
    number = match[1]
    changed = number[:-1] + str((int(number[-1]) + 5) % 10)
    return text[: match.start(1)] + changed + text[match.end(1) :]


# Faults that the gate must find, without running anything. Each changes the notebook; the second part is what the gate says of it.
def never_run(notebook):
    code(notebook, "load_mnist_5k").execution_count = None


def counts_shuffled(notebook):
    first, second = code(notebook, "load_mnist_5k"), code(notebook, "constant =")
    first.execution_count, second.execution_count = second.execution_count, first.execution_count


def ignored_without_reason(notebook):
    code(notebook, "load_mnist_5k").metadata.tags = ["nbval-ignore-output"]


def ignored_by_comment(notebook):
    code(notebook, "load_mnist_5k").source += "\n# NBVAL_IGNORE_OUTPUT"


def skipped(notebook):
    code(notebook, "load_mnist_5k").metadata.update(tags=["nbval-skip"], why="in a hurry")


def stored_warning(notebook):
    code(notebook, "load_mnist_5k").outputs.append(
        notebooks.nbformat.v4.new_output("stream", name="stderr", text="UserWarning: ...")
    )


def stored_error(notebook):
    code(notebook, "load_mnist_5k").outputs.append(
        notebooks.nbformat.v4.new_output("error", ename="ValueError", evalue="x", traceback=[])
    )


def image_removed(notebook):
    cell = code(notebook, "plots.image_grid")
    cell.outputs = [output for output in cell.outputs if "image/png" not in output.get("data", {})]


def figure_without_sentence(notebook):
    cell = prose(notebook, "*Figure: twenty")
    cell.source = cell.source.replace("*Figure: ", "*")


def figure_without_show(notebook):
    cell = code(notebook, "plots.image_grid")
    cell.source = cell.source.replace("plt.show()", "")


def trailing_semicolon(notebook):
    code(notebook, "share of odd").source += ";"


def timings_in_metadata(notebook):
    code(notebook, "load_mnist_5k").metadata["execution"] = {"iopub.execute_input": "2026-01-01"}


def widget_state(notebook):
    notebook.metadata["widgets"] = {}


def duplicated_objectives(notebook):
    prose(notebook, "## 4.1").source += "\n\n**What you will be able to do**"


def objective_without_exercise(notebook):
    cell = prose(notebook, "**What you will be able to do**")
    cell.source = cell.source.replace("(exercise 4.2)", "")


def section_number_skipped(notebook):
    cell = prose(notebook, "## 4.3")
    cell.source = cell.source.replace("## 4.3", "## 4.4")


def section_missing(notebook):
    cell = prose(notebook, "## Key points")
    cell.source = cell.source.replace("## Key points", "Key points")


def sections_out_of_order(notebook):
    cell = prose(notebook, "## In the source")
    notebook.cells.remove(cell)
    notebook.cells.insert(4, cell)


def other_seed(notebook):
    cell = code(notebook, "course.start")
    cell.source = cell.source.replace("seed=4", "seed=5")


def link_to_another_file(notebook):
    notebook.cells[0].source = notebook.cells[0].source.replace("04_train", "05_train")


def link_to_another_repository(notebook):
    notebook.cells[0].source = notebook.cells[0].source.replace("/gh/", "/gh/x")


def link_to_no_lesson(notebook):
    prose(notebook, "## 4.1").source += " See [this](nowhere.ipynb)."


def machine_path(notebook):
    code(notebook, "share of odd").source += "\nopen('/home/me/data.csv')"


def memory_address(notebook):
    code(notebook, "share of odd").outputs[0].text += "<object at 0x7f1234567890>"


def html_styling(notebook):
    prose(notebook, "## 4.1").source += '\n\n<div style="color:red">x</div>'


def digit_in_prose(notebook):
    cell = prose(notebook, "reports an accuracy of")
    cell.source = another_digit(cell.source, r"reports an accuracy of (0\.\d+)")


def percentage_in_prose(notebook):
    cell = prose(notebook, "sit in the first layer")
    cell.source = another_digit(cell.source, r"(\d+) %, sit in the first layer")


def whole_number_in_prose(notebook):
    cell = prose(notebook, "standard deviations from its mean")
    cell.source = another_digit(cell.source, r"lies (\d+) standard")


def single_digit_in_prose(notebook):
    cell = prose(notebook, "lowest in epoch")
    cell.source = another_digit(cell.source, r"lowest in epoch (\d)")


def year_of_a_work(notebook):
    cell = prose(notebook, "## Further reading")
    cell.source = another_digit(cell.source, r"Wilson \((\d+)\)")


def exercise_stub_changed(notebook):
    cell = code(notebook, 'check("4.1"')
    cell.source = cell.source.replace("random_state=0", "random_state=1")


def exercise_solution_changed(notebook):
    cell = prose(notebook, "test_size=0.25")
    cell.source = cell.source.replace("test_size=0.25", "test_size=0.20")


def exercise_removed(notebook):
    place = notebook.cells.index(prose(notebook, "### Exercise 4.3"))
    del notebook.cells[place : place + 3]


def cell_too_long(notebook):
    code(notebook, "share of odd").source += "\nlabels" * gate.MOST_LINES


STATIC = {
    never_run: "was never run",
    counts_shuffled: "has execution count",
    ignored_without_reason: "without a reason",
    ignored_by_comment: "steers nbval by a comment",
    skipped: "carries the tag nbval-skip",
    stored_warning: "stores a warning",
    stored_error: "stores an error",
    image_removed: "must show its figure",
    figure_without_sentence: "no sentence explains",
    figure_without_show: "must show its figure",
    trailing_semicolon: "ends with a semicolon",
    timings_in_metadata: "carries the metadata execution",
    widget_state: "other metadata",
    duplicated_objectives: "must stand once",
    objective_without_exercise: "exercise that tests the objective",
    section_number_skipped: "where a section `4.3` is due",
    section_missing: "closing sections are",
    sections_out_of_order: "is due",
    other_seed: "course.start(seed=4)",
    link_to_another_file: "run `make links`",
    link_to_another_repository: "run `make links`",
    link_to_no_lesson: "links to nowhere.ipynb",
    machine_path: "a folder of one machine",
    memory_address: "memory address",
    html_styling: "does not render alike",
    digit_in_prose: "which no cell of its section shows",
    percentage_in_prose: "which no cell of its section shows",
    whole_number_in_prose: "which no cell of its section shows",
    single_digit_in_prose: "states other figures",
    year_of_a_work: "states other figures",
    exercise_stub_changed: "must be followed by stub and solution",
    exercise_solution_changed: "must be followed by stub and solution",
    exercise_removed: "its checks are",
    cell_too_long: "lines; split it",
}


@pytest.mark.parametrize("plant", STATIC, ids=lambda plant: plant.__name__)
def test_the_gate_catches(plant):
    notebook = copy.deepcopy(REAL)
    plant(notebook)
    found = gate.problems(notebook, NAME)
    assert any(STATIC[plant] in line for line in found), found
    assert all(re.fullmatch(rf"{re.escape(NAME)}, cell \d+: .+", line) for line in found)


# Faults that only running the lesson shows.
def outputs_stripped(notebook):
    code(notebook, "share of odd").outputs = []


def digit_in_output(notebook):
    output = code(notebook, "share of odd").outputs[0]
    output.text = another_digit(output.text, r"(\d+)\n")


def digit_in_code(notebook):
    cell = code(notebook, "digits % 2")
    cell.source = cell.source.replace("% 2", "% 3")


def cell_that_raises(notebook):
    code(notebook, "share of odd").source += "\n1 / 0"


def cell_that_hangs(notebook):
    code(notebook, "share of odd").source += "\nimport time\ntime.sleep(600)"


def kernel_that_dies(notebook):
    code(notebook, "share of odd").source += "\nimport os\nos._exit(1)"


RUN = {
    outputs_stripped: "Unexpected output fields",
    digit_in_output: "mismatch",
    digit_in_code: "mismatch",
    cell_that_raises: "ZeroDivisionError",
    cell_that_hangs: "Timeout of",
    kernel_that_dies: "The kernel died while it ran this cell",
}
SHARE_CELL = sum(
    cell.cell_type == "code" for cell in REAL.cells[: REAL.cells.index(code(REAL, "share of odd"))]
)  # as nbval counts


def shortened(plant=lambda notebook: None):
    """The lesson up to its section 4.3, which runs in seconds, with a fault planted."""
    notebook = copy.deepcopy(REAL)
    notebook.cells = notebook.cells[: notebook.cells.index(prose(notebook, "## 4.3"))]
    plant(notebook)
    return notebook


def run_lessons(folder, conftest=None, *options):
    """Run the lessons in ``folder`` as `make test` does, in a pytest of their own, and return what it prints."""
    (folder / "conftest.py").write_text(conftest or (notebooks.ROOT / "conftest.py").read_text())
    command = [
        sys.executable,
        "-m",
        "pytest",
        folder,
        "--rootdir",
        folder,
        "-c",
        "/dev/null",
        "-q",
        "-rA",
        "--color=no",
    ]
    command += ["-p", "no:cacheprovider", "-p", "no:nbval", "--nbval", "--nbval-current-env", *options]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=400).stdout


@pytest.mark.parametrize(
    "fault, message",
    [
        (("return 60 if", "return 0 if"), "its budget is 0 s"),
        (("MOST_MEGABYTES = 1500", "MOST_MEGABYTES = 10"), "the budget is 10 MB"),
    ],
)
def test_a_lesson_over_its_budget_fails(tmp_path, fault, message):
    notebooks.write(shortened(), tmp_path / "04_sound.ipynb")
    conftest = (notebooks.ROOT / "conftest.py").read_text()
    assert fault[0] in conftest
    printed = run_lessons(tmp_path, conftest.replace(*fault))
    assert re.search(r"^FAILED 04_sound\.ipynb::budget", printed, re.M) and message in printed
    assert len(re.findall(r"^FAILED ", printed, re.M)) == 1


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """What pytest says of a folder that holds the sound lesson and one faulty copy for each fault."""
    folder = tmp_path_factory.mktemp("lessons")
    for plant in [None, *RUN]:
        name = plant.__name__ if plant else "sound"
        notebooks.write(shortened(plant) if plant else shortened(), folder / f"04_{name}.ipynb")
    return run_lessons(folder, None, "--nbval-cell-timeout=8", "--durations=0")


def test_the_sound_lesson_passes_beside_the_faulty_ones(report):
    outcomes = re.findall(r"^(\w+) .*04_sound\.ipynb::(.*)$", report, re.M)
    assert len(outcomes) == SHARE_CELL + 2 and {outcome for outcome, _ in outcomes} == {"PASSED"}, report


@pytest.mark.parametrize("plant", RUN, ids=lambda plant: plant.__name__)
def test_nbval_catches(plant, report):
    failed = re.findall(rf"^FAILED .*04_{plant.__name__}\.ipynb::Cell (\d+)", report, re.M)
    assert failed and int(failed[0]) == SHARE_CELL, report
    sections = re.split(r"^_{3,} .*?04_(\w+)\.ipynb::Cell (\d+) _{3,}$", report, flags=re.M)
    text = next(
        body
        for name, cell, body in zip(sections[1::3], sections[2::3], sections[3::3], strict=True)
        if (name, int(cell)) == (plant.__name__, SHARE_CELL)
    )
    assert RUN[plant] in text


def test_a_dead_kernel_is_noticed_within_30_seconds(report):
    seconds = re.search(rf"([\d.]+)s call .*04_kernel_that_dies\.ipynb::Cell {SHARE_CELL}$", report, re.M)
    assert float(seconds[1]) < 30


def with_another_digit(i, place, step):
    """The lesson with the digit at ``place`` of cell ``i`` changed, and not to 0."""
    mutant = copy.copy(REAL)
    mutant.cells = list(REAL.cells)
    cell = mutant.cells[i] = copy.deepcopy(REAL.cells[i])
    digit = next(
        digit
        for digit in (str((int(cell.source[place]) + step + k) % 10) for k in range(3))
        if digit not in ("0", cell.source[place])
    )
    cell.source = f"{cell.source[:place]}{digit}{cell.source[place + 1 :]}"
    return gate.Lesson(NAME, mutant)


def test_every_changed_digit_in_prose_is_found():
    for i, cell in list(enumerate(REAL.cells))[1:]:
        if cell.cell_type == "markdown":
            for match in re.finditer(r"\d", cell.source):
                mutant = with_another_digit(i, match.start(), 1 + match.start() % 9)
                assert [place for place, _ in gate.figures_as_refreshed(mutant)] == [i]


def test_most_wrong_numbers_are_found_even_after_a_refresh():
    """What the outputs do not show is found, unless it happens to name another number of the same section."""
    escaped, tried = [], 0
    for i, cell in enumerate(REAL.cells):
        if cell.cell_type != "markdown":
            continue
        text = gate.NO_FIGURES.sub(
            lambda match: " " * len(match[0]), cell.source.partition("**Time**")[0].partition("## Further")[0]
        )
        for match in gate.NUMBER.finditer(text):
            if "." in match[1] or "%" in match[0] or float(match[1].replace(",", "")) >= 10:
                for place in (match.start(1) + k for k, character in enumerate(match[1]) if character.isdigit()):
                    tried += 1
                    if not list(gate.prose_numbers(with_another_digit(i, place, 1 + tried % 9))):
                        escaped.append((i, match[0]))
    assert tried > 50
    assert len(escaped) <= 0.1 * tried, escaped


def test_numbers_are_read_as_code_writes_them():
    assert gate.numbers_in("1_000 2,000 1e-4 x=0.5 [3] 1e999") == {1000, 2000, 1e-4, 0.5, 3}


def test_links_are_written_from_the_repository_url(tmp_path, monkeypatch):
    assert links.linked_readme(links.README.read_text()) == links.README.read_text(), "run `make links`"
    for path in LESSONS:
        assert links.links(path.name) in links.README.read_text(), f"the README's map lacks {path.name}; add its row"
    monkeypatch.setattr(links, "repository", lambda: ("https://github.com/someone/fork", "someone/fork"))
    text = links.linked_lesson(REAL.cells[0].source, NAME)
    assert "/gh/someone/fork/" in text and "github/someone/fork/" in text and "OWNER" not in text
    assert links.linked_lesson(text, NAME) == text
    readme = links.linked_readme(links.README.read_text())
    assert readme.count("someone/fork") == 2 * len(LESSONS)
    (tmp_path / "pyproject.toml").write_text('[project.urls]\nRepository = "ftp://x"\n')
    monkeypatch.undo()
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    with pytest.raises(SystemExit, match="write it as https://github.com/OWNER/NAME"):
        links.repository()


def test_notebooks_are_stored_in_their_normal_form():
    for path in LESSONS:
        text = path.read_text(encoding="utf-8")
        assert text == notebooks.nbformat.writes(notebooks.read(path)) + "\n", (
            "run `make refresh`"
        )
