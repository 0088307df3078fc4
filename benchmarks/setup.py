"""Setting the course up from nothing: `make environment` (uv) against `pip install -r requirements.txt`.

Both start from a clone without an environment and with empty caches, on the same network, one after the other. uv also
compiles all bytecode (as does pip by itself), so both leave an environment that starts at full speed.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def seconds(commands, folder, environment):
    start = time.perf_counter()
    for command in commands:
        subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main():
    python = os.path.realpath(sys.executable)
    measured = {}
    for name, commands in {
        "make environment": [["make", "environment", f"PYTHON={python}"]],
        "pip install": [
            [python, "-m", "venv", ".venv"],
            [".venv/bin/pip", "install", "--quiet", "--no-cache-dir", "-r", "requirements.txt"],
        ],
    }.items():
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
            uv_free = [part for part in os.environ["PATH"].split(os.pathsep) if not shutil.which("uv", path=part)]
            environment = {**os.environ, "UV_CACHE_DIR": f"{folder}/cache", "PATH": os.pathsep.join(uv_free)}
            measured[name] = seconds(commands, folder, environment)
        print(f"{name:17s} {measured[name]:6.1f} s", flush=True)
    print(f"pip takes {measured['pip install'] / measured['make environment']:.1f} times as long")


if __name__ == "__main__":
    main()
