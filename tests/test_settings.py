"""What a user has set for other programs changes nothing in a lesson: whatever a row sets, the same is printed and drawn."""

import json
import os
import subprocess
import sys

import nbclient
import nbformat
import pytest

from lepton_helpers import course

CELLS = [
    """
import random
import urllib.request

import matplotlib.pyplot as plt
import numpy as np

from lepton_helpers import course, plots, serving

course.start(seed=1)""",
    "random.random()\nnp.array([1 / 3, 2e-9, np.random.rand()])",
    "0.1 + 0.2",
    "plt.figure()\nplt.plot([1, 2, 3])\nplt.title('three points')\nplt.show()",
    """
import logging, tracemalloc, warnings
with warnings.catch_warnings(record=True) as caught:
    exec("import warnings; warnings.warn('old', DeprecationWarning)", {"__name__": "some.library"})
    warnings.warn("old", DeprecationWarning)
    print(np.array([1.0, 2.0]) / 0.0, [str(warning.message) for warning in caught])
logging.getLogger("some.library").info("not shown")
print(tracemalloc.is_tracing())""",
    """
import os, subprocess, sys
code = "import locale, sys, random, numpy; print(sys.flags.optimize, locale.getpreferredencoding().lower(), numpy.arange(3))"
environment = course.shielded(os.environ)
print(subprocess.check_output([sys.executable, "-c", code], text=True, stderr=subprocess.STDOUT, env=environment))""",
    """
import httpx
process, url = serving.start(MODEL, LOG)
with httpx.Client(base_url=url, timeout=5) as client:
    print(client.get("/health").text, urllib.request.urlopen(url + "/health").read())
    print(client.post("/predict", json={"images": [[9] * 784]}).text, "requests_total" in client.get("/metrics").text)
process.terminate()
process.wait(10)""",
    "import sklearn.cluster\nsklearn.cluster.KMeans(2, random_state=0).fit(np.eye(4)).labels_",
    "import threadpoolctl\nsorted({pool['num_threads'] for pool in threadpoolctl.threadpool_info()})",
]
PROFILE = """
c.InteractiveShell.ast_node_interactivity = "all"
c.InlineBackend.figure_formats = {"svg"}
c.InlineBackend.rc = {"figure.figsize": (2, 2), "figure.dpi": 50}
c.InlineBackend.print_figure_kwargs = {"bbox_inches": None}
c.InlineBackend.close_figures = False
c.PlainTextFormatter.float_precision = 3
c.PlainTextFormatter.pprint = False
"""
STARTUP = """
import logging, random, warnings
import matplotlib.pyplot as plt, numpy as np, sklearn
logging.basicConfig(level="DEBUG")
random.seed(0); np.random.seed(0)
np.set_printoptions(precision=2, suppress=True, sign="+", legacy="1.13")
np.seterr(all="raise")
plt.style.use("dark_background"); plt.rcParams["lines.linewidth"] = 9
sklearn.set_config(transform_output="pandas")
warnings.simplefilter("error", RuntimeWarning)
get_ipython().run_line_magic("precision", "2")
"""
MATPLOTLIBRC = "backend: Agg\nfigure.figsize: 2, 2\nlines.linewidth: 9\nfont.size: 20\nsavefig.dpi: 30\n"
PROXIES = {f"{scheme}_proxy": "http://127.0.0.1:9" for scheme in ("http", "https", "all")}
# A row: what the user's environment, home folder (~) and working folder hold.
ROWS = {
    "profile of IPython": {"home": {".ipython/profile_default/ipython_config.py": PROFILE}},
    "startup file": {"home": {".ipython/profile_default/startup/mine.py": STARTUP}},
    "matplotlibrc at home, no inline figures": {
        "environment": {"MPLBACKEND": "Agg"},
        "home": {".config/matplotlib/matplotlibrc": MATPLOTLIBRC},
    },
    "matplotlibrc beside the lesson, files named as libraries are": {
        "folder": {"matplotlibrc": MATPLOTLIBRC} | dict.fromkeys(["random.py", "httpx.py", "uvicorn.py"], "1 / 0")
    },
    "matplotlibrc elsewhere, PYTHONPATH": {
        "environment": {"MATPLOTLIBRC": "~/style", "PYTHONPATH": "~/mine"},
        "home": {"style": MATPLOTLIBRC} | dict.fromkeys(["mine/httpx.py", "mine/uvicorn.py"], "1 / 0"),
    },
    "proxies": {"environment": PROXIES | {name.upper(): value for name, value in PROXIES.items()}},
    "proxy of another kind, certificates, token": {
        "environment": {
            "ALL_PROXY": "socks5h://127.0.0.1:9",
            "no_proxy": "example.org",
            "SSLKEYLOGFILE": "/no/such.log",
        }
        | {"SSL_CERT_FILE": "/no/such.pem", "LEPTON_SERVING_TOKEN": "sesame"}
    },
    "servers": {"environment": {"WEB_CONCURRENCY": "3", "PROMETHEUS_MULTIPROC_DIR": "/no/such", "UVICORN_PORT": "9"}},
    "threads": {
        "environment": {
            "OPENBLAS_NUM_THREADS": "many",
            "OMP_NUM_THREADS": "2",
            "LOKY_MAX_CPU_COUNT": "x",
            "TMPDIR": "/no",
        }
    },
    "locale": {
        "environment": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "utf-16"}
        | {"TZ": "No/Where"}
    },
    "warnings": {"environment": {"PYTHONWARNINGS": "error::FutureWarning,error::RuntimeWarning", "LC_ALL": "tr_TR"}},
    "Python": {
        # Not PYTHONDEVMODE: on a busy machine ipykernel 7.4 itself then reports now and then a message it cannot read.
        "environment": {
            "PYTHONWARNINGS": "default",
            "PYTHONOPTIMIZE": "2",
            "PYTHONTRACEMALLOC": "1",
            "PYTHONSTARTUP": "~/mine.py",
        },
        "home": {"mine.py": STARTUP},
    },
}
KERAS_JSON = {"backend": "torch", "floatx": "float16", "epsilon": 0.1, "image_data_format": "channels_first"}
TENSORFLOW = {
    "environment": {
        "KERAS_BACKEND": "jax",
        "KERAS_MAX_EPOCHS": "1",
        "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "cpp",
        "TF_CONFIG": '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}',
        "TF_CPP_MAX_VLOG_LEVEL": "1",
        "TF_NUM_INTEROP_THREADS": "x",
        "TF_USE_LEGACY_KERAS": "1",
        "XLA_FLAGS": "--no_such_flag=1",
    },
    "home": {".keras/keras.json": json.dumps(KERAS_JSON)},
}
KERAS_EARLY = {  # a startup file has imported it before the lesson begins
    "environment": {"KERAS_BACKEND": "tensorflow", "KERAS_MAX_EPOCHS": "1"},
    "home": {".keras/keras.json": json.dumps(KERAS_JSON)},
}


