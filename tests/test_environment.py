"""tools/environment.py: nothing done when nothing changed, one clear sentence when it cannot work, others' settings left out."""

import http.server
import os
import pathlib
import shutil
import subprocess
import sys
import threading

import environment
import pytest

import notebooks

FILES = ("tools/environment.py", "pyproject.toml", "requirements.txt", "requirements-test.txt", "Makefile")
PYENV = pathlib.Path.home() / ".pyenv/versions"
OTHERS = [python for version in ("3.12.1", "3.13.0") if (python := PYENV / version / "bin/python").exists()]
PACKAGES = ".venv/lib/python3.11/site-packages"
# What the fake uv makes: a Python that is the one asked for, but says of any package that it is there.
FAKE = f"""echo "$@" >> calls.txt; env > variables.txt; mkdir -p .venv/bin {PACKAGES}/jupyterlab {PACKAGES}/nbformat
if [ "$1" = venv ]; then
    for word; do [ "$last" != --python ] || ln -sf "$word" .venv/base; last=$word; done
    printf '#!/bin/sh\ncase "$2" in *jupyterlab*) ;; *) exec "%s/.venv/base" "$@";; esac\n' "$PWD" > .venv/bin/python
    chmod +x .venv/bin/python
fi
echo /cached > cached.pth; ln -f cached.pth {PACKAGES}/_editable_impl_lepton_helpers.pth"""


@pytest.fixture(scope="module")
def private(tmp_path_factory):
    """A private environment as the real one that holds uv, with its pip."""
    folder = tmp_path_factory.mktemp("private") / ".uv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder


@pytest.fixture
def course(tmp_path, private):
    """A copy of what make needs, in a folder that is hard to quote, with a uv that only writes down how it was called."""
    folder = tmp_path / "Lena's cours d'été"
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(notebooks.ROOT / name, folder / name)
    shutil.copytree(private, folder / ".uv", symlinks=True)
    (folder / ".uv/version.txt").write_text(environment.UV)
    fake(folder, FAKE)
    return folder


def fake(folder, script):
    uv = folder / ".uv" / "bin" / "uv"
    uv.write_text(f"#!/bin/sh\n{script}\n")
    uv.chmod(0o755)


def run(folder, *arguments, **variables):
    return subprocess.run(
        ["make", "--no-print-directory", "environment", *arguments],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )


