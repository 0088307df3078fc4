"""Train one small network with one or several worker processes, and survive the death of any of them (lesson 07).

As a program, this is one worker:      python -m lepton_helpers.worker FOLDER --hosts HOST:PORT,HOST:PORT --index 0
From Python, ``run`` starts all of them on this machine, waits, and leaves no process behind.

Every worker holds the whole network, takes its share of each batch, and all add up their gradients (data parallelism,
``tf.distribute.MultiWorkerMirroredStrategy``). Worker 0 writes the checkpoints; every worker starts from the newest one.

While several workers train, each listens on all network interfaces, whatever its HOST says: TensorFlow's gRPC server binds
to 0.0.0.0, knows neither password nor encryption, and runs what it is sent. On a network with strangers, keep them out: at
home by leaving it (loopback works without any network), on a cluster by a NetworkPolicy as in deploy/training.yaml.
"""

import argparse
import contextlib
import hashlib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time

import numpy as np

from lepton_helpers import course, data

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


def insist(demands, advice=""):
    """End this process with a sentence about the first of ``demands`` (sentence: whether it holds) that does not hold."""
    for sentence, holds in demands.items():
        if not holds:
            sys.exit(f"{sentence}. {advice}".strip())


def random_numbers(state):
    """Return the generator as it continues from ``state``."""
    rng = np.random.default_rng()
    rng.bit_generator.state = json.loads(str(state["random"]))
    return rng


def begin(path, steps):
    """Return the state at step 0, or the one stored at ``path``: weights, both moments of Adam, step, order, random state.

    A file that a training of ``steps`` steps cannot continue ends this process with a sentence, and is left as it is.
    """
    rng = np.random.default_rng(SEED)
    state = {"step": np.array(0), "order": rng.permutation(TRAINING_IMAGES)}
    for i, (inputs, units) in enumerate(zip(SIZES[:-1], SIZES[1:], strict=True)):
        state[f"w{2 * i}"] = rng.normal(size=(inputs, units)) * np.sqrt(2 / inputs)
        state[f"w{2 * i + 1}"] = np.zeros(units)
    state |= {kind + name: np.zeros_like(w) for name, w in state.items() if name[0] == "w" for kind in "mv"}
    state["random"] = np.array(json.dumps(rng.bit_generator.state))
    if not path.exists():
        return state
    demands = {f"{path} is damaged, or of another program": False}
    with contextlib.suppress(Exception), np.load(path) as file:  # NumPy and zipfile raise whatever they like
        stored = dict(file)
        random_numbers(stored)  # fails if they cannot be read
        kinds = [{key: (a.shape, a.dtype) for key, a in every.items() if key != "random"} for every in (state, stored)]
        sound = [np.isfinite(a) & (a >= 0 if key[0] == "v" else True) for key, a in stored.items() if a.dtype == float]
        demands = {
            f"{path} holds other arrays than this network's": kinds[0] == kinds[1],
            f"{path} holds numbers that no training gives": all(np.all(each) for each in sound),  # v averages squares
            f"{path} is of step {stored['step']}, not one from 0 to --steps={steps}": 0 <= stored["step"] <= steps,
            f"{path} holds no order of all images": set(stored["order"].flat) == set(range(TRAINING_IMAGES)),
        }
    insist(demands, "To start from the beginning, move it away; to continue, put a sound checkpoint in its place.")
    return stored


def build_step(tf, strategy, state):
    """Return the variables (a dict), and the function that takes one step on a share of a batch."""
    names = sorted(name for name in state if name.startswith("w"))
    with strategy.scope():
        variables = {kind + name: tf.Variable(state[kind + name]) for kind in ("", "m", "v") for name in names}
    weights, m, v = ([variables[kind + name] for name in names] for kind in ("", "m", "v"))

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

    return variables, tf.function(lambda *share: strategy.run(replica_step, share))


