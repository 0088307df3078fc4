"""Create or update the course's environment, or do nothing if nothing changed: `python3 tools/environment.py`.

It runs on any Python, old ones included, so that an unsupported one is answered by a sentence and not by a
traceback; it uses the standard library only. The environment is in `.venv`, the uv that fills it, of one exact
version, in `.uv`. Of what a user has set for pip and uv, only the way to the packages counts: index, proxy, certificates.
"""

import ast
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys

UV = "0.13.9"
BIN = "Scripts" if os.name == "nt" else "bin"
STAMP = os.path.join(".venv", "installed.txt")
PACKAGES = os.path.join(".venv", "Lib" if os.name == "nt" else os.path.join("lib", "python*"), "site-packages")
NO_SPACE = "The disk is full: the environment needs about 3 GB. Free some space, then run make again."
NO_NETWORK = "The Python package index cannot be reached. Check the network connection (or proxy), then run make again."
NO_PROXY_PASSWORD = (
    "The proxy wants a name and a password (407). Give them in its address, as in: "
    "HTTPS_PROXY=http://NAME:PASSWORD@proxy.example:8080 make lab"
)
NO_TUNNEL = (
    "The proxy does not connect to the package index. Ask who runs it, or name an index that it allows, as in: "
    "PIP_INDEX_URL=https://index.example/simple make lab"
)
NO_ENTRY = (
    "The package index refuses you (401 or 403). Check its address, and give name and password in it, as in: "
    "PIP_INDEX_URL=https://NAME:PASSWORD@index.example/simple make lab"
)
NO_SERVICE = (
    "The package index is out of order for now. Run make again later, or name another index, as in: "
    "PIP_INDEX_URL=https://index.example/simple make lab"
)
NO_INDEX = (
    "What answers as the package index is none, or is an old copy without the course's packages. If a sign-in page stands "
    "before the network, sign in; else check the index's address (PIP_INDEX_URL, or index-url in pip's settings), then run "
    "make again."
)
NO_VENV = (
    "This Python has no venv module. Install it (on Debian and Ubuntu: the package python3-venv), then run make again."
)
NO_TRUST = (
    "The package index's certificate is not trusted here. If a company's proxy stands between, name the file with its "
    "certificate, as in: SSL_CERT_FILE=/path/to/certificate.pem make lab"
)
# How pip and uv name the status of an answer.
STATUS = r"(?:HTTP status \w+ error \(|credentials \(|returned a |HTTP error |too many |http\S+: )%s\b"
# What their output holds, as regular expressions; the first that is found counts.
SYMPTOMS = [
    ("No space left on device|Disk quota exceeded", NO_SPACE),
    ("ensurepip is not available|No module named (venv|ensurepip)", NO_VENV),
    ("CERTIFICATE_VERIFY_FAILED|invalid peer certificate", NO_TRUST),
    ("Tunnel connection failed: 407|proxy authorization required|" + STATUS % "407", NO_PROXY_PASSWORD),
    ("Tunnel connection failed|tunnel error", NO_TUNNEL),
    (STATUS % "40[13]", NO_ENTRY),
    (STATUS % r"(?:429|5\d\d)", NO_SERVICE),
    (
        "rror sending request|dns error|ConnectionError|Connect(ion)?Timeout|ReadTimeout|Connection (refused|aborted)",
        NO_NETWORK,
    ),
    ("No matching distribution found|not found in the package registry|there (is|are) no versions? of", NO_INDEX),
    (
        "Missing `Content-Type`|without destination URL|invalid package format|Wheel .* is invalid|DO NOT MATCH|"
        + STATUS % "404",
        NO_INDEX,
    ),
]
# How to reach the packages: what uv calls the settings that pip has under these names.
REACH = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
    "timeout": "UV_HTTP_TIMEOUT",
    "retries": "UV_HTTP_RETRIES",
}
# What a user may have set for uv and keeps; all its other variables would change what is installed, or where.
KEPT = set(REACH.values()) | {
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_INDEX_STRATEGY",
    "UV_CACHE_DIR",
    "UV_LINK_MODE",
    "UV_OFFLINE",
    "UV_CONCURRENT_DOWNLOADS",
}


