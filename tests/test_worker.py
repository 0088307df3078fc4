"""The worker script of lesson 07: real processes that are killed, interrupted, refused their port; none may be left behind."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import zipfile

import kubernetes_validate
import numpy as np
import psutil
import pytest
import yaml

from lepton_helpers import worker

ROOT = pathlib.Path(__file__).resolve().parent.parent
LESSON = ROOT / "notebooks" / "07_scale_it.ipynb"


def workers_in(folder):
    """Return the running worker processes that use ``folder`` or one in it."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        command = process.info["cmdline"] or []
        inside = any(word.startswith(str(folder)) for word in command)
        if inside and "lepton_helpers.worker" in command and process.info["status"] != "zombie":
            found.append(process)
    return found


def start_worker(*arguments):
    """Start one worker by hand, as on a cluster, and return its process."""
    command = [sys.executable, "-m", worker.__name__, *map(str, arguments)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=ROOT, **pipes)


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def state(folder):
    with np.load(folder / worker.CHECKPOINT) as stored:
        return {name: stored[name].tobytes() for name in stored.files}


@pytest.fixture(autouse=True)
def none_left(tmp_path):
    yield
    left = workers_in(tmp_path)
    for process in left:
        process.kill()
    assert not left


def test_two_workers_equal_one_also_after_one_of_them_was_killed(tmp_path):
    options = {"steps": 30, "save_every": 8}
    (alone,) = worker.run(tmp_path / "alone", workers=1, **options)
    together = worker.run(tmp_path / "together", **options)
    assert [alone["code"], *(result["code"] for result in together)] == [0, 0, 0], (
        alone["errors"] + together[0]["errors"]
    )
    one, two = worker.read_log(tmp_path / "alone"), worker.read_log(tmp_path / "together")
    assert [line["step"] for line in two] == list(range(1, 31))
    assert max(abs(a["loss"] - b["loss"]) for a, b in zip(one, two, strict=True)) < 1e-12

    begin = time.monotonic()
    first, second = worker.run(tmp_path / "broken", die_at=(1, 27), **options)
    assert second["code"] == -signal.SIGKILL and first["code"] != 0
    assert time.monotonic() - begin < 90
    assert int(np.load(tmp_path / "broken" / worker.CHECKPOINT)["step"]) == 24
    assert [result["code"] for result in worker.run(tmp_path / "broken", **options)] == [0, 0]
    assert state(tmp_path / "broken") == state(tmp_path / "together")


def test_what_a_user_has_set_reaches_no_worker(tmp_path, monkeypatch):
    settings = {"PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "cpp", "PYTHONIOENCODING": "utf-16", "XLA_FLAGS": "--no_such"}
    cluster = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}
    settings |= dict.fromkeys(["http_proxy", "HTTPS_PROXY", "grpc_proxy"], "http://127.0.0.1:9")
    for name, value in (settings | {"TF_CONFIG": json.dumps(cluster), "no_grpc_proxy": "elsewhere"}).items():
        monkeypatch.setenv(name, value)
    (tmp_path / "random.py").write_text("1 / 0")
    monkeypatch.chdir(tmp_path)
    for workers in (1, 2):
        for result in worker.run(tmp_path / str(workers), workers=workers, steps=1):
            assert result["code"] == 0 and result["output"].startswith("weights "), result["errors"]


