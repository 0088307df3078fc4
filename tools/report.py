"""Print what a report of another number needs, after running the lessons: `python tools/report.py [05]`. Nothing is sent."""

import importlib.metadata
import os
import platform
import subprocess
import sys

import machines
import numpy._core._multiarray_umath as kernels
import threadpoolctl

import notebooks

PACKAGES = [
    "numpy",
    "scipy",
    "scikit-learn",
    "matplotlib",
    "keras",
    "tensorflow",
    "tensorflow-cpu",
    "ai-edge-litert",
    "ipykernel",
]
CHOSEN = ("OPENBLAS_", "OMP_", "MKL_", "TF_", "XLA_", "NPY_", "LEPTON_")


def version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def commit():
    """Return the commit that is checked out, and how many files differ from it."""
    git = ["git", "-C", str(notebooks.ROOT)]
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True)
    changed = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True).stdout.splitlines()
    return f"{head.stdout.strip()}, {len(changed)} files changed" if head.returncode == 0 else "not a git clone"


def facts():
    """Return what the numbers may depend on here: a dict of texts."""
    libraries = {
        f"{pool['internal_api']} {pool['version']} {pool.get('architecture')}"
        for pool in threadpoolctl.threadpool_info()
    }
    return {
        "commit": commit(),
        "Python": sys.version.replace("\n", " "),
        "system": f"{platform.platform()}, {' '.join(platform.libc_ver())}".rstrip(", "),
        "processor": f"{platform.machine()}, {os.cpu_count()} cores",
        "NumPy's kernels": " ".join(name for name in kernels.__cpu_dispatch__ if kernels.__cpu_features__[name]),
        "linear algebra": "; ".join(sorted(libraries)),
        **{package: version(package) for package in PACKAGES},
        "chosen by variables": " ".join(
            f"{name}={value}" for name, value in os.environ.items() if name.startswith(CHOSEN)
        )
        or "none",
    }


def main(number=""):
    for name, text in facts().items():
        print(f"{name}: {text}", flush=True)
    os.chdir(notebooks.ROOT)
    lessons = [path.name for path in notebooks.lessons(number)]
    print(f"\nRunning {len(lessons)} lessons ...", flush=True)
    report = notebooks.ROOT / machines.REPORT
    tests = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *(f"notebooks/{name}" for name in lessons)]
    subprocess.run(tests, stdout=subprocess.DEVNULL)
    for name, cells in machines.differences(report, lessons).items():
        print(f"{name}: {cells}")
    print("\nIf a lesson did not pass, please open an issue with the lines above.")


if __name__ == "__main__":
    main(*sys.argv[1:])
