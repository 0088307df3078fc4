"""Read and write the lessons in one normal form, that of JupyterLab, so that a file changes only where its content changed."""

import hashlib
import json
import os
import pathlib
import re
import sys
import unicodedata
import warnings

# jsonschema would build a grammar of internet addresses at each start, which costs a second, for a format that notebooks do not use.
sys.modules.setdefault("rfc3987_syntax", None)

import nbformat  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "notebooks"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_METADATA = ("tags", "why", "given", "figures", "stub")  # all that a lesson's cells carry; other programs add more


class Refused(SystemExit):
    """A tool leaves this file alone; the sentence says why, and what to do. It ends a tool that does not catch it."""


def lessons(name=""):
    """Return the paths of all lessons, or of those whose file name starts with ``name`` (such as "04"; 4 is 04, too).

    Raises:
        SystemExit: there is none.
    """
    pattern = f"{int(name):02d}_*" if name.isdecimal() else f"{name or '[0-9][0-9]_'}*"
    paths = sorted(FOLDER.glob(f"{pattern}.ipynb")) if re.fullmatch(r"\w*", name) else []
    if not paths:
        raise SystemExit(f"No lesson in {FOLDER.name}/ starts with {name!r}; give its number, such as 04.")
    return paths


def read(path):
    """Return the notebook at ``path`` in the newest form of the format, whatever its own.

    Raises:
        Refused: the file is no notebook.
    """
    stored = (
        f"git restore {path.parent.name}/{path.name}" if path.parent == FOLDER else f"make reset LESSON={path.name[:2]}"
    )
    again = f"keep a copy of the file, then bring back the published one with `{stored}` or from a fresh download of the course"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path.name}: cannot be read as text ({error}); {again}.") from None
    if not text.strip():
        raise Refused(f"{path.name}: is empty; {again}.")
    if conflict := re.search(r"^<{7}(?!<)", text, re.M):
        line = text.count("\n", 0, conflict.start()) + 1
        raise Refused(
            f"{path.name}: holds two versions that git could not join (line {line}); keep a copy of the file, then take one "
            f"with `git checkout --ours {path.parent.name}/{path.name}` or `--theirs`."
        )
    try:
        with warnings.catch_warnings(action="ignore"):
            notebook = nbformat.v4.upgrade(nbformat.convert(nbformat.reader.reads(text), 4))
            _, notebook = nbformat.validator.normalize(notebook)
        fault = flaw(notebook)
    except Exception as error:  # nbformat raises of many kinds on what is no notebook
        fault = str(error) or type(error).__name__
    if fault:
        raise Refused(f"{path.name}: is no notebook that could be stored ({as_line(fault)}); {again}.")
    return notebook


def flaw(notebook):
    """Return what is wrong with the notebook as JSON of format 4.5, or ""."""
    error = next(nbformat.validator.iter_validate(notebook, version=4, version_minor=5), None)
    if error is not None:
        place = [str(step) for step in getattr(error, "absolute_path", None) or getattr(error, "path", ())]
        return f"{'/'.join(place)}: {error.message}"
    try:
        json.dumps(notebook, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        return str(error)
    return ""


def as_line(text, longest=200):
    """Return a text as one line that every terminal can print."""
    line = " ".join("".join(character if character.isprintable() else " " for character in str(text)).split())
    return line if len(line) <= longest else line[:longest] + "…"


def normal_form(notebook):
    """Return the text that a lesson's file holds."""
    return nbformat.writes(notebook) + "\n"


def write(notebook, path):
    """Write the notebook beside its place, then move it there: a reader never finds half a file."""
    beside = path.with_suffix(".partial")
    beside.write_text(normal_form(notebook), encoding="utf-8", newline="\n")
    os.replace(beside, path)


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def figures_digest(text):
    """Return a short digest of all numbers in a text, in their order."""
    return digest(" ".join(re.findall(r"\d+(?:[.,]\d+)*", text)))


def holds_nothing_new(cell):
    """Whether an exercise's code cell is empty, or still as `make refresh` wrote it: renewing it loses nobody's work."""
    return not cell.source.strip() or (cell.cell_type == "code" and cell.metadata.get("stub") == digest(cell.source))


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
    described = output.get("metadata", {}).get("image/png")
    return described.get("alt", "") if isinstance(described, dict) else ""


def describe_images(notebook):
    """Give every stored image the sentence under it as its alternative text, where nbconvert looks for it."""
    for cell, following in zip(notebook.cells, notebook.cells[1:], strict=False):
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}) and (text := figure_text(following)):
                output["metadata"] = {"image/png": {"alt": text}}