def main():
    """Bring `.venv` to the state that the lists of versions name, for this Python and this folder."""
    chosen = "--chosen" in sys.argv[1:]  # a Python named by PYTHON=... replaces another one; the default does not
    here = os.getcwd()
    stamp = read_stamp()
    if whole(stamp) and not chosen and supported(stamp[0]):
        wanted = [stamp[0], here, digest()]
    else:
        find_python(chosen)
        wanted = [sys.version.replace("\n", " "), here, digest()]
    if stamp == wanted and whole(stamp):
        return
    held = lock()  # until this process and the uv that it starts have ended
    stamp = read_stamp()
    if stamp == wanted and whole(stamp):
        return
    print("Installing the course's environment (about 3 GB, once) ...")
    sys.stdout.flush()
    uv = find_uv()
    settings = uv_settings()
    if stamp[:2] != wanted[:2] or not whole(stamp):
        # A moved or copied environment would run the other folder's code, one of another Python is another one.
        make_room(stamp)
        os.mkdir(
            ".venv"
        )  # with the stamp in it first: whatever stops this, the next make knows that the folder is its own
        write_stamp(wanted[:2] + ["unfinished"])
        python = getattr(sys, "_base_executable", sys.executable)  # this one may stand in the environment that goes
        run([uv, "venv", "--seed", "--allow-existing", "--no-project", "--python", python, ".venv"], settings)
    write_stamp(wanted[:2] + ["unfinished"])
    # Compiled here and in parallel, because the first import of TensorFlow would take 20 s otherwise.
    install = [uv, "pip", "install", "--python", python_of(".venv")]
    run(install + ["--compile-bytecode", "--requirements", "requirements-test.txt"], settings)
    run(install + ["--no-deps", "--group", "texts"], settings)
    for path in glob.glob(os.path.join(PACKAGES, "*lepton_helpers*.pth")):
        # A relative path is read alike under every locale, whatever letters the folder has. Not written in place: uv shares
        # the file with its cache, and so with other environments.
        os.remove(path)
        with open(path, "w") as file:
            file.write(os.path.relpath(here, os.path.dirname(path)) + "\n")
    run([python_of(".venv"), "-c", "import jupyterlab, nbformat, lepton_helpers"], settings)
    write_stamp(wanted)
    del held


def read_stamp():
    """Return for which Python, folder and versions the environment was made."""
    try:
        return read(STAMP).splitlines()
    except (IOError, OSError, UnicodeDecodeError):
        return []


def write_stamp(lines):
    with open(STAMP, "wb") as file:
        file.write(("\n".join(lines) + "\n").encode("utf-8"))


def whole(stamp):
    """Whether the environment was made in this folder, to its end, and still holds its Python and what opens the lessons."""
    here = stamp[1:2] == [os.getcwd()] and stamp[2:] != ["unfinished"]
    packages = [glob.glob(os.path.join(PACKAGES, name)) for name in ("jupyterlab", "nbformat")]
    # The system's own Python, to which .venv leads, may have become another one, which finds none of the packages.
    return here and all(packages) and version_of(python_of(".venv")).split(".")[:2] == stamp[0].split(".")[:2]


def lock():
    """Wait until no other make installs here; return what holds the lock while it lives (nothing on Windows)."""
    try:
        import fcntl
    except ImportError:
        return None
    file = open("pyproject.toml")
    os.set_inheritable(file.fileno(), True)  # a uv that outlives this process still holds it
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (IOError, OSError):
        print("Another make is installing here; waiting for it ...")
        sys.stdout.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
    return file


