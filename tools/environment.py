"""Create or update the course's environment, or do nothing if nothing changed: `python3 tools/environment.py`.

It runs on any Python, old ones included, so that an unsupported one is answered by a sentence and not by a
traceback; it uses the standard library only. The environment is in `.venv`; uv is the one on the PATH or else
a pinned one, installed by pip into `.uv`.
"""

import hashlib
import os
import re
import subprocess
import sys

UV = "uv==0.13.9"
NO_SPACE = "The disk is full: the environment needs about 3 GB. Free some space, then run make again."
NO_NETWORK = "The Python package index cannot be reached. Check the network connection (or proxy), then run make again."
NO_VENV = (
    "This Python has no venv module. Install it (on Debian and Ubuntu: the package python3-venv), then run make again."
)
SYMPTOMS = [
    ("No space left on device", NO_SPACE),
    ("Disk quota exceeded", NO_SPACE),
    ("ensurepip is not available", NO_VENV),
    ("No module named venv", NO_VENV),
    ("rror sending request", NO_NETWORK),
    ("dns error", NO_NETWORK),
    ("ConnectionError", NO_NETWORK),
    ("ConnectTimeout", NO_NETWORK),
    ("Connection refused", NO_NETWORK),
]


def main():
    check_python()
    done = os.path.join(".venv", "installed.sha256")
    if os.path.exists(done) and read(done) == wanted():
        return
    uv = find_uv()
    print("Installing the course's environment (about 3 GB, once) ...")
    sys.stdout.flush()
    if not os.path.exists(os.path.join(".venv", "bin", "python")):
        run([uv, "venv", "--clear", "--python", sys.executable, ".venv"])
    # Compiled here and in parallel, because the first import of TensorFlow would take 20 s otherwise.
    run([uv, "pip", "install", "--compile-bytecode", "--python", ".venv", "--requirements", "requirements.txt"])
    run([uv, "pip", "install", "--no-deps", "--python", ".venv", "--group", "texts"])
    with open(done, "w") as file:
        file.write(wanted())


def check_python():
    """Stop unless this Python is one that `pyproject.toml` allows."""
    first, end = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', read("pyproject.toml")).groups()
    if sys.version_info[0] != 3 or not int(first) <= sys.version_info[1] < int(end):
        stop(
            "The course needs Python 3.%s to 3.%d, but %s is Python %d.%d. Install one of these, then run, for example: "
            "make lab PYTHON=python3.%s"
            % (first, int(end) - 1, sys.executable, sys.version_info[0], sys.version_info[1], first)
        )


def wanted():
    """Return a digest of what decides the environment's content: the Python, the pins, the project's metadata."""
    return hashlib.sha256((sys.version + read("requirements.txt") + read("pyproject.toml")).encode()).hexdigest()


def find_uv():
    """Return the command of the uv on the PATH; without one, install the pinned one into a private folder."""
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if os.access(os.path.join(folder, "uv"), os.X_OK):
            return os.path.join(folder, "uv")
    private = os.path.join(".uv", "bin", "uv")
    if not os.path.exists(private):
        run([sys.executable, "-m", "venv", "--clear", ".uv"])
        run([os.path.join(".uv", "bin", "python"), "-m", "pip", "install", UV])
    return private


def run(command):
    """Run a command quietly; if it fails, stop with one sentence that says why."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = process.communicate()[0].decode("utf-8", "replace")
    if process.returncode:
        for symptom, sentence in SYMPTOMS:
            if symptom in output:
                stop(sentence)
        stop(
            output + "\nThe environment could not be created: the lines above, from `%s`, say why." % " ".join(command)
        )


def read(path):
    with open(path, "rb") as file:
        return file.read().decode("utf-8")


def stop(sentence):
    sys.exit(sentence)


if __name__ == "__main__":
    os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    try:
        main()
    except KeyboardInterrupt:
        stop("Interrupted; run make again to finish the environment.")
    except (IOError, OSError) as error:
        stop(NO_SPACE if error.errno in (28, 122) else "The environment could not be created: %s" % error)
