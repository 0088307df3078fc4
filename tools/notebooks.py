"""Read and write the lessons in one normal form, that of JupyterLab, so that a file changes only where its content changed."""

import hashlib
import os
import pathlib
import re

import nbformat

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "notebooks"


def lessons(name=""):
    """Return the paths of all lessons, or of those whose file name starts with ``name`` (such as "04").

    Raises:
        SystemExit: there is none.
    """
    paths = sorted(FOLDER.glob(f"{name}*.ipynb"))
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