def fill(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def user(base, cache, row):
    """Return the environment and the working folder of a user who has set what ``row`` says, and nothing else."""
    home, folder = base / "home", base / "folder"
    home.mkdir(), folder.mkdir()
    fill(home, row.get("home", {}))
    fill(folder, row.get("folder", {}))
    own = {name: value.replace("~", str(home)) for name, value in row.get("environment", {}).items()}
    return {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_CACHE_HOME": str(cache), **own}, folder


def lesson(environment, folder, model):
    """Run the cells in a kernel of their own; return all their outputs."""
    sources = [cell.replace("MODEL", repr(str(model))).replace("LOG", repr(str(folder / "log"))) for cell in CELLS]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source.strip()) for source in sources])
    client = nbclient.NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=100,
        startup_timeout=300,
        allow_errors=True,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute(env=environment)
    return [cell.outputs for cell in notebook.cells]


TRAINING = """
import sys
from lepton_helpers import course, serving
course.start(seed=1)
import keras
import numpy as np
import tensorflow as tf
x, y = np.random.rand(64, 784) * 255, np.arange(64) % 2
layers = [keras.layers.Rescaling(1 / 255), keras.layers.Dense(8, "relu"), keras.layers.Dense(1, "sigmoid")]
model = keras.Sequential([keras.Input((784,)), *layers])
model.compile("adam", "binary_crossentropy")
history = model.fit(x, y, epochs=3, verbose=0).history["loss"]
print([f"{loss:.8f}" for loss in history], keras.config.floatx(), keras.config.epsilon(), keras.backend.backend())
print(keras.config.image_data_format(), tf.executing_eagerly(), tf.keras.__version__ == keras.__version__)
keras.config.set_floatx("float32")
keras.config.set_dtype_policy("float32")
small = keras.Sequential([keras.Input((784,)), keras.layers.Dense(1, "sigmoid", kernel_initializer="zeros")])
small.export(sys.argv[1], format="litert", verbose=False)
serving.write_card(sys.argv[1], ["even", "odd"], [x, y])
"""


