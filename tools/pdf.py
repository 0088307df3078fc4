"""Write a lesson as a PDF: `python tools/pdf.py 05` (or the path of a notebook), without a network. Your own copy goes first.

nbconvert makes the page. Formulas and diagrams are JupyterLab's work, so a JupyterLab of our own renders the text cells in a
Chromium without a window, and the same Chromium prints.
"""

import contextlib
import os
import pathlib
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import lab
import nbconvert

import notebooks

TEMPLATES = [str(pathlib.Path(__file__).resolve().parent / "templates")]
PRINT = "open the lesson in JupyterLab and choose File > Print, which any browser can save as a PDF"
SIDES = ("top", "right", "bottom", "left")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
RENDER = """async (sources) => {
    await window.jupyterapp.restored;
    await window.jupyterapp.commands.execute("markdownviewer:open", { path: "text.md" });
    let renderer;
    while (!renderer) {
        await new Promise((later) => setTimeout(later, 100));
        renderer = [...window.jupyterapp.shell.widgets("main")].find((widget) => widget.content?.renderer)?.content.renderer;
    }
    const rendered = [];
    for (const source of sources) {
        const data = { "text/markdown": source };
        await renderer.renderModel({ data, metadata: {}, trusted: true, setData() {} });
        await renderer.latexTypesetter.typeset(renderer.node);
        renderer.node.querySelectorAll("details").forEach((details) => (details.open = true));
        renderer.node.querySelectorAll("a.jp-InternalAnchorLink, .jp-RenderedMermaid pre").forEach((extra) => extra.remove());
        rendered.push(renderer.node.innerHTML);
    }
    const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]).map((rule) => rule.cssText);
    return { rendered, style: rules.filter((rule) => /mjx/i.test(rule)).join("\\n") };
}"""
STYLE = """
body { background: white; margin: 0; }
.jp-Cell { break-inside: auto; } img, .jp-RenderedImage, mjx-container, tr { break-inside: avoid; }
h1, h2, h3 { break-after: avoid; }
.jp-InputArea-editor, .jp-OutputArea-output pre { overflow: visible; } pre { white-space: pre-wrap !important; }
img { max-width: 100%; }
* { -webkit-print-color-adjust: exact; }
"""


def browser():
    """Return the path of an installed Chromium (or a browser made from it).

    Raises:
        SystemExit: there is none, or the package that drives it is missing.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise SystemExit(f"A PDF needs the packages of requirements-test.txt; install them, or {PRINT}.") from None
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    with contextlib.suppress(Exception):  # the driver may lack a library of the system; then it has no browser either
        if not found:
            with sync_playwright() as tool:
                found = tool.chromium.executable_path
    if not found or not pathlib.Path(found).exists():
        raise SystemExit(
            "A PDF needs Chromium, and there is none here; install it (on Debian: apt-get install chromium; elsewhere: "
            f"python -m playwright install chromium), or {PRINT}."
        )
    return found


def page(notebook, name, style=""):
    """Return a notebook as one HTML page; with ``style``, for printing: it then needs no script and nothing from outside."""
    exporter = nbconvert.HTMLExporter(
        extra_template_basedirs=TEMPLATES, extra_template_paths=TEMPLATES, template_name="lepton"
    )
    return exporter.from_notebook_node(notebook, {"metadata": {"name": name}, "print_style": style})[0]


def jupyterlab(folder, token):
    """Start a JupyterLab in ``folder``, and return its process and its address once it answers.

    Raises:
        SystemExit: it ended at once, or did not answer within a minute.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    flags = f"--no-browser --ip=127.0.0.1 --port={port} --ServerApp.port_retries=0 --expose-app-in-browser --allow-root"
    # JupyterLab's look is not the user's, who may prefer it dark: paper is white.
    own = {"JUPYTERLAB_SETTINGS_DIR": str(folder / ".look"), "JUPYTERLAB_WORKSPACES_DIR": str(folder / ".look")}
    with open(folder / ".log", "w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *flags.split(), f"--IdentityProvider.token={token}"],
            cwd=folder,
            env={**lab.settings(os.environ), **own},
            stdout=log,
            stderr=log,
        )
    for _ in range(240):
        time.sleep(0.25)
        try:
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://127.0.0.1:{port}/api", timeout=2)
            return server, f"http://127.0.0.1:{port}"
        except OSError:
            if server.poll() is not None:
                break
    server.kill()
    lines = (folder / ".log").read_text().strip().splitlines()
    raise SystemExit(
        f"JupyterLab, which renders the formulas, did not start: {lines[-1] if lines else 'it said nothing'}"
    )


def write(path, target):
    """Write the notebook at ``path`` as a PDF to ``target``."""
    chromium, notebook, token = browser(), notebooks.read(path), secrets.token_hex(16)
    from playwright.sync_api import sync_playwright

    texts = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as tool:
        (pathlib.Path(folder) / "text.md").touch()
        server, address = jupyterlab(pathlib.Path(folder), token)
        try:
            root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
            window = tool.chromium.launch(executable_path=chromium, args=[*root, "--disable-gpu"])
            tab = window.new_page()
            tab.goto(f"{address}/lab?token={token}")
            tab.wait_for_function("() => window.jupyterapp", timeout=90_000)
            done = tab.evaluate(RENDER, [cell.source for cell in texts])
            for cell, html in zip(texts, done["rendered"], strict=True):
                cell.metadata["rendered"] = html
            tab.set_content(page(notebook, path.stem, done["style"] + STYLE))
            tab.evaluate("() => document.fonts.ready.then(() => true)")
            tab.pdf(path=target, format="A4", scale=0.8, tagged=True, outline=True, margin=dict.fromkeys(SIDES, "15mm"))
            window.close()
        finally:
            server.terminate()
            server.wait()


def main(lesson="", *rest):
    path = pathlib.Path(lesson)
    if path.suffix != ".ipynb":
        found = notebooks.lessons(lesson) if lesson else []
        if len(found) != 1:
            raise SystemExit("Name one lesson by its number, as in: make pdf LESSON=05")
        mine = lab.MINE / found[0].name
        path = mine if mine.exists() else found[0]
    target = pathlib.Path.cwd() / f"{path.stem}.pdf"
    write(path, target)
    print(f"Written: {target.name}, from {path.resolve().parent.name}/{path.name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
