"""Compile the lists of exact versions from the ranges in pyproject.toml: `python tools/lock.py [--upgrade]`.

requirements.txt is what a learner needs, requirements-test.txt what the tests need on top of it. Both hold for all supported
Pythons on Linux, macOS and Windows, name no package index, and fork as little as possible, so that numbers come out alike.
Versions stay as they are unless `--upgrade` is given. Nothing is written if a supported Python's pip would refuse a pin.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib

HEADER = "# Compiled by `make lock` from pyproject.toml; do not edit by hand.\n"
LEARNERS, TESTERS = pathlib.Path("requirements.txt"), pathlib.Path("requirements-test.txt")
UV = ".uv/bin/uv"


def supported_pythons():
    """Return the Pythons that pyproject.toml allows, such as ["3.11", "3.12"]."""
    requires = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]["requires-python"]
    first, end = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", requires).groups()
    return [f"3.{minor}" for minor in range(int(first), int(end))]


def compiled(target, *options):
    """Compile ``-e .`` and the groups named in ``options`` into ``target``, and return its pins, each with its comments."""
    command = [
        UV,
        "pip",
        "compile",
        "--universal",
        "--python-version",
        supported_pythons()[0],
        "--fork-strategy",
        "fewest",
    ]
    command += ["--no-header", "--quiet", "--output-file", target, *options, "-"]
    if subprocess.run(command, input="-e .\n", text=True).returncode:
        raise SystemExit("The versions could not be compiled; nothing was written. uv says why above.")
    return re.findall(r"^[\w.-]+==.*\n(?: +#.*\n)*", target.read_text(), re.M)


def check_pythons(pins, folder):
    """Stop unless pip accepts every pin for every supported Python: uv ignores the upper end of a Requires-Python.

    Raises:
        SystemExit: pip refuses one; the message holds its own words, which name the pin.
    """
    (folder / "pins.txt").write_text("".join(pins))
    subprocess.run([sys.executable, "-m", "venv", folder / "pip"], check=True)
    for python in supported_pythons():
        command = [
            folder / "pip/bin/python",
            "-m",
            "pip",
            "install",
            "--dry-run",
            "--ignore-installed",
            "--no-deps",
            "--quiet",
        ]
        command += ["--python-version", python, "--target", folder, "--requirement", folder / "pins.txt"]
        answer = subprocess.run(command, capture_output=True, text=True)
        if answer.returncode:
            raise SystemExit(
                f"{answer.stderr}\npip refuses a pin for Python {python}, as it says above; nothing was written. "
                "Hold the package back under [tool.uv] constraint-dependencies in pyproject.toml, then run make lock again."
            )


def main(*options):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        every, some = folder / "every.txt", folder / "some.txt"
        # uv keeps the versions it finds in its output file
        every.write_text(
            "".join(path.read_text() for path in (LEARNERS, TESTERS) if path.exists()).replace("-r ", "# ")
        )
        everything = compiled(every, "--group", "pyproject.toml:lab", "--group", "pyproject.toml:test", *options)
        shutil.copy(every, some)
        learners = compiled(some, "--group", "pyproject.toml:lab")
        check_pythons(everything, folder)
    versions = {pin.splitlines()[0] for pin in learners}
    testers = [pin for pin in everything if pin.splitlines()[0] not in versions]
    LEARNERS.write_text(HEADER + "".join(learners) + "-e .\n")
    TESTERS.write_text(HEADER + "-r requirements.txt\n" + "".join(testers))


if __name__ == "__main__":
    main(*sys.argv[1:])
