"""Exports of a lesson: images keep their alternative texts, and a PDF needs no network."""

import base64
import pathlib
import re
import shutil
import subprocess
import sys

import bs4
import nbconvert
import pdf
import pytest
from nbconvert.exporters.base import ExporterDisabledError, get_exporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from traitlets.config import PyFileConfigLoader

import notebooks

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
assert base64.b64decode(PIXEL).startswith(b"\x89PNG")


@pytest.fixture(scope="module")
def served():
    """The settings under which JupyterLab's File > Export runs."""
    return PyFileConfigLoader("jupyter_server_config.py", str(notebooks.ROOT / "tools/jupyter")).load_config()


def small_lesson():
    """A formula, a diagram, a folded solution, and two images under a sentence with all that HTML must escape."""
    pictures = [new_output("display_data", {"image/png": PIXEL, "text/plain": "<Figure>"}) for _ in range(2)]
    return new_notebook(
        metadata=notebooks.METADATA,
        cells=[
            new_markdown_cell("# 4 · Small\n\nA formula, $\\alpha_i^2$, and\n\n$$\\frac{1}{2} \\sum_i x_i$$"),
            new_code_cell("plt.show()", outputs=pictures, execution_count=1),
            new_markdown_cell('*Figure: "a" < `b` & [c](d.ipynb).*'),
            new_markdown_cell("```mermaid\nflowchart LR\n    A[diagram] --> B[drawn]\n```"),
            new_markdown_cell("<details><summary>Solution</summary>\n\n```python\nanswer = 42\n```\n\n</details>"),
        ],
    )


def described(notebook):
    return [
        notebooks.alternative_text(output)
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]


def alternatives(page):
    return [image.get("alt") for image in bs4.BeautifulSoup(page, "html.parser").select("img")]


@pytest.mark.parametrize("path", notebooks.lessons(), ids=lambda path: path.stem)
def test_every_export_of_a_lesson_describes_every_image(path, served):
    notebook = notebooks.read(path)
    texts = described(notebook)
    assert all(texts)
    for exporter in (nbconvert.HTMLExporter, nbconvert.SlidesExporter):
        assert alternatives(exporter(config=served).from_notebook_node(notebook)[0]) == texts
    assert alternatives(pdf.page(notebook, path.stem)) == texts
    text, _ = nbconvert.MarkdownExporter(config=served).from_notebook_node(notebook)
    assert re.findall(r"^!\[(.*)\]\(", text, re.M) == texts


def test_odd_signs_in_a_sentence_reach_the_reader_unchanged(served):
    notebook = small_lesson()
    notebooks.describe_images(notebook)
    page, _ = nbconvert.HTMLExporter(config=served).from_notebook_node(notebook)
    assert alternatives(page) == ['"a" < b & c.', '"a" < b & c.']


def test_an_image_without_a_sentence_says_so(served):
    page, _ = nbconvert.HTMLExporter(config=served).from_notebook_node(small_lesson())
    assert alternatives(page) == 2 * ["Image without a description"]


def test_jupyterlab_offers_the_exports_that_work_here_alone(served):
    for name in ("html", "markdown", "slides", "script", "notebook"):
        exporter = get_exporter(name, config=served)(config=served)
        assert exporter.from_notebook_node(small_lesson())[0]
    for name in ("pdf", "webpdf", "latex", "qtpdf", "qtpng", "rst", "asciidoc"):
        with pytest.raises(ExporterDisabledError):
            get_exporter(name, config=served)


def test_the_page_to_print_asks_for_nothing_from_outside():
    page = pdf.page(small_lesson(), "small", pdf.STYLE)
    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?:https?:)?//|url\(["\']?(?:https?:)?//|@import', page)


def test_a_lesson_becomes_a_pdf(tmp_path):
    if not next(filter(None, map(shutil.which, pdf.BROWSERS)), None):
        pytest.skip("there is no Chromium here (on Debian: apt-get install chromium)")
    notebook = small_lesson()
    notebooks.describe_images(notebook)
    notebooks.write(notebook, tmp_path / "04_small.ipynb")
    command = [sys.executable, notebooks.ROOT / "tools/pdf.py", "04_small.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.stdout == f"Written: 04_small.pdf, from {tmp_path.name}/04_small.ipynb\n", done.stderr
    content = (tmp_path / "04_small.pdf").read_bytes()
    assert content.startswith(b"%PDF") and b"MathJax_Math" in content and b"MathJax_Size" in content
    assert content.count(b'/Alt ("a" < b & c.') == 2
    if tool := shutil.which("pdftotext"):
        text = subprocess.run([tool, tmp_path / "04_small.pdf", "-"], capture_output=True, text=True).stdout
        assert "answer = 42" in text and "drawn" in text
        assert not re.search(r"flowchart|frac|alpha|\$", text), text


def test_without_a_browser_one_sentence_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(pdf.shutil, "which", lambda name: None)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", "nowhere")
    with pytest.raises(SystemExit, match="A PDF needs Chromium, .*apt-get install chromium.*File > Print"):
        pdf.main("04")
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with pytest.raises(SystemExit, match="A PDF needs the packages of requirements-test.txt"):
        pdf.main("04")


def test_ones_own_copy_is_printed_before_the_published_lesson(tmp_path, monkeypatch):
    printed = []
    monkeypatch.setattr(pdf, "write", lambda path, target: printed.append(path))
    monkeypatch.setattr(pdf.lab, "MINE", tmp_path)
    pdf.main("04")
    mine = pathlib.Path(shutil.copy(printed[0], tmp_path))
    pdf.main("04")
    assert printed == [notebooks.FOLDER / printed[0].name, mine]


def test_a_lesson_is_named_by_its_number():
    with pytest.raises(SystemExit, match="make pdf LESSON=05"):
        pdf.main("")
    for wrong in ("0", "05 06", "*", "/etc"):
        with pytest.raises(SystemExit, match="give its number, such as 04"):
            pdf.main(wrong)