def calls(folder):
    """Return what uv was called for since the last time, such as ["venv", "pip", "pip"]."""
    path = folder / "calls.txt"
    words = [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []
    path.unlink(missing_ok=True)
    return words


ALL, CHANGES, NOTHING = ["venv", "pip", "pip"], ["pip", "pip"], []


def test_the_second_start_installs_nothing_and_a_change_only_what_changed(course):
    assert run(course).returncode == 0
    assert calls(course) == ALL
    assert run(course).stdout == ""
    assert calls(course) == NOTHING
    with open(course / "requirements-test.txt", "a") as file:
        file.write("six==1.17.0\n")
    run(course)
    assert calls(course) == CHANGES


def test_what_was_removed_from_the_environment_is_installed_again(course):
    run(course)
    calls(course)
    shutil.rmtree(course / PACKAGES / "nbformat")
    run(course)
    assert calls(course) == ALL
    (course / environment.STAMP).write_bytes(b"\xff\xfe")
    run(course)
    assert calls(course) == ALL
    (course / ".uv/bin/python").unlink()  # the Python below it was removed
    fake(course, "exit 3")  # so .uv is made anew, with the real uv
    (course / "requirements-test.txt").write_text("")
    shutil.rmtree(course / ".venv")
    assert "jupyterlab" in run(course).stderr, "an environment without JupyterLab is not called finished"


def test_an_environment_that_somebody_else_made_is_kept(course):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", course / ".venv"], check=True)
    (course / ".venv/mine.txt").write_text("mine")
    active = {"VIRTUAL_ENV": str(course / ".venv"), "PATH": f"{course / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"}
    result = run(course, **active)
    assert result.returncode == 0 and ".venv_kept" in result.stdout
    assert (course / ".venv_kept/mine.txt").read_text() == "mine"


def test_two_at_once_install_one_after_the_other(course):
    fake(course, f"{FAKE}; sleep 1")
    command = ["make", "--no-print-directory", "environment"]
    first, second = (subprocess.Popen(command, cwd=course, stdout=subprocess.PIPE, text=True) for _ in range(2))
    printed = sorted([first.communicate()[0], second.communicate()[0]], key=len)
    assert (first.returncode, second.returncode) == (0, 0)
    assert calls(course) == ALL
    assert "waiting for it" in printed[0] and "Installing" in printed[1]


def test_the_course_is_found_whatever_the_locale_knows(course):
    """Python reads the path of an editable installation in the locale's encoding: a relative one is the same in all."""
    run(course)
    assert (course / PACKAGES / "_editable_impl_lepton_helpers.pth").read_text() == "../../../..\n"
    assert (course / "cached.pth").read_text() == "/cached\n", "uv's cache holds the same file, by a hard link"


def test_a_moved_or_copied_course_gets_an_environment_of_its_own(course):
    run(course)
    calls(course)
    copied, moved, linked = (course.with_name(name) for name in ("a copy", "moved", "linked"))
    shutil.copytree(course, copied, symlinks=True)
    shutil.copytree(course, linked, symlinks=True, ignore=shutil.ignore_patterns(".venv"))
    (linked / ".venv").symlink_to(course / ".venv")
    for other in (copied, linked):
        run(other)
        assert calls(other) == ALL
        assert calls(course) == NOTHING and (course / environment.STAMP).exists()
    course.rename(moved)
    run(moved)
    assert calls(moved) == ALL


@pytest.mark.skipif(not OTHERS, reason="there is no other Python here")
def test_another_python_replaces_the_environment_and_is_then_kept(course):
    run(course, f"PYTHON={sys.executable}")
    assert calls(course) == ALL
    python = next(python for python in OTHERS if sys.version.split()[0] not in str(python))
    assert run(course, f"PYTHON={python}").returncode == 0
    assert calls(course) == ALL
    assert run(course).stdout == run(course, f"PYTHON={python}").stdout == ""
    assert run(course, PYTHON="/of/another/program").stdout == "", "a variable of this name may be another program's"
    assert calls(course) == NOTHING


@pytest.mark.skipif(not OTHERS, reason="there is no other Python here")
def test_a_supported_python_is_found_beside_an_old_default(course, tmp_path):
    old = PYENV / "3.8.18/bin/python"
    if not old.exists():
        pytest.skip("there is no Python 3.8 here")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python3").symlink_to(old)
    (tmp_path / "bin/python3.12").symlink_to("/bin/false")  # a version manager's stand-in without that version
    (tmp_path / "bin/python3.13").symlink_to(OTHERS[-1])
    path = f"{tmp_path / 'bin'}:/usr/bin:/bin"
    result = run(course, PATH=path)
    assert (result.returncode, calls(course)) == (0, ALL), result.stderr
    assert run(course, "PYTHON=python3", PATH=path).stderr.startswith("The course needs Python 3.11 to 3.13, but ")


@pytest.mark.parametrize(
    "output, sentence",
    [
        ("error: Failed to fetch\\n  Caused by: error sending request for url\\n  dns error", environment.NO_NETWORK),
        ("error: failed to write\\n  Caused by: No space left on device (os error 28)", environment.NO_SPACE),
        ("Error: Command ... ensurepip is not available", environment.NO_VENV),
        ("  Caused by: invalid peer certificate: UnknownIssuer\\n error sending request", environment.NO_TRUST),
    ],
)
def test_a_failed_installation_is_explained_in_one_sentence(course, output, sentence):
    fake(course, f"mkdir -p .venv/bin; touch .venv/bin/python; printf '{output}' >&2; exit 2")
    result = run(course)
    assert result.returncode != 0
    assert result.stderr.splitlines()[0] == sentence
    assert "Traceback" not in result.stderr
    fake(course, FAKE)
    assert run(course).returncode == 0, "after the repair, make must go on where it stopped"
    assert not (course / ".venv_kept").exists(), "what was left half made is the course's own"


class Server(http.server.BaseHTTPRequestHandler):
    """A package index, or a proxy, that gives every request the answer in ``self.server.answer``."""

    def do_GET(self):
        answer = self.server.answer
        self.server.asked.append(self.path)
        if answer == "page" or (answer in ("cut", "file 503") and self.path.startswith("/simple/")):
            name = self.path.split("/")[2] if answer != "page" else "hotel"
            wheel = f"{name}-{environment.UV if name == 'uv' else '90.0'}-py3-none-any.whl"
            return self.say(200, f'<html><body><a href="/files/{wheel}">{wheel}</a></body></html>', "text/html")
        if answer == "cut":
            return self.say(200, "PK", "application/zip", 1000)
        if answer == "hang":
            return self.server.ended.wait()
        if answer == "reset":
            return None
        return self.say(int(answer.split()[-1]), "no", "text/plain")

    do_CONNECT = do_HEAD = do_GET

    def say(self, status, text, kind, length=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length or len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *arguments):
        """Print nothing."""


@pytest.fixture
def server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.daemon_threads, server.asked, server.ended = True, [], threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.ended.set()
    server.shutdown()
    server.server_close()


ANSWERS = [
    ("proxy", "407", environment.NO_PROXY_PASSWORD),
    ("proxy", "403", environment.NO_TUNNEL),
    ("proxy", "503", environment.NO_TUNNEL),
    ("index", "401", environment.NO_ENTRY),
    ("index", "403", environment.NO_ENTRY),
    ("index", "404", environment.NO_INDEX),
    ("index", "407", environment.NO_PROXY_PASSWORD),
    ("index", "429", environment.NO_SERVICE),
    ("index", "502", environment.NO_SERVICE),
    ("index", "503", environment.NO_SERVICE),
    ("index", "file 503", environment.NO_SERVICE),
    ("index", "page", environment.NO_INDEX),
    ("index", "cut", environment.NO_INDEX),
    ("index", "reset", environment.NO_NETWORK),
    ("index", "hang", environment.NO_NETWORK),
]


# pip only fetches uv: of each sentence one case.
CASES = [("uv", *case) for case in ANSWERS]
CASES += [("pip", *case) for case in ANSWERS if case[:2] in {("proxy", "407"), ("proxy", "403"), ("index", "401")}]
CASES += [("pip", *case) for case in ANSWERS if case[:2] in {("index", "404"), ("index", "503")}]


@pytest.mark.parametrize("stage, role, answer, sentence", CASES, ids=[" ".join(case[:3]) for case in CASES])
def test_what_an_index_or_a_proxy_answers_instead_of_packages_is_said_in_one_sentence(
    course, server, tmp_path, stage, role, answer, sentence
):
    """With the real pip, which fetches uv, and with the real uv, which fetches the rest."""
    if stage == "uv":
        (course / ".uv/bin/uv").unlink()
        (course / ".uv/bin/uv").symlink_to(notebooks.ROOT / ".uv/bin/uv")
    else:
        (course / ".uv/version.txt").unlink()
    server.answer = answer
    address = f"http://127.0.0.1:{server.server_port}"
    hidden = ("PIP_", "UV_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
    variables = {name: value for name, value in os.environ.items() if not name.upper().startswith(hidden)}
    variables |= {
        "PIP_CONFIG_FILE": os.devnull,
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        "XDG_CONFIG_HOME": str(tmp_path),
    }
    variables |= {"PIP_RETRIES": "1", "PIP_TIMEOUT": "3"}
    variables |= {"HTTPS_PROXY": address} if role == "proxy" else {"PIP_INDEX_URL": f"{address}/simple"}
    command = ["make", "--no-print-directory", "environment"]
    result = subprocess.run(
        command, cwd=course, env=variables, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert server.asked
    assert result.returncode != 0 and result.stderr.splitlines()[0] == sentence, result.stderr
    assert len(result.stderr.splitlines()) == 2, "one sentence, and what make adds"
    (course / ".uv/version.txt").write_text(environment.UV)
    (course / ".uv/bin/uv").unlink(missing_ok=True)
    fake(course, FAKE)
    assert run(course).returncode == 0 and not (course / ".venv_kept").exists()


def test_a_killed_installation_is_finished_by_the_next_one(course):
    fake(course, "mkdir -p .venv/bin; touch .venv/bin/python; kill -9 $PPID; exit 9")
    assert run(course).returncode != 0
    fake(course, FAKE)
    assert run(course).returncode == 0 and calls(course) == ALL
    assert not (course / ".venv_kept").exists()


def test_another_uv_on_the_path_is_never_asked(course, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/uv").write_text(f"#!/bin/sh\ntouch {tmp_path}/asked; echo 'uv 0.4.0'; exit 2\n")
    (tmp_path / "bin/uv").chmod(0o755)
    result = run(course, PATH=f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert result.returncode == 0 and not (tmp_path / "asked").exists()


@pytest.mark.skipif(not OTHERS, reason="there is no other Python here")
def test_an_environment_whose_python_has_become_another_one_is_made_anew(course):
    """As after an update of the system, or where the Python behind it no longer runs."""
    assert run(course).returncode == 0 and calls(course) == ALL
    other = next(python for python in OTHERS if sys.version.split()[0] not in str(python))
    for python in (other, "/bin/false"):
        (course / ".venv/base").unlink()
        (course / ".venv/base").symlink_to(python)
        assert run(course).returncode == 0 and calls(course) == ALL
        assert run(course).stdout == ""


def test_an_unsupported_python_is_named(course):
    text = (course / "pyproject.toml").read_text().replace(">=3.11,<3.14", ">=3.97,<3.99")
    (course / "pyproject.toml").write_text(text)
    result = run(course)
    assert result.returncode != 0
    assert result.stderr.startswith("The course needs Python 3.97 to 3.98, but ")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("version", ["2.7.18", "3.6.15", "3.10.13"])
def test_old_pythons_understand_the_script(course, version):
    python = PYENV / version / "bin/python"
    if not python.exists():
        pytest.skip(f"there is no Python {version} here")
    result = run(course, f"PYTHON={python}")
    assert result.stderr.startswith("The course needs Python 3.11 to 3.13, but ")


def test_a_missing_python_is_named(course):
    assert run(course, "PYTHON=python-that-is-not-there").stderr.startswith("There is no python-that-is-not-there here")


MIRROR = "http://127.0.0.1:9/simple"
# A user's settings, and what uv must be told because of them (None: nothing).
REACH = [
    ({"PIP_INDEX_URL": MIRROR}, {"UV_DEFAULT_INDEX": MIRROR}),
    ({"pip.conf": f"[global]\nindex-url = {MIRROR}"}, {"UV_DEFAULT_INDEX": MIRROR}),
    (
        {"pip.conf": f"[install]\nindex-url = {MIRROR}\nextra-index-url =\n  {MIRROR}/a\n  {MIRROR}/b"},
        {"UV_INDEX": f"{MIRROR}/a {MIRROR}/b"},
    ),
    ({"UV_INDEX_URL": MIRROR, "PIP_INDEX_URL": "http://other"}, {"UV_INDEX_URL": MIRROR, "UV_DEFAULT_INDEX": None}),
    ({"PIP_CERT": "/a/company.pem", "SSL_CERT_FILE": ""}, {"SSL_CERT_FILE": "/a/company.pem", "UV_SYSTEM_CERTS": "1"}),
    (
        {"pip.conf": "[global]\nproxy = http://127.0.0.1:8\ntrusted-host = a b"},
        {"ALL_PROXY": "http://127.0.0.1:8", "UV_INSECURE_HOST": "a b"},
    ),
    (
        {
            "uv.toml": f'required-version = ">=99"\nindex = [{{url = "{MIRROR}", default = true}}, {{url = "{MIRROR}/b"}}]\n[pip]\ntarget = "/x"'
        },
        {"UV_DEFAULT_INDEX": MIRROR, "UV_INDEX": f"{MIRROR}/b", "UV_NO_CONFIG": "1"},
    ),
    ({"PIP_FIND_LINKS": "/not/there /usr"}, {"UV_FIND_LINKS": "/usr"}),
    (
        {"UV_SYSTEM_PYTHON": "1", "UV_CONSTRAINT": "x", "UV_PYTHON": "3.8"},
        {"UV_SYSTEM_PYTHON": None, "UV_CONSTRAINT": None, "UV_PYTHON": None},
    ),
    (
        {"UV_TARGET": "/x", "VIRTUAL_ENV": "/x", "CONDA_PREFIX": "/x"},
        {"UV_TARGET": None, "VIRTUAL_ENV": None, "CONDA_PREFIX": None},
    ),
    ({"PYTHONPATH": "/x", "UV_CACHE_DIR": "/kept"}, {"PYTHONPATH": None, "UV_CACHE_DIR": "/kept"}),
]


@pytest.mark.parametrize("user, told", REACH, ids=[" ".join(user) for user, _ in REACH])
def test_uv_learns_how_to_reach_the_packages_and_nothing_else(course, tmp_path, user, told):
    variables = dict(user)
    if text := variables.pop("pip.conf", None):
        (tmp_path / "pip.conf").write_text(text)
        variables["PIP_CONFIG_FILE"] = str(tmp_path / "pip.conf")
    if text := variables.pop("uv.toml", None):
        (tmp_path / "uv").mkdir()
        (tmp_path / "uv/uv.toml").write_text(text)
        variables["XDG_CONFIG_HOME"] = str(tmp_path)
    assert run(course, **variables).returncode == 0
    seen = dict(line.split("=", 1) for line in (course / "variables.txt").read_text().splitlines() if "=" in line)
    assert {name: seen.get(name) for name in told} == told


def test_settings_that_would_install_elsewhere_do_not(course, tmp_path):
    """With the real pip and the real uv: everything hostile at once, on a short list of packages."""
    shutil.rmtree(course / ".uv")
    (course / "requirements-test.txt").write_text("six==1.17.0\n")
    script = course / "tools/environment.py"  # what it checks at the end is not on this short list
    script.write_text(script.read_text().replace("import jupyterlab, nbformat, lepton_helpers", "import six"))
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "pip.conf").write_text(
        f"[global]\nuser = true\ntarget = {elsewhere}\nno-deps = true\nrequire-virtualenv = false\n"
    )
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    hostile = {"PIP_USER": "1", "PIP_TARGET": str(elsewhere), "PIP_PREFIX": str(elsewhere), "UV_TARGET": str(elsewhere)}
    hostile |= {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "UV_SYSTEM_PYTHON": "1", "PYTHONPATH": str(elsewhere)}
    hostile |= {
        "HOME": str(home),
        "UV_CONSTRAINT": "/not/there",
        "VIRTUAL_ENV": str(elsewhere),
        "PYTHONUSERBASE": str(elsewhere),
    }
    result = run(course, f"PYTHON={sys.executable}", **hostile)
    assert result.returncode == 0, result.stdout + result.stderr
    installed = subprocess.check_output([course / ".venv/bin/python", "-m", "pip", "list"], text=True)
    assert "six" in installed and "scattertext" in installed
    assert not elsewhere.exists()
