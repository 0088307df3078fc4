"""Answers are judged in a copy of the kernel: whatever they do, the kernel stays, keeps its state and can be stopped."""

import os
import queue
import subprocess
import sys
import threading
import time
import warnings

import jupyter_client.manager
import psutil
import pytest

from lepton_helpers import checks

RIGHT = checks.exercises(4)["4.3"].define(checks.exercises(4)["4.3"].solution)
TIMED_OUT = f"Exercise 4.3: {checks.TIMED_OUT}\n"
HANGING = ["sum(range(10**11))", "re.match(r'(a+)+$', 'a' * 40 + 'b')", "[None for _ in iter(int, 1)]"]
FOREVER = "def forever(sizes):\n    while True:\n        pass\n"
process_only = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere answers run in a thread")


class Kernel:
    """A real Jupyter kernel with a lesson's first cell run."""

    def __init__(self, environment):
        self.manager, self.client = jupyter_client.manager.start_new_kernel(env=os.environ | environment)
        self.process = psutil.Process(self.manager.provisioner.pid)
        self.run(
            "import os, random, re, sys, threading, time\nimport numpy as np\nfrom lepton_helpers import check, checks, course\n"
            "course.start(seed=1)\nright = checks.exercises(4)['4.3'].define(checks.exercises(4)['4.3'].solution)\n"
            "threads = threading.active_count()"
        )

    def run(self, code, timeout=60, stop_after=None):
        """Run a cell; return what it shows, in order, as pairs (stream, text); stop it after that many seconds."""
        shown = []

        def keep(message):
            content = message["content"]
            if message["msg_type"] == "stream":
                shown.append((content["name"], content["text"]))
            if message["msg_type"] == "display_data":
                shown.append(("display", content["data"]["text/plain"]))
            if message["msg_type"] == "error":
                shown.append(("error", content["ename"]))

        if stop_after:
            threading.Timer(stop_after, self.manager.interrupt_kernel).start()

        def reply(message):
            self.client.input("yes")

        self.client.execute_interactive(code, timeout=timeout, output_hook=keep, stdin_hook=reply)
        return shown

    def text(self, code, timeout=60):
        return "".join(text for name, text in self.run(code, timeout) if name in ("stdout", "error"))

    def is_idle(self):
        """Say whether no process and, after a moment, no thread of a check is left."""
        wait = "end = time.monotonic() + 10\nwhile threading.active_count() > threads and time.monotonic() < end:\n    time.sleep(0.1)\n"
        return self.process.children() == [] and self.text(wait + "print(threading.active_count() - threads)") == "0\n"


@pytest.fixture(scope="module")
def kernel():
    kernel = Kernel({})
    yield kernel
    kernel.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def kernel_with_tensorflow():
    kernel = Kernel({})
    kernel.run(
        "import tensorflow as tf\nimport keras\na = tf.ones((200, 200))\n(a @ a).numpy()\n"
        "layers = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])\n"
        "add = tf.function(lambda x: tf.reduce_sum(x))\nadd(a)\nvariable = tf.Variable(1.0)\nchecks.SECONDS, threads = 60, threading.active_count()",
        timeout=300,
    )
    yield kernel
    kernel.manager.shutdown_kernel(now=True)


@process_only
@pytest.mark.parametrize("code", HANGING)
def test_an_answer_that_hangs_in_c_is_stopped(code):
    kernel = Kernel({})
    try:
        start = time.monotonic()
        assert kernel.text(f"check('4.3', lambda sizes: {code})", timeout=20) == TIMED_OUT
        assert time.monotonic() - start < checks.SECONDS + 5
        assert kernel.text("print(1 + 1)", timeout=20) == "2\n"
        assert kernel.is_idle()
    except (TimeoutError, queue.Empty):
        pytest.fail("check did not return")
    finally:
        kernel.manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("code", [HANGING[0], "forever(sizes)"])
def test_the_stop_button_ends_the_answer_too(code):
    if sys.platform != "linux" and code == HANGING[0]:
        pytest.skip("elsewhere answers run in a thread")
    kernel = Kernel({})
    try:
        kernel.run(FOREVER)
        shown = kernel.run(f"check('4.3', lambda sizes: {code})\nprint('on')", timeout=20, stop_after=1.5)
        assert shown[-1] == ("error", "KeyboardInterrupt") and ("stdout", "on\n") not in shown
        assert kernel.is_idle()
    except (TimeoutError, queue.Empty):
        pytest.fail("the cell did not end")
    finally:
        kernel.manager.shutdown_kernel(now=True)


def test_the_stop_button_ends_an_answer_in_a_thread_too(kernel_with_tensorflow):
    kernel_with_tensorflow.run(FOREVER)
    code = "check('4.3', lambda sizes: (add(a), forever(sizes)))\nprint('on')"
    assert kernel_with_tensorflow.run(code, timeout=20, stop_after=2.5)[-1] == ("error", "KeyboardInterrupt")
    assert kernel_with_tensorflow.is_idle()


@process_only
def test_an_answer_changes_nothing_in_the_kernel(kernel):
    before = kernel.process.memory_info().rss
    shown = kernel.text("""
kept, state, python = [], np.random.get_state()[1].copy(), random.getstate()
def answer(sizes):
    kept.append(np.ones(5_000_000))
    np.random.rand(), random.random()
    return right(sizes)
check("4.3", answer)
print(kept, bool((np.random.get_state()[1] == state).all()), random.getstate() == python)""")
    assert shown == "Exercise 4.3: right.\n[] True True\n"
    assert kernel.process.memory_info().rss < before + 50e6