def train(tf, options, strategy, workers, state):
    """Train from ``state`` on, log a line per step, keep checkpoints, and return the digest of the last state."""
    images, digits = data.load_mnist_5k()
    rows = np.random.default_rng(SEED).permutation(5000)[:TRAINING_IMAGES]
    x, y = images[rows].reshape(-1, 784) / 255, digits[rows].astype("int32")

    rng, order = random_numbers(state), state["order"]
    variables, take_step = build_step(tf, strategy, state)
    share, per_epoch = BATCH // workers, TRAINING_IMAGES // BATCH
    with open(options.folder / LOG.format(options.index), "a", buffering=1) as log:
        log.write("\n")  # ends the half line that a killed worker may have left
        for step in range(int(state["step"]) + 1, options.steps + 1):
            if step == options.die_at:
                os.kill(os.getpid(), 9)  # SIGKILL, as if the machine had lost power: nothing is cleaned up
            start = time.perf_counter()
            position = (step - 1) % per_epoch
            if position == 0 and step > 1:
                order = rng.permutation(TRAINING_IMAGES)
            mine = order[position * BATCH + options.index * share :][:share]
            loss = take_step(tf.constant(x[mine]), tf.constant(y[mine]), tf.constant(float(step), tf.float64))
            print(json.dumps({"step": step, "loss": float(loss), "seconds": time.perf_counter() - start}), file=log)
            if options.index == 0 and (step % options.save_every == 0 or step == options.steps):
                arrays = {key: variable.numpy() for key, variable in variables.items()}
                random = np.array(json.dumps(rng.bit_generator.state))
                save(options.folder / CHECKPOINT, arrays | {"step": np.array(step), "order": order, "random": random})
    return digest([variables[key].numpy() for key in sorted(variables)])


def is_address(host):
    return (match := re.fullmatch(r"(?:[\w.-]+|\[[\da-fA-F:.]+\]):([0-9]{1,5})", host)) and 0 < int(match[1]) < 65536


def meet(hosts, index, patience, mark):
    """Return once every worker has reached every other, all with the same ``mark``; otherwise end this process in time.

    TensorFlow alone would wait for an hour without a word, and no other thread of Python could run meanwhile.
    """
    print(f"Waiting at most {patience} s for the workers at {','.join(hosts)}.", file=sys.stderr)
    deadline, places = time.monotonic() + patience, [host.rpartition(":")[::2] for host in hosts]
    kind = {"family": socket.AF_INET6, "dualstack_ipv6": True} if socket.has_dualstack_ipv6() else {}
    try:
        door = socket.create_server(("", int(places[index][1])), backlog=len(hosts), **kind)
    except OSError:
        sys.exit(f"Cannot listen at {hosts[index]}: another program does, maybe a second worker with --index={index}.")
    for place in places:
        while True:
            try:
                with socket.create_connection((place[0].strip("[]"), place[1]), timeout=2) as link:
                    link.sendall(mark)
                break
            except (OSError, ValueError) as error:  # ValueError: no name can be like this
                advice = f"No answer from {':'.join(place)} ({error}): check --hosts, and start all workers together"
                insist({advice: time.monotonic() < deadline})
            time.sleep(0.2)
    with contextlib.suppress(OSError):
        for _ in hosts:
            door.settimeout(max(5, deadline - time.monotonic()))
            with door.accept()[0] as guest:
                guest.settimeout(2)
                insist({"The workers start from different checkpoints: stop all, start again": guest.recv(64) == mark})
        return door.close()
    sys.exit("All addresses answer, but not all as workers of this training: check --hosts, and start all together.")


