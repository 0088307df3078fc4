"""The static gate: what a lesson must be, checked without running it: `python tools/gate.py [04]`.

The tests run the lessons and compare what they print and draw. This finds what they let through: cells that were never run,
prose that contradicts the outputs, a broken order, dead links. Each rule is a generator function that takes
a ``Lesson`` and yields (cell index, what is wrong and what to do); ``RULES`` lists them.
"""

import ast
import copy
import dataclasses
import functools
import re
import sys

import claims
import figures as images
import links
import nbformat
import refresh

import notebooks
from lepton_helpers import checks

IGNORE_TAG, RAISES_TAG = "nbval-ignore-output", "raises-exception"
MIME_TYPES = {"text/plain", "image/png"}
MOST_LINES, WIDEST = 30, 88
MOST_WORDS = 120  # of what stands between two blank lines; tables are for looking up
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
# What a formula may not hold, because it hides, colors or links, and what may stand in no cell, because nobody sees it.
HIDING = re.compile(r"\\(?:href|url|style|class|cssId|html\w*|\w*color\w*|\w*phantom|require|unicode)\b")
INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ue000-\uf8ff]")
SHOWN = {("IPython.display", "Audio"), ("IPython.display", "display")}  # all that a lesson imports from IPython
OURS = re.compile(r"\bour (?:machine|computer)\b", re.I)
ARTICLE = "In the source"


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
    def opening(self):
        """The links of the first cell, which `make links` writes."""
        return links.opening(self.name)

    @functools.cached_property
    def markdown(self):
        """What the text cells hold: a dict from cell index to (tokens, link targets that are defined apart)."""
        parsed = {i: claims.parse(cell.source.replace(self.opening, "")) for i, cell in self.of_type("markdown")}
        return {
            i: (tokens, [link["url"] for link in state.env["ref_links"].values()])
            for i, (tokens, state) in parsed.items()
        }

    @functools.cached_property
    def headings(self):
        """All headings as (cell index, level, text)."""
        return [
            (i, token["attrs"]["level"], claims.line(token["children"]))
            for i, (tokens, _) in self.markdown.items()
            for token in claims.walk(tokens)
            if token["type"] == "heading"
        ]

    def section(self, i):
        """Return the heading of the section of level 2 in which cell ``i`` stands, and the section's cells."""
        places = [(place, text) for place, level, text in self.headings if level == 2]
        start, heading = max((place for place in places if place[0] <= i), default=(0, ""))
        return heading, self.cells[start : min((place for place, _ in places if place > start), default=None)]

    @functools.cached_property
    def solutions(self):
        """The cells with an exercise's folded solution; their code is that of the checks, which the tests run."""
        numbers = {
            i + 2: text.removeprefix("Exercise ") for i, _, text in self.headings if text.startswith("Exercise ")
        }
        return {i for i, number in numbers.items() if refresh.is_known(number)}

    def sentences(self, i):
        """Return the sentences of a text cell; of a folded solution, only the comments."""
        if i in self.solutions:
            return re.findall(r"(?:^|\s)#\s(.*)$", self.cells[i].source, re.M)
        passages = claims.passages(self.markdown[i][0])
        return [sentence for passage in passages for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z])", passage)]


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
        if re.search(r"^\s*#[#\s]*(NBVAL|PYTEST_VALIDATE)_", cell.source, re.M):
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
        if hidden := INVISIBLE.search(cell.source):
            yield i, f"holds a character that nobody sees (U+{ord(hidden[0]):04X}); remove it"
        if cell.cell_type == "raw" or cell.get("attachments"):
            yield (
                i,
                "is a raw cell or has an attachment, which no test reads; write Markdown, and draw figures in a code cell",
            )
        if cell.cell_type != "code":
            continue
        if re.search(r";\s*(?:#.*)?$", cell.source.rstrip()):
            yield i, "ends with a semicolon, which hides an output that nbval then misses; assign the value instead"
        tree = claims.tree(cell.source)
        if tree is None:
            yield i, "is not plain Python (a line with % or !, or a slip); write it as Python"
        elif set(from_ipython(tree)) - SHOWN:
            yield (
                i,
                "takes more from IPython than Audio and display; print text or draw a figure, which the tests compare",
            )
        if len(lines) > MOST_LINES:
            yield i, f"has {len(lines)} lines; split it, one idea to a cell ({MOST_LINES} lines at most)"