def make_room(stamp):
    """Remove an environment of the course; keep one that somebody else made."""
    ours = stamp or not os.path.exists(".venv") or os.path.exists(os.path.join(".venv", "installed.sha256"))
    if ours or os.path.islink(".venv"):
        return remove(".venv")
    kept = ".venv_kept"
    while os.path.exists(kept):
        kept += "_too"
    os.rename(".venv", kept)
    print("The environment .venv was not made by make: it is now %s. Remove it if you do not need it." % kept)


def python_of(folder):
    return os.path.join(folder, BIN, "python.exe" if os.name == "nt" else "python")


def supported_minors():
    """Return the first and the last minor version of Python 3 that `pyproject.toml` allows."""
    first, end = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', read("pyproject.toml")).groups()
    return int(first), int(end) - 1


def supported(version):
    """Whether ``version``, a text such as "3.12.1 (main, ...)", is one of a supported Python."""
    first, last = supported_minors()
    match = re.match(r"3\.(\d+)\.", version)
    return bool(match) and first <= int(match.group(1)) <= last


def find_python(chosen):
    """Go on if this Python is supported, else with one on the PATH that is, unless the user chose this one."""
    if supported(sys.version):
        return
    first, last = supported_minors()
    names = [] if chosen else ["python3.%d" % minor for minor in range(last, first - 1, -1)]
    folders = os.environ.get("PATH", "").split(os.pathsep)
    for python in [os.path.join(folder, name) for name in names for folder in folders]:
        if os.access(python, os.X_OK) and supported(version_of(python)):
            sys.stdout.flush()
            os.execv(python, [python] + sys.argv)
    stop(
        "The course needs Python 3.%d to 3.%d, but %s is Python %d.%d. Install one of these, then run, for example: "
        "make lab PYTHON=python3.%d" % (first, last, sys.executable, sys.version_info[0], sys.version_info[1], first)
    )


def version_of(python):
    """Return the version that ``python`` tells, "" if it does not run: a version manager's stand-in may have nothing behind it."""
    try:
        return subprocess.check_output([python, "-ISc", "import sys; print(sys.version)"]).decode()
    except (OSError, subprocess.CalledProcessError):
        return ""


def digest():
    """Return a digest of what decides the environment's content."""
    names = ("requirements.txt", "requirements-test.txt", "pyproject.toml")
    return hashlib.sha256("".join(map(read, names)).encode("utf-8")).hexdigest()


def find_uv():
    """Return the command of the private uv; install it if it is not there."""
    uv = os.path.join(".uv", BIN, "uv.exe" if os.name == "nt" else "uv")
    version = os.path.join(".uv", "version.txt")
    usable = os.path.exists(uv) and os.path.exists(version) and os.path.exists(python_of(".uv"))
    if not (usable and read(version) == UV):
        remove(".uv")
        run([sys.executable, "-m", "venv", ".uv"], environment({"PIP_CONFIG_FILE": os.devnull}))
        # The user's settings say how to reach the packages; those that say where to put them, or which, are left out.
        settings = ["%s=%s" % (name, value) for name, value in sorted(pip_settings().items())]
        variables = dict(
            ("PIP_" + item.split("=", 1)[0].replace("-", "_").upper(), item.split("=", 1)[1]) for item in settings
        )
        variables["PIP_CONFIG_FILE"] = os.devnull
        # Without -vv it does not say what an index answered; its question for a password nobody would see.
        install = [python_of(".uv"), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "-vv"]
        run(install + ["uv==" + UV], environment(variables))
        with open(version, "w") as file:
            file.write(UV)
    return uv


