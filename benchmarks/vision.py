"""How lesson 09 chose its settings, on its validation part: `python benchmarks/vision.py` (about ten minutes, one core).

It runs the lesson's own functions, read from the notebook, and writes what it found to benchmarks/vision.md. The test part
is not looked at.
"""

import ast
import json
import pathlib
import time

import numpy as np

from lepton_helpers import course

HERE = pathlib.Path(__file__).parent
SET_UP = {"SEEDS", "EPOCHS", "images", "pixels", "rest", "train", "layers", "SIZE", "CELL", "binary", "CODE"}


def lesson_names():
    """Return the functions, imports and data that the cells of lesson 09 define; no network is trained."""
    notebook = json.loads((HERE.parent / "notebooks" / "09_vision.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    found = [node for cell in cells for node in ast.parse(cell).body if wanted(node)]
    names = {}
    exec(compile(ast.Module(found, []), "lesson 09", "exec"), names)
    return names


def wanted(node):
    """Whether a statement is an import, a function or the assignment of one of ``SET_UP``."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    assigned = {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    return isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef) or bool(assigned & SET_UP)


def table(title, unit, rows, form):
    """Return a table in Markdown: for each setting the mean over the seeds and the range."""
    lines = [f"| {title} | {unit}, mean | lowest | highest | seeds |", "|---|---|---|---|---|"]
    for setting, values in rows.items():
        numbers = " | ".join(f"{number:{form}}" for number in (np.mean(values), min(values), max(values)))
        lines.append(f"| {setting} | {numbers} | {len(values)} |")
    return [*lines, ""]


def main():
    course.start(seed=9)
    begin, lesson = time.process_time(), lesson_names()
    validation, digits, binary = lesson["validation"], lesson["digits"], lesson["binary"]

    def note(rows, key, values):
        rows[key] = values
        print(f"{time.process_time() - begin:5.0f} s  {key}:", np.round(values, 4), flush=True)

    classifiers, detectors, codes = {}, {}, {}
    try_out = lesson["scenes"](validation, np.random.default_rng(9))
    for rate in (0.005, 0.01, 0.02):
        values = []
        for model in lesson["train_detectors"](rate)[0]:
            found = lesson["detect"](model, try_out)
            values.append(lesson["mean_ap"]([lesson["as_answers"](*one) for one in found], try_out))
        note(detectors, rate, values)
    for name in ("create_mlp", "create_cnn"):
        for rate in (0.003, 0.01, 0.03):
            _, models = lesson["train_classifiers"](lesson[name], rate)
            guesses = [lesson["probabilities"](model, lesson["pixels"][validation]).argmax(axis=1) for model in models]
            kind = name.removeprefix("create_").upper()
            note(classifiers, f"{kind}, augmented, {rate}", [np.mean(guess == digits[validation]) for guess in guesses])
    for code in (2, 8, 16, 32):
        bounds = []
        for seed in range(1, 7) if code == 2 else lesson["SEEDS"]:
            log_p, divergence = lesson["measure_bound"](lesson["train_vae"](code, seed), binary[validation])
            bounds.append((log_p - divergence).mean())
        note(codes, code, bounds)
    text = [
        "How lesson 09 chose its settings, written by `benchmarks/vision.py`: all on the 500 digits of the validation part, or scenes",
        "made of them. Where several do as well as the seeds let one tell, the lesson keeps the one it began with.",
        "",
        *table("network, first learning rate", "share of right answers", classifiers, ".3f"),
        *table("detector, first learning rate", "mAP", detectors, ".3f"),
        *table("VAE, numbers in a code", "bound in nats", codes, ".1f"),
    ]
    (HERE / "vision.md").write_text("\n".join(text), encoding="utf-8")


if __name__ == "__main__":
    main()
