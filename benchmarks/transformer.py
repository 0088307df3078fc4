"""Training step of lesson 06's translator against the same model in PyTorch eager, and GRUs that learn the same task.

`python benchmarks/transformer.py`: same sizes, batch, optimizer and precision, one thread each, in processes of their own, in turn;
PyTorch's model is its own `nn.Transformer`. `python benchmarks/transformer.py gru`: the GRUs of section 6.13 (about six minutes),
whose table is transformer.md. PyTorch has an environment of its own, as in training.py: python3 -m venv .torch && .torch/bin/pip install torch==2.13.0 numpy
"""

import os
import pathlib
import subprocess
import sys
import time

BATCH, SOURCE, TARGET, D, HEADS, SOURCE_WORDS, TARGET_WORDS = 64, 14, 16, 96, 6, 34, 17  # as in the lesson
STEPS, ROUNDS = 20, 5
UNITS = 165  # so that the GRUs have as many parameters as the Transformer
TABLE = pathlib.Path(__file__).with_suffix(".md")
INTRODUCTION = """Lesson 06's task without attention: an encoder and a decoder of GRUs, trained as the lesson trains its Transformer, with the
same numbers in the same order (the last row: on ten times as many). The validation numbers choose the learning rate. An
answer is right if all of it is. `benchmarks/transformer.py gru`

"""