def pip_settings():
    """Return how pip would reach the packages: from its files and its variables, under pip's own names."""
    command = [python_of(".uv"), "-m", "pip", "config", "list"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    lines = process.communicate()[0].decode("utf-8", "replace").splitlines()
    found = {}
    for section in ("global", "install", ":env:"):  # the later one counts
        for line in lines:
            match = re.match(section + r"\.([\w-]+)=('.*'|\".*\")$", line)
            name = match and match.group(1).replace("_", "-").replace("default-timeout", "timeout")
            if name in REACH:
                found[name] = str(ast.literal_eval(match.group(2)))
    return found


def uv_settings():
    """Return the variables that tell uv to reach the packages as pip would; what the user set for uv itself wins."""
    found = dict((REACH[name], " ".join(value.split())) for name, value in pip_settings().items())
    places = found.get("UV_FIND_LINKS", "").split()  # where one is missing, uv stops, but pip goes on
    found["UV_FIND_LINKS"] = ",".join(place for place in places if "://" in place or os.path.exists(place))
    found.update(uv_file_settings())
    found["UV_NO_CONFIG"] = "1"
    found["UV_SYSTEM_CERTS"] = "1"  # as pip does
    found["UV_PYTHON_DOWNLOADS"] = "never"
    if not writable_home():
        found["UV_CACHE_DIR"] = os.path.abspath(os.path.join(".uv", "cache"))
    users = dict((name, os.environ[name]) for name in KEPT if os.environ.get(name))
    if "UV_INDEX_URL" in users:  # uv's older name for the default index
        found.pop("UV_DEFAULT_INDEX", None)
    found.update(users)
    if found.get("UV_INDEX") or found.get("UV_EXTRA_INDEX_URL"):
        found.setdefault(
            "UV_INDEX_STRATEGY", "unsafe-best-match"
        )  # as pip does; of a single index, uv would then say less
    return environment(dict((name, value) for name, value in found.items() if value))


def uv_file_settings():
    """Return how uv's own settings file of this user would reach the packages, as variables."""
    import tomllib

    folder = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    path = os.environ.get("UV_CONFIG_FILE") or os.path.join(folder, "uv", "uv.toml")
    try:
        chosen = tomllib.loads(read(path))
    except (OSError, ValueError):  # none, or not readable as such
        return {}
    chosen = dict(chosen.get("pip", {}), **chosen)
    indexes = [entry for entry in chosen.get("index", []) if "url" in entry]
    default = [entry["url"] for entry in indexes if entry.get("default")] or [chosen.get("index-url", "")]
    others = [entry["url"] for entry in indexes if not entry.get("default")] + chosen.get("extra-index-url", [])
    found = {"UV_DEFAULT_INDEX": default[0], "UV_INDEX": " ".join(others)}
    found["UV_INSECURE_HOST"] = " ".join(chosen.get("allow-insecure-host", []))
    return dict((name, value) for name, value in found.items() if value)


def environment(variables):
    """Return the user's environment without what steers pip, uv or Python elsewhere, and with ``variables``."""
    prefixes = ("PIP_", "UV_", "VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE")
    own = dict((name, value) for name, value in os.environ.items() if not name.startswith(prefixes))
    own.update(variables)
    return own


def writable_home():
    home = os.path.expanduser("~")
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    while not os.path.exists(cache) and os.path.dirname(cache) != cache:
        cache = os.path.dirname(cache)
    return os.access(cache, os.W_OK)


def remove(folder):
    """Remove a folder; of a link to one, only the link."""
    if os.path.islink(folder):
        os.remove(folder)
    elif os.path.exists(folder):
        shutil.rmtree(folder)


def run(command, variables):
    """Run a command quietly; if it fails, stop with one sentence that says why."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=variables, close_fds=False
    )
    output = process.communicate()[0].decode("utf-8", "replace")
    if process.returncode:
        for symptom, sentence in SYMPTOMS:
            if re.search(symptom, output):
                stop(sentence)
        stop(
            "\n".join(output.splitlines()[-20:])
            + "\nThe environment could not be created: the lines above, from `%s`, say why." % " ".join(command)
        )


def read(path):
    with open(path, "rb") as file:
        return file.read().decode("utf-8").replace("\r\n", "\n")


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
