"""Refreshing stores what a fresh run prints, or nothing; and a lesson that did not change is left as it is."""

import dataclasses
import json
import os
import re
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
    notebook.cells += exercise("", "<details>old</details>")
    refresh.renew_exercises(notebook)
    assert [cell.source for cell in notebook.cells[-2:]] == [stub, folded]


def exercise(stub, folded):
    """The cells of an exercise, after the set-up they need."""
    return [
        new_code_cell("from lepton_helpers import check"),
        new_markdown_cell("### Exercise 4.3\n\nTask."),
        new_code_cell(stub),
        new_markdown_cell(folded),
    ]


def with_exercise(lesson):
    """Add exercise 4.3 to the lesson and refresh it, as its author does; return its cells."""
    notebook = notebooks.read(lesson)
    notebook.cells += exercise(*checks.exercise_cells("4.3"))
    notebooks.write(notebook, lesson)
    assert refresh.main("97") is False
    return notebooks.read(lesson)


@pytest.mark.parametrize("place", [-1, -2])
@pytest.mark.parametrize("kind", [new_code_cell, new_markdown_cell])
def test_an_answer_is_never_overwritten(lesson, capsys, kind, place):
    """Neither typed over the stub, nor in a cell of its own before or after it."""
    notebook = with_exercise(lesson)
    notebook.cells.insert(len(notebook.cells) + place, kind("mine = 42"))
    notebooks.write(notebook, lesson)
    before = lesson.read_bytes()
    assert refresh.main("97") is True
    assert lesson.read_bytes() == before
    said = capsys.readouterr().out
    assert re.search(r"left as it is: cell \d .* exercise 4\.3.*\.$", said, re.M) and "Traceback" not in said


def test_a_solved_stub_stays_solved_and_is_renewed_once_it_is_emptied(lesson, capsys):
    notebook = with_exercise(lesson)
    notebook.cells[-2].source = checks.exercises(4)["4.3"].solution
    notebooks.write(notebook, lesson)
    assert refresh.main("97") is True
    assert notebooks.read(lesson).cells[-2].source == checks.exercises(4)["4.3"].solution
    assert "exercise 4.3's stub; copy it" in capsys.readouterr().out
    notebook.cells[-2].source = ""
    notebooks.write(notebook, lesson)
    assert refresh.main("97") is False
    assert notebooks.read(lesson).cells[-2].source == checks.exercise_cells("4.3")[0]


def test_an_author_words_a_stub_anew_as_often_as_needed(lesson, monkeypatch):
    with_exercise(lesson)
    known = checks.exercises(4)["4.3"]
    for wording in ("    # Count.\n    ...", "    # Count them all.\n    ..."):
        worded = dataclasses.replace(known, stub=known.stub.replace("    ...", wording))
        monkeypatch.setitem(checks.exercises(4), "4.3", worded)
        assert refresh.main("97") is False
        assert notebooks.read(lesson).cells[-2].source == checks.exercise_cells("4.3")[0]


def test_what_is_changed_while_a_lesson_runs_is_kept(lesson, capsys, monkeypatch):
    changed = lesson.read_text().replace("20 + 1", "20 + 2")

    def run(path, run=refresh.run):
        fresh = run(path)
        path.write_text(changed)
        return fresh

    monkeypatch.setattr(refresh, "run", run)
    assert refresh.main("97") is True
    assert lesson.read_text() == changed
    assert "changed while it was run" in capsys.readouterr().out


def test_what_other_programs_add_is_removed(lesson):
    sound = notebooks.read(lesson)
    notebook = json.loads(lesson.read_bytes())
    notebook["metadata"] |= {"colab": {"provenance": []}, "accelerator": "GPU", "vscode": {}, "widgets": {}}
    for cell in notebook["cells"]:
        cell["metadata"] |= {
            "id": "x",
            "outputId": "y",
            "execution": {"iopub.status.idle": "2026"},
            "vscode": {"languageId": "r"},
        }
    notebook["cells"].append(
        {"cell_type": "code", "id": "z", "metadata": {}, "source": [], "outputs": [], "execution_count": None}
    )
    lesson.write_text(json.dumps(notebook))
    assert refresh.main("97") is False
    renewed = notebooks.read(lesson)
    assert (refresh.compared(renewed), renewed.metadata) == (refresh.compared(sound), notebooks.METADATA)


def test_an_older_format_is_renewed(lesson):
    notebook = json.loads(lesson.read_bytes())
    notebook["nbformat_minor"] = 0
    for cell in notebook["cells"]:
        del cell["id"]
    lesson.write_text(json.dumps(notebook))
    assert refresh.main("97") is False
    renewed = notebooks.read(lesson)
    assert (renewed.nbformat_minor, renewed.cells[0].outputs[0].text) == (5, "42\n")
    assert notebooks.normal_form(renewed).encode() == lesson.read_bytes()


@pytest.mark.parametrize("change", [lambda text: text.replace("\n", "\r\n"), lambda text: json.dumps(json.loads(text))])
def test_another_layout_of_the_same_lesson_is_stored_as_jupyterlab_writes_it(lesson, change):
    sound = lesson.read_bytes()
    lesson.write_bytes(change(sound.decode()).encode())
    assert refresh.main("97") is False
    assert lesson.read_bytes() == sound


def test_every_image_gets_the_sentence_under_it(lesson):
    notebook = notebooks.read(lesson)
    picture = "import matplotlib.pyplot as plt\nplt.plot([0, 1])\nplt.show()\nplt.plot([1, 0])\nplt.show()"
    notebook.cells += [new_code_cell(picture, metadata={"tags": ["nbval-ignore-output"], "why": "seconds"})]
    notebook.cells += [
        new_markdown_cell(
            r"*Figure: the **rate** `f(x)` for $\alpha = \frac{1}{2}$ and [a](b.ipynb).*" "\n\nMore *text*."
        )
    ]
    notebooks.write(notebook, lesson)
    assert refresh.main("97") is False
    images = [output for output in notebooks.read(lesson).cells[-2].outputs if "image/png" in output.data]
    described = {"image/png": {"alt": "the rate f(x) for α = 1/2 and a."}}
    assert [image.metadata for image in images] == [described, described]
    notebook = notebooks.read(lesson)
    notebook.cells[-1].source = "*Figure: another sentence.*"
    notebooks.write(notebook, lesson)
    assert refresh.main("97") is False
    assert notebooks.read(lesson).cells[-2].outputs[-1].metadata["image/png"]["alt"] == "another sentence."


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