def test_an_interrupt_ends_the_workers(tmp_path, monkeypatch):
    sleep = time.sleep

    def interrupt(seconds):
        while len(workers_in(tmp_path)) < 2:  # on a busy machine the second one takes a moment to appear
            sleep(0.05)
        raise KeyboardInterrupt

    monkeypatch.setattr(worker.time, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        worker.run(tmp_path)


def test_workers_end_when_the_process_that_started_them_is_killed(tmp_path):
    code = f"from lepton_helpers import worker; worker.run({str(tmp_path)!r}, steps=10**6)"
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    try:
        wait_until(lambda: len(workers_in(tmp_path)) == 2)
    finally:
        parent.kill()
        parent.wait()
    wait_until(lambda: not workers_in(tmp_path))


def listening(process):
    return [connection.laddr for connection in process.net_connections("tcp") if connection.status == "LISTEN"]


def test_a_worker_is_open_to_the_network_as_code_lesson_and_cluster_configuration_say(tmp_path):
    """If a newer TensorFlow listens on 127.0.0.1 alone, this fails: then say so in the three texts."""
    code = f"from lepton_helpers import worker; worker.run({str(tmp_path)!r}, steps=10**6)"
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    try:
        wait_until((tmp_path / worker.LOG.format(1)).exists)
        for process in workers_in(tmp_path):
            hosts = re.search(r"--hosts=(\S+)", " ".join(process.cmdline()))[1].split(",")
            index = int(re.search(r"--index=(\d)", " ".join(process.cmdline()))[1])
            (address,) = listening(process)  # one port, that of its own entry, and no other
            assert address.ip in ("::", "0.0.0.0") and f"127.0.0.1:{address.port}" == hosts[index]
    finally:
        parent.kill()
        parent.wait()
    wait_until(lambda: not workers_in(tmp_path))  # in the middle of the training, too
    for path in (ROOT / "lepton_helpers" / "worker.py", LESSON, ROOT / "deploy" / "training.yaml"):
        assert "on all network interfaces" in re.sub(r"[\s#]+", " ", path.read_text(encoding="utf-8")), path


PEER = "127.0.0.1:{1}"
ABSENT = {
    "worker 1": (0, PEER, "No answer from 127.0.0.1:{1} ([Errno "),
    "worker 0": (1, PEER, "No answer from 127.0.0.1:{0} ([Errno "),
    "unknown host": (0, "no-such-host.invalid:{1}", "No answer from no-such-host.invalid:{1} ("),
}


@pytest.mark.parametrize("case", ABSENT)
def test_who_waits_for_a_worker_that_never_comes_says_so_in_time(tmp_path, case):
    index, peer, reason = ABSENT[case]
    ports = worker.free_ports(2)
    hosts = ",".join(["127.0.0.1:{0}", peer]).format(*ports)
    process = start_worker(tmp_path, f"--hosts={hosts}", f"--index={index}", "--patience=3")
    assert process.stderr.readline() == f"Waiting at most 3 s for the workers at {hosts}.\n"
    begin = time.monotonic()
    (last,) = process.communicate(timeout=60)[1].splitlines()
    assert process.returncode == 1 and time.monotonic() - begin < 3 + 10  # to look up an unknown name takes a while
    assert last.startswith(reason.format(*ports))
    assert last.endswith("): check --hosts, and start all workers together.")


def test_a_program_that_answers_in_place_of_a_worker_is_noticed(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        hosts = f"127.0.0.1:{worker.free_ports(1)[0]},127.0.0.1:{other.getsockname()[1]}"
        process = start_worker(tmp_path, f"--hosts={hosts}", "--index=0", "--patience=3")
        _, errors = process.communicate(timeout=200)
    assert (
        process.returncode == 1
        and "All addresses answer, but not all as workers of this training" in errors.splitlines()[-1]
    )


def test_two_workers_with_one_number_end_both(tmp_path):
    first, second = (f"127.0.0.1:{port}" for port in worker.free_ports(2))
    hosts = f"{first},{second}"
    twins = [start_worker(tmp_path, f"--hosts={hosts}", "--index=0", "--patience=5") for _ in range(2)]
    errors = sorted(process.communicate(timeout=200)[1].splitlines()[-1] for process in twins)
    assert [process.returncode for process in twins] == [1, 1]
    assert errors[1].startswith("No answer from " + second)
    assert errors[0] == f"Cannot listen at {first}: another program does, maybe a second worker with --index=0."


def test_a_taken_port_ends_all_workers_with_an_error(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = [taken.getsockname()[1], *worker.free_ports(1)]
        first, second = worker.run(tmp_path, ports=ports, patience=3)
    assert first["code"] != 0 and second["code"] != 0
    assert f"Cannot listen at 127.0.0.1:{ports[0]}" in first["errors"].splitlines()[-1]
    assert not (tmp_path / worker.CHECKPOINT).exists()


def test_a_time_out_ends_the_workers(tmp_path):
    results = worker.run(tmp_path, steps=10**6, seconds=1)
    assert [result["stopped"] for result in results] == [True, True]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("--hosts=a:1,b:1,c:1", "3 workers cannot share a batch of 64 evenly"),
        ("--hosts=a:1,a", "'a' is not HOST:PORT"),
        ("--hosts=a:1,b:", "'b:' is not HOST:PORT"),
        ("--hosts=a:1,:2", "':2' is not HOST:PORT"),
        ("--hosts=a:1,", "'' is not HOST:PORT"),
        ("--hosts=a:1,b:0", "'b:0' is not HOST:PORT"),
        ("--hosts=a:1,b:65536", "'b:65536' is not HOST:PORT"),
        ("--hosts=a:1,b:x", "'b:x' is not HOST:PORT"),
        ("--hosts=a:1,b:-1", "'b:-1' is not HOST:PORT"),
        ("--hosts=a:1,::1:1", "'::1:1' is not HOST:PORT"),
        ("--hosts=http://a:1,b:1", "'http://a:1' is not HOST:PORT"),
        ("--hosts=a:1;b:1", "'a:1;b:1' is not HOST:PORT"),
        ("--hosts=a:1,b:1,a:1,b:2", "Each worker needs an address of its own"),
        ("--hosts=a:1,b:1 --index=2", "--index must be from 0 to 1, not 2"),
        ("--hosts=a:1,b:1 --index=-1", "--index must be from 0 to 1, not -1"),
        ("--index=1", "--index must be from 0 to 0, not 1"),
        ("--index=first", "--index: invalid int value: 'first'"),
        ("--save-every=0", "--steps, --save-every and --patience must be 1 or more"),
        ("--save-every=-8", "--steps, --save-every and --patience must be 1 or more"),
        ("--steps=0", "--steps, --save-every and --patience must be 1 or more"),
        ("--steps=-5", "--steps, --save-every and --patience must be 1 or more"),
        ("--steps=1e3", "--steps: invalid int value: '1e3'"),
        ("--patience=0", "--steps, --save-every and --patience must be 1 or more"),
        ("--stepz=5", "unrecognized arguments: --stepz=5"),
    ],
)
def test_arguments_that_make_no_sense_are_refused_at_once(tmp_path, arguments, sentence):
    process, begin = start_worker(tmp_path / "new", *arguments.split()), time.monotonic()
    try:
        errors = process.communicate(timeout=20)[1]
    finally:
        process.kill()
    assert process.returncode == 1 and sentence in errors and len(errors.splitlines()) == 1, errors
    assert time.monotonic() - begin < 10  # 0.5 s on an idle machine: TensorFlow is not even imported
    assert not (tmp_path / "new").exists()


def test_a_host_may_be_an_address_in_brackets_and_a_cluster_may_give_the_number(monkeypatch):
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "2")
    with pytest.raises(SystemExit, match=r"--index must be from 0 to 1, not 2"):
        worker.main(["unused", "--hosts=[::1]:2222,training-1.training:2222"])


