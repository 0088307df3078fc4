"""Train one small network with one or several worker processes, and survive the death of any of them (lesson 07).

As a program, this is one worker:      python -m lepton_helpers.worker FOLDER --hosts HOST:PORT,HOST:PORT --index 0
From Python, ``run`` starts all of them on this machine, waits, and leaves no process behind.

Every worker holds the whole network, takes its share of each batch, and all add up their gradients (data parallelism,
``tf.distribute.MultiWorkerMirroredStrategy``). Worker 0 writes the checkpoints; every worker starts from the newest one.
"""

import argparse
import contextlib
import hashlib
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import threading
import time

import numpy as np

from lepton_helpers import course

SIZES = (784, 64, 10)
SEED, BATCH, TRAINING_IMAGES = 7, 64, 1280  # 20 steps are an epoch
CHECKPOINT, LOG = "checkpoint.npz", "log-{}.jsonl"
LEARNING_RATE, BETA_1, BETA_2, EPSILON = 0.001, 0.9, 0.999, 1e-7


def save(path, arrays):
    """Write ``arrays`` (a dict) to ``path`` in one piece: beside it first, on disk for certain, then moved into place."""
    beside = path.with_suffix(".partial")
    with open(beside, "wb") as file:
        np.savez(file, **arrays)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


def digest(arrays):
    """Return the SHA-256 of all arrays: it differs as soon as one bit of one array does."""
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


def begin(path):
    """Return the state at step 0, or the one stored at ``path``: weights, both moments of Adam, step, order, random state."""
    if path.exists():
        with np.load(path) as stored:
            return dict(stored)
    rng = np.random.default_rng(SEED)
    state = {"step": np.array(0), "order": rng.permutation(TRAINING_IMAGES)}
    for i, (inputs, units) in enumerate(zip(SIZES[:-1], SIZES[1:], strict=True)):
        state[f"w{2 * i}"] = rng.normal(size=(inputs, units)) * np.sqrt(2 / inputs)
        state[f"w{2 * i + 1}"] = np.zeros(units)
    for name in [name for name in state if name.startswith("w")]:
        state["m" + name], state["v" + name] = np.zeros_like(state[name]), np.zeros_like(state[name])
    return state | {"random": np.array(json.dumps(rng.bit_generator.state))}


def build_step(tf, strategy, state):
    """Return the variables (a dict), the function that takes one step on a share of a batch, and one that adds up a number."""
    names = sorted(name for name in state if name.startswith("w"))
    with strategy.scope():
        weights, m, v = ([tf.Variable(state[kind + name]) for name in names] for kind in ("", "m", "v"))

    def replica_step(x, y, t):  # x (share, 784), y (share,), t the number of the step, from 1
        with tf.GradientTape() as tape:
            hidden = tf.nn.relu(x @ weights[0] + weights[1])  # (share, 64)
            logits = hidden @ weights[2] + weights[3]  # (share, 10)
            each = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
            loss = tf.reduce_sum(each) / BATCH
        gradients = tape.gradient(loss, weights)
        context = tf.distribute.get_replica_context()
        together = context.all_reduce("sum", [loss, *gradients])  # the workers meet here
        rate = LEARNING_RATE * tf.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)
        for i, g in enumerate(together[1:]):
            m[i].assign_add((1 - BETA_1) * (g - m[i]))
            v[i].assign_add((1 - BETA_2) * (g * g - v[i]))
            weights[i].assign_sub(rate * m[i] / (tf.sqrt(v[i]) + EPSILON))
        return together[0]

    def add_up(value):
        placed = tf.identity(value)  # all_reduce needs a tensor that lies on a device
        return tf.distribute.get_replica_context().all_reduce("sum", placed)

    step = tf.function(lambda *share: strategy.run(replica_step, share))
    total = tf.function(lambda value: strategy.run(add_up, (value,)))
    stored = [
        (kind + name, var)
        for kind, group in (("", weights), ("m", m), ("v", v))
        for name, var in zip(names, group, strict=True)
    ]
    return dict(stored), step, total


def train(folder, strategy, index, workers, steps, save_every, die_at=None):
    """Train up to step ``steps``, log a line per step, keep checkpoints, and return the digest of the last state."""
    import tensorflow as tf

    from lepton_helpers import data

    images, digits = data.load_mnist_5k()
    rows = np.random.default_rng(SEED).permutation(5000)[:TRAINING_IMAGES]
    x, y = images[rows].reshape(-1, 784) / 255, digits[rows].astype("int32")

    checkpoint = folder / CHECKPOINT
    state = begin(checkpoint)
    rng, order = np.random.default_rng(), state["order"]
    rng.bit_generator.state = json.loads(str(state["random"]))
    variables, take_step, total = build_step(tf, strategy, state)
    if float(total(tf.constant(float(state["step"]), tf.float64))) != workers * state["step"]:
        sys.exit("The workers start from different checkpoints: stop all of them, then start them together.")
    share, per_epoch = BATCH // workers, TRAINING_IMAGES // BATCH
    with open(folder / LOG.format(index), "a") as log:
        log.write("\n")  # ends the half line that a killed worker may have left
        for step in range(int(state["step"]) + 1, steps + 1):
            if step == die_at:
                os.kill(os.getpid(), signal.SIGKILL)  # as if the machine had lost power: nothing is cleaned up
            start = time.perf_counter()
            position = (step - 1) % per_epoch
            if position == 0 and step > 1:
                order = rng.permutation(TRAINING_IMAGES)
            mine = order[position * BATCH + index * share :][:share]
            loss = take_step(tf.constant(x[mine]), tf.constant(y[mine]), tf.constant(float(step), tf.float64))
            line = {"step": step, "loss": float(loss), "seconds": time.perf_counter() - start}
            log.write(json.dumps(line) + "\n")
            log.flush()
            if index == 0 and (step % save_every == 0 or step == steps):
                arrays = {key: variable.numpy() for key, variable in variables.items()}
                random = np.array(json.dumps(rng.bit_generator.state))
                save(checkpoint, arrays | {"step": np.array(step), "order": order, "random": random})
    return digest([variables[key].numpy() for key in sorted(variables)])


