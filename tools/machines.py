"""Run the lessons on every machine there is here, and store the table: `python tools/machines.py [LEG ...] [LESSON ...]`.

Legs: python3.11, python3.12, python3.13 (those that are found); other-kernels (the newest of them, with other BLAS and NumPy
kernels, without oneDNN); two-threads (the same kernels on two threads); debian13 (another C library: Debian 13 in a folder, Linux
and root); aarch64 (the same, emulated, about 15 minutes a lesson; only when named). What is missing is named and skipped.
Environments are kept in `.machines/`, so a second run installs nothing. Lessons are numbers, such as 05; what the table says of
the others stays.
"""

import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree

import environment
import lock

import notebooks

FOLDER = notebooks.ROOT / ".machines"
TABLE = notebooks.ROOT / "benchmarks" / "machines.md"
REPORT = ".machine.xml"
INTRODUCTION = """# The lessons on other machines

Written by `make test-machines`: each lesson, run and compared in full, on each machine; *passed*, or what differed (code cells
counted from 0). *other-kernels* is the newest Python found, with other BLAS and NumPy kernels and without oneDNN; *two-threads* has
the same kernels on two threads; *debian13* has another C library; *aarch64* is Debian 13 emulated by qemu (`tools/machines.py
aarch64`, 15 minutes a lesson).
"""
OTHER_KERNELS = {"other-kernels": "1", "two-threads": "2"}  # with how many threads
DEBIAN = {"debian13": [], "aarch64": ["--arch=arm64"]}
# A minimal Debian: what README.md asks for, and nothing else.
PACKAGES = "python3,python3-venv,make,git,ca-certificates"
DISPATCHED = (
    "from numpy._core._multiarray_umath import __cpu_dispatch__ as all, __cpu_features__ as here; "
    "print(*[name for name in all if here[name]])"
)


class Missing(Exception):
    """A machine that this one cannot offer; the message says why."""


def find_python(version):
    """Return the path of a Python of this version, such as "3.12", on the PATH or under pyenv.

    Raises:
        Missing: there is none.
    """
    places = [shutil.which(f"python{version}"), *pathlib.Path.home().glob(f".pyenv/versions/{version}.*/bin/python")]
    for place in filter(None, places):
        answer = subprocess.run(
            [place, "-c", "import ensurepip, sys; print(sys.version)"], capture_output=True, text=True
        )
        if answer.stdout.startswith(f"{version}."):
            return place
    raise Missing(f"there is no Python {version} here")


def python_leg(version):
    """Return the Python of an environment for this version, made or brought up to date if need be."""
    python, folder = find_python(version), FOLDER / f"python{version}"
    stamp, wanted = folder / "installed.txt", environment.digest()
    if not stamp.exists() or stamp.read_text() != wanted:
        uv = environment.find_uv()
        settings = environment.uv_settings()
        environment.run([uv, "venv", "--clear", "--no-project", "--python", str(python), str(folder)], settings)
        install = [uv, "pip", "install", "--python", str(folder / "bin/python")]
        environment.run([*install, "--compile-bytecode", "--requirements", "requirements-test.txt"], settings)
        environment.run([*install, "--no-deps", "--group", "texts"], settings)
        stamp.write_text(wanted)
    return folder / "bin/python"


def newest_python():
    """Return the newest supported version that is found here."""
    for version in reversed(lock.supported_pythons()):
        try:
            find_python(version)
            return version
        except Missing:
            pass
    raise Missing("there is no supported Python here")


def other_kernels(python, threads):
    """Return the variables under which NumPy, BLAS and TensorFlow compute in another order, on so many threads."""
    core = {"x86_64": "Prescott", "AMD64": "Prescott"}.get(platform.machine(), "ARMV8")
    features = subprocess.check_output([python, "-c", DISPATCHED], text=True).strip()
    names = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES", "TF_ENABLE_ONEDNN_OPTS", "LEPTON_THREADS")
    return dict(zip(names, (core, features, "0", threads), strict=True))


def debian_leg(name):
    """Return the start of a command that runs inside Debian 13 in a folder, with the course and its environment in it.

    Raises:
        Missing: this system cannot make one.
    """
    tools = ["debootstrap", "unshare", "apt-get"] + (["qemu-aarch64-static"] if name == "aarch64" else [])
    if sys.platform != "linux" or os.geteuid() or not all(map(shutil.which, tools)):
        raise Missing(f"it takes Linux, root and {', '.join(tools)}")
    if name == "aarch64" and not pathlib.Path("/proc/sys/fs/binfmt_misc/qemu-aarch64").exists():
        raise Missing("Linux does not know yet what runs aarch64 programs: update-binfmts --enable qemu-aarch64")
    root = FOLDER / name
    if not (root / "usr/bin/make").exists():
        targets = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
        mirror = next(url for url in subprocess.check_output(targets, text=True).split() if "security" not in url)
        command = ["debootstrap", *DEBIAN[name], "--variant=minbase", f"--include={PACKAGES}", "trixie", root, mirror]
        if subprocess.run(command, stdout=subprocess.DEVNULL).returncode:
            raise Missing("debootstrap failed, as it says above")
    for path in ("etc/resolv.conf", "etc/ssl/certs/ca-certificates.crt"):
        shutil.copyfile(f"/{path}", root / path)  # the network and whom to trust are this machine's
    course = root / "course"
    for path in subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], text=True).splitlines():
        (course / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, course / path)
    mounts = "for place in proc sys dev; do mount --rbind /$place $0/$place; done"
    inside = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        f'{mounts}; exec chroot "$0" sh -c \'cd /course; exec "$@"\' sh "$@"',
        root,
    ]
    make = ["python3", "-m", "venv", "--without-pip", ".venv"] if name == "aarch64" else ["make", "environment"]
    if subprocess.run([*inside, *make], env=clean()).returncode:
        raise Missing("the environment could not be made in it, as it says above")
    if name == "aarch64":
        fill_from_outside(next(course.glob(".venv/lib/python3.*")))
    return inside


