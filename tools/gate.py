"""The static gate: what a lesson must be, checked without running it: `python tools/gate.py [04]`.

nbval runs the lessons and compares what they print. This finds what nbval lets through: cells that were never run,
images, prose that contradicts the outputs, a broken order, dead links. Each rule is a generator function that takes
a ``Lesson`` and yields (cell index, what is wrong and what to do); ``RULES`` lists them.
"""

import copy
import dataclasses
import functools
import math
import re
import sys

import links
import nbformat
import refresh

import notebooks
from lepton_helpers import checks

IGNORE_TAG, RAISES_TAG = "nbval-ignore-output", "raises-exception"
MIME_TYPES = {"text/plain", "text/html", "image/png"}
MOST_LINES, WIDEST = 30, 88
# What other programs leave in a notebook's or a cell's metadata, by the names they use.
ADDED_BY = {
    "Colab": {"accelerator", "colab", "colab_type", "executionInfo", "gpuClass", "id", "outputId", "private_outputs"},
    "VS Code": {"vscode", "languageId", "polyglot_notebook", "dotnet_interactive"},
    "JupyterLab": {"collapsed", "deletable", "editable", "execution", "jupyter", "scrolled", "trusted"},
    "a widget": {"widgets"},
    "Kaggle": {"_cell_guid", "_uuid", "kaggle", "papermill"},
    "Jupytext": {"jupytext", "lines_to_next_cell"},
    "PyCharm": {"pycharm"},
    "an older format": {"orig_nbformat", "orig_nbformat_minor"},
}
CLOSING = ["In the source", "Key points", "Further reading"]
# What stands in prose but states no figure: code, formulas, link targets, headings, names of sections and lessons, years of works.
NO_FIGURES = re.compile(
    r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$\n]*\$|<details>.*?</details>|\]\([^)]*\)|^#[^\n]*$|^\d+\. "
    r"|\b(?:sections?|exercises?|lessons?|chapters?)\s[\d.,\s]+(?:(?:and|to|or)\s[\d.]+)?|\((?:[^()]*,\s)?(?:1[6-9]|20)\d\d[a-z]?\)",
    re.S | re.M | re.I,
)
NUMBER = re.compile(r"(?<![\w.,])(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(\s?%)?(?![\w%]|[.,]\d)")


@dataclasses.dataclass
class Lesson:
    """A lesson as the rules see it: its file's name and its cells."""

    name: str
    notebook: nbformat.NotebookNode

    @property
    def number(self):
        return int(self.name[:2])

    @property
    def cells(self):
        return self.notebook.cells

    @property
    def end(self):
        """The index of the last cell that is not empty (an empty one is left by Shift+Enter on the last cell)."""
        return max((i for i, cell in enumerate(self.cells) if cell.source.strip()), default=0)

    def of_type(self, kind):
        return [(i, cell) for i, cell in enumerate(self.cells) if cell.cell_type == kind]

    @functools.cached_property
    def headings(self):
        """All headings as (cell index, level, text); lines in fenced code are none."""
        found = []
        for i, cell in self.of_type("markdown"):
            text = re.sub(r"```.*?```", "", cell.source, flags=re.S)
            found += [(i, len(match[1]), match[2].strip()) for match in re.finditer(r"^(#+) (.*)$", text, re.M)]
        return found


def tags(cell):
    return cell.metadata.get("tags", [])


def run_state(lesson):
    for count, (i, cell) in enumerate(lesson.of_type("code"), start=1):
        if cell.execution_count is None:
            yield i, "was never run; run `make refresh`"
        elif cell.execution_count != count:
            yield i, f"has execution count {cell.execution_count} where {count} is due; run `make refresh`"


def outputs(lesson):
    for i, cell in lesson.of_type("code"):
        for output in cell.outputs:
            if output.output_type == "error" and RAISES_TAG not in tags(cell):
                yield i, "stores an error; mend the cell and run `make refresh`"
            if output.get("name") == "stderr":
                yield i, f"stores a warning ({output.text.strip()[:60]!r}); mend its cause and run `make refresh`"
            described = {"image/png": {"alt": notebooks.alternative_text(output)}}
            if output.get("metadata", {}) not in ({}, described) or set(output.get("data", {})) - MIME_TYPES:
                yield i, "stores output of a kind that lessons do not hold; run `make refresh`, or print text instead"
            if IGNORE_TAG not in tags(cell) and re.search(r"\b0x[0-9a-f]{6,}", text_of(output)):
                yield i, "prints a memory address, which differs in every run; print the value instead"