@pytest.fixture
def sound(tmp_path):
    """The arrays of a checkpoint of step 2 that is continued."""
    return worker.begin(tmp_path / "nothing", 2) | {"step": np.array(2)}


def changed(name, value):
    return lambda arrays: arrays | {name: np.array(value(arrays[name]))}


def one(number, negative=False):
    """Return a function that puts ``number`` in the place of one element."""

    def put(array):
        array = array.copy()
        array.flat[-1] = -array.flat[-1] - 1 if negative else number
        return array

    return put


RANDOM = json.dumps(np.random.MT19937(0).state, default=np.ndarray.tolist)
INCONSISTENT = {
    "of another program": (lambda arrays: {"x": np.arange(3)}, "is damaged, or of another program"),
    "empty": (lambda arrays: {}, "is damaged, or of another program"),
    "pickled": (lambda arrays: arrays | {"w0": np.array([{}])}, "is damaged, or of another program"),
    "without a key": (
        lambda arrays: {k: a for k, a in arrays.items() if k != "vw3"},
        "holds other arrays than this network's",
    ),
    "with one key more": (lambda arrays: arrays | {"w4": np.zeros(1)}, "holds other arrays than this network's"),
    "of other sizes": (changed("w0", lambda a: a[:, :32]), "holds other arrays than this network's"),
    "transposed": (changed("mw2", lambda a: a.T), "holds other arrays than this network's"),
    "in float32": (changed("w2", lambda a: a.astype("float32")), "holds other arrays than this network's"),
    "in complex numbers": (changed("w2", lambda a: a.astype(complex)), "holds other arrays than this network's"),
    "in another byte order": (changed("w2", lambda a: a.astype(">f8")), "holds other arrays than this network's"),
    "of a fractional step": (changed("step", lambda a: 1.5), "holds other arrays than this network's"),
    "of many steps": (changed("step", lambda a: [1, 2]), "is damaged, or of another program"),
    "with a short order": (changed("order", lambda a: a[:-1]), "holds other arrays than this network's"),
    "with NaN": (changed("w0", one(np.nan)), "holds numbers that no training gives"),
    "with infinity": (changed("mw3", one(np.inf)), "holds numbers that no training gives"),
    "with a negative square": (changed("vw1", one(0, negative=True)), "holds numbers that no training gives"),
    "of a step before the first": (changed("step", lambda a: -1), "is of step -1, not one from 0 to --steps=4"),
    "of a step beyond the end": (changed("step", lambda a: 5), "is of step 5, not one from 0 to --steps=4"),
    "with an image twice": (changed("order", lambda a: np.r_[a[1], a[1:]]), "holds no order of all images"),
    "with an unknown image": (changed("order", one(worker.TRAINING_IMAGES)), "holds no order of all images"),
    "with no random state": (changed("random", lambda a: "{}"), "is damaged, or of another program"),
    "with half a random state": (changed("random", lambda a: str(a)[:40]), "is damaged, or of another program"),
    "with a number as random state": (changed("random", lambda a: 7), "is damaged, or of another program"),
    "with another generator": (changed("random", lambda a: RANDOM), "is damaged, or of another program"),
}


