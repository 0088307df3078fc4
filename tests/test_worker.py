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

import kubernetes_validate
import numpy as np
import psutil
import pytest
import yaml

from lepton_helpers import worker

ROOT = pathlib.Path(__file__).resolve().parent.parent
LESSON = ROOT / "notebooks" / "07_scale_it.ipynb"


def workers_in(folder):
    """Return the running worker processes that use ``folder``."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        command = process.info["cmdline"] or []
        if str(folder) in command and "lepton_helpers.worker" in command and process.info["status"] != "zombie":
            found.append(process)
    return found


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
    for name, value in (settings | {"TF_CONFIG": json.dumps(cluster), "http_proxy": "http://127.0.0.1:9"}).items():
        monkeypatch.setenv(name, value)
    (tmp_path / "random.py").write_text("1 / 0")
    monkeypatch.chdir(tmp_path)
    (alone,) = worker.run(tmp_path / "alone", workers=1, steps=1)
    assert alone["code"] == 0 and alone["output"].startswith("weights "), alone["errors"]


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


def test_a_taken_port_ends_all_workers_with_an_error(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = [taken.getsockname()[1], *worker.free_ports(1)]
        first, second = worker.run(tmp_path, ports=ports, patience=3)
    assert first["code"] != 0 and second["code"] != 0
    assert not (tmp_path / worker.CHECKPOINT).exists()


def test_a_time_out_ends_the_workers(tmp_path):
    results = worker.run(tmp_path, steps=10**6, seconds=1)
    assert [result["stopped"] for result in results] == [True, True]


def test_a_number_of_workers_that_does_not_divide_the_batch_is_refused(tmp_path):
    command = [sys.executable, "-m", worker.__name__, str(tmp_path), "--hosts=a:1,b:1,c:1"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert result.returncode and result.stderr.startswith("3 workers cannot share a batch of 64 evenly")


def test_workers_that_start_from_different_checkpoints_stop(tmp_path):
    (alone,) = worker.run(tmp_path / "0", workers=1, steps=8)
    assert alone["code"] == 0
    hosts = ",".join(f"127.0.0.1:{port}" for port in worker.free_ports(2))
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", worker.__name__, str(tmp_path / str(index)), f"--hosts={hosts}", f"--index={index}"],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(2)
    ]
    errors = [process.communicate(timeout=90)[1] for process in processes]
    assert all(process.returncode for process in processes)
    assert any("The workers start from different checkpoints" in text for text in errors)


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
    assert [document["kind"] for document in documents] == ["Service", "Job", "PersistentVolumeClaim"]
    for document in documents:
        kubernetes_validate.validate(document, "1.34", strict=True)


def test_cluster_configuration_starts_the_worker_as_the_worker_expects(tmp_path, monkeypatch):
    service, job, _ = yaml.safe_load_all((ROOT / "deploy" / "training.yaml").read_text())
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


def test_the_lesson_quotes_worker_and_configuration_as_they_are():
    cells = ["".join(cell["source"]) for cell in json.loads(LESSON.read_text(encoding="utf-8"))["cells"]]
    quoted = [
        block
        for cell in cells
        if "<details>" not in cell
        for block in re.findall(r"```(python|yaml)\n(.*?)```", cell, re.S)
    ]
    texts = {"python": ROOT / "lepton_helpers" / "worker.py", "yaml": ROOT / "deploy" / "training.yaml"}
    assert {language for language, _ in quoted} == set(texts)
    for language, block in quoted:
        lines = [line.strip() for line in texts[language].read_text().splitlines()]
        places = [lines.index(line.strip()) for line in block.strip().splitlines() if line.strip()]
        assert language == "yaml" or places == sorted(places)