def metadata(lesson):
    kept = lesson.notebook.metadata
    language = kept.get("language_info", {}).get("name", "python")
    if language != "python":
        yield 0, f"belongs to a notebook in {language}; a lesson's language is Python"
    extra = {name for cell in lesson.cells for name in cell.metadata} - set(notebooks.CELL_METADATA)
    extra |= set(kept) - set(notebooks.METADATA)
    if extra or kept != notebooks.METADATA:
        programs = [program for program, names in ADDED_BY.items() if names & extra] or ["another program"]
        named = f" ({', '.join(sorted(extra))})" if extra else ""
        yield 0, f"stands in a file to which {' and '.join(programs)} added metadata{named}; `make refresh` removes it"
    for i, cell in enumerate(lesson.cells):
        if extra := set(tags(cell)) - {IGNORE_TAG, RAISES_TAG}:
            yield i, f"carries the tag {', '.join(sorted(extra))}; only {IGNORE_TAG} and {RAISES_TAG} are used"
        why = cell.metadata.get("why", "")
        if tags(cell) and not (isinstance(why, str) and why.strip()):
            yield i, 'is excluded from the comparison without a reason; add the metadata "why": "..."'
        if "given" in cell.metadata and given(cell) is None:
            yield i, 'has the metadata given in another form than a list of numbers, such as "given": [175]; mend it'
        if re.search(r"^\s*#\s*(NBVAL|PYTEST_VALIDATE)_", cell.source, re.M):
            yield i, "steers nbval by a comment; use a tag and the metadata why"


def given(cell):
    """Return the numbers that the author states without a cell that shows them, or None where they are no numbers."""
    listed = cell.metadata.get("given", [])
    sound = isinstance(listed, list) and all(type(number) in (int, float) and abs(number) < 1e300 for number in listed)
    return listed if sound else None


def code_style(lesson):
    for i, cell in enumerate(lesson.cells):
        lines = cell.source.splitlines()
        if not lines or not cell.source.strip():
            yield i, "is empty; remove it, or run `make refresh`"
        if cell.cell_type != "code":
            continue
        if cell.source.rstrip().endswith(";"):
            yield i, "ends with a semicolon, which hides an output that nbval then misses; assign the value instead"
        if len(lines) > MOST_LINES:
            yield i, f"has {len(lines)} lines; split it, one idea to a cell ({MOST_LINES} lines at most)"


def code_width(lesson):
    for i, cell in enumerate(lesson.cells):
        folded = re.findall(r"^```(?!mermaid)\w*\n(.*?)^```", cell.source, re.S | re.M)
        code = cell.source if cell.cell_type == "code" else "\n".join(folded)
        if wide := [line for line in code.splitlines() if len(line) > WIDEST]:
            yield (
                i,
                f"has code wider than {WIDEST} characters, such as the line {wide[0].strip()[:40]!r}; break it",
            )


def paths(lesson):
    machine_path = re.compile(r"(?<![\w/:.])/(?:tmp|root|home|work|Users|var|opt)/|\b[A-Z]:\\")
    for i, cell in enumerate(lesson.cells):
        if machine_path.search(cell.source + "".join(map(text_of, cell.get("outputs", [])))):
            yield i, "names a folder of one machine; use a relative path or the tempfile module"


def order(lesson):
    number, title = lesson.number, lesson.headings[0] if lesson.headings else (0, 0, "")
    if title[:2] != (0, 1) or not title[2].startswith(f"{number} · "):
        yield 0, f"must open the lesson with the heading `# {number} · Title`"
    opening = lesson.cells[1].source
    for phrase in ("**What you will be able to do**", "**Before you start**", "**Time**"):
        places = [i for i, cell in lesson.of_type("markdown") if phrase.strip("*") in cell.source]
        if phrase not in opening or places != [1]:
            yield (places or [1])[-1], f"{phrase} must stand once, in the lesson's second cell"
    set_up = lesson.cells[2]
    if set_up.cell_type != "code" or not set_up.source.rstrip().endswith(f"course.start(seed={number})"):
        yield 2, f"must be the one set-up cell and end with course.start(seed={number})"
    sections = [(i, text) for i, level, text in lesson.headings if level == 2]
    numbered = [text for _, text in sections if text not in CLOSING]
    for position, (i, text) in enumerate(sections):
        due = f"{number}.{position + 1} "
        if position < len(numbered) and not text.startswith(due):
            yield i, f"has the heading `{text}` where a section `{due.strip()}` is due, before {', '.join(CLOSING)}"
    closing = [text for _, text in sections if text in CLOSING]
    if closing not in (CLOSING, CLOSING[1:]):
        yield lesson.end, f"ends a lesson whose closing sections are {closing}; due are {', '.join(CLOSING)}"
    for i, level, text in lesson.headings:
        if level > 3 or (level == 1 and i > 0):
            yield i, f"has the heading `{text}` of level {level}; use ## for sections and ### inside them"
        if not lesson.cells[i].source.startswith("#"):
            yield i, "has a heading in its middle; start a cell with it"
    ending = lesson.cells[lesson.end].source
    points = re.findall(r"^- ", ending.partition("## Further reading")[0], re.M)
    if "## Key points" not in ending or not 3 <= len(points) <= 5:
        yield lesson.end, "must hold `## Key points` with three to five points, then `## Further reading`"
    if "**Next**" not in ending.rstrip().rpartition("\n")[2]:
        yield lesson.end, "must end with a line that starts with **Next** and names the next lesson"


