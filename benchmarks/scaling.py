"""The scaling law of lesson 07 with more sizes, steps and runs: `python benchmarks/scaling.py` (several minutes, one core).

It runs the lesson's own functions, read from the notebook, and writes what it found to benchmarks/scaling.md.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import ast  # noqa: E402
import json  # noqa: E402
import pathlib  # noqa: E402
import time  # noqa: E402

import numpy as np  # noqa: E402
from scipy.optimize import least_squares  # noqa: E402

from lepton_helpers import data  # noqa: E402

HERE = pathlib.Path(__file__).parent
UNITS, AMOUNTS = [5, 10, 20, 40, 80, 160], [100, 200, 400, 800, 1600]
NEXT_UNITS, NEXT_AMOUNT = 320, 3200
RUNS, STEPS = 8, 2400
FUNCTIONS = ["new_network", "forward", "cross_entropy", "backward", "gradient", "adam_step"]
FUNCTIONS += ["train_family", "best_losses", "law", "law_without_E", "fit"]


def lesson_functions(names):
    """Return the functions ``names`` as the cells of lesson 07 define them."""
    notebook = json.loads((HERE.parent / "notebooks" / "07_scale_it.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    found = [node for cell in cells for node in ast.parse(cell).body if getattr(node, "name", "") in names]
    images, digits = data.load_mnist_5k()
    names = {
        "np": np,
        "least_squares": least_squares,
        "pixels": images.reshape(5000, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(5000, 196) / 255,
        "labels": digits.astype(int),
        "splits": [np.random.default_rng([7, run]).permutation(5000) for run in range(RUNS)],
    }
    exec(compile(ast.Module(found, []), "lesson 07", "exec"), names)
    return names


def main():
    begin = time.process_time()
    lesson = lesson_functions(FUNCTIONS)
    all_units, all_amounts = [*UNITS, NEXT_UNITS], [*AMOUNTS, NEXT_AMOUNT]
    runs = []
    for units in all_units:  # both fits below see only the sizes and amounts up to UNITS and AMOUNTS
        runs.append(lesson["best_losses"](*lesson["train_family"](units, all_amounts, steps=STEPS)))
        print(f"{units:4d} units, {time.process_time() - begin:5.0f} s:", runs[-1].mean(axis=1).round(3), flush=True)
    runs = np.array(runs)
    mean = runs.mean(axis=2)
    N, D = 207 * np.array(all_units) + 10, np.array(all_amounts)
    lines = [
        "The scaling law of lesson 07 over a larger range, written by `benchmarks/scaling.py`.",
        "",
        f"{len(UNITS)} sizes ({UNITS[0]} to {UNITS[-1]} units), {len(AMOUNTS)} amounts ({AMOUNTS[0]} to {AMOUNTS[-1]:,} images), {RUNS} runs each, {STEPS:,} steps; then {NEXT_UNITS} units and {NEXT_AMOUNT:,} images predicted and run.",
        "",
        "| formula | E | alpha | beta | error of the fit | new size | new amount | both: predicted | measured | off by |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    rng = np.random.default_rng(7)
    draws = [runs[:-1, :-1, rng.integers(0, RUNS, RUNS)].mean(axis=2) for _ in range(200)]
    for name, form, start, alpha, beta in [
        ("with E", lesson["law"], [-2, -1, 0.5, -1, 0.5], 2, 4),
        ("without E", lesson["law_without_E"], [-1, 0.5, -1, 0.5], 1, 3),
    ]:
        fitted = lesson["fit"](form, mean[:-1, :-1], N[:-1], D[:-1], start)
        again = np.array([lesson["fit"](form, draw, N[:-1], D[:-1], fitted.x).x for draw in draws])
        predicted = form(fitted.x, N[:, None] / 1000, D / 1000)
        off = predicted / mean - 1

        def between(values):
            return "{:.2f} to {:.2f}".format(*np.percentile(values, [2.5, 97.5]))

        floor = f"{np.exp(fitted.x[0]):.3f} ({between(np.exp(again[:, 0]))})" if name == "with E" else "none"
        lines.append(
            f"| {name} | {floor} | {fitted.x[alpha]:.2f} ({between(again[:, alpha])}) | {fitted.x[beta]:.2f} ({between(again[:, beta])}) "
            f"| {np.sqrt(np.mean(fitted.fun**2)):.1%} | {np.abs(off[-1, :-1]).max():.0%} at most | {np.abs(off[:-1, -1]).max():.0%} at most "
            f"| {predicted[-1, -1]:.3f} | {mean[-1, -1]:.3f} | {off[-1, -1]:+.0%} |"
        )
    lines += ["", "In brackets: 95 % of the fits to 200 bootstrap draws of the runs."]
    text = "\n".join(lines) + "\n"
    (HERE / "scaling.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