def main(arguments=None):
    parser = argparse.ArgumentParser(description="One worker of lesson 07.")
    parser.add_argument("folder", type=pathlib.Path, help="for checkpoints and logs; all workers share it")
    parser.add_argument("--hosts", default="", help="HOST:PORT of every worker, with commas; none: train alone")
    parser.add_argument("--index", type=int, default=int(os.environ.get("JOB_COMPLETION_INDEX", "0")))
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--save-every", type=int, default=10)
    parser.add_argument("--die-at", type=int, help="kill this worker without warning before this step")
    parser.add_argument("--attached", action="store_true", help="end as soon as standard input is closed")
    options = parser.parse_args(arguments)
    if options.attached:  # whoever started this worker holds the other end; when that process ends, so does this one
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(3)), daemon=True).start()
    options.folder.mkdir(parents=True, exist_ok=True)
    hosts = options.hosts.split(",") if options.hosts else []
    workers = max(1, len(hosts))
    if BATCH % workers:
        sys.exit(f"{workers} workers cannot share a batch of {BATCH} evenly: start a number that divides it.")
    if hosts:
        task = {"type": "worker", "index": options.index}
        os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": hosts}, "task": task})
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    if not tf.config.list_physical_devices("GPU"):
        tf.config.threading.set_intra_op_parallelism_threads(1)
    strategy = tf.distribute.MultiWorkerMirroredStrategy() if hosts else tf.distribute.get_strategy()
    weights = train(options.folder, strategy, options.index, workers, options.steps, options.save_every, options.die_at)
    print("weights", weights, flush=True)


def free_ports(count):
    """Return ``count`` ports of this machine that nobody uses now, below those that systems lend to outgoing connections."""
    ports = []
    for port in random.SystemRandom().sample(range(20_000, 32_000), 1000):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            ports.append(port)
        if len(ports) == count:
            return ports
    raise RuntimeError("No free port was found on this machine.")


def run(folder, workers=2, steps=60, save_every=10, die_at=None, seconds=100, patience=20, ports=None):
    """Run ``workers`` processes on this machine to their end; none is left when this returns or raises.

    Args:
        die_at: (index, step): that worker kills itself there, as by ``kill -9``.
        seconds: all workers are killed after this time.
        patience: once one worker has failed, how many seconds the others get to notice and end by themselves.
        ports: one port per worker; free ones are chosen if none are given.

    Returns:
        A list with a dict per worker: ``code`` (0: well; negative: ended by that signal), ``output`` and ``errors``
        (text), ``after`` (seconds from the start to its end), and ``stopped`` (True: it had to be killed by ``run``).
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports or free_ports(workers)) if workers > 1 else ""
    environment = {
        name: value for name, value in course.shielded(os.environ).items() if not name.lower().endswith("_proxy")
    }
    environment |= {
        "PYTHONPATH": str(pathlib.Path(__file__).parent.parent),
        "CUDA_VISIBLE_DEVICES": "-1",  # two workers would fight over the memory of one GPU
    }
    processes, results, start = [], [], time.monotonic()
    try:
        for index in range(workers):
            command = [
                sys.executable,
                "-m",
                "lepton_helpers.worker",
                str(folder),
                f"--hosts={hosts}",
                f"--index={index}",
                "--attached",
            ]
            command += [f"--steps={steps}", f"--save-every={save_every}"]
            if die_at and die_at[0] == index:
                command.append(f"--die-at={die_at[1]}")
            with open(folder / f"out-{index}", "w") as out, open(folder / f"err-{index}", "w") as err:
                processes.append(
                    subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=err, env=environment)
                )
        after, deadline, stopped = [None] * workers, start + seconds, set()
        while any(process.poll() is None for process in processes):
            for index, process in enumerate(processes):
                if after[index] is None and process.poll() is not None:
                    after[index] = time.monotonic() - start
                    if process.returncode:
                        deadline = min(deadline, time.monotonic() + patience)
            if time.monotonic() > deadline:
                stopped = {i for i, process in enumerate(processes) if process.poll() is None}
                break
            time.sleep(0.05)
    finally:
        for process in processes:
            process.kill()  # does nothing to those that have ended
            process.wait()
            process.stdin.close()
    for index, process in enumerate(processes):
        texts = {
            "output": (folder / f"out-{index}").read_text(errors="replace"),
            "errors": (folder / f"err-{index}").read_text(errors="replace"),
        }
        ended = after[index] or time.monotonic() - start
        results.append({"code": process.returncode, "after": ended, "stopped": index in stopped, **texts})
    return results


def read_log(folder, index=0):
    """Return what a worker logged, one dict per step with ``step``, ``loss`` and ``seconds``; of repeated steps, the last."""
    text = (pathlib.Path(folder) / LOG.format(index)).read_text()
    lines = [line for line in text.splitlines() if line.endswith("}")]  # others are what a killed worker left
    return list({line["step"]: line for line in map(json.loads, lines)}.values())


if __name__ == "__main__":
    main()
