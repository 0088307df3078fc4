"""Write the Binder and Colab links of README and lessons from the repository's URL in pyproject.toml.

The README has its links at the end of each lesson's table row, a lesson has them in the line of its first cell that starts with "Open in".
"""

import re
import tomllib

import notebooks

README = notebooks.ROOT / "README.md"


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


def links(name):
    """Return the Markdown links that open the lesson ``name`` (a file name)."""
    _, place = repository()
    return (
        f"[Binder](https://mybinder.org/v2/gh/{place}/HEAD?urlpath=lab/tree/notebooks/{name}) · "
        f"[Colab](https://colab.research.google.com/github/{place}/blob/main/notebooks/{name})"
    )


def lesson_line(name):
    url, _ = repository()
    return f"Open in {links(name)} (in Colab, run `%pip install git+{url}` in a new cell first)"


def linked_lesson(text, name):
    """Return a first cell's text with its launch line renewed."""
    return re.sub(r"^Open in .*$", lambda _: lesson_line(name), text, flags=re.M)


def linked_readme(text):
    """Return the README with the last column of every lesson's row renewed."""
    row = re.compile(r"^(\|.*\]\(notebooks/([\w.]+\.ipynb)\).*\|)[^|]*\|$", re.M)
    return row.sub(lambda match: f"{match[1]} {links(match[2])} |", text)


def main():
    README.write_text(linked_readme(README.read_text(encoding="utf-8")), encoding="utf-8")
    for path in notebooks.lessons():
        notebook = notebooks.read(path)
        notebook.cells[0].source = linked_lesson(notebook.cells[0].source, path.name)
        notebooks.write(notebook, path)


if __name__ == "__main__":
    main()
