"""Start every lesson from the same state, so that its numbers come out the same on every machine."""

import contextlib
import importlib.abc
import importlib.util
import os
import random
import sys

_state = {"seed": None}


def start(seed):
    """Seed Python, NumPy and Keras with ``seed``, compute in float64, and keep TensorFlow quiet.

    TensorFlow and Keras are not imported here: if the lesson imports them later, they are set up at
    that moment; if they are imported already, they are set up now.

    Args:
        seed: a whole number from 0 to 2**32 - 1.

    Raises:
        ValueError: ``seed`` is not such a number.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(f"course.start needs a whole number from 0 to 4294967295 as its seed, not {seed!r}.")
    import numpy as np
    import threadpoolctl

    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # read once, when TensorFlow is imported
    # One thread each: on models as small as ours a second one gains nothing, and on a busy machine the two
    # wait for each other. Set these variables before the lesson starts to try another number.
    threads = int(os.environ.setdefault("OPENBLAS_NUM_THREADS", "1"))
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    threadpoolctl.threadpool_limits(threads)  # for NumPy, which has read its variable already
    random.seed(seed)
    np.random.seed(seed)
    _state["seed"] = seed
    for name, set_up in _SET_UP.items():
        if name in sys.modules:
            set_up(sys.modules[name], seed)
    if not any(isinstance(finder, _SetUpOnImport) for finder in sys.meta_path):
        sys.meta_path.insert(0, _SetUpOnImport())


def _set_up_tensorflow(tensorflow, seed):
    tensorflow.random.set_seed(seed)
    tensorflow.get_logger().setLevel("ERROR")  # its warnings name memory addresses, which differ in every run


def _set_up_keras(keras, seed):
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")  # floatx alone leaves a policy that was already used
    keras.utils.set_random_seed(seed)


_SET_UP = {"tensorflow": _set_up_tensorflow, "keras": _set_up_keras}


class _SetUpOnImport(importlib.abc.MetaPathFinder):
    """Calls the set-up above right after a lesson has imported TensorFlow or Keras."""

    def find_spec(self, name, path=None, target=None):
        if name not in _SET_UP:
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        if spec is not None:
            run_module = spec.loader.exec_module

            def run_and_set_up(module):
                with silent_stderr():
                    run_module(module)
                _SET_UP[name](module, _state["seed"])

            spec.loader.exec_module = run_and_set_up
        return spec


@contextlib.contextmanager
def silent_stderr():
    """Drop what C++ code writes to the process's error stream; TensorFlow logs there before it reads its log level."""
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