def refusal(folder, reason, steps=4):
    """Assert that a worker refuses the checkpoint of ``folder`` with ``reason``, and leaves everything as it was."""
    path = folder / worker.CHECKPOINT
    before = path.read_bytes() if path.is_file() else None
    process, begin = start_worker(folder, f"--steps={steps}"), time.monotonic()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1 and len(errors.splitlines()) == 1, errors
    assert errors.startswith(f"{path} {reason}"), errors
    assert "To start from the beginning, move it away" in errors and time.monotonic() - begin < 10
    assert [entry.name for entry in folder.iterdir()] == [path.name]
    assert before == (path.read_bytes() if path.is_file() else None)


@pytest.mark.parametrize("kind", INCONSISTENT)
def test_an_inconsistent_checkpoint_is_refused_and_kept(tmp_path, sound, kind):
    change, reason = INCONSISTENT[kind]
    np.savez(tmp_path / worker.CHECKPOINT, **change(sound))
    refusal(tmp_path, reason)


def test_a_damaged_or_foreign_file_is_refused_and_kept(tmp_path, sound):
    path, reason = tmp_path / worker.CHECKPOINT, "is damaged, or of another program"
    worker.save(path, sound)
    whole = path.read_bytes()
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        refusal(tmp_path, reason)
    for place in (len(whole) // 3, 2 * len(whole) // 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])  # one bit
        refusal(tmp_path, reason)
    for content in (b"not a checkpoint", b"\x80\x04N.", b"\x93NUMPY\x01\x00v\x00{"):
        path.write_bytes(content)
        refusal(tmp_path, reason)
    with open(path, "wb") as file:
        np.save(file, np.zeros(3))
    refusal(tmp_path, reason)
    with zipfile.ZipFile(path, "w") as archive:
        for name in sound:
            archive.writestr(name, "text")
    refusal(tmp_path, reason)
    path.unlink()
    path.mkdir()
    refusal(tmp_path, reason)


def test_all_workers_refuse_and_a_finished_training_is_no_mistake(tmp_path, sound):
    worker.save(tmp_path / worker.CHECKPOINT, sound)
    for steps, codes in ((1, [1, 1]), (2, [0, 0])):
        results = worker.run(tmp_path, steps=steps)
        assert [result["code"] for result in results] == codes
        assert [
            ("is of step 2, not one from 0 to --steps=1" in result["errors"]) == bool(code)
            for result, code in zip(results, codes, strict=True)
        ]
    assert state(tmp_path) == {name: array.tobytes() for name, array in sound.items()}


def test_workers_that_start_from_different_checkpoints_stop(tmp_path, sound):
    """Also if they differ by one bit of one weight, at the same step."""
    hosts = ",".join(f"127.0.0.1:{port}" for port in worker.free_ports(2))
    for index in range(2):
        (tmp_path / str(index)).mkdir()
        sound["w0"].view("u1").flat[0] ^= 1
        worker.save(tmp_path / str(index) / worker.CHECKPOINT, sound)
    processes = [start_worker(tmp_path / str(index), f"--hosts={hosts}", f"--index={index}") for index in range(2)]
    errors = [process.communicate(timeout=90)[1] for process in processes]
    assert all(process.returncode for process in processes)
    assert all("The workers start from different checkpoints" in text for text in errors)


def test_half_a_line_of_a_killed_worker_is_passed_over(tmp_path):
    (tmp_path / worker.LOG.format(0)).write_text(
        '{"step": 1, "loss": 2.0}\n{"step": 2, "lo\n{"step": 2, "loss": 1.0}\n'
    )
    assert worker.read_log(tmp_path) == [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}]


