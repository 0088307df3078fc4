"""Write the Binder and Colab links of README and lessons from the repository's URL in pyproject.toml, and the start page's table.

The README has its links at the end of each lesson's table row, a lesson has them under its title, with those to its neighbors.
The minutes that a lesson takes are counted from its text, its code and its exercises.
"""

import re
import subprocess
import tomllib

import notebooks

README = notebooks.ROOT / "README.md"
NOT_SET = re.compile(r"https://github\.com/OWNER/[\w.-]+")


def repository():
    """Return the repository's URL and its "owner/name".

    Raises:
        SystemExit: the URL is not one of a GitHub repository, which is all that Binder's and Colab's links can name here.
    """
    url = tomllib.loads((notebooks.ROOT / "pyproject.toml").read_text())["project"]["urls"]["Repository"]
    match = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+?)(\.git)?/?", url)
    if not match:
        raise SystemExit(f"The Repository URL in pyproject.toml is {url!r}; write it as https://github.com/OWNER/NAME.")
    return f"https://github.com/{match[1]}", match[1]


def texts():
    """Return the exact version of the package that ships the lessons' texts, as pyproject.toml has it."""
    return tomllib.loads((notebooks.ROOT / "pyproject.toml").read_text())["dependency-groups"]["texts"][0]


def links(name):
    """Return the Markdown links that open the lesson ``name`` (a file name)."""
    _, place = repository()
    return (
        f"[Binder](https://mybinder.org/v2/gh/{place}/HEAD?urlpath=lab/tree/notebooks/{name}) · "
        f"[Colab](https://colab.research.google.com/github/{place}/blob/main/notebooks/{name})"
    )


def opening(name):
    """Return the lines under a lesson's title: its launch links, its neighbors, and what to run first."""
    url, _ = repository()
    names = sorted(path.name for path in notebooks.FOLDER.glob("[0-9][0-9]_*.ipynb"))
    place = names.index(name) if name in names else len(names)
    before, after = names[:place][-1:], names[place + 1 :][:1]
    neighbors = [f"[← lesson {int(other[:2])}]({other})" for other in before]
    neighbors += [f"[lesson {int(other[:2])} →]({other})" for other in after]
    return (
        f"Open in {links(name)} (in Colab, first run `%pip install git+{url}` and `%pip install --no-deps {texts()}` in a new "
        "cell, then *Runtime > Restart session*: until then the old NumPy and matplotlib stay loaded)\n\n"
        + (" · ".join(neighbors) + "\n\n" if neighbors else "")
        + "After each start or restart of the kernel, **first run the cell that ends with `course.start(…)`**: it loads the "
        "libraries and `check`. Then go on from the top, because later cells use what earlier ones have made."
    )


def linked_lesson(text, name):
    """Return a first cell's text, the lesson's title, with all that stands under it renewed."""
    return f"{text.splitlines()[0]}\n\n{opening(name)}"


def timed_lesson(text, cells):
    """Return a second cell's text with the minutes to read ``cells`` and to do their exercises renewed.

    One formula for all lessons: 150 words and 10 lines of code a minute, 8 minutes for an exercise; solutions do not count.
    """
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    words = len(re.sub(r"<details>.*?</details>", "", prose, flags=re.S).split())
    lines = sum(len(re.findall(r"\S.*", cell.source)) for cell in cells if cell.cell_type == "code")
    read, do = words / 150 + lines / 10, 8 * len(re.findall(r"^### Exercise ", prose, re.M))
    read, do = 5 * round(read / 5), 5 * round(do / 5)
    time = f"**Time**: about {read + do} minutes: {read} to read and run, {do} for the exercises; the whole notebook"
    return re.sub(r"^\*\*Time\*\*: .*?the whole notebook", time, text, flags=re.M)


def linked_readme(text):
    """Return the README with its badge, its `git clone` line and the last column of every lesson's row renewed."""
    text = re.sub(r"^git clone .*$", lambda _: f"git clone {repository()[0]}", text, flags=re.M)
    badge = f"{repository()[0]}/actions/workflows/tests.yml"
    text = re.sub(r"^\[!\[tests\].*$", lambda _: f"[![tests]({badge}/badge.svg)]({badge})", text, flags=re.M)
    row = re.compile(r"^(\|.*\]\(notebooks/([\w.]+\.ipynb)\).*\|)[^|]*\|$", re.M)
    return row.sub(lambda match: f"{match[1]} {links(match[2])} |", text)


def lesson_table(readme):
    """Return the start page's table: each lesson with README's words on it, and its times and needs as it states them."""
    rows = [
        "## The lessons",
        "",
        "| | lesson | what it is about | to read and do | to run | first do |",
        "|---|---|---|---|---|---|",
    ]
    about = dict(re.findall(r"^\|[^|]*\|[^|]*\]\(notebooks/([\w.]+)\)[^|]*\|([^|]*)\|", readme, re.M))
    for path in notebooks.lessons():
        title, opening = (cell.source for cell in notebooks.read(path).cells[:2])
        number, title = re.match(r"# (\d+) · (.*)", title).groups()
        minutes, run = re.search(r"\*\*Time\*\*: about (\d+) minutes.*runs in (.*)\.", opening).groups()
        needs = re.search(r"\*\*Before you start\*\*: (.*)", opening)[1]
        earlier = [other.name for other in notebooks.lessons() if other.name in needs]
        first = ", ".join(f"[{int(name[:2])}]({name})" for name in earlier) or "none"
        rows.append(
            f"| {number} | [{title}]({path.name}) |{about.get(path.name, ' ')}| {minutes} min | {run} | {first} |"
        )
    return "\n".join(rows)


def take_address():
    """Put the address of git's remote "origin" into pyproject.toml, where none is set yet and that one is GitHub's."""
    project = notebooks.ROOT / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    command = ["git", "-C", str(notebooks.ROOT), "remote", "get-url", "origin"]
    origin = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    found = re.fullmatch(
        r"(?:https://(?:[^@/]*@)?|ssh://git@|git@)github\.com[/:]([\w.-]+/[\w.-]+?)(?:\.git)?/?", origin
    )
    if found:
        project.write_text(NOT_SET.sub(f"https://github.com/{found[1]}", text), encoding="utf-8")


def main():
    take_address()
    for path in notebooks.lessons():
        notebook = notebooks.read(path)
        first, second = notebook.cells[:2]
        first.source = linked_lesson(first.source, path.name)
        second.source = timed_lesson(second.source, notebook.cells)
        second.metadata["figures"] = notebooks.figures_digest(second.source)
        notebooks.write(notebook, path)
    page = notebooks.read(notebooks.FOLDER / "start.ipynb")
    next(cell for cell in page.cells if cell.id == "lessons").source = lesson_table(README.read_text(encoding="utf-8"))
    notebooks.write(page, notebooks.FOLDER / "start.ipynb")
    README.write_text(linked_readme(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
