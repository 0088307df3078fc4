"""What a learner wrote stays the learner's: own copies, updates, fresh lessons, and the record of what is solved."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

import notebooks
from lepton_helpers import checks

LESSON = "04_train_a_model.ipynb"
GIT = ["git", "-c", "user.name=Author", "-c", "user.email=author@example.org"]


def git(folder, *arguments):
    subprocess.run([*GIT, *arguments], cwd=folder, check=True, capture_output=True)


def lab(folder, *arguments):
    command = [sys.executable, "tools/lab.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.fixture
def published(tmp_path):
    """The course as it is published: a git repository with what the launcher needs."""
    folder = tmp_path / "published"
    for name in ("tools", "notebooks"):
        shutil.copytree(notebooks.ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "pyproject.toml", "requirements.txt", ".gitignore", ".gitattributes"):
        shutil.copy(notebooks.ROOT / name, folder)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=The course")
    return folder


@pytest.fixture
def course(published, tmp_path):
    """A learner's clone, in a folder with a space and a letter beyond ASCII, with one's own lessons in it."""
    folder = tmp_path / "mon été" / "course"
    git(tmp_path, "clone", "--quiet", published, folder)
    assert lab(folder, "--version").returncode == 0
    return folder


def solve(path, answer="answered"):
    notebook = notebooks.read(path)
    notebook.cells[5].source = answer
    notebooks.write(notebook, path)
    return path.read_bytes()


def correct(published, text="A corrected sentence."):
    notebook = notebooks.read(published / "notebooks" / LESSON)
    notebook.cells[-1].source = text
    notebooks.write(notebook, published / "notebooks" / LESSON)
    git(published, "commit", "--quiet", "--all", "--message=A correction")


def test_every_start_adds_what_is_missing_and_overwrites_nothing(course):
    mine = course / "my_lessons"
    assert {path.name for path in notebooks.FOLDER.glob("*.ipynb")} == {path.name for path in mine.glob("*.ipynb")}
    answered = solve(mine / LESSON)
    (mine / "09_vision.ipynb").unlink()
    assert lab(course, "--version").returncode == 0
    assert (mine / LESSON).read_bytes() == answered
    assert (mine / "09_vision.ipynb").read_bytes() == (course / "notebooks/09_vision.ipynb").read_bytes()
    assert subprocess.check_output(["git", "status", "--porcelain"], cwd=course) == b""


def test_an_update_names_the_changed_lessons_and_touches_no_copy(course, published, monkeypatch):
    answered = solve(course / "my_lessons" / LESSON)
    assert "No lesson has changed" in lab(course, "update").stdout
    correct(published)
    monkeypatch.setenv("GIT_DIR", str(published / ".git"))  # as inside another repository's hook
    said = lab(course, "update").stdout
    monkeypatch.delenv("GIT_DIR")
    assert said.startswith(f"{LESSON}: changed\n") and "make reset LESSON=05 keeps yours" in said
    assert "A corrected sentence." in (course / "notebooks" / LESSON).read_text(encoding="utf-8")
    assert (course / "my_lessons" / LESSON).read_bytes() == answered


def test_an_update_tells_of_new_versions_and_of_lessons_that_went(course, published):
    with open(published / "requirements.txt", "a") as file:
        file.write("# one more\n")
    git(published, "mv", f"notebooks/{LESSON}", "notebooks/04_another_name.ipynb")
    git(published, "commit", "--quiet", "--all", "--message=Renamed")
    said = lab(course, "update").stdout
    assert f"{LESSON}: no longer in the course" in said and "04_another_name.ipynb: new" in said
    assert "The versions have changed" in said
    assert (course / "my_lessons" / LESSON).exists()


def test_an_update_merges_nothing_whatever_git_is_set_to(course, published, tmp_path, monkeypatch):
    (tmp_path / "gitconfig").write_text(
        "[merge]\nautoStash = true\n[pull]\nrebase = true\n[rebase]\nautoStash = true\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    correct(published)
    notebook = notebooks.read(course / "notebooks" / LESSON)
    notebook.cells[-1].source = "An edit in the same place."
    notebooks.write(notebook, course / "notebooks" / LESSON)
    before = (course / "notebooks" / LESSON).read_bytes()
    assert "nothing was changed here" in lab(course, "update").stderr
    assert (course / "notebooks" / LESSON).read_bytes() == before


def test_a_damaged_start_page_does_not_keep_the_lessons_closed(course):
    for damage in ("", "<<<<<<< HEAD", '{"a": 1}', "[1]", '{"cells": [{}], "nbformat": 4, "nbformat_minor": 5}'):
        (course / "my_lessons/start.ipynb").write_text(damage)
        result = lab(course, "--version")
        assert result.returncode == 0 and "make reset LESSON=start" in result.stdout, result.stderr
        assert (course / "my_lessons/start.ipynb").read_text() == damage


def test_a_file_that_hides_a_library_is_named(course):
    (course / "my_lessons/numpy.py").write_text("")
    (course / "my_lessons/my_own.py").write_text("")
    printed = lab(course, "--version").stdout
    assert "my_lessons/numpy.py hides a library" in printed and "my_own.py" not in printed


def test_an_update_that_git_refuses_says_why_and_changes_nothing(course, published):
    correct(published)
    answered = solve(course / "notebooks" / LESSON)
    result = lab(course, "update")
    assert result.returncode != 0 and "nothing was changed here" in result.stderr and LESSON in result.stderr
    assert (course / "notebooks" / LESSON).read_bytes() == answered
    shutil.rmtree(course / ".git")
    result = lab(course, "update")
    assert "did not come by git clone" in result.stderr and "Traceback" not in result.stderr


def test_a_fresh_lesson_keeps_the_old_one_beside_it(course):
    mine = course / "my_lessons"
    kept = [solve(mine / LESSON, answer) for answer in ("first", "second")][-1:]
    assert lab(course, "reset", "4").returncode == 0
    kept.append(solve(mine / LESSON, "third"))
    assert lab(course, "reset", "04").returncode == 0
    assert (mine / LESSON).read_bytes() == (course / "notebooks" / LESSON).read_bytes()
    assert sorted(path.read_bytes() for path in mine.glob("04_*_kept_*.ipynb")) == sorted(kept)
    page = (mine / "start.ipynb").read_bytes()
    assert lab(course, "reset", "start").returncode == 0
    assert [path.read_bytes() for path in mine.glob("start_kept_*.ipynb")] == [page]
    for number in ("", "77", "*", "0", "1*", "../notebooks/05"):
        result = lab(course, "reset", number)
        assert "Name the lesson by its number" in result.stderr and "Traceback" not in result.stderr


def test_the_start_page_shows_what_is_solved_and_keeps_what_was_written_into_it(course):
    mine = course / "my_lessons"
    code = (
        "from lepton_helpers import check, checks\nright = checks.exercises(4)['4.3']\n"
        "check('4.3', lambda sizes: 0)\ncheck('4.3', right.define(right.solution))\ncheck('4.1', None)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=mine, check=True)
    page = notebooks.read(mine / "start.ipynb")
    page.cells[0].source += "\n\nMy note."
    notebooks.write(page, mine / "start.ipynb")
    lab(course, "--version")
    page = notebooks.read(mine / "start.ipynb")
    assert page.cells[0].source.endswith("My note.")
    assert f"lesson  4: 1 of {len(checks.exercises(4))} solved" in page.cells[1].outputs[0].text
    page.cells[1].source = "6 * 7"
    notebooks.write(page, mine / "start.ipynb")
    lab(course, "--version")
    assert notebooks.read(mine / "start.ipynb").cells[1].source == "6 * 7"


def test_the_record_holds_what_was_judged_and_nothing_can_spoil_an_answer(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(checks, "RECORD", tmp_path / "progress.jsonl")
    right = checks.exercises(4)["4.3"].define(checks.exercises(4)["4.3"].solution)
    checks.check("4.3", right)
    assert checks.solved() == {} and not checks.RECORD.exists(), "outside a learner's copy nothing is written"
    odd = [{"exercise": [1], "verdict": "right", "date": "x"}, {"exercise": "4.1", "verdict": "right", "date": None}]
    checks.RECORD.write_text("\n".join(['not json\n{"exercise": "4.1"}', *map(json.dumps, odd), '{"torn']))
    checks.check("4.3", right)
    checks.check("4.2", None)
    checks.check("4.9", right)
    assert [number for number in checks.solved() if number in checks.exercises(4)] == ["4.3"]
    checks.print_progress()
    total = sum(
        len(checks.exercises(path.stem[-2:])) for path in pathlib.Path(checks.__file__).parent.glob("lesson_*.py")
    )
    assert capsys.readouterr().out.endswith(f"1 of {total} exercises solved\n")
    checks.RECORD.unlink()
    checks.RECORD.mkdir()
    checks.check("4.3", right)
    assert checks.solved() == {}
    assert "Exercise 4.3: right.\n" in capsys.readouterr().out


def test_the_launcher_leaves_out_what_a_user_set_for_another_jupyter(tmp_path, monkeypatch):
    import lab as launcher

    monkeypatch.setenv("HOME", str(tmp_path))
    user = {"HOME": str(tmp_path), "JUPYTER_PATH": "/elsewhere", "JUPYTER_CONFIG_DIR": str(tmp_path), "LANG": "C"}
    settings = launcher.settings(user)
    assert "JUPYTER_PATH" not in settings and settings["LANG"] == "C"
    elsewhere = {name for name, value in settings.items() if str(notebooks.ROOT) in value}
    assert {"IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR"} <= elsewhere
    (tmp_path / "lab/user-settings").mkdir(parents=True)
    assert launcher.settings(user)["JUPYTERLAB_SETTINGS_DIR"] == str(tmp_path / "lab/user-settings")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_write_permission_is_named(course):
    os.chmod(course, 0o500)
    shutil.rmtree(course / "my_lessons")
    assert "Permission denied" in lab(course, "--version").stderr
