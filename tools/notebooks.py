"""Read and write the lessons in one normal form, that of JupyterLab, so that a file changes only where its content changed."""

import hashlib
import os
import pathlib
import re
import unicodedata

import nbformat

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "notebooks"


def lessons(name=""):
    """Return the paths of all lessons, or of those whose file name starts with ``name`` (such as "04").

    Raises:
        SystemExit: there is none.
    """
    paths = sorted(FOLDER.glob(f"{name or '[0-9][0-9]_'}*.ipynb"))
    if not paths:
        raise SystemExit(f"No lesson in {FOLDER.name}/ starts with {name!r}; give its number, such as 04.")
    return paths


def read(path):
    return nbformat.read(path, as_version=4)


def write(notebook, path):
    """Write the notebook beside its place, then move it there: a reader never finds half a file."""
    beside = path.with_suffix(".partial")
    beside.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n")
    os.replace(beside, path)


def figures_digest(text):
    """Return a short digest of all numbers in a text, in their order."""
    return hashlib.sha256(" ".join(re.findall(r"\d+(?:[.,]\d+)*", text)).encode()).hexdigest()[:8]


def figure_text(cell):
    """Return the sentence under a figure, `*Figure: ...*`, as plain text for an image's alt; "" where there is none."""
    sentence = re.match(r"\*Figure: (.*?)\*(?:\s*$|\n\s*\n)", cell.source if cell.cell_type == "markdown" else "", re.S)
    if not sentence:
        return ""
    text = re.sub(r"\$([^$]*)\$", lambda match: read_formula(match[1]), sentence[1])
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return " ".join(re.sub(r"\*\*?|`|(?<!\w)_|_(?!\w)", "", text).split())


def read_formula(formula):
    """Return a short LaTeX formula as a line of text: Greek letters as such, fractions with a slash, no braces."""
    formula = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"\1/\2", formula)
    signs = {"times": "×", "cdot": "·", "le": "≤", "ge": "≥", "approx": "≈", "infty": "∞"}

    def character(match):
        kind = "CAPITAL" if match[1][0].isupper() else "SMALL"
        try:
            return unicodedata.lookup(f"GREEK {kind} LETTER {match[1]}")
        except KeyError:
            return signs.get(match[1], match[1])

    return re.sub(r"[{}\\]", "", re.sub(r"\\([A-Za-z]+)", character, formula))


def alternative_text(output):
    """Return the alternative text stored with an output's image; "" where there is none."""
    return output.get("metadata", {}).get("image/png", {}).get("alt", "")


def describe_images(notebook):
    """Give every stored image the sentence under it as its alternative text, where nbconvert looks for it."""
    for cell, following in zip(notebook.cells, notebook.cells[1:], strict=False):
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}) and (text := figure_text(following)):
                output["metadata"] = {"image/png": {"alt": text}}
