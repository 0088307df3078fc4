"""Open the course in JupyterLab, and keep what belongs to the learner.

python tools/lab.py [FLAG ...]        a personal copy of the lessons, my_lessons/; flags go to JupyterLab
python tools/lab.py edit [FLAG ...]   the published lessons, notebooks/, for authors
python tools/lab.py reset 05          move one's own lesson 05 aside and lay a fresh one
python tools/lab.py update            fetch the newest course, without touching one's own lessons
"""

import datetime
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PUBLISHED, MINE = ROOT / "notebooks", ROOT / "my_lessons"
START = "start.ipynb"


def settings(environment):
    """Return ``environment`` as the course's own Jupyter needs it: what a user set for another one stays out.

    Only JupyterLab's look (dark theme, shortcuts) stays the user's own. All else that is written goes to the course's folder
    `.jupyter`, so that a home folder without write permission is no obstacle.
    """
    from lepton_helpers import course

    own = ROOT / ".jupyter"
    own.mkdir(exist_ok=True)
    config = pathlib.Path(environment.get("JUPYTER_CONFIG_DIR") or os.path.expanduser("~/.jupyter"))
    look = config / "lab" / "user-settings"
    foreign = ("JUPYTER_PATH", "JUPYTER_NO_CONFIG", "JUPYTER_PLATFORM_DIRS", "JUPYTERLAB_DIR")
    kept = {name: value for name, value in course.shielded(environment).items() if name not in foreign}
    del kept["PYTHONSAFEPATH"]  # the tools import each other from the folder they stand in
    return {
        **kept,
        "IPYTHONDIR": str(own / "ipython"),
        "JUPYTERLAB_SETTINGS_DIR": environment.get("JUPYTERLAB_SETTINGS_DIR")
        or str(look if os.access(look, os.W_OK) else own / "look"),
        "JUPYTERLAB_WORKSPACES_DIR": str(own / "workspaces"),
        "JUPYTER_CONFIG_DIR": str(own / "config"),
        "JUPYTER_CONFIG_PATH": str(ROOT / "tools" / "jupyter"),
        "JUPYTER_DATA_DIR": str(own / "data"),
        "JUPYTER_PREFER_ENV_PATH": "1",  # the kernel of this Python, not one of the same name that the user installed
        "JUPYTER_RUNTIME_DIR": str(own / "runtime"),
        "MPLCONFIGDIR": str(own / "matplotlib"),
        "PATH": os.pathsep.join([os.path.dirname(sys.executable), environment.get("PATH", "")]),  # for `!python`
    }


def shield():
    """Make this process, and what it starts, as independent of the user's own settings as ``settings`` says."""
    wanted = settings(os.environ)
    os.environ.clear()
    os.environ.update(wanted)


def add_missing():
    """Copy every published notebook that the learner's folder lacks; what is there already stays as it is."""
    MINE.mkdir(exist_ok=True)
    for path in sorted(PUBLISHED.glob("*.ipynb")):
        if not (MINE / path.name).exists():
            partial = MINE / f"{path.name}.partial"
            shutil.copyfile(path, partial)
            os.replace(partial, MINE / path.name)
    (MINE / "progress.jsonl").touch()  # where it stands, `check` notes what is solved


def show_progress():
    """Store in the learner's start page what its cell would print now, if that cell is still the published one."""
    import nbformat

    page, published = (nbformat.read(folder / START, as_version=4) for folder in (MINE, PUBLISHED))
    cell = next((cell for cell in page.cells if cell.get("id") == "progress"), None)
    if cell and cell.source == next(cell for cell in published.cells if cell.id == "progress").source:
        run = subprocess.run([sys.executable, "-c", cell.source], cwd=MINE, capture_output=True, text=True)
        cell.outputs = (
            [nbformat.v4.new_output("stream", name="stdout", text=run.stdout)] if run.stdout else cell.outputs
        )
        partial = MINE / f"{START}.partial"
        nbformat.write(page, partial)
        os.replace(partial, MINE / START)


