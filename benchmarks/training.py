"""Training the MLP of lesson 04: Keras as the lesson does it, against PyTorch eager and a hand-written NumPy loop.

Same data, initial weights' distribution, batch size, epochs, optimizer (Adam) and precision; one thread each, each in a
process of its own, in turn. Keras builds a graph first: "Keras" includes that, "Keras, graph built" does not. PyTorch has an environment of its own, because
its Linux wheels would pull CUDA into the course: python3 -m venv .torch && .torch/bin/pip install torch==2.13.0 numpy
"""

import os
import subprocess
import sys
import tempfile
import time

EPOCHS, BATCH, ROUNDS = 10, 64, 3
SIZES = [784, 128, 64, 1]


def with_keras(x, y):
    from lepton_helpers import course

    course.start(seed=4)
    import keras

    keras.config.set_floatx(x.dtype.name)
    keras.config.set_dtype_policy(x.dtype.name)

    def prepare():
        layers = [keras.layers.Dense(units, activation="relu") for units in SIZES[1:-1]]
        model = keras.Sequential([keras.Input((SIZES[0],)), *layers, keras.layers.Dense(1, activation="sigmoid")])
        model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"], steps_per_execution=50)
        return model

    def train(model):
        return model.fit(x, y, epochs=EPOCHS, batch_size=BATCH, verbose=0).history["loss"][-1]

    return lambda: train(prepare()), train, prepare


def with_torch(x, y):
    import torch

    torch.set_num_threads(1)
    x, y = torch.tensor(x), torch.tensor(y)[:, None]

    def train():
        torch.manual_seed(4)
        layers = []
        for inputs, units in zip(SIZES[:-1], SIZES[1:], strict=True):
            layers += [torch.nn.Linear(inputs, units, dtype=x.dtype), torch.nn.ReLU()]
        model = torch.nn.Sequential(*layers[:-1], torch.nn.Sigmoid())
        optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
        for _ in range(EPOCHS):
            total, right = 0.0, 0
            for rows in torch.randperm(len(x)).split(BATCH):
                p = model(x[rows])
                loss = torch.nn.functional.binary_cross_entropy(p, y[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(rows)
                right += ((p > 0.5) == y[rows]).sum().item()
        return total / len(x)

    return train


def with_numpy(x, y):
    import numpy as np

    def train():
        rng = np.random.default_rng(4)
        weights = [
            (rng.normal(size=s) * np.sqrt(2 / s[0])).astype(x.dtype) for s in zip(SIZES[:-1], SIZES[1:], strict=True)
        ]
        parameters = weights + [np.zeros(units, x.dtype) for units in SIZES[1:]]
        averages = [(np.zeros_like(p), np.zeros_like(p)) for p in parameters]
        step = 0
        for _ in range(EPOCHS):
            total = 0.0
            order = rng.permutation(len(x))
            for start in range(0, len(x), BATCH):
                rows = order[start : start + BATCH]
                w1, w2, w3, b1, b2, b3 = parameters
                h1 = np.maximum(x[rows] @ w1 + b1, 0)
                h2 = np.maximum(h1 @ w2 + b2, 0)
                p = 1 / (1 + np.exp(-(h2 @ w3 + b3)))
                target = y[rows, None]
                q = np.clip(p, 1e-7, 1 - 1e-7)
                total -= float(np.sum(target * np.log(q) + (1 - target) * np.log(1 - q)))
                g3 = (p - target) / len(rows)
                g2 = g3 @ w3.T * (h2 > 0)
                g1 = g2 @ w2.T * (h1 > 0)
                gradients = [x[rows].T @ g1, h1.T @ g2, h2.T @ g3, g1.sum(0), g2.sum(0), g3.sum(0)]
                step += 1
                rate = 0.001 * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
                for parameter, gradient, (m, v) in zip(parameters, gradients, averages, strict=True):
                    m += 0.1 * (gradient - m)
                    v += 0.001 * (gradient**2 - v)
                    parameter -= (rate * m / (np.sqrt(v) + 1e-7)).astype(x.dtype)
        return total / len(x)

    return train


CONTENDERS = {"Keras": with_keras, "Keras, graph built": with_keras, "PyTorch eager": with_torch, "NumPy": with_numpy}


def run_contender(name, file, precision):
    """Print the best time of several rounds and the final loss; runs in the contender's own process."""
    import numpy as np

    with np.load(file) as stored:
        x, y = stored["x"].astype(precision), stored["y"].astype(precision)
    if name.startswith("Keras"):
        fresh, train_on, prepare = with_keras(x, y)
        model = prepare()
        train_on(model)
        train = fresh if name == "Keras" else lambda: train_on(model)
    else:
        train = CONTENDERS[name](x, y)
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        loss = train()
        seconds.append(time.perf_counter() - start)
    print(min(seconds), loss)


def main():
    import numpy as np

    from lepton_helpers import data

    images, digits = data.load_mnist_5k()
    chosen = np.random.default_rng(4).permutation(5000)[:4000]
    torch_python = os.environ.get("TORCH_PYTHON", ".torch/bin/python")
    one_thread = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")}
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "digits.npz")
        np.savez(file, x=images[chosen].reshape(-1, 784) / 255, y=digits[chosen] % 2)
        for precision in ("float64", "float32"):
            seconds = {}
            for name in CONTENDERS:
                python = torch_python if name == "PyTorch eager" else sys.executable
                if not os.path.exists(python):
                    print("PyTorch is missing: python3 -m venv .torch && .torch/bin/pip install torch==2.13.0 numpy")
                    continue
                command = [python, __file__, name, file, precision]
                output = subprocess.check_output(command, env={**os.environ, **one_thread}, text=True)
                seconds[name], loss = (float(word) for word in output.split())
                ratio = seconds[name] / seconds["Keras"]
                print(
                    f"{precision}  {name:18s} {seconds[name]:6.2f} s  {ratio:5.2f} x Keras's time  last loss {loss:.4f}"
                )


if __name__ == "__main__":
    run_contender(*sys.argv[1:]) if len(sys.argv) > 1 else main()