def test_a_checkpoint_is_whole_even_if_writing_fails(tmp_path, monkeypatch):
    path = tmp_path / worker.CHECKPOINT
    worker.save(path, {"a": np.arange(3)})

    def fail(descriptor):
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk is full"):
        worker.save(path, {"a": np.zeros(3)})
    assert np.load(path)["a"].tolist() == [0, 1, 2]


def test_cluster_configuration_follows_the_schema_of_kubernetes():
    documents = list(yaml.safe_load_all((ROOT / "deploy" / "training.yaml").read_text()))
    kinds = ["Service", "NetworkPolicy", "Job", "PersistentVolumeClaim"]
    assert [document["kind"] for document in documents] == kinds
    for document in documents:
        kubernetes_validate.validate(document, "1.34", strict=True)


def test_only_the_workers_of_the_job_reach_its_port():
    service, policy, job, _ = yaml.safe_load_all((ROOT / "deploy" / "training.yaml").read_text())
    pod = job["spec"]["template"]
    workers = {"podSelector": {"matchLabels": pod["metadata"]["labels"]}}
    (port,) = pod["spec"]["containers"][0]["ports"]
    assert policy["spec"] == workers | {
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [workers], "ports": [{"protocol": "TCP", "port": port["containerPort"]}]}],
    }


def test_cluster_configuration_starts_the_worker_as_the_worker_expects(tmp_path, monkeypatch):
    service, _, job, _ = yaml.safe_load_all((ROOT / "deploy" / "training.yaml").read_text())
    pod, name = job["spec"]["template"]["spec"], job["metadata"]["name"]
    (container,) = pod["containers"]
    assert container["command"][:3] == ["python", "-m", worker.__name__]
    assert pod["subdomain"] == service["metadata"]["name"] and service["spec"]["clusterIP"] == "None"
    assert service["spec"]["selector"].items() <= job["spec"]["template"]["metadata"]["labels"].items()
    hosts = re.search(r"--hosts=(\S+)", " ".join(container["args"]))[1].split(",")
    port = container["ports"][0]["containerPort"]
    assert hosts == [f"{name}-{index}.{pod['subdomain']}:{port}" for index in range(job["spec"]["completions"])]
    assert "--index" not in " ".join(container["args"])  # the worker reads JOB_COMPLETION_INDEX
    help_text = subprocess.run(
        [sys.executable, "-m", worker.__name__, "--help"], capture_output=True, text=True, cwd=ROOT
    )
    for argument in container["args"]:
        assert argument.split("=")[0] in help_text.stdout


def test_the_lesson_quotes_the_worker_as_it_is():
    cells = ["".join(cell["source"]) for cell in json.loads(LESSON.read_text(encoding="utf-8"))["cells"]]
    quoted = [
        block for cell in cells if "<details>" not in cell for block in re.findall(r"```python\n(.*?)```", cell, re.S)
    ]
    lines = [line.strip() for line in (ROOT / "lepton_helpers" / "worker.py").read_text().splitlines()]
    for block in quoted:
        places = [lines.index(line.strip()) for line in block.strip().splitlines() if line.strip()]
        assert places == sorted(places)
    assert len(quoted) == 2