def main(arguments=None):
    parser = argparse.ArgumentParser(description="One worker of lesson 07.")
    parser.error = lambda message: sys.exit(f"{message}; --help explains all options.")  # one sentence, no usage
    parser.add_argument("folder", type=pathlib.Path, help="for checkpoints and logs; all workers share it")
    parser.add_argument("--hosts", default="", help="HOST:PORT of every worker, with commas; none: train alone")
    parser.add_argument("--index", type=int, default=os.environ.get("JOB_COMPLETION_INDEX", "0"))
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--save-every", type=int, default=10)
    parser.add_argument("--patience", type=int, default=30, help="seconds to wait for the other workers at the start")
    parser.add_argument("--die-at", type=int, help="kill this worker without warning before this step")
    parser.add_argument("--attached", action="store_true", help="end as soon as standard input is closed")
    options = parser.parse_args(arguments)
    hosts = options.hosts.split(",") if options.hosts else []
    workers, smallest = max(1, len(hosts)), min(options.steps, options.save_every, options.patience)
    demands = {f"{host!r} is not HOST:PORT, such as 127.0.0.1:2222": is_address(host) for host in hosts} | {
        "Each worker needs an address of its own in --hosts": len(hosts) == len(set(hosts)),
        f"--index must be from 0 to {workers - 1}, not {options.index}": 0 <= options.index < workers,
        f"{workers} workers cannot share a batch of {BATCH} evenly: take a divisor of it": BATCH % workers == 0,
        "--steps, --save-every and --patience must be 1 or more": smallest > 0,
    }
    insist(demands)
    if options.attached:  # whoever started this worker holds the other end; when that process ends, so does this one
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(3)), daemon=True).start()
    options.folder.mkdir(parents=True, exist_ok=True)
    state = begin(options.folder / CHECKPOINT, options.steps)
    if hosts:
        meet(hosts, options.index, options.patience, digest(state[name] for name in sorted(state)).encode())
        task = {"type": "worker", "index": options.index}
        os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": hosts}, "task": task})
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    if not tf.config.list_physical_devices("GPU"):
        tf.config.threading.set_intra_op_parallelism_threads(1)
    strategy = tf.distribute.MultiWorkerMirroredStrategy() if hosts else tf.distribute.get_strategy()
    print("weights", train(tf, options, strategy, workers, state), flush=True)


def free_ports(count):
    """Return ``count`` ports of this machine that nobody uses now, below those that systems lend to outgoing connections."""
    rng, ports = np.random.default_rng(), set()
    while len(ports) < count:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", int(rng.integers(20_000, 32_000)))) as it:
            ports.add(it.getsockname()[1])
    return list(ports)


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
    # Workers on this machine need no proxy, whichever gRPC would choose; and two would fight over one GPU's memory.
    env = {name: value for name, value in course.shielded(os.environ).items() if not name.lower().endswith("_proxy")}
    env |= {"PYTHONPATH": str(pathlib.Path(__file__).parent.parent), "CUDA_VISIBLE_DEVICES": "-1"}
    processes, results, start = [], [], time.monotonic()
    try:
        for index in range(workers):
            options = [f"--hosts={hosts}", f"--index={index}", f"--steps={steps}", f"--save-every={save_every}"]
            options += [f"--patience={int(seconds) + 1}", "--attached"]
            options += [f"--die-at={die_at[1]}"] if die_at and die_at[0] == index else []
            command = [sys.executable, "-m", "lepton_helpers.worker", str(folder), *options]
            with open(folder / f"out-{index}", "w") as out, open(folder / f"err-{index}", "w") as err:
                processes.append(subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=out, stderr=err))
        after, deadline = {}, start + seconds
        while len(after) < workers and time.monotonic() < deadline:
            for index, process in enumerate(processes):
                if index not in after and process.poll() is not None:
                    after[index] = time.monotonic() - start
                    deadline = min(deadline, time.monotonic() + patience) if process.returncode else deadline
            time.sleep(0.05)
    finally:
        for process in processes:
            process.kill()  # does nothing to those that have ended
            process.communicate()  # waits, and closes its standard input
    for index, process in enumerate(processes):
        output, errors = ((folder / f"{name}-{index}").read_text(errors="replace") for name in ("out", "err"))
        told = {"code": process.returncode, "output": output, "errors": errors, "stopped": index not in after}
        results.append(told | {"after": after.get(index, time.monotonic() - start)})
    return results


def read_log(folder, index=0):
    """Return what a worker logged, one dict per step with ``step``, ``loss`` and ``seconds``; of repeated steps, the last."""
    text = (pathlib.Path(folder) / LOG.format(index)).read_text()
    lines = [line for line in text.splitlines() if line.endswith("}")]  # others are what a killed worker left
    return list({line["step"]: line for line in map(json.loads, lines)}.values())


if __name__ == "__main__":
    main()
