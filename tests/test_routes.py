"""Every route that the README names, walked as its user walks it: from its own lines, in an empty environment, to a lesson that runs.

It takes minutes and the network, so `make test` leaves it out: `make routes` runs it, and CI does.
"""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request

import lock
import machines
import pytest

import notebooks

pytestmark = pytest.mark.routes
ROOT = notebooks.ROOT
LESSON = "01_concepts.ipynb"
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL_ENV", "PYTHON", "JUPYTER"))}
WHEELS = ["x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin", "x86_64-pc-windows-msvc"]


def python(version):
    """Return a Python of this version, or skip the test."""
    try:
        return machines.find_python(version)
    except machines.Missing as reason:
        pytest.skip(str(reason))


def environment(version, folder):
    """Make an empty environment in ``folder`` with that Python's own pip, and return its folder of commands."""
    subprocess.run([python(version), "-m", "venv", folder], check=True)
    return folder / "bin"


@pytest.fixture
def course(tmp_path):
    """The course's files as git would hand them out, in a folder with a space and a letter beyond ASCII."""
    if not (ROOT / ".git").exists():
        pytest.skip("this copy of the course did not come by git")
    folder = tmp_path / "mon été" / "lepton-course"
    names = subprocess.check_output(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT)
    for name in filter(None, names.decode().split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.mark.parametrize("version", lock.supported_pythons())
def test_pip_accepts_every_pin(version, tmp_path):
    command = [environment(version, tmp_path / "empty") / "python", "-m", "pip", "install", "--dry-run", "--quiet"]
    result = subprocess.run(
        [*command, "-r", "requirements-test.txt"], cwd=ROOT, capture_output=True, text=True, env=CLEAN
    )
    assert result.returncode == 0, result.stderr[-2000:]


@pytest.mark.parametrize("version", lock.supported_pythons())
@pytest.mark.parametrize("platform", WHEELS)
def test_every_pin_has_a_wheel_for_every_system(platform, version, tmp_path):
    pins = re.sub(r"^-.*$", "", (ROOT / "requirements.txt").read_text(), flags=re.M)
    command = [ROOT / lock.UV, "pip", "install", "--dry-run", "--no-deps", "--only-binary=:all:", "--target", tmp_path]
    command += ["--python-platform", platform, "--python-version", version, "--requirements", "-"]
    result = subprocess.run(command, input=pins, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_a_pin_that_a_supported_python_refuses_is_not_written(tmp_path):
    lock.check_pythons(["six==1.17.0\n"], tmp_path)
    with pytest.raises(SystemExit, match=r"(?s)backports-strenum==1.3.1.*pip refuses a pin for Python 3.11"):
        lock.check_pythons(["six==1.17.0\n", "backports-strenum==1.3.1\n"], tmp_path)


def readme_lines(title):
    """Return the commands of the README's block that starts with the comment ``title``."""
    block = re.search(
        rf"^```\w+\n(?:#|::) {re.escape(title)}\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S
    )[1]
    return block.splitlines()


def run_lesson(python, folder):
    """Run a lesson with that Python's own JupyterLab, and compare what it prints with what is stored."""
    command = [python, "-m", "jupyter", "execute", LESSON, f"--output={LESSON.replace('.', '_run.')}"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=CLEAN)
    assert result.returncode == 0, result.stderr[-2000:]
    stored, fresh = (notebooks.read(folder / name) for name in (LESSON, LESSON.replace(".", "_run.")))
    for before, after in zip(stored.cells, fresh.cells, strict=True):
        if before.cell_type == "code" and not before.metadata.get("tags"):
            printed = [
                "".join(
                    output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stdout"
                )
                for cell in (before, after)
            ]
            assert printed[0] == printed[1]


def test_the_lines_for_pip_lead_to_a_lesson_that_runs(course):
    *install, launch = readme_lines("pip, on Linux and macOS")
    for line in install:
        result = subprocess.run(line, shell=True, cwd=course, capture_output=True, text=True, env=CLEAN)
        assert result.returncode == 0, f"{line}\n{result.stderr[-2000:]}"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    flags = f" --no-browser --port={port} --ServerApp.port_retries=0 --IdentityProvider.token=only-for-this-test"
    server = subprocess.Popen(
        launch + flags, shell=True, cwd=course, env=CLEAN, start_new_session=True, stderr=subprocess.DEVNULL
    )
    try:
        address = f"http://127.0.0.1:{port}/api/contents?token=only-for-this-test"
        for _ in range(120):
            with contextlib.suppress(OSError):
                files = json.load(urllib.request.urlopen(address, timeout=5))["content"]
                break
            assert server.poll() is None
            time.sleep(0.5)
        assert {LESSON, "start.ipynb"} <= {file["name"] for file in files}
    finally:
        os.killpg(server.pid, 15)
        server.wait(30)
    run_lesson(course / ".venv/bin/python", course / "my_lessons")


def test_what_binder_runs_leads_to_a_lesson_that_runs(course, tmp_path):
    text = (course / "environment.yml").read_text()
    binder = environment(re.search(r"python=(3\.\d+)", text)[1], tmp_path / "binder")
    variables = {**CLEAN, "PATH": f"{binder}{os.pathsep}{CLEAN['PATH']}"}
    for command in (f"pip install --quiet {re.search(r'-r .*', text)[0]}", "./postBuild"):
        result = subprocess.run(command, shell=True, cwd=course, env=variables, capture_output=True, text=True)
        assert result.returncode == 0, f"{command}\n{result.stderr[-2000:]}"
    run_lesson(binder / "python", course / "notebooks")


def test_the_lines_for_other_systems_are_those_for_pip():
    linux = [
        line.replace("python3 -m", "PYTHON -m").replace(".venv/bin/", "")
        for line in readme_lines("pip, on Linux and macOS")
    ]
    windows = [
        line.replace("py -3.12 -m", "PYTHON -m").replace(".venv\\Scripts\\", "").replace("\\", "/")
        for line in readme_lines("pip, on Windows")
    ]
    assert windows == linux
    assert readme_lines("conda")[-2:] == linux[-2:]