def from_ipython(tree):
    """Yield (module, name) of all that a cell takes from IPython."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "get_ipython":
            yield "IPython", node.id
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.startswith("IPython"))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("IPython"):
            yield from ((node.module, alias.name) for alias in node.names)


def code_width(lesson):
    for i, cell in enumerate(lesson.cells):
        folded = re.findall(r"^```(?!mermaid)\w*\n(.*?)^```", cell.source, re.S | re.M)
        code = cell.source if cell.cell_type == "code" else "\n".join(folded)
        if wide := [line for line in code.splitlines() if len(line) > WIDEST]:
            yield (
                i,
                f"has code wider than {WIDEST} characters, such as the line {wide[0].strip()[:40]!r}; break it",
            )


def paragraphs(lesson):
    for i, cell in lesson.of_type("markdown"):
        for block in re.split(r"\n\s*\n", re.sub(r"^```.*?^```", "", cell.source, flags=re.S | re.M)):
            if (words := len(block.split())) > MOST_WORDS and not block.startswith("|"):
                yield i, f"has a paragraph or list of {words} words without a blank line in it; part or shorten it"


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
    if not lesson.cells[0].source.endswith(f"\n\n{lesson.opening}"):
        yield 0, "has links that do not match its file, its neighbors and the repository; run `make links`"
    if lesson.cells[1].source != links.timed_lesson(lesson.cells[1].source, lesson.cells):
        yield 1, "states other minutes than its words, lines and exercises take; run `make links`"
    names = sorted(path.name for path in notebooks.FOLDER.glob("[0-9]*.ipynb"))
    for i, (tokens, targets) in lesson.markdown.items():
        found = [token for token in claims.walk(tokens) if token["type"] == "link"]
        bare = re.findall(r"\b(?:https?://|www\.)[^\s)]+", lesson.cells[i].source.replace(lesson.opening, ""))
        for target in dict.fromkeys([*(link["attrs"]["url"] for link in found), *targets, *bare]):
            if target not in names:
                yield i, f"links to {target}; link only to lessons beside this one, and cite works by name and year"
        for link in found:
            target, number = link["attrs"]["url"], re.search(r"\d+", claims.line(link["children"]))
            if target in names and (not number or int(number[0]) != int(target[:2])):
                yield i, f"calls {target} by another number; write that lesson's, or link to the lesson that is meant"
    following = next((name for name in names if name > lesson.name), None)
    if following and f"]({following})" not in lesson.cells[lesson.end].source.rstrip().rpartition("\n")[2]:
        yield lesson.end, f"must end with a link to the next lesson, {following}"


def places(lesson):
    """The sections, exercises and lessons that a text names exist; of those of the article, nothing is known."""
    for i, _ in lesson.of_type("markdown"):
        if lesson.section(i)[0] == ARTICLE:
            continue
        for sentence in lesson.sentences(i):
            for kind, numbers in claims.PLACES.findall(sentence):
                for number in re.findall(claims.PLACE, numbers):
                    if not exists(lesson, kind.lower(), number):
                        yield i, f"names {kind.lower()} {number}, which does not exist; name the one that is meant"


def exists(lesson, kind, number):
    if kind == "exercise":
        return refresh.is_known(number)
    path = next(iter(notebooks.FOLDER.glob(f"{int(number.partition('.')[0]):02d}_*.ipynb")), None)
    if kind == "lesson" or path is None:
        return path is not None
    own = [text.partition(" ")[0] for _, level, text in lesson.headings if level == 2]
    return number in (own if int(number.partition(".")[0]) == lesson.number else sections_of(path))


@functools.cache
def sections_of(path):
    return set(re.findall(r'"## (\d+\.\d+) ', path.read_text(encoding="utf-8")))


def citations(lesson):
    """Every work that a text cites by name and year stands in the further reading."""
    works = lesson.cells[lesson.end].source.partition("## Further reading")[2].splitlines()
    for i, cell in lesson.of_type("markdown"):
        for sentence in lesson.sentences(i):
            for match in claims.YEAR.finditer(sentence):
                names = set(re.findall(r"[^\W\d_a-z]\w+", sentence[: match.start()]))
                if float(match[0][:4]) in (given(cell) or []):
                    continue  # the year of something else than a work
                if not any(f"({match[0]})" in work and names & set(re.findall(r"\w+", work)) for work in works):
                    yield (
                        i,
                        f"cites a work of {match[0]} that the further reading does not list; list it, or mend name or year",
                    )


def figures(lesson):
    for i, cell in lesson.of_type("code"):
        stored = [output for output in cell.outputs if images.PNG in output.get("data", {})]
        if "widgets.interact" in cell.source:
            continue  # the figure lives in a widget, and is not stored; the one before it shows the same
        if fault := images.flaw(cell.outputs):
            yield i, fault
        shows = len(re.findall(r"^\s*plt\.show\(\)$", cell.source, re.M))
        if bool(shows) != bool(stored):
            yield i, "must show its figure with plt.show() and store it; run `make refresh`"
        following = lesson.cells[i + 1] if i + 1 < len(lesson.cells) else cell
        if shows and not following.source.startswith("*Figure: "):
            yield i, "shows a figure that no sentence explains; start the next cell with *Figure: ...*"
        elif any(notebooks.alternative_text(image) != notebooks.figure_text(following) for image in stored):
            yield i, "has an image whose alternative text is not the sentence under it; run `make refresh`"


def markup(lesson):
    for i, (tokens, _) in lesson.markdown.items():
        for token in claims.walk(tokens):
            kind, raw = token["type"], token.get("raw", "")
            if kind in ("block_html", "inline_html"):
                found = re.search(r"<.*", re.sub(r"</?(?:details|summary)>", "", raw))
            elif kind.endswith("math"):
                found = HIDING.search(raw)
            elif kind == "image":
                found = re.search(".*", "![")
            else:
                found = kind == "text" and re.search(r"^:::|\[!\w+\]|\[\^|</?[a-z!][^>]*>?", raw, re.I)
            if found:
                yield i, f"uses {found[0]!r}, which hides text or does not render alike everywhere; use plain Markdown"


def prose_numbers(lesson):
    """Every decimal, percentage and whole number from 10 on in a text is shown by a cell of its section, or given.

    What opens and closes the lesson, outside the numbered sections, may take up the numbers of all of them. Outputs that are not
    compared show a number only to a sentence that says it comes from our machine.
    """
    for i, cell in lesson.of_type("markdown"):
        heading, section = lesson.section(i)
        section = section if heading[:1].isdigit() else lesson.cells
        shown, ours = evidence(section), evidence(section, also_ignored=True)
        stated = {*(given(cell) or [])}
        for sentence in lesson.sentences(i):
            sentence = re.sub(r"^Time: about \d+ minutes: \d+ to read and run, \d+ for", "", sentence)  # an estimate
            known = ours if OURS.search(sentence) else shown
            for claim in claims.claims(sentence):
                if abs(claim.value) not in stated and not any(map(claim.shown_by, known | stated)):
                    yield (
                        i,
                        f"says {claim.written}, which no cell of its section shows; mend it, or list it in the metadata given",
                    )


def figures_as_refreshed(lesson):
    """No number in the text has changed since the lesson was last refreshed; single digits and years included."""
    for i, cell in lesson.of_type("markdown")[1:]:
        if cell.metadata.get("figures") != notebooks.figures_digest(cell.source):
            yield i, "states other figures than when the lesson was last refreshed; check them, then run `make refresh`"


def evidence(cells, also_ignored=False):
    """Return all numbers in the code of ``cells`` and in those of their outputs that are compared."""
    found = set()
    for cell in cells:
        if cell.cell_type == "code":
            found |= claims.numbers_in_code(cell.source)
            if also_ignored or IGNORE_TAG not in tags(cell):
                found |= claims.numbers_in("\n".join(map(text_of, cell.outputs)))
    return found


def text_of(output):
    data = output.get("data", {})
    return str(output.get("text", "")) + str(data.get("text/plain", ""))


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
    paragraphs,
    paths,
    order,
    exercises,
    launch_links,
    places,
    citations,
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
