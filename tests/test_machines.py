"""The table of machines: a number that hangs on the machine makes its own row red, and no other."""

import platform
import shutil
import subprocess
import sys

import machines
import pytest

import notebooks

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
STABLE = "print(sum(range(10)))"
# The last bits of a matrix product, doubled and doubled again, become first digits.
CHAOTIC = """import numpy as np
rng = np.random.default_rng(0)
x = (rng.normal(size=(200, 200)) @ rng.normal(size=(200, 200))) % 1
for step in range(500):
    x = 3.9 * x * (1 - x)
print(x.mean())"""


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of two lessons with this course's tests; the second prints the last digit of a chaotic run."""
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(notebooks.ROOT / name, tmp_path)
    for name in ("tools", "tests", "lepton_helpers"):
        (tmp_path / name).symlink_to(notebooks.ROOT / name)
    (tmp_path / "notebooks").mkdir()
    for name, sources in {"01_stable": [STABLE, STABLE], "02_chaotic": [STABLE, CHAOTIC]}.items():
        cells = [notebooks.nbformat.v4.new_code_cell(source, execution_count=1) for source in sources]
        for cell in cells:
            printed = subprocess.check_output([sys.executable, "-c", cell.source], text=True)
            cell.outputs = [notebooks.nbformat.v4.new_output("stream", text=printed)]
        notebooks.write(notebooks.nbformat.v4.new_notebook(cells=cells), tmp_path / "notebooks" / f"{name}.ipynb")
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path / "notebooks")
    monkeypatch.setattr(machines, "FOLDER", tmp_path / ".machines")
    monkeypatch.setattr(machines, "TABLE", tmp_path / "machines.md")
    monkeypatch.setattr(machines, "python_leg", lambda version: sys.executable)
    monkeypatch.setattr(machines, "newest_python", lambda: HERE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="whether other kernels differ is known on x86"
)
def test_a_chaotic_number_makes_exactly_its_row_red(course, capsys):
    assert machines.main(f"python{HERE}") is False
    assert machines.main("other-kernels", "two-threads") is True
    shown = capsys.readouterr().out
    assert "other-kernels: 02_chaotic.ipynb: Cell 1\n" in shown and "two-threads: 02_chaotic.ipynb: Cell 1\n" in shown
    assert machines.stored_rows() == {
        f"python{HERE}": {"01": "passed", "02": "passed"},
        "other-kernels": {"01": "passed", "02": "Cell 1"},
        "two-threads": {"01": "passed", "02": "Cell 1"},
    }


def test_a_lesson_alone_leaves_what_the_table_says_of_the_others(course, capsys):
    machines.main(f"python{HERE}")
    path = course / "notebooks" / "01_stable.ipynb"
    notebook = notebooks.read(path)
    notebook.cells[0].outputs[0].text = "46\n"
    notebooks.write(notebook, path)
    assert machines.main(f"python{HERE}", "01") is True
    assert machines.stored_rows() == {f"python{HERE}": {"01": "Cell 0", "02": "passed"}}
    before = machines.TABLE.read_text()
    with pytest.raises(SystemExit, match="There is no leg or lesson 03, python9; legs are"):
        machines.main("python9", "03")
    assert machines.TABLE.read_text() == before
