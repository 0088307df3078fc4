"""A learner's route in a real browser: open a lesson in JupyterLab, run all cells, answer an exercise, read the hints."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import gate
import pytest

import notebooks
from lepton_helpers import checks

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium here (on Debian: apt-get install chromium)")

LESSON = notebooks.FOLDER / "01_concepts.ipynb"
SCREENSHOTS = notebooks.ROOT / "screenshots"
TOKEN = "a-token-only-for-this-test"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab, started by `make lab` on a copy of the course, on a free port; yields its address."""
    folder = tmp_path_factory.mktemp("course")
    for name in ("Makefile", "pyproject.toml", "requirements.txt", "tools", "notebooks", ".venv"):
        source = notebooks.ROOT / name
        if name == ".venv":
            (folder / name).symlink_to(source)
        elif source.is_dir():
            shutil.copytree(source, folder / name)
        else:
            shutil.copy(source, folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    flags = f"--no-browser --port={port} --ServerApp.port_retries=0 --IdentityProvider.token={TOKEN} --expose-app-in-browser"
    flags += " --allow-root" if os.geteuid() == 0 else ""
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
    }
    environment["PATH"] = f"{os.path.dirname(sys.executable)}{os.pathsep}{environment['PATH']}"
    with open(folder / "lab.log", "w") as log:
        server = subprocess.Popen(
            ["make", "lab", f"LAB_FLAGS={flags}", f"PYTHON={sys.executable}"],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        for _ in range(120):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=2)
                break
            assert server.poll() is None, (folder / "lab.log").read_text()
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, 15)
        server.wait(30)


def test_the_server_keeps_its_token(lab):
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{lab}/api/contents", timeout=5)


def test_a_learner_runs_a_lesson_and_answers_an_exercise(lab):
    lesson = notebooks.read(LESSON)
    number, exercise = next(iter(checks.exercises(LESSON.name[:2]).items()))
    stub = next(i for i, cell in enumerate(lesson.cells) if f'check("{number}"' in cell.source)
    diagram = next(i for i, cell in enumerate(lesson.cells) if "```mermaid" in cell.source)
    formula = next(i for i, cell in enumerate(lesson.cells) if cell.cell_type == "markdown" and "$$" in cell.source)
    compared = next(i for i, cell in enumerate(lesson.cells) if gate.text_of_cell(cell).strip())
    with playwright.sync_playwright() as tool:
        arguments = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        arguments += ["--disable-component-update", "--disable-sync", "--disable-quic"]
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        errors, outside = [], []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: outside.append(request.url) if is_outside(request.url) else None)

        page.goto(f"{lab}/lab/tree/{LESSON.name}?token={TOKEN}")
        page.wait_for_function(f"() => {NOTEBOOK}?.widgets.length === {len(lesson.cells)}", timeout=90_000)
        page.wait_for_function(f"() => {KERNEL}?.status === 'idle'", timeout=60_000)

        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        last = max(i for i, cell in enumerate(lesson.cells) if cell.cell_type == "code")
        page.wait_for_function(
            f"() => {NOTEBOOK}.widgets[{last}].model.executionCount && {KERNEL}.status === 'idle'", timeout=240_000
        )

        assert gate.text_of_cell(lesson.cells[compared]).strip() in cell(page, compared).inner_text().replace(
            "\xa0", " "
        )
        playwright.expect(
            cell(page, diagram).locator("img[src*=svg], svg.mermaid, .jp-RenderedMermaid svg").first
        ).to_be_visible()
        playwright.expect(cell(page, formula).locator("mjx-container").first).to_be_visible()

        wrong_code, hint = exercise.wrong[0]
        assert answer(page, stub, wrong_code, exercise) == f"Exercise {number}: not yet. {' '.join(hint.split())}"
        assert answer(page, stub, exercise.solution, exercise) == f"Exercise {number}: right."
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / "exercise.png")
        cell(page, diagram).screenshot(path=SCREENSHOTS / "diagram.png")
        browser.close()
    assert errors == []
    assert outside == []


NOTEBOOK = "window.jupyterapp?.shell.currentWidget?.content"
KERNEL = "window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel"


def cell(page, i):
    """Bring cell ``i`` into view, which JupyterLab needs to draw it, and return it."""
    page.evaluate(
        f"async () => {{ const n = {NOTEBOOK}; n.activeCellIndex = {i}; await n.scrollToItem({i}, 'center'); }}"
    )
    found = page.locator(f".jp-Notebook .jp-Cell[data-windowed-list-index='{i}']")
    found.wait_for(timeout=20_000)
    return found


def answer(page, i, code, exercise):
    """Type ``code`` and the check into exercise cell ``i``, run it, and return the line it prints."""
    number = re.search(r'check\("([\d.]+)"', notebooks.read(LESSON).cells[i].source)[1]
    before = page.evaluate(f"() => {NOTEBOOK}.widgets[{i}].model.executionCount")
    cell(page, i).locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(f'{code.strip()}\n\n\ncheck("{number}", {exercise.answer})')
    page.keyboard.press("Control+Enter")
    page.wait_for_function(
        f"() => {NOTEBOOK}.widgets[{i}].model.executionCount > {before} && {KERNEL}.status === 'idle'", timeout=30_000
    )
    return cell(page, i).locator(".jp-OutputArea-output").first.inner_text().strip()


def is_outside(url):
    parts = urlsplit(url)
    return parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in ("127.0.0.1", "localhost")