def test_what_an_answer_prints_comes_before_the_verdict(kernel):
    code = "check('4.3', lambda sizes: (print('sizes', sizes), print('\\udcff ü', file=sys.stderr), right(sizes))[2])"
    shown = kernel.run(code)
    lines = "".join(text for name, text in shown if name == "stdout").splitlines()
    assert lines == ["sizes [784, 128, 64, 1]", "sizes [3, 2]", "sizes [5, 4, 4, 4, 4, 2]", "Exercise 4.3: right."]
    assert "".join(text for name, text in shown if name == "stderr").count("ü\n") == 3


def test_what_a_hanging_answer_prints_is_seen_too_but_not_without_end(kernel):
    assert (
        kernel.text(f"{FOREVER}check('4.3', lambda sizes: (print('before'), forever(sizes)))") == "before\n" + TIMED_OUT
    )
    if sys.platform == "linux":
        shown = kernel.text("check('4.3', lambda sizes: [print('x' * 1000) for _ in iter(int, 1)])")
        assert shown.endswith(TIMED_OUT) and len(shown) < 110_000


@process_only
@pytest.mark.parametrize("code", ["os._exit(0)", "os.kill(os.getpid(), 11)", "os.closerange(3, 200), time.sleep(9)"])
def test_an_answer_that_ends_its_process_gets_a_sentence(kernel, code):
    start = time.monotonic()
    shown = kernel.text(f"check('4.3', lambda sizes: ({code}))")
    assert shown.startswith("Exercise 4.3: not yet. Python ended") and shown.count("\n") == 1
    assert time.monotonic() - start < checks.SECONDS + 2
    assert kernel.text("print(1 + 1)") == "2\n"


def test_an_answer_may_show_ask_and_check(kernel):
    shown = kernel.run("check('4.3', lambda sizes: (print('once'), display('a figure'), right(sizes))[2])")
    assert [text for name, text in shown if name == "display"] == ["'a figure'"] * 3
    assert "".join(text for name, text in shown if name == "stdout") == "once\n" * 3 + "Exercise 4.3: right.\n"
    assert kernel.text("check('4.3', lambda sizes: input('?') == 'yes' and right(sizes))") == "Exercise 4.3: right.\n"
    assert "4.2: not attempted" in kernel.text("check('4.3', lambda sizes: (check('4.2', None), right(sizes))[1])")


@pytest.mark.parametrize(
    "code",
    [
        "add(a)",
        "a + a",
        "tf.matmul(a, a)",
        "variable.assign_add(1.0)",
        "layers.predict(np.ones((2, 3)), verbose=0)",
        "layers(np.ones((2, 3)))",
        "list(tf.data.Dataset.range(9).map(lambda x: x + 1).prefetch(2))",
        "tf.function(lambda x: x * 2)(a)",
        "tf.constant([1.0, 2.0]).numpy()",
        "np.asarray(a).sum()",
    ],
)
def test_an_answer_that_needs_tensorflow_is_judged_too(kernel_with_tensorflow, code):
    shown = kernel_with_tensorflow.text(f"check('4.3', lambda sizes: (print('once'), {code}, right(sizes))[2])")
    assert shown == "once\n" * 3 + "Exercise 4.3: right.\n"


def test_tensorflow_is_loaded_once_in_the_kernel_and_not_in_each_answer(kernel):
    code = "check('4.3', lambda sizes: (__import__('keras'), right(sizes))[1])\nprint('tensorflow' in sys.modules)"
    assert kernel.text("checks.SECONDS = 200\nprint('tensorflow' in sys.modules)") == "False\n"
    assert kernel.text(code, timeout=300) == "Exercise 4.3: right.\nTrue\n"


def test_libraries_that_compute_in_several_threads_do_not_hang_in_an_answer():
    code = (
        "from lepton_helpers import check, checks, course\ncourse.start(seed=1)\nimport numpy as np, sklearn.cluster\n"
        "right = checks.exercises(4)['4.3'].define(checks.exercises(4)['4.3'].solution)\n"
        "x = np.random.rand(3000, 50)\nfit = sklearn.cluster.KMeans(3, n_init=1, random_state=0).fit\nfit(x)\n"
        "checks.SECONDS = 60\ncheck('4.3', lambda sizes: (fit(x), right(sizes))[1])"
    )
    environment = os.environ | {"LEPTON_THREADS": "2"}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300)
    assert run.stdout == "Exercise 4.3: right.\n", run.stderr


def test_no_warning_of_the_process_is_seen_beside_threads():
    end = threading.Event()
    threading.Thread(target=end.wait).start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert checks.verdict("4.3", RIGHT) == "right."
    finally:
        end.set()


def test_without_room_for_a_process_a_thread_serves(monkeypatch):
    def refuse():
        raise OSError("no more processes")

    monkeypatch.setattr(os, "fork", refuse, raising=False)
    assert checks.verdict("4.3", RIGHT) == "right."


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_where_processes_do_not_serve_a_thread_does(monkeypatch, platform):
    kept = []
    monkeypatch.setattr(sys, "platform", platform)
    assert checks.verdict("4.3", lambda sizes: (kept.append(1), RIGHT(sizes))[1]) == "right."
    assert kept, "the answer ran here"
