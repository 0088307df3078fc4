"""The repository agrees with itself: versions, environment, links, style; and it starts fast and stays clean."""

import ast
import importlib.metadata
import io
import re
import subprocess
import sys
import tokenize
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import notebooks

ROOT = notebooks.ROOT
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PINS = [
    Requirement(line)
    for line in (ROOT / "requirements.txt").read_text().splitlines()
    if line.strip() and not line.lstrip().startswith(("#", "-e"))
]
RANGES = [Requirement(text) for text in PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["test"]]
PLATFORMS = [
    {"sys_platform": system, "platform_machine": machine, "platform_system": name, "os_name": os_name}
    for system, name, os_name, machines in (
        ("linux", "Linux", "posix", ("x86_64", "aarch64")),
        ("darwin", "Darwin", "posix", ("arm64",)),
        ("win32", "Windows", "nt", ("AMD64",)),
    )
    for machine in machines
]
PYTHONS = ["3.11", "3.12", "3.13"]


def applies(requirement, environment):
    return requirement.marker is None or requirement.marker.evaluate(environment)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(
    "platform", PLATFORMS, ids=lambda platform: f"{platform['sys_platform']}-{platform['platform_machine']}"
)
def test_every_range_has_one_pin_inside_it(platform, python):
    environment = {
        **platform,
        "python_version": python,
        "python_full_version": f"{python}.5",
        "implementation_name": "cpython",
    }
    environment |= {"platform_python_implementation": "CPython", "extra": ""}
    for wanted in RANGES:
        if applies(wanted, environment):
            pins = [
                pin
                for pin in PINS
                if canonicalize_name(pin.name) == canonicalize_name(wanted.name) and applies(pin, environment)
            ]
            assert len(pins) == 1, f"{wanted.name}: run `make lock`"
            version = next(iter(pins[0].specifier)).version
            assert wanted.specifier.contains(version, prereleases=True), f"{wanted.name}: run `make lock`"
    tensorflows = {pin.name for pin in PINS if pin.name.startswith("tensorflow") and applies(pin, environment)}
    linux_pc = (platform["sys_platform"], platform["platform_machine"]) == ("linux", "x86_64")
    assert {"tensorflow", "tensorflow-cpu"} & tensorflows == {"tensorflow-cpu" if linux_pc else "tensorflow"}


def test_requirements_are_complete_exact_and_name_no_index():
    text = (ROOT / "requirements.txt").read_text()
    assert text.rstrip().splitlines()[-1] == "-e ."
    assert not re.search(r"https?:|--(extra-)?index|--hash|@ file", text)
    assert all(str(pin.specifier).startswith("==") for pin in PINS)
    assert not (ROOT / "uv.lock").exists()


def test_what_is_installed_is_what_is_pinned():
    for pin in PINS:
        if applies(pin, None):
            assert importlib.metadata.version(pin.name) == next(iter(pin.specifier)).version, "run `make test`"


def test_environment_yml_repeats_no_version():
    lines = [line.strip() for line in (ROOT / "environment.yml").read_text().splitlines()]
    dependencies = lines[lines.index("dependencies:") + 1 :]
    assert re.fullmatch(r"- python=(3\.\d+)", dependencies[0])
    assert SpecifierSet(PROJECT["project"]["requires-python"]).contains(dependencies[0].partition("=")[2])
    assert dependencies[1:] == ["- pip", "- pip:", "- -r requirements.txt"]


def test_the_repository_url_stands_in_one_place():
    url = PROJECT["project"]["urls"]["Repository"]
    written = ["README.md", "pyproject.toml"] + [f"notebooks/{path.name}" for path in notebooks.lessons()]
    result = subprocess.run(["git", "grep", "-lF", url], cwd=ROOT, capture_output=True, text=True)
    assert set(result.stdout.split()) <= set(written)


def test_binder_accepts_the_repository(tmp_path):
    subprocess.run(["git", "clone", "--quiet", ROOT, tmp_path / "course"], check=True)
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(tmp_path / "course")]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-2000:]
    assert 'env update -p ${NB_PYTHON_PREFIX} --file "environment.yml"' in result.stdout + result.stderr


@pytest.mark.parametrize(
    "command",
    [
        "ruff check .",
        "ruff format --check .",
        "codespell README.md CONTRIBUTING.md lepton_helpers notebooks tests tools benchmarks",
    ],
)
def test_style_and_spelling(command):
    result = subprocess.run(
        [sys.executable, "-m", *command.replace("codespell ", "codespell_lib ").split()],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_importing_the_helpers_is_fast_and_light():
    code = "import sys, time; start = time.process_time(); import lepton_helpers; print(time.process_time() - start, *sys.modules)"
    seconds, *modules = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert float(seconds) < 0.1
    assert not {"tensorflow", "keras", "matplotlib", "numpy"} & set(modules)


def test_no_helper_imports_tensorflow_when_it_is_imported():
    code = "import sys; from lepton_helpers import checks, course, data, plots, progress; assert not {'tensorflow', 'keras'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def code_lines(text):
    """Return how many lines hold code: neither blank nor comment nor docstring, of which there cannot be too many."""
    ignored = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type not in ignored]
    lines = {line for token in tokens for line in range(token.start[0], token.end[0] + 1)}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines -= set(range(node.lineno, node.end_lineno + 1))
    return len(lines)


def test_the_helpers_stay_tiny():
    assert (
        code_lines(
            '"""Two\nlines."""\n\nx = [\n    1,  # one\n]\n\n\ndef f():\n    """Doc."""\n    # no\n    return 1\n'
        )
        == 5
    )
    assert sum(code_lines(path.read_text()) for path in (ROOT / "lepton_helpers").glob("*.py")) < 1000


def test_nothing_generated_is_in_git():
    files = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).split()
    clutter = re.compile(
        r"(^|/)(\.venv|\.uv|__pycache__|\.ipynb_checkpoints|uv\.lock)(/|$)|\.(keras|h5|tflite|pyc|partial)$"
    )
    assert not [name for name in files if clutter.search(name)]


def test_ci_calls_make_test():
    commands = [
        line for line in (ROOT / ".ci/run").read_text().splitlines() if line.strip() and not line.startswith("#")
    ]
    assert commands[-1] == "make test"