def train(environment, folder, before=""):
    """Train a tiny network, write it as a model to serve, and return what was printed and what was complained about."""
    command = [sys.executable, "-c", before + TRAINING, str(folder / "model.tflite")]
    result = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True)
    return result.stdout, result.stderr


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Where matplotlib keeps its list of fonts, which takes seconds to make."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, cache):
    """What the training prints where nobody has set anything, and the model that it wrote."""
    environment, folder = user(tmp_path_factory.mktemp("clean"), cache, {})
    return train(environment, folder), folder / "model.tflite"


@pytest.fixture(scope="module")
def expected(tmp_path_factory, cache, trained):
    """What the lesson prints and draws where nobody has set anything."""
    outputs = lesson(*user(tmp_path_factory.mktemp("clean"), cache, {}), trained[1])
    assert not [
        output for output in sum(outputs, []) if output.output_type == "error" or output.get("name") == "stderr"
    ]
    assert [output.output_type for output in outputs[3]] == ["display_data"] and "image/png" in outputs[3][0].data
    return outputs


@pytest.mark.parametrize("row", ROWS)
def test_a_lesson_prints_and_draws_the_same(row, expected, trained, cache, tmp_path):
    if row == "locale" and not os.path.abspath(__file__).isascii():
        pytest.skip(
            "with this locale, Python cannot name files in such a folder (make sets PYTHONUTF8, so there it can)"
        )
    outputs = lesson(*user(tmp_path, cache, ROWS[row]), trained[1])
    differing = [i for i, (got, wanted) in enumerate(zip(outputs, expected, strict=True)) if got != wanted]
    assert not differing, "\n".join(f"cell {i}: {str(outputs[i])[-1000:]}" for i in differing)


def test_keras_and_tensorflow_compute_the_same(trained, cache, tmp_path):
    assert trained[0][0].startswith("['0.") and trained[0][1] == ""
    assert train(*user(tmp_path, cache, TENSORFLOW)) == trained[0]


def test_keras_is_set_right_where_a_startup_file_imported_it(trained, cache, tmp_path):
    printed, _ = train(*user(tmp_path, cache, KERAS_EARLY), before="import keras\n")
    assert printed == trained[0][0]


def test_another_backend_that_is_loaded_already_is_named():
    class Keras:
        class config:
            def backend():
                return "jax"

    with pytest.raises(RuntimeError, match="computes with jax, not TensorFlow: restart the kernel"):
        course._set_up_keras(Keras, 1)


def test_only_what_is_foreign_leaves_the_environment():
    given = {
        "HTTP_PROXY": "http://proxy:3128",
        "no_proxy": "10.0.0.1",
        "SSL_CERT_FILE": __file__,
        "TF_ENABLE_ONEDNN_OPTS": "0",
    }
    once = course.shielded(given | {"all_proxy": "socks5://proxy:1080", "TF_XLA_FLAGS": "x"})
    assert given.items() - once.items() == {("no_proxy", "10.0.0.1")}
    assert once["no_proxy"] == "10.0.0.1,127.0.0.1,localhost" and once["NO_PROXY"] == "127.0.0.1,localhost"
    assert not {"all_proxy", "TF_XLA_FLAGS"} & set(once)
    assert course.shielded(once) == once
    threads = course.shielded({"OPENBLAS_NUM_THREADS": "4", "LEPTON_THREADS": "2"})
    assert threads["OPENBLAS_NUM_THREADS"] == threads["OMP_NUM_THREADS"] == "2"
    assert course.shielded({"no_proxy": "*"})["no_proxy"] == "*"