def batch():
    """Return random tokens in the lesson's shapes, the source with padding at its end."""
    import numpy as np

    rng = np.random.default_rng(6)
    source = rng.integers(3, SOURCE_WORDS, (BATCH, SOURCE))
    source[: BATCH // 2, -4:] = 0
    return source.astype("int32"), rng.integers(3, TARGET_WORDS, (BATCH, TARGET + 1)).astype("int32")


def with_tensorflow(precision):
    import functools

    import numpy as np

    from lepton_helpers import course

    course.start(seed=6)
    import tensorflow as tf

    from lepton_helpers import transformer

    w = transformer.create(SOURCE_WORDS, TARGET_WORDS, D, seed=6, dtype=precision)
    train_step = transformer.make_train_step(w, functools.partial(transformer.loss, heads=HEADS), steps=10**6)
    arrays = [tf.constant(part) for part in batch()]
    return lambda: float(train_step(*arrays)), sum(int(np.prod(p.shape)) for p in tf.nest.flatten(w))


def with_torch(precision):
    import warnings

    import torch
    from torch import nn

    warnings.filterwarnings("ignore", message="enable_nested_tensor")

    torch.set_num_threads(1)
    torch.manual_seed(6)
    torch.set_default_dtype(getattr(torch, precision))
    options = {"dropout": 0.0, "batch_first": True, "norm_first": True}
    model = nn.Transformer(D, HEADS, 1, 1, 4 * D, **options)
    words, characters = nn.Embedding(SOURCE_WORDS, D), nn.Embedding(TARGET_WORDS, D)
    logits = nn.Linear(D, TARGET_WORDS)
    parameters = [p for part in (model, words, characters, logits) for p in part.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=0.001)
    source, target = (torch.tensor(part, dtype=torch.long) for part in batch())
    angles = torch.arange(64)[:, None] / 10_000 ** (torch.arange(0, D, 2) / D)
    places = torch.stack([angles.sin(), angles.cos()], dim=-1).reshape(64, D)
    causal = torch.ones(TARGET, TARGET, dtype=torch.bool).triu(1)

    def train_step():
        padding = source == 0
        x, y = words(source) + places[:SOURCE], characters(target[:, :-1]) + places[:TARGET]
        masks = {"src_key_padding_mask": padding, "memory_key_padding_mask": padding, "tgt_mask": causal}
        scores = logits(model(x, y, **masks, tgt_is_causal=True))
        loss = nn.functional.cross_entropy(scores.flatten(0, 1), target[:, 1:].flatten(), ignore_index=0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return train_step, sum(p.numel() for p in parameters)


CONTENDERS = {"TensorFlow": with_tensorflow, "PyTorch": with_torch}


def run_contender(name, precision):
    """Print the best time of a step over several rounds, and the number of parameters; runs in the contender's own process."""
    train_step, parameters = CONTENDERS[name](precision)
    seconds = []
    for _ in range(ROUNDS + 1):
        start = time.perf_counter()
        for _ in range(STEPS):
            train_step()
        seconds.append((time.perf_counter() - start) / STEPS)
    print(min(seconds[1:]), parameters)  # the first round warms up


def lesson_functions(steps):
    """Return what lesson 06 has when its translator has been trained, but with data for ``steps`` steps and no training."""
    import ast
    import json
    import re

    import numpy as np
    import tensorflow as tf

    path = TABLE.parent.parent / "notebooks" / "06_build_a_transformer.ipynb"
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    code = ["".join(cell["source"]) for cell in cells]
    lesson = {"np": np, "tf": tf, "re": re, "d": D}
    whole = ["numbers = ", "def vocabulary_of"]
    functions_of = ["def mean_cross_entropy", "def make_train_step", "def train("]
    for mark in whole + functions_of:
        (text,) = [text for text in code if mark in text]
        tree = ast.parse(text.replace("steps, batch = 300", f"steps, batch = {steps}"))
        if mark in functions_of:
            tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        exec(compile(tree, mark, "exec"), lesson)
    return lesson


def trained_gru(steps, learning_rate, seed, tested):
    """Train an encoder and a decoder of GRUs on the lesson's numbers; return how many answers of ``tested`` (a slice) are right."""
    from lepton_helpers import course

    course.start(seed=6)
    import keras
    import numpy as np

    lesson = lesson_functions(steps)
    keras.utils.set_random_seed(seed)
    reader = keras.layers.GRU(UNITS, return_state=True)
    writer = keras.layers.GRU(UNITS, return_sequences=True, return_state=True)
    read_words = keras.layers.Embedding(SOURCE_WORDS, D)
    write_words = keras.layers.Embedding(TARGET_WORDS, D)
    to_logits = keras.layers.Dense(TARGET_WORDS)

    def loss(_, source, target):
        state = reader(read_words(source[:, ::-1]))[1]
        outputs = writer(write_words(target[:, :-1]), initial_state=state)[0]
        return lesson["mean_cross_entropy"](to_logits(outputs), target[:, 1:])

    loss(None, lesson["source"][:2], lesson["target"][:2])  # builds the weights
    layers = (reader, writer, read_words, write_words, to_logits)
    variables = [weight.value for layer in layers for weight in layer.weights]
    lesson["train"](lesson["make_train_step"](variables, loss, steps, learning_rate), lesson["pairs"]())
    source, right = lesson["source"][tested], lesson["target"][tested, 1:]
    state, tokens = reader(read_words(source[:, ::-1]))[1], np.ones((len(source), 1), "int32")
    for _ in range(right.shape[1]):
        outputs, state = writer(write_words(tokens[:, -1:]), initial_state=state)
        likeliest = np.argmax(to_logits(outputs), axis=-1).astype("int32")
        tokens = np.append(tokens, likeliest, axis=1)
    until_end = np.cumsum(right == 2, axis=1) - (right == 2) == 0
    parameters = sum(layer.count_params() for layer in layers)
    return int(((tokens[:, 1:] == right) | ~until_end).all(axis=1).sum()), parameters


def grus():
    """Train the GRUs that section 6.13 quotes and write their table."""
    rows = ["| numbers | seed | steps | learning rate | right | of | parameters |", "|---|---|---|---|---|---|---|"]
    parts = {"validation": slice(0, 500), "test": slice(500, 1000), "both": slice(0, 1000)}
    runs = [("validation", seed, 300, rate) for rate in (0.008, 0.016) for seed in (1, 2, 3)]
    runs += [("test", seed, 300, 0.008) for seed in (6, 7, 8)] + [("both", 6, 3000, 0.004)]
    for part, seed, steps, learning_rate in runs:
        right, parameters = trained_gru(steps, learning_rate, seed, parts[part])
        of = parts[part].stop - parts[part].start
        rows.append(f"| {part} | {seed} | {steps:,} | {learning_rate} | {right} | {of:,} | {parameters:,} |")
        print(rows[-1], flush=True)
    TABLE.write_text(INTRODUCTION + "\n".join(rows) + "\n", encoding="utf-8")


def main():
    torch_python = os.environ.get("TORCH_PYTHON", ".torch/bin/python")
    if not os.path.exists(torch_python):
        print("PyTorch is missing: python3 -m venv .torch && .torch/bin/pip install torch==2.13.0 numpy")
        return
    one_thread = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")}
    tokens = BATCH * (SOURCE + TARGET)
    for precision in ("float64", "float32"):
        seconds, parameters = {}, {}
        for name in CONTENDERS:
            python = torch_python if name == "PyTorch" else sys.executable
            command = [python, __file__, name, precision]
            output = subprocess.check_output(command, env={**os.environ, **one_thread}, text=True).split()
            seconds[name], parameters[name] = float(output[0]), int(output[1])
        assert len(set(parameters.values())) == 1, parameters
        speed = ", ".join(f"{name} {tokens / value:,.0f} tokens/s" for name, value in seconds.items())
        print(f"{precision}  {speed}, ratio {seconds['PyTorch'] / seconds['TensorFlow']:.2f}")


if __name__ == "__main__":
    if sys.argv[1:] == ["gru"]:
        grus()
    elif len(sys.argv) > 1:
        run_contender(*sys.argv[1:])
    else:
        main()