def fill_from_outside(library):
    """Install the course's versions for aarch64 into ``library`` with this machine's uv: emulated, that would take an hour."""
    stamp, wanted = library / "installed.txt", environment.digest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    lists = [pathlib.Path(name).read_text() for name in ("requirements.txt", "requirements-test.txt")]
    (library / "pins.txt").write_text(re.sub("^-.*$", "", "\n".join(lists), flags=re.M))
    install = [environment.find_uv(), "pip", "install", "--no-deps", "--target", str(library / "site-packages")]
    install += ["--python-platform=aarch64-manylinux_2_39", f"--python-version={library.name.removeprefix('python')}"]
    for packages in (["--requirements", str(library / "pins.txt")], ["--group", "texts"]):
        environment.run([*install, *packages], environment.uv_settings())
    (library / "site-packages" / "course.pth").write_text("/course\n")
    stamp.write_text(wanted)


def clean():
    """Return the variables that a leg starts from: the user's, without those that choose kernels or threads."""
    chosen = ("OPENBLAS_", "OMP_", "MKL_", "TF_", "NPY_", "XLA_", "LEPTON_", "VIRTUAL_ENV", "PYTHON")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(chosen)}
    return {**variables, "QEMU_CPU": "neoverse-n1"}  # qemu's default processor makes OpenBLAS return wrong products


def run(leg, lessons):
    """Run ``lessons`` (file names) on a machine and return a dict from each to "passed" or the cells that differ.

    Raises:
        Missing: there is no such machine here.
    """
    variables, prefix, results = clean(), [], notebooks.ROOT
    if leg in DEBIAN:
        prefix, python, results = debian_leg(leg), ".venv/bin/python", FOLDER / leg / "course"
    elif leg in OTHER_KERNELS:
        python = python_leg(newest_python())
        variables |= other_kernels(python, OTHER_KERNELS[leg])
    else:
        python = python_leg(leg.removeprefix("python"))
    command = [
        *prefix,
        python,
        "-m",
        "pytest",
        "-q",
        f"--junitxml={REPORT}",
        *(f"notebooks/{name}" for name in lessons),
    ]
    command += {
        "two-threads": ["-n", "1"],  # with more threads than cores, OpenBLAS's wait for each other
        "aarch64": ["-n", "0", "--nbval-cell-timeout=7200"],
    }.get(leg, [])
    log = FOLDER / f"{leg}.log"
    with open(log, "w") as file:
        subprocess.run(command, env=variables, stdout=file, stderr=file)
    report = results / REPORT
    if not report.exists():
        raise Missing(f"pytest did not run; {log.relative_to(notebooks.ROOT)} says why")
    return differences(report, lessons)


def differences(report, lessons):
    """Read pytest's JUnit file ``report``, remove it, and return a dict from lessons to "passed" or the cells that differ."""
    tests = [*xml.etree.ElementTree.parse(report).iter("testcase")]
    report.unlink()
    found = {}
    for name in lessons:
        own = [test for test in tests if test.get("classname").endswith(name)]
        wrong = [test.get("name") for test in own if test.find("failure") is not None or test.find("error") is not None]
        found[name] = ", ".join(wrong) or ("passed" if own else "not run")
    return found


def stored_rows():
    """Return the table as it is: a dict from legs to dicts from lessons' numbers to what is said of them."""
    lines = re.findall(r"^\| (.+) \|$", TABLE.read_text(encoding="utf-8") if TABLE.exists() else "", re.M)
    head, *rows = ([cell.strip() for cell in line.split("|")] for line in lines or ["machine"])
    return {leg: dict(zip(head[1:], cells, strict=True)) for leg, *cells in rows}


def main(*arguments):
    os.chdir(notebooks.ROOT)
    FOLDER.mkdir(exist_ok=True)
    numbers = [path.name[:2] for path in notebooks.lessons()]
    every = [f"python{version}" for version in lock.supported_pythons()] + [*OTHER_KERNELS, *DEBIAN]
    if unknown := set(arguments) - {*every, *numbers}:
        raise SystemExit(
            f"There is no leg or lesson {', '.join(sorted(unknown))}; legs are {', '.join(every)}, lessons {', '.join(numbers)}."
        )
    legs = [leg for leg in every if leg in arguments] or every[:-1]
    lessons = [path.name for path in notebooks.lessons() if not {*numbers} & {*arguments} or path.name[:2] in arguments]
    rows, failed = stored_rows(), False
    for leg in legs:
        print(f"{leg}: ", end="", flush=True)
        try:
            found = run(leg, lessons)
        except Missing as reason:
            print(f"skipped, because {reason}")
            continue
        wrong = {name: cells for name, cells in found.items() if cells != "passed"}
        print("; ".join(f"{name}: {cells}" for name, cells in wrong.items()) or "passed")
        failed = failed or bool(wrong)
        rows[leg] = rows.get(leg, {}) | {name[:2]: cells for name, cells in found.items()}
    table = [["machine", *numbers]]
    table += [[leg, *(rows[leg].get(number, "") for number in numbers)] for leg in every if leg in rows]
    head, *lines = ("| " + " | ".join(cells) + " |" for cells in table)
    TABLE.write_text("\n".join([INTRODUCTION, head, "|---" * len(table[0]) + "|", *lines]) + "\n", encoding="utf-8")
    return failed


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
