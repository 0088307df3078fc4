"""Compile requirements.txt, the one list of exact versions, from the ranges in pyproject.toml: `python tools/lock.py`.

It holds for Python 3.11 to 3.13 on Linux, macOS and Windows, names no package index, and ends in `-e .`, so that
`pip install -r requirements.txt` is a complete installation. Versions stay as they are unless `--upgrade` is given.
"""

import pathlib
import shutil
import subprocess
import sys

TARGET = pathlib.Path("requirements.txt")
HEADER = "# Compiled by `make lock` from pyproject.toml; do not edit by hand.\n"


def main(*options):
    uv = shutil.which("uv") or ".uv/bin/uv"
    command = [uv, "pip", "compile", "--universal", "--python-version", "3.11", "--group", "pyproject.toml:test"]
    command += ["--no-header", "--quiet", "--output-file", f"{TARGET}.partial", *options, "-"]
    partial = pathlib.Path(f"{TARGET}.partial")
    shutil.copy(TARGET, partial)  # uv keeps the versions it finds in its output file
    try:
        subprocess.run(command, input="-e .\n", text=True, check=True)
        pins = [line for line in partial.read_text().splitlines() if not line.startswith(("-e", "#"))]
        TARGET.write_text(HEADER + "\n".join([*pins, "-e ."]) + "\n")
    except subprocess.CalledProcessError:
        raise SystemExit(
            "The versions could not be compiled; requirements.txt is as it was. uv says why above."
        ) from None
    finally:
        partial.unlink()


if __name__ == "__main__":
    main(*sys.argv[1:])
