"""Start every lesson from the same state, so that its numbers come out the same on every machine."""

import contextlib
import ctypes
import importlib.abc
import importlib.machinery
import importlib.metadata
import logging
import os
import random
import sys
import tracemalloc
import warnings

_state = {"seed": None}

# What libraries read from the environment. Variables that begin as in _FOREIGN were set for other programs and stay out.
_ENVIRONMENT = {
    "KERAS_BACKEND": "tensorflow",
    "KERAS_HOME": os.path.join(sys.prefix, "share", "lepton-course"),  # away from the user's keras.json
    "LOKY_MAX_CPU_COUNT": "1",  # or it looks for the cores by commands that some machines lack, and warns
    "PYTHONSAFEPATH": "1",  # a file in the working folder hides no library of the same name
    "PYTHONUTF8": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",  # read once, when TensorFlow is imported
}
# One thread each: on models as small as ours a second one gains nothing, and on a busy machine the two wait for each
# other. Set LEPTON_THREADS before the lesson starts to try another number.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
_FOREIGN = (
    "FORCE_COLOR FORWARDED_ GOTO_ GRPC_ JOBLIB_ KERAS_ LOKY_ MATPLOTLIBRC MKL_ MPLBACKEND NPY_PROMOTION OMP_ ONEDNN_VERBOSE "
    "OPENBLAS_ PROMETHEUS_ PROTOCOL_BUFFERS_ PYTHON SCIPY_ SKLEARN_ SSLKEYLOGFILE TF2_ TF_ "
    "UVICORN_ WEB_CONCURRENCY XLA_ prometheus_"
)
# Where Python finds its packages, and which of its equivalent ways TensorFlow computes, is for the user to say.
_KEPT = "OPENBLAS_CORETYPE PYTHONHOME PYTHONNOUSERSITE PYTHONPATH PYTHONUSERBASE TF_ENABLE_ONEDNN TF_FORCE_GPU_ TF_GPU_"
_MODULES = {"scikit-learn": "sklearn", "tensorflow-cpu": "tensorflow", "vadersentiment": "vaderSentiment"}


def shielded(environment):
    """Return a copy of ``environment`` (such as ``os.environ``) for a lesson and for the processes that it starts.

    The course's own values are in it, what was set for other programs is not. Proxies stay, because downloads may need
    them; requests to this machine go around them.
    """
    kept = {
        name: value
        for name, value in environment.items()
        if (name.startswith(tuple(_KEPT.split())) or not name.startswith(tuple(_FOREIGN.split())))
        and not (name == "SSL_CERT_FILE" and not os.path.exists(value))
        and not (name.lower().endswith("_proxy") and value.lower().startswith("socks"))  # httpx refuses even to start
    }
    for name in ("no_proxy", "NO_PROXY"):
        hosts = kept.get(name, "").split(",")
        if "*" not in hosts:
            kept[name] = ",".join(dict.fromkeys([*filter(None, hosts), "127.0.0.1", "localhost"]))
    threads = environment.get("LEPTON_THREADS", "1")
    if not threads.isdecimal() or int(threads) < 1:
        raise ValueError(f"LEPTON_THREADS must be a whole number above 0, such as 2, not {threads!r}.")
    return kept | _ENVIRONMENT | dict.fromkeys(_THREADS, threads)