def exercises(lesson):
    try:
        known = checks.exercises(lesson.number)
    except ModuleNotFoundError:
        yield 0, f"has no exercises; write lepton_helpers/checks/lesson_{lesson.number:02d}.py"
        return
    headings = [(i, text.removeprefix("Exercise ")) for i, _, text in lesson.headings if text.startswith("Exercise ")]
    if [text for _, text in headings] != list(known):
        yield 0, f"has the exercises {[text for _, text in headings]}; its checks are {list(known)}, in this order"
    for i, text in headings:
        if text in known:
            shown = [cell.source for cell in lesson.cells[i + 1 : i + 3]]
            due = list(checks.exercise_cells(text))
            if len(shown) == 2 and shown[0] != due[0] and not notebooks.holds_nothing_new(lesson.cells[i + 1]):
                yield i + 1, refresh.answered(text)
                shown[0] = due[0]
            if shown != due:
                yield (
                    i,
                    f"must be followed by stub and solution as lesson_{lesson.number:02d}.py has them; run `make refresh`",
                )
    objectives = re.findall(r"^- (.*)$", lesson.cells[1].source, re.M)
    if not 3 <= len(objectives) <= 5:
        yield 1, f"lists {len(objectives)} objectives; list three to five"
    for objective in objectives:
        named = re.search(r"\(exercises? ([\d., and]+)\)", objective)
        if not named or not set(re.findall(r"\d+\.\d+", named[1])) <= set(known):
            yield (
                1,
                f"must name this lesson's exercise that tests the objective `{objective[:40]}`, as in (exercise {lesson.number}.1)",
            )


def launch_links(lesson):
    opening = links.opening(lesson.name)
    if not lesson.cells[0].source.endswith(f"\n\n{opening}"):
        yield 0, "has links that do not match its file, its neighbors and the repository; run `make links`"
    names = {path.name for path in notebooks.FOLDER.glob("*.ipynb")}
    for i, cell in lesson.of_type("markdown"):
        text = cell.source.replace(opening, "")
        for target in re.findall(r"\]\(([^)]*)\)", text) + re.findall(r"https?://[^\s)]+", text):
            if target not in names:
                yield i, f"links to {target}; link only to lessons beside this one, and cite works by name and year"


def figures(lesson):
    for i, cell in lesson.of_type("code"):
        images = [output for output in cell.outputs if "image/png" in output.get("data", {})]
        if "widgets.interact" in cell.source:
            continue  # the figure lives in a widget, and is not stored; the one before it shows the same
        shows = len(re.findall(r"^\s*plt\.show\(\)$", cell.source, re.M))
        if bool(shows) != bool(images):
            yield i, "must show its figure with plt.show() and store it; run `make refresh`"
        following = lesson.cells[i + 1] if i + 1 < len(lesson.cells) else cell
        if shows and not following.source.startswith("*Figure: "):
            yield i, "shows a figure that no sentence explains; start the next cell with *Figure: ...*"
        elif any(notebooks.alternative_text(image) != notebooks.figure_text(following) for image in images):
            yield i, "has an image whose alternative text is not the sentence under it; run `make refresh`"


def markup(lesson):
    for i, cell in lesson.of_type("markdown"):
        text = re.sub(r"```.*?```|`[^`]*`", "", cell.source, flags=re.S)
        if found := re.search(r"<(?!/?(?:details|summary)\b)/?[a-z]+[^>]*>|^:::|\[!\w+\]|\[\^|!\[", text, re.M):
            yield i, f"uses {found[0]!r}, which does not render alike everywhere; use plain Markdown"