def start(folder, page, flags):
    """Run JupyterLab in ``folder``, for this machine only, with a token; returns when it ends."""
    if not importlib.util.find_spec("jupyterlab"):
        stop(f"{sys.executable} has no JupyterLab. Run make lab, or install the course first as README.md says.")
    shield()
    from jupyterlab.labapp import LabApp

    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    sys.argv = ["jupyter-lab"]
    LabApp.launch_instance([str(folder), "--ip=127.0.0.1", f"--LabApp.default_url=/lab{page}", *root, *flags])


def reset(number):
    """Move the learner's lesson (or "start", the start page) aside, under a name that says when, and lay a fresh one."""
    pattern = f"{number:0>2}_*.ipynb" if re.fullmatch(r"\d{1,2}", number) else START if number == "start" else "-"
    lessons = sorted(PUBLISHED.glob(pattern))
    if len(lessons) != 1:
        stop("Name the lesson by its number, as in: make reset LESSON=05")
    mine = MINE / lessons[0].name
    MINE.mkdir(exist_ok=True)
    partial = mine.with_name(f"{mine.name}.partial")
    shutil.copyfile(lessons[0], partial)  # first, so that a full disk leaves everything as it was
    if mine.exists():
        aside = mine.with_name(f"{mine.stem}_kept_{datetime.datetime.now():%Y-%m-%d_%H%M%S}.ipynb")
        while aside.exists():
            aside = aside.with_stem(f"{aside.stem}_too")
        mine.rename(aside)
        print(f"Your lesson is now {MINE.name}/{aside.name}.")
    os.replace(partial, mine)
    print(f"{MINE.name}/{mine.name} is as published.")


def update():
    """Fetch the newest course with git, and say which lessons changed; the learner's own copies are not touched."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        stop(
            "This copy did not come by git clone, or git is not installed. Download the course again and move my_lessons there."
        )
    before, versions = published(), (ROOT / "requirements.txt").read_bytes()
    # Whatever this user's git does otherwise: no merge, no rebase, and local changes are neither stashed nor overwritten.
    command = "git -c merge.autoStash=false -c rebase.autoStash=false pull --ff-only --no-rebase --no-autostash --quiet"
    elsewhere = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")  # they would name another repository
    environment = {name: value for name, value in os.environ.items() if name not in elsewhere}
    pull = subprocess.run(command.split(), cwd=ROOT, env=environment, capture_output=True, text=True)
    if pull.returncode:
        stop(f"{pull.stderr.strip()}\nThe course could not be updated, as git says above; nothing was changed here.")
    after = published()
    changed = [name for name in sorted(before | after) if before.get(name) != after.get(name)]
    for name in changed:
        print(f"{name}: {'new' if name not in before else 'changed' if name in after else 'no longer in the course'}")
    if not changed:
        print("No lesson has changed.")
    if (ROOT / "requirements.txt").read_bytes() != versions:
        print("The versions have changed: make lab installs them; without make, install requirements.txt again.")
    if any((MINE / name).exists() for name in changed):
        print("Your own copies are as they were. To take a changed lesson: make reset LESSON=05 keeps yours beside it.")


def published():
    """Return the published notebooks: a dict from their names to what they hold."""
    return {path.name: path.read_bytes() for path in PUBLISHED.glob("*.ipynb")}


def stop(sentence):
    raise SystemExit(sentence)


def main(command="lab", *rest):
    if command == "edit":
        start(PUBLISHED, "", rest)
    elif command == "reset":
        reset(*rest[:1] or [""])
    elif command == "update":
        update()
    else:
        add_missing()
        try:
            show_progress()
        except Exception:  # whatever a notebook can be damaged by
            print("Your start page cannot be read. For a fresh one: make reset LESSON=start")
        for path in MINE.glob("*.py"):
            if importlib.util.find_spec(path.stem):
                print(f"{MINE.name}/{path.name} hides a library of the same name from the lessons: rename it.")
        if "github.com/OWNER/" in (ROOT / "pyproject.toml").read_text(encoding="utf-8"):
            print("The links to Binder and Colab have no address yet. In your own GitHub repository, run: make links")
        start(MINE, f"/tree/{START}", [command, *rest] if command != "lab" else rest)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except OSError as error:
        stop(f"{error.filename or ROOT}: {error.strerror or error}. What you wrote is still there.")
    except KeyboardInterrupt:
        stop("")
