"""course.start: the same state everywhere, and TensorFlow only when the lesson asks for it."""

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


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "4", None, True])
def test_a_bad_seed_is_refused_in_one_sentence(seed):
    with pytest.raises(ValueError, match="needs a whole number from 0 to 4294967295"):
        course.start(seed)
