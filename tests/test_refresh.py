"""Refreshing stores what a fresh run prints, or nothing; and a lesson that did not change is left as it is."""

import os
import shutil
import subprocess
import sys

import pytest
import refresh
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import notebooks
from lepton_helpers import checks


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    """A two-cell lesson in a folder of its own, refreshed once."""
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path)
    path = tmp_path / "97_small.ipynb"
    cells = [
        new_code_cell("x = 20 + 1\nprint(2 * x)"),
        new_code_cell("import time\nprint(time.time())", metadata={"tags": ["nbval-ignore-output"], "why": "the time"}),
    ]
    notebooks.write(new_notebook(cells=cells), path)
    assert refresh.main("97") is False
    return path


def test_outputs_are_those_of_a_fresh_run(lesson):
    notebook = notebooks.read(lesson)
    assert notebook.cells[0].outputs[0].text == "42\n"
    assert [cell.execution_count for cell in notebook.cells] == [1, 2]
    assert notebook.cells[0].metadata == {}


def test_an_unchanged_lesson_keeps_its_bytes_although_ignored_outputs_differ(lesson, capsys):
    before = lesson.read_bytes()
    assert refresh.main("97") is False
    assert lesson.read_bytes() == before
    assert "unchanged" in capsys.readouterr().out


def test_a_changed_cell_is_refreshed(lesson):
    notebook = notebooks.read(lesson)
    notebook.cells[0].source = notebook.cells[0].source.replace("20", "30")
    notebooks.write(notebook, lesson)
    refresh.main("97")
    assert notebooks.read(lesson).cells[0].outputs[0].text == "62\n"


def test_players_are_not_stored(lesson):
    notebook = notebooks.read(lesson)
    player = "from IPython.display import Audio, display\nprint('before')\ndisplay(Audio([0.0, 0.5], rate=8000))\nAudio([0.0, 0.5], rate=8000)"
    notebook.cells.append(new_code_cell(player, metadata={"tags": ["nbval-ignore-output"], "why": "sound is large"}))
    notebooks.write(notebook, lesson)
    refresh.main("97")
    assert [output.output_type for output in notebooks.read(lesson).cells[-1].outputs] == ["stream"]


@pytest.mark.parametrize("fault", ["1 / 0", "import os\nos._exit(1)"])
def test_a_lesson_that_fails_is_not_written(lesson, capsys, fault):
    shutil.copy(lesson, lesson.with_name("98_faulty.ipynb"))
    faulty = lesson.with_name("98_faulty.ipynb")
    notebook = notebooks.read(faulty)
    notebook.cells.append(new_code_cell(fault))
    notebooks.write(notebook, faulty)
    before = faulty.read_bytes()
    assert refresh.main("98") is True
    assert faulty.read_bytes() == before
    assert "not written, because a cell failed" in capsys.readouterr().out
    assert not list(lesson.parent.glob("*.partial"))


def test_writing_leaves_no_half_file(lesson, monkeypatch):
    before = lesson.read_bytes()
    monkeypatch.setattr(notebooks.os, "replace", lambda *names: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        notebooks.write(new_notebook(), lesson)
    assert lesson.read_bytes() == before


def test_a_lesson_that_does_not_exist_is_named(lesson):
    with pytest.raises(SystemExit, match="No lesson in .* starts with '55'"):
        refresh.main("55")


def test_exercises_are_written_from_their_one_place(lesson):
    stub, folded = checks.exercise_cells("4.3")
    notebook = notebooks.read(lesson)
    notebook.cells += [new_markdown_cell("### Exercise 4.3\n\nTask."), new_code_cell("old"), new_markdown_cell("old")]
    refresh.renew_exercises(notebook)
    assert [cell.source for cell in notebook.cells[-2:]] == [stub, folded]


def test_a_new_lesson_starts_out_passing_the_gate(tmp_path):
    for name in ("tools", "lepton_helpers"):
        shutil.copytree(notebooks.ROOT / name, tmp_path / name)
    shutil.copy(notebooks.ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "notebooks").mkdir()

    def run(*command):
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        return subprocess.run(
            [sys.executable, *command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    assert "Give the lesson's two-digit number" in run("tools/new_lesson.py", "8").stderr
    assert run("tools/new_lesson.py", "96", "Square a number").returncode == 0
    assert run("tools/refresh.py").stdout == "96_square_a_number.ipynb: written\n"
    assert run("tools/gate.py").stdout == "The gate finds nothing.\n"
    assert "There is a lesson 96 already" in run("tools/new_lesson.py", "96", "Another").stderr