def start(seed):
    """Seed Python, NumPy and Keras with ``seed``, compute in float64, and keep TensorFlow quiet.

    What the user has set elsewhere (environment, profile of IPython, matplotlibrc, keras.json, print options) changes
    nothing from here on. TensorFlow and Keras are not imported here: if the lesson imports them later, they are set up
    at that moment; if they are imported already, they are set up now.

    Args:
        seed: a whole number from 0 to 2**32 - 1.

    Raises:
        ValueError: ``seed`` is not such a number.
        RuntimeError: a loaded library is not the installed one, or not the course's; the text says what to do.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(f"course.start needs a whole number from 0 to 4294967295 as its seed, not {seed!r}.")
    theirs = _set_up_python()
    with contextlib.suppress(AttributeError, TypeError):  # other C libraries than Linux's have no such option
        # M_ARENA_MAX of mallopt(3): memory that one thread has freed serves the others, so lessons need less of it.
        ctypes.CDLL(None).mallopt(-8, 1)
    # Where the course was not installed, its folder is used.
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        _check_libraries(theirs)
    _set_up_kernel()
    _set_up_libraries()
    import numpy as np

    random.seed(seed)
    np.random.seed(seed)
    _state["seed"] = seed
    for name, set_up in _SET_UP.items():
        if name in sys.modules:
            set_up(sys.modules[name], seed)
    if not any(isinstance(finder, _SetUpOnImport) for finder in sys.meta_path):
        sys.meta_path.insert(0, _SetUpOnImport())


def _set_up_python():
    """Return the folders in which a user keeps own modules; from here on they hide no library, and no variable is foreign."""
    theirs = {os.path.abspath(folder) for folder in ["", *os.environ.get("PYTHONPATH", "").split(os.pathsep)]}
    sys.path.sort(key=lambda folder: os.path.abspath(folder) in theirs)
    environment = shielded(os.environ)
    environment.pop("LEPTON_SERVING_TOKEN", None)  # lesson 05 sets its own, later
    del environment["PYTHONSAFEPATH"]  # a learner's own scripts import what stands beside them
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    os.environ.update(environment)
    # Python's own filters are for certain modules or ignore something; what remains shows or raises everything.
    warnings.filters[:] = [rule for rule in warnings.filters if rule[0] == "ignore"]
    for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
        warnings.simplefilter("ignore", category, append=True)  # as Python does, unless it runs in development mode
    logging.getLogger().setLevel(logging.WARNING)
    tracemalloc.stop()
    return theirs


def _check_libraries(theirs):
    """Stop if a loaded library of the course comes from ``theirs``, or in another version than is installed or needed."""
    from packaging.requirements import Requirement
    from packaging.version import Version

    for wanted in map(Requirement, importlib.metadata.requires("lepton-helpers") or []):
        module = sys.modules.get(_MODULES.get(wanted.name, wanted.name.replace("-", "_")))
        if not getattr(module, "__file__", None) or (wanted.marker and not wanted.marker.evaluate()):
            continue
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):  # tensorflow may stand for tensorflow-cpu
            distribution = importlib.metadata.distribution(wanted.name)
            loaded, installed = getattr(module, "__version__", distribution.version), distribution.version
            file = os.path.dirname(module.__file__) if hasattr(module, "__path__") else module.__file__
            folder = os.path.dirname(file)
            if folder in theirs and folder != os.path.abspath(distribution.locate_file("")):
                problem = f"{file} hides {wanted.name}: rename it or take its folder out of PYTHONPATH"
            elif Version(loaded) != Version(installed):
                problem = f"{wanted.name} {loaded} is still loaded, but {installed} is installed by now"
            elif not wanted.specifier.contains(installed, prereleases=True):
                problem = f"{wanted.name} {installed} is not {wanted.specifier}: install the course again (README.md)"
            else:
                continue
            raise RuntimeError(f"{problem}; restart the kernel, then run this cell again.")


def _set_up_libraries():
    import numpy as np
    import threadpoolctl

    # For libraries that have read their variable already.
    threadpoolctl.threadpool_limits(int(os.environ["OMP_NUM_THREADS"]))
    np.seterr(divide="warn", over="warn", under="ignore", invalid="warn")
    np.set_printoptions(precision=8, threshold=1000, edgeitems=3, linewidth=75, suppress=False, sign="-")
    np.set_printoptions(floatmode="maxprec", nanstr="nan", infstr="inf", legacy=False)
    if "sklearn" in sys.modules:
        sys.modules["sklearn"].set_config(transform_output="default", display="diagram", print_changed_only=True)


def _set_up_kernel():
    """Show of each cell the last expression and its figures as PNG, in the course's style; outside a kernel, set the style."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if hasattr(shell, "kernel"):
        from IPython.core.formatters import DisplayFormatter
        from IPython.core.pylabtools import select_figure_formats
        from matplotlib_inline.config import InlineBackend

        shell.ast_node_interactivity = "last_expr"
        shell.ast_transformers.clear()
        shell.config.pop("InlineBackend", None)
        InlineBackend.clear_instance()
        shell.display_formatter = DisplayFormatter()  # knows nothing of the user's profile
        shell.enable_matplotlib("inline")
        select_figure_formats(shell, {"png"}, **InlineBackend.instance().print_figure_kwargs)
    if "matplotlib" in sys.modules:
        sys.modules["matplotlib"].rcdefaults()
    if "lepton_helpers.plots" in sys.modules:
        importlib.reload(sys.modules["lepton_helpers.plots"])


def _set_up_tensorflow(tensorflow, seed):
    tensorflow.random.set_seed(seed)
    tensorflow.get_logger().setLevel("ERROR")  # its warnings name memory addresses, which differ in every run


def _set_up_keras(keras, seed):
    if keras.config.backend() != "tensorflow":
        raise RuntimeError(
            f"Keras was loaded before course.start and computes with {keras.config.backend()}, not TensorFlow: restart "
            "the kernel, and run the lesson's first cell before anything else."
        )
    for name, value in _KERAS.items():
        getattr(keras.config, f"set_{name}")(value)
    keras.utils.set_random_seed(seed)


# floatx alone would leave a policy that was already used; the others undo a keras.json that was read before our start.
_KERAS = dict(floatx="float64", dtype_policy="float64", epsilon=1e-7, image_data_format="channels_last")
_KERAS |= dict(max_epochs=None, max_steps_per_epoch=None)
_SET_UP = {"tensorflow": _set_up_tensorflow, "keras": _set_up_keras}


class _SetUpOnImport(importlib.abc.MetaPathFinder):
    """Calls the set-up above right after a lesson has imported TensorFlow or Keras."""

    def find_spec(self, name, path=None, target=None):
        if name not in _SET_UP:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name)
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