def prose_numbers(lesson):
    """Every decimal, percentage and whole number from 10 on in prose is shown by a cell of its section, or given.

    What opens and closes the lesson, outside the numbered sections, may take up the numbers of all of them.
    """
    starts = [i for i, level, _ in lesson.headings if level == 2]
    numbered = [i for i, level, text in lesson.headings if level == 2 and text[:1].isdigit()]
    for i, cell in lesson.of_type("markdown"):
        text = re.sub(r"^\*\*Time\*\*:.*$", "", cell.source, flags=re.M)  # reading time is an estimate
        text = text.partition("## Further reading")[0]
        start = max((place for place in starts if place <= i), default=None)
        if start in numbered:
            section = lesson.cells[start : min((place for place in starts if place > start), default=None)]
        else:
            section = lesson.cells
        shown = {*(given(cell) or [])} | evidence(section)
        for match in NUMBER.finditer(NO_FIGURES.sub(" ", text)):
            value, percent = float(match[1].replace(",", "")), bool(match[2])
            decimals = len(match[1].partition(".")[2])
            counts = percent or decimals or value >= 10
            if counts and not any(shows(number, value, decimals, percent) for number in shown):
                yield (
                    i,
                    f"says {match[0].strip()}, which no cell of its section shows; mend it, or list it in the metadata given",
                )


def figures_as_refreshed(lesson):
    """No number in the text has changed since the lesson was last refreshed; single digits and years included."""
    for i, cell in lesson.of_type("markdown")[1:]:
        if cell.metadata.get("figures") != notebooks.figures_digest(cell.source):
            yield i, "states other figures than when the lesson was last refreshed; check them, then run `make refresh`"


def evidence(cells):
    """Return all numbers in the code and the outputs of ``cells``."""
    texts = [cell.source + "\n" + "\n".join(map(text_of, cell.outputs)) for cell in cells if cell.cell_type == "code"]
    return numbers_in("\n".join(texts))


def shows(number, value, decimals, percent):
    """Whether ``number`` from a cell, rounded as the prose rounds, is the prose's ``value`` (or its percentage)."""
    if not decimals and not percent:
        return number == value or (value >= 100 and round(number) == value)
    scales = (1, 100) if percent else (1,)
    return any(abs(number * scale - value) <= 0.5 * 10**-decimals + 1e-9 for scale in scales)


def numbers_in(text):
    """Return the numbers in code or output: 1_000 and 1,000 are one number, 1e-4 is 0.0001, -0.5 is also 0.5."""
    text = re.sub(r"(?<=\d)[_,](?=\d{3}(?!\d))", "", text)
    found = re.findall(r"(?<![\w.])\d+(?:\.\d*)?(?:[eE][-+]?\d+)?(?!\w)", text)
    found += re.findall(r"(?<=[A-Za-z_(=])\d+\.\d+", text)
    return {number for number in map(float, found) if math.isfinite(number)}


def text_of(output):
    data = output.get("data", {})
    return str(output.get("text", "")) + str(data.get("text/plain", "")) + str(data.get("text/html", ""))


def text_of_cell(cell):
    """Return what a code cell prints and is compared, or nothing."""
    compared = cell.cell_type == "code" and IGNORE_TAG not in tags(cell)
    return "".join(output.text for output in cell.outputs if output.output_type == "stream") if compared else ""


RULES = [
    run_state,
    outputs,
    metadata,
    code_style,
    code_width,
    paths,
    order,
    exercises,
    launch_links,
    figures,
    markup,
    prose_numbers,
    figures_as_refreshed,
]


def problems(notebook, name):
    """Return what is wrong with a lesson, one line each: the lesson, the cell (counted from 0, all cells) and what to do."""
    if not re.fullmatch(r"\d\d_\w+\.ipynb", name, re.A):
        return [
            f"{notebooks.as_line(name)}: is not named like a lesson, such as 04_train_a_model.ipynb; rename or move it"
        ]
    if fault := notebooks.flaw(notebook):
        return [f"{name}: is no notebook that could be stored ({notebooks.as_line(fault)}); mend it"]
    lesson = Lesson(name, nbformat.v4.to_notebook_json(copy.deepcopy(notebook)))
    if len(lesson.cells) < 4:
        return [f"{name}: is not a lesson yet; start one as CONTRIBUTING.md says"]
    return [f"{name}, cell {i}: {notebooks.as_line(text, 400)}" for rule in RULES for i, text in rule(lesson)]


def problems_of_file(path):
    """Return what is wrong with the file of a lesson, one line each."""
    try:
        notebook = notebooks.read(path)
    except notebooks.Refused as error:
        return [str(error)]
    found = problems(notebook, path.name)
    if not found and notebooks.normal_form(notebook).encode() != path.read_bytes():
        found = [f"{path.name}: is not written as JupyterLab writes it; run `make refresh`"]
    return found


def main(name=""):
    sys.stdout.reconfigure(errors="backslashreplace")  # a terminal may lack a character that a lesson holds
    found = [line for path in notebooks.lessons(name) for line in problems_of_file(path)]
    print("\n".join(found) or "The gate finds nothing.")
    return bool(found)


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
