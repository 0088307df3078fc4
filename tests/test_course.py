"""course.start: the same state everywhere, and TensorFlow only when the lesson asks for it."""

import importlib.metadata
import os
import platform
import re
import subprocess
import sys

import pytest

from lepton_helpers import course

USES_KERAS = """
weights = keras.layers.Dense(3)
weights.build((None, 2))
print(keras.config.floatx(), keras.config.dtype_policy().name, weights.kernel.numpy().sum())
print(tf.random.shuffle(tf.range(10)).numpy())
"""


def run(code, **options):
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, **options)
    assert result.returncode == 0, result.stderr
    return result


def test_start_does_not_import_tensorflow_and_seeds_python_and_numpy():
    code = """
import random, sys
import numpy as np
from lepton_helpers import course
course.start(seed=3)
print(random.random(), np.random.rand(), {"tensorflow", "keras"} & set(sys.modules))
"""
    first, second = run(code).stdout, run(code).stdout
    assert first == second
    assert first.endswith("set()\n")
    assert run(code.replace("seed=3", "seed=4")).stdout != first


def test_keras_is_set_up_alike_whether_it_is_imported_before_or_after_start():
    after = run(
        "from lepton_helpers import course\ncourse.start(seed=3)\nimport keras\nimport tensorflow as tf" + USES_KERAS
    )
    before = run(
        "import keras\nimport tensorflow as tf\ntf.constant(1.0) + 1\nkeras.layers.Dense(1)\n"
        "from lepton_helpers import course\ncourse.start(seed=3)" + USES_KERAS
    )
    assert after.stderr == ""
    assert after.stdout.startswith("float64 float64 ")
    assert after.stdout == before.stdout


ARENAS = """
import ctypes, sys, threading
from lepton_helpers import course
course.start(seed=3)
ready = threading.Barrier(8)
threads = [threading.Thread(target=lambda: (ready.wait(), bytes(10_000), ready.wait())) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
file = libc.fopen(b"/dev/stdout", b"w")
libc.malloc_info(0, ctypes.c_void_p(file))
libc.fclose(ctypes.c_void_p(file))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only Linux's C library can be told")
def test_threads_share_the_memory_that_one_of_them_freed():
    assert run(ARENAS).stdout.count("<heap nr=") == 1
    assert run(ARENAS.replace("course.start(seed=3)", "")).stdout.count("<heap nr=") > 1


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "4", None, True])
def test_a_bad_seed_is_refused_in_one_sentence(seed):
    with pytest.raises(ValueError, match="needs a whole number from 0 to 4294967295"):
        course.start(seed)


def refusal(code, **options):
    """Return the last line that a program writes when ``course.start`` stops it."""
    code += "\nfrom lepton_helpers import course\ncourse.start(seed=1)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, **options)
    assert result.returncode == 1, result.stdout + result.stderr
    return result.stderr.splitlines()[-1]


def test_a_library_that_was_replaced_while_it_is_loaded_is_named():
    installed = importlib.metadata.version("numpy")
    said = refusal("import numpy\nnumpy.__version__ = '2.0.2'")
    assert f"numpy 2.0.2 is still loaded, but {installed} is installed by now; restart the kernel" in said


@pytest.mark.parametrize("hiding", ["httpx.py", "httpx/__init__.py"])
def test_a_file_that_hides_a_library_is_named(tmp_path, hiding):
    (tmp_path / hiding).parent.mkdir(exist_ok=True)
    (tmp_path / hiding).write_text("__version__ = '0.28.1'")
    expected = f"{tmp_path / hiding.partition('/')[0]} hides httpx: rename it"
    assert expected in refusal("import httpx", cwd=tmp_path)
    assert expected in refusal("import httpx", env={**os.environ, "PYTHONPATH": str(tmp_path)})
    run("from lepton_helpers import course\ncourse.start(seed=1)\nimport httpx\nhttpx.Client", cwd=tmp_path)


def test_a_library_that_the_course_does_not_support_is_named():
    code = "import importlib.metadata, numpy\nimportlib.metadata.requires = lambda name: ['numpy>=99; python_version > \"3\"']"
    assert f"numpy {importlib.metadata.version('numpy')} is not >=99: install the course again" in refusal(code)


def test_the_installed_libraries_are_accepted_and_soon():
    heavy = {"keras", "tensorflow", "tensorflow-cpu"}  # loaded in test_settings.py
    names = {re.match(r"[\w-]+", text)[0] for text in importlib.metadata.requires("lepton-helpers")} - heavy
    modules = [course._MODULES.get(name, name.replace("-", "_")) for name in sorted(names)]
    code = f"""
import {", ".join(modules)}
import importlib.metadata, time
from lepton_helpers import course
course.start(seed=1)
start = time.process_time()
course._check_libraries(set())
print(time.process_time() - start)
def not_installed(name):
    raise importlib.metadata.PackageNotFoundError
importlib.metadata.requires = not_installed
course.start(seed=1)
"""
    assert len(modules) > 15 and float(run(code).stdout) < 0.1  # CPU-seconds; 0.02 on an idle machine
