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
GIT = ["git", "-c", "user.name=Author", "-c", "user.email=author@example.org"]


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A learner's clone of the course, in a folder with a space and a letter beyond ASCII; beside it what it was cloned from."""
    published = tmp_path_factory.mktemp("mon été") / "published"
    for name in ("tools", "notebooks"):
        shutil.copytree(notebooks.ROOT / name, published / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (".gitignore", "pyproject.toml", "requirements.txt"):
        shutil.copy(notebooks.ROOT / name, published)
    for command in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        ["commit", "--quiet", "--message=1"],
    ):
        subprocess.run([*GIT, *command], cwd=published, check=True)
    subprocess.run([*GIT, "clone", "--quiet", "published", "course"], cwd=published.parent, check=True)
    return published.parent / "course"


@contextlib.contextmanager
def served(folder):
    """Run JupyterLab as `make lab` does, on a free port, and yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    flags = ["--no-browser", f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"]
    with open(folder / "lab.log", "w") as log:
        server = subprocess.Popen(
            [sys.executable, "tools/lab.py", *flags, "--expose-app-in-browser"],
            cwd=folder,
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


@pytest.fixture(scope="module")
def lab(course):
    with served(course) as address:
        yield address


@contextlib.contextmanager
def browsing():
    """Yield a page of a real browser; afterwards, it must have reported no error and asked nothing outside this machine."""
    errors, outside = [], []
    with playwright.sync_playwright() as tool:
        arguments = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        arguments += ["--disable-component-update", "--disable-sync", "--disable-quic"]
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: outside.append(request.url) if is_outside(request.url) else None)
        yield page
        browser.close()
    assert errors == []
    assert outside == []


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
    with browsing() as page:
        page.goto(f"{lab}/lab/tree/{LESSON.name}?token={TOKEN}")
        wait_for_notebook(page, len(lesson.cells))
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


def test_nothing_is_lost_when_the_course_is_updated(course):
    """A learner's path: open, solve two exercises (one wrong first), close, update while a lesson changed, reopen."""
    mine = course / "my_lessons" / LESSON.name
    lesson = notebooks.read(LESSON)
    exercises = [*checks.exercises(LESSON.name[:2]).items()][:2]
    cells = [
        next(i for i, cell in enumerate(lesson.cells) if f'check("{number}"' in cell.source) for number, _ in exercises
    ]
    SCREENSHOTS.mkdir(exist_ok=True)
    with served(course) as address, browsing() as page:
        page.goto(f"{address}/?token={TOKEN}")  # as the browser is sent there by `make lab`
        wait_for_notebook(page, len(notebooks.read(notebooks.FOLDER / "start.ipynb").cells))
        page.get_by_role("heading", name="Start here").wait_for()
        page.get_by_role("link", name=lesson.cells[0].source.splitlines()[0].partition("· ")[2]).click()
        wait_for_notebook(page, len(lesson.cells))
        run(page, 2)
        (_, first), (_, second) = exercises
        assert ": not yet." in answer(page, cells[0], first.wrong[0][0], first)
        assert answer(page, cells[0], first.solution, first).endswith(": right.")
        assert answer(page, cells[1], second.solution, second).endswith(": right.")
        page.keyboard.press("Control+S")
        page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty", timeout=20_000)
        page.screenshot(path=SCREENSHOTS / "learner-1-solved.png")
    saved = mine.read_bytes()
    difference = subprocess.run(
        ["diff", course / "notebooks" / LESSON.name, mine], capture_output=True, text=True
    ).stdout
    assert len(difference.splitlines()) < 80, "a saved lesson differs in what was changed, not in its form"

    published = course.parent / "published"
    lesson.cells[-1].source = lesson.cells[-1].source.replace("**Next**", "A correction.\n\n**Next**")
    notebooks.write(lesson, published / "notebooks" / LESSON.name)
    subprocess.run([*GIT, "commit", "--quiet", "--all", "--message=2"], cwd=published, check=True)
    update = subprocess.run([sys.executable, "tools/lab.py", "update"], cwd=course, capture_output=True, text=True)
    assert update.stdout.startswith(f"{LESSON.name}: changed\n"), update.stdout + update.stderr
    assert mine.read_bytes() == saved

    with served(course) as address, browsing() as page:
        page.goto(f"{address}/?token={TOKEN}")
        wait_for_notebook(page, 5)
        assert "lesson  1: 2 of 5 solved" in cell(page, 1).inner_text().replace("\xa0", " ")
        page.screenshot(path=SCREENSHOTS / "learner-2-start-page.png")
        page.goto(f"{address}/lab/tree/{LESSON.name}?token={TOKEN}")
        wait_for_notebook(page, len(lesson.cells))
        assert first.solution.strip().splitlines()[-1].strip() in cell(page, cells[0]).inner_text().replace("\xa0", " ")
        page.screenshot(path=SCREENSHOTS / "learner-3-reopened.png")
    assert mine.read_bytes() == saved


NOTEBOOK = "window.jupyterapp?.shell.currentWidget?.content"
KERNEL = "window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel"


def wait_for_notebook(page, count):
    """Wait until a notebook of ``count`` cells is open and its kernel is ready."""
    page.wait_for_function(f"() => {NOTEBOOK}?.widgets?.length === {count}", timeout=90_000)
    page.wait_for_function(f"() => {KERNEL}?.status === 'idle'", timeout=60_000)


def cell(page, i):
    """Bring cell ``i`` into view, which JupyterLab needs to draw it, and return it."""
    page.evaluate(
        f"async () => {{ const n = {NOTEBOOK}; n.activeCellIndex = {i}; await n.scrollToItem({i}, 'center'); }}"
    )
    found = page.locator(f".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell[data-windowed-list-index='{i}']")
    found.wait_for(timeout=20_000)
    return found


def answer(page, i, code, exercise):
    """Type ``code`` and the check into exercise cell ``i``, run it, and return the line it prints."""
    number = re.search(r'check\("([\d.]+)"', notebooks.read(LESSON).cells[i].source)[1]
    cell(page, i).locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(f'{code.strip()}\n\n\ncheck("{number}", {exercise.answer})')
    run(page, i)
    return cell(page, i).locator(".jp-OutputArea-output").first.inner_text().strip()


def run(page, i):
    """Run cell ``i`` and wait until it is done."""
    count = f"{NOTEBOOK}.widgets[{i}].model.executionCount"
    cell(page, i).locator(".cm-content").click()
    page.evaluate(f"() => {{ {NOTEBOOK}.widgets[{i}].model.clearExecution(); }}")
    page.keyboard.press("Control+Enter")
    page.wait_for_function(f"() => {count} && {KERNEL}.status === 'idle'", timeout=30_000)


def is_outside(url):
    parts = urlsplit(url)
    return parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in ("127.0.0.1", "localhost")
