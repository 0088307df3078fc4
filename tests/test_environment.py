"""tools/environment.py: one clear sentence when it cannot work, and nothing done when nothing changed."""

import os
import pathlib
import shutil
import subprocess
import sys

import environment
import pytest

import notebooks

FILES = ("tools/environment.py", "pyproject.toml", "requirements.txt", "Makefile")


@pytest.fixture
def course(tmp_path):
    """A copy of what make needs, with a uv that only writes down how it was called."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(notebooks.ROOT / name, tmp_path / name)
    fake(tmp_path, 'echo "$@" >> calls.txt; mkdir -p .venv/bin; touch .venv/bin/python')
    return tmp_path


def fake(folder, script):
    (folder / "bin").mkdir(exist_ok=True)
    uv = folder / "bin" / "uv"
    uv.write_text(f"#!/bin/sh\n{script}\n")
    uv.chmod(0o755)


def run(folder, python=sys.executable):
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["make", "--no-print-directory", "environment", f"PYTHON={python}"],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )


def test_the_second_start_installs_nothing(course):
    assert run(course).returncode == 0
    calls = (course / "calls.txt").read_text().splitlines()
    assert [call.split()[0] for call in calls] == ["venv", "pip", "pip"]
    assert run(course).stdout == ""
    assert (course / "calls.txt").read_text().splitlines() == calls
    with open(course / "requirements.txt", "a") as file:
        file.write("six==1.17.0\n")
    run(course)
    assert len((course / "calls.txt").read_text().splitlines()) == len(calls) + 2


@pytest.mark.parametrize(
    "output, sentence",
    [
        ("error: Failed to fetch\\n  Caused by: error sending request for url\\n  dns error", environment.NO_NETWORK),
        ("error: failed to write\\n  Caused by: No space left on device (os error 28)", environment.NO_SPACE),
        ("Error: Command ... ensurepip is not available", environment.NO_VENV),
    ],
)
def test_a_failed_installation_is_explained_in_one_sentence(course, output, sentence):
    fake(course, f"mkdir -p .venv/bin; touch .venv/bin/python; printf '{output}' >&2; exit 2")
    result = run(course)
    assert result.returncode != 0
    assert result.stderr.splitlines()[0] == sentence
    assert "Traceback" not in result.stderr
    fake(course, "true")
    assert run(course).returncode == 0, "after the repair, make must go on where it stopped"


def test_an_unsupported_python_is_named(course):
    (course / "pyproject.toml").write_text(
        (course / "pyproject.toml").read_text().replace(">=3.11,<3.14", ">=3.97,<3.99")
    )
    result = run(course)
    assert result.returncode != 0
    assert result.stderr.startswith("The course needs Python 3.97 to 3.98, but ")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("version", ["2.7.18", "3.6.15", "3.10.13"])
def test_old_pythons_understand_the_script(course, version):
    python = pathlib.Path.home() / ".pyenv/versions" / version / "bin/python"
    if not python.exists():
        pytest.skip(f"there is no Python {version} here")
    result = run(course, python)
    assert result.stderr.startswith("The course needs Python 3.11 to 3.13, but ")


def test_a_missing_python_is_named(course):
    assert run(course, "python-that-is-not-there").stderr.startswith("There is no python-that-is-not-there here")
