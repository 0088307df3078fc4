"""Exercises of lesson 07, Scale it."""

import numpy as np

from lepton_helpers.checks import Exercise


def _law_cases():
    sizes = np.array([1e3, 3e3, 1e4, 5e4, 2e5])
    return [
        (sizes, 0.3 + 40 * sizes**-0.5, 0.3),
        (sizes, 0.5 + 9 * sizes**-0.4 * np.array([1.1, 0.8, 1.25, 0.9, 1.05]), 0.5),  # measured: no law fits exactly
        (sizes, 1.7 + 406.4 * sizes**-0.34, 1.7),
        (np.array([2.0, 4.0, 8.0]), 3.0 * np.array([2.0, 4.0, 8.0]) ** -0.25, 0.0),
        (sizes, 0.2 + 0.01 * sizes**0.3, 0.2),  # larger is worse: alpha is negative
    ]


def _quantize_cases():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(6, 4)) * np.array([0.01, 0.1, 1.0, 30.0])
    return [(weights,), (rng.normal(size=(3, 5)) * 2 + 1,)]


def _observe_quantized(result):
    """The integers with their type, the weights restored from them, and how many scales there are."""
    integers, scale = result
    integers = np.asarray(integers)
    return str(integers.dtype), integers.astype(float), integers * np.asarray(scale, float), np.size(scale)


def _gradient_of_at_most(rows):
    """A mean gradient (of half the squared error, at weights of 0.5) that refuses parts of more than ``rows`` rows."""

    def gradient(x_part, y_part):
        if len(x_part) > rows:
            raise ValueError(f"a part of {len(x_part)} rows does not fit; at most {rows} do.")
        return x_part.T @ (x_part @ np.full(x_part.shape[1], 0.5) - y_part) / len(x_part)

    return gradient


def _accumulate_cases():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(10, 3)), rng.normal(size=10) * 5
    cases = [(x, y, 5), (x, y, 4), (x, y, 3), (x, y, 20), (x[:7], y[:7], 2), (x[:1], y[:1], 1)]
    return [(_gradient_of_at_most(size), x_all, y_all, size) for x_all, y_all, size in cases]


POWER_LAW = """
def fit_power_law(sizes, losses, irreducible):
    slope, intercept = np.polyfit(np.log(sizes), np.log(losses - irreducible), 1)
    return np.exp(intercept), -slope


# On our table's last column, alpha is 0.16 with a floor of 0 and 0.66 with one of 0.3.
"""

OPTIMUM = """
def best_split(compute, A, alpha, B, beta):
    product = compute / 6  # N * D
    N = (alpha * A / (beta * B) * product**beta) ** (1 / (alpha + beta))
    return N, product / N
"""

QUANTIZE = """
def quantize(weights):
    scale = np.abs(weights).max(axis=0) / 127
    integers = np.round(weights / scale).astype("int8")
    return integers, scale
"""

MEMORY = """
def training_bytes(sizes, batch, bytes_each):
    parameters = activations = 0
    for inputs, units in zip(sizes[:-1], sizes[1:]):
        parameters += inputs * units + units
        activations += batch * units
    return (4 * parameters + activations) * bytes_each
"""

ACCUMULATE = """
def accumulate(gradient, x, y, size):
    total = 0
    for start in range(0, len(x), size):
        part_x, part_y = x[start : start + size], y[start : start + size]
        total = total + len(part_x) * gradient(part_x, part_y)
    return total / len(x)
"""

DIVIDED = """
def divided(parameters, workers, stage):
    weights, gradients, optimizer = 2, 2, 12  # bytes per parameter
    if stage >= 1:
        optimizer /= workers
    if stage >= 2:
        gradients /= workers
    if stage >= 3:
        weights /= workers
    half_ring = (workers - 1) / workers * 2 * parameters
    held = (weights + gradients + optimizer) * parameters
    return held, (3 if stage == 3 else 2) * half_ring


# Stage 1 holds 281 GB, stage 2 141 GB, stage 3 1.12 GB: it takes stage 3, and each GPU
# then sends 420 GB per step instead of 280.
"""

PLAN = """
def plan(parameters, tokens, days, peak, utilization, memory, kilowatts, dollars):
    device_hours = 6 * parameters * tokens / (peak * utilization) / 3600
    in_time = np.ceil(device_hours / (24 * days))
    that_fit = np.ceil(16 * parameters / memory)
    devices = max(in_time, that_fit)
    return devices, device_hours * kilowatts / 1000, device_hours * dollars


# Twice the days: half the devices (while the state fits), the same energy and money.
# With section 7.9, more devices wait for each other longer, so a short deadline costs
# more energy and money: devices that wait must be powered and paid too.
"""

EXERCISES = {
    "7.1": Exercise(
        answer="fit_power_law",
        stub="""
def fit_power_law(sizes, losses, irreducible):
    ...
""",
        solution=POWER_LAW,
        cases=_law_cases,
        wrong=[
            (
                POWER_LAW.replace("-slope", "slope"),
                "The exponent has the wrong sign: the slope of the line is minus alpha.",
            ),
            (
                POWER_LAW.replace("-slope", "abs(slope)"),
                "Where losses rise with the size, alpha is negative: return minus the slope, not its absolute value.",
            ),
            (
                POWER_LAW.replace("losses - irreducible", "losses"),
                "Only the part above the irreducible loss is a straight line in logarithms: subtract it first.",
            ),
            (
                POWER_LAW.replace("np.exp(intercept)", "intercept"),
                "The line gives the logarithm of A. Undo it with np.exp.",
            ),
            (
                POWER_LAW.replace("np.polyfit(np.log(sizes)", "np.polyfit(sizes"),
                "You took the logarithm of the losses only. A power law is straight when both axes are logarithmic.",
            ),
            (
                POWER_LAW.replace("np.log(losses - irreducible)", "np.log(losses) - irreducible"),
                "You subtracted the irreducible loss from the logarithm. Subtract it from the losses, then take the logarithm.",
            ),
            (
                POWER_LAW.replace("np.polyfit(np.log(sizes)", "np.polyfit(np.log10(sizes)").replace(
                    "np.log(losses", "np.log10(losses"
                ),
                "You took logarithms to base 10, but undid a natural one: np.exp(x) belongs to np.log, 10 ** x to np.log10.",
            ),
            (
                POWER_LAW.replace(
                    "np.polyfit(np.log(sizes), np.log(losses - irreducible), 1)",
                    "np.polyfit(np.log(losses - irreducible), np.log(sizes), 1)",
                ),
                "You fitted the sizes against the losses. np.polyfit takes x first: here the sizes.",
            ),
            (
                POWER_LAW.replace(
                    "np.polyfit(np.log(sizes), np.log(losses - irreducible), 1)",
                    "np.polyfit(np.log(sizes[[0, -1]]), np.log((losses - irreducible)[[0, -1]]), 1)",
                ),
                "You drew the line through the first and the last point only. Measured losses scatter: fit it to all of them.",
            ),
            (
                POWER_LAW.replace("slope, intercept =", "intercept, slope ="),
                "np.polyfit returns the slope first, then the intercept.",
            ),
            (
                POWER_LAW.replace("np.exp(intercept), -slope", "-slope, np.exp(intercept)"),
                "Both numbers are right, but in the other order: first A, then alpha.",
            ),
        ],
        hint="Subtract the irreducible loss, take logarithms of both, and fit a line with np.polyfit: its slope is minus alpha, its intercept the logarithm of A.",
    ),
    "7.2": Exercise(
        answer="best_split",
        stub="""
def best_split(compute, A, alpha, B, beta):
    ...
""",
        solution=OPTIMUM,
        cases=lambda: [
            (6e6, 4.0, 0.5, 3.0, 0.5),
            (100.0, 4.0, 0.5, 3.0, 0.25),
            (1e21, 406.4, 0.34, 410.7, 0.28),
            (3.15e23, 500.0, 0.3, 2000.0, 0.4),
        ],
        wrong=[
            (
                OPTIMUM.replace("compute / 6", "compute"),
                "You spent the budget as if C were N D. Training takes about 6 N D operations.",
            ),
            (
                OPTIMUM.replace("product**beta", "product**alpha"),
                "The exponent of the budget is off: N grows as C to the power beta / (alpha + beta), because much data is what beta makes worth while.",
            ),
            (
                OPTIMUM.replace("alpha * A / (beta * B)", "A / B"),
                "The slopes must balance, not the terms: alpha A / N^alpha = beta B / D^beta. The factors alpha and beta are missing.",
            ),
            (
                OPTIMUM.replace("alpha * A / (beta * B)", "beta * B / (alpha * A)"),
                "The fraction stands upside down: the larger A, the more a larger model brings.",
            ),
            (
                OPTIMUM.replace(
                    "(alpha * A / (beta * B) * product**beta) ** (1 / (alpha + beta))",
                    "alpha * A / (beta * B) * product ** (beta / (alpha + beta))",
                ),
                "The root 1 / (alpha + beta) goes over the whole product, the fraction of the slopes included.",
            ),
            (
                OPTIMUM.replace("return N, product / N", "return N, product / N / N"),
                "N is right. The second number is D, the tokens, not the tokens per parameter.",
            ),
            (
                OPTIMUM.replace("return N, product / N", "return N, compute / N"),
                "N is right. D is what remains of N D = C / 6 once N is known; you left out the 6.",
            ),
            (
                OPTIMUM.replace("** (1 / (alpha + beta))", "** 1 / (alpha + beta)"),
                "A power binds more tightly than a division: put 1 / (alpha + beta) into parentheses.",
            ),
            (
                OPTIMUM.replace("return N, product / N", "return product / N, N"),
                "N and D have changed places: return the parameters first.",
            ),
        ],
        hint="Put D = C / (6 N) into A / N^alpha + B / D^beta, set the slope in N to zero, and solve for N; then D follows.",
    ),
    "7.3": Exercise(
        answer="quantize",
        stub="""
def quantize(weights):
    ...
""",
        solution=QUANTIZE,
        cases=_quantize_cases,
        observe=_observe_quantized,
        wrong=[
            (
                QUANTIZE.replace("max(axis=0)", "max()") + "\n\n_whole = quantize\n\n\ndef quantize(weights):\n"
                "    integers, scale = _whole(weights)\n    return integers, np.full(weights.shape[1], scale)\n",
                "You used one scale for the whole table. A column of small weights then gets few of the 255 values: give each column its own.",
            ),
            (
                QUANTIZE.replace("max(axis=0)", "max()"),
                "You used one scale for the whole table. A column of small weights then gets few of the 255 values: give each column its own.",
            ),
            (
                QUANTIZE.replace("max(axis=0)", "max(axis=1, keepdims=True)"),
                "You took one scale per row. Each column, that is each unit, needs its own: the maximum runs over the rows, axis 0.",
            ),
            (
                QUANTIZE.replace("np.round(weights / scale)", "(weights / scale)"),
                "astype cuts the decimals off, toward zero. Round to the nearest integer first.",
            ),
            (
                QUANTIZE.replace("/ 127", "/ 128"),
                "An int8 reaches from -128 to 127. Divide by 127, or the largest positive weight does not fit.",
            ),
            (
                QUANTIZE.replace("np.abs(weights).max", "weights.max"),
                "The largest weight may be a negative one: take the maximum of the absolute values.",
            ),
            (
                QUANTIZE.replace("np.abs(weights).max(axis=0) / 127", "127 / np.abs(weights).max(axis=0)").replace(
                    "weights / scale", "weights * scale"
                ),
                "The integers are right. The scale stands upside down: integers * scale must give the weights back.",
            ),
            *(
                (
                    QUANTIZE.replace('.astype("int8")', code),
                    "The values are right, but they are not stored as int8 yet: convert them with astype.",
                )
                for code in ("", ".astype(int)", '.astype("int32")', '.astype("int16")')
            ),
            (
                QUANTIZE.replace("return integers, scale", "return scale, integers"),
                "Both parts are right, but in the other order: first the integers, then the scales.",
            ),
            (
                QUANTIZE.replace("return integers, scale", "return integers, np.broadcast_to(scale, weights.shape)"),
                "You return a scale for every weight, which saves no memory. Return one for each column.",
            ),
        ],
        hint="Per column: the scale is the largest absolute weight over 127; the integers are the weights over the scale, rounded, as int8.",
    ),
    "7.4": Exercise(
        answer="training_bytes",
        stub="""
def training_bytes(sizes, batch, bytes_each):
    ...
""",
        solution=MEMORY,
        cases=lambda: [([196, 512, 10], 1000, 8), ([784, 128, 64, 1], 32, 4), ([3, 2], 5, 2)],
        wrong=[
            (
                MEMORY.replace("4 * parameters", "parameters"),
                "You counted the weights once. Gradients and Adam's two averages have the same size: four numbers per parameter.",
            ),
            (
                MEMORY.replace("4 * parameters", "3 * parameters"),
                "Three numbers per parameter are not enough: weights, gradients, and two averages of Adam.",
            ),
            (
                MEMORY.replace("4 * parameters + activations", "4 * parameters"),
                "The activations are missing: the backward pass needs each layer's outputs, for every example of the batch.",
            ),
            (
                MEMORY.replace(
                    "(4 * parameters + activations) * bytes_each", "4 * parameters + activations * bytes_each"
                ),
                "You multiplied the activations alone by the bytes of a number. The parameters, gradients and averages take as many each.",
            ),
            (
                MEMORY.replace("batch * units", "units"),
                "You counted the activations of one example. The step keeps those of the whole batch.",
            ),
            (
                MEMORY.replace("batch * units", "batch * inputs"),
                "You counted each layer's inputs. Count its outputs: the images themselves are data, and the last outputs are kept too.",
            ),
            (
                MEMORY.replace("parameters = activations = 0", "parameters, activations = 0, batch * sizes[0]"),
                "You counted the input images as activations. They are data: count the outputs of the layers only.",
            ),
            (
                MEMORY.replace(" * bytes_each", ""),
                "That is how many numbers there are. Each takes bytes_each bytes.",
            ),
            (
                MEMORY.replace(" + units\n", "\n"),
                "You left out the biases: one per unit, with gradient and averages like any parameter.",
            ),
            (
                MEMORY.replace("(4 * parameters + activations)", "4 * (parameters + activations)"),
                "Activations have no averages of Adam: count them once, not four times.",
            ),
        ],
        hint="Four numbers per parameter, biases included, plus batch times units for the outputs of every layer, times the bytes of a number.",
    ),
    "7.5": Exercise(
        answer="accumulate",
        stub="""
def accumulate(gradient, x, y, size):
    ...
""",
        solution=ACCUMULATE,
        cases=_accumulate_cases,
        wrong=[
            (
                "def accumulate(gradient, x, y, size):\n    return gradient(x, y)\n",
                "You handed over the whole batch at once, which does not fit. Cut it into parts of at most size rows.",
            ),
            (
                ACCUMULATE.replace("total / len(x)", "total").replace("len(part_x) * ", ""),
                "You added the means up. The sum of k means is k times too large: weight each by its rows and divide by all rows.",
            ),
            (
                ACCUMULATE.replace("len(part_x) * ", "size * "),
                "The last part may be smaller than size. Weight each part by the rows that it really has.",
            ),
            (
                ACCUMULATE.replace("len(part_x) * ", "").replace("total / len(x)", "total / -(-len(x) // size)"),
                "You took the plain mean of the parts' means. It is right only if all parts are of the same size: weight each by its rows.",
            ),
            (
                ACCUMULATE.replace("total / len(x)", "total"),
                "You weighted each part by its rows; now divide the sum by the number of all rows.",
            ),
            (
                ACCUMULATE.replace("range(0, len(x), size)", "range(0, len(x) - size + 1, size)"),
                "You dropped the rows that do not fill a whole part. They belong to the batch as well.",
            ),
            (
                ACCUMULATE.replace("range(0, len(x), size)", "range(0, len(x) - size + 1, size)")
                .replace("len(part_x) * ", "")
                .replace("total / len(x)", "total / np.floor(len(x) / size)"),
                "You dropped the rows that do not fill a whole part, and took the mean of the others. Every row belongs to the batch.",
            ),
            (
                ACCUMULATE.replace("range(0, len(x), size)", "range(0, len(x) - size + 1, size)").replace(
                    "total / len(x)", "total / (len(x) // size * size)"
                ),
                "You dropped the rows that do not fill a whole part, and took the mean of the others. Every row belongs to the batch.",
            ),
            (
                ACCUMULATE.replace("range(0,", "range(size,"),
                "The first part is missing: begin at row 0.",
            ),
            (
                ACCUMULATE.replace("    return", "        return"),
                "You return after the first part. Return when the loop is over: outside it.",
            ),
            (
                ACCUMULATE.replace("total = total + len(part_x) *", "total = len(part_x) *"),
                "You kept only the last part's gradient. Add the parts up.",
            ),
        ],
        hint="Go through x and y in parts of size rows, add up each part's gradient times its number of rows, and divide by the number of all rows.",
        tolerance=1e-9,
    ),
    "7.6": Exercise(
        answer="divided",
        stub="""
def divided(parameters, workers, stage):
    ...
""",
        solution=DIVIDED,
        cases=lambda: [
            *((70e9, 1000, stage) for stage in range(4)),
            *((9947, 3, stage) for stage in range(4)),
            *((5e6, 2, stage) for stage in range(4)),
            *((3e6, 1, stage) for stage in range(4)),
        ],
        wrong=[
            (
                DIVIDED.replace("3 if stage == 3 else 2", "2"),
                "What is held is right. In stage 3 more is sent: weights are fetched before the forward pass and again before the backward pass.",
            ),
            (
                DIVIDED.replace("3 if stage == 3 else 2", "3 if stage >= 2 else 2"),
                "What is held is right. Stage 2 still needs two half rings: reduce-scatter for the gradients, all-gather for the new weights.",
            ),
            (
                DIVIDED.replace("3 if stage == 3 else 2", "2 if stage == 3 else 1"),
                "What is held is right. You count half a ring too few: the gradients need one half, and each time that the weights are passed around needs another.",
            ),
            (
                DIVIDED.replace("3 if stage == 3 else 2", "(2, 1, 1, 2)[stage]"),
                "What is held is right. In stages 1 to 3 the gradients need half a ring; the weights need half a ring each time that they are passed around.",
            ),
            (
                DIVIDED.replace("(workers - 1) / workers * 2", "2"),
                "What is held is right. Each half of the ring sends (K - 1) / K of the vector: one worker alone sends nothing.",
            ),
            (
                DIVIDED.replace("(workers - 1) / workers * 2", "(workers - 1) * 2"),
                "What is held is right. In each turn of the ring a worker sends a K-th of the vector: divide by the number of workers.",
            ),
            (
                DIVIDED.replace("(workers - 1) / workers * 2", "(workers - 1) / workers"),
                "What is held is right. You send half as much as needed: two half rings (three in stage 3), and 2 bytes per number.",
            ),
            (
                DIVIDED.replace("(workers - 1) / workers * 2", "(workers - 1) / workers * 4"),
                "What is held is right. A weight or gradient travels with 2 bytes, not with 4.",
            ),
            (
                DIVIDED.replace("(3 if stage == 3 else 2) * half_ring", "half_ring"),
                "What is held is right. You counted one half of the ring: gradients are added up in one, and what all need is passed around in another.",
            ),
            (
                DIVIDED.replace("stage >= 1", "stage == 1")
                .replace("stage >= 2", "stage == 2")
                .replace("stage >= 3", "stage == 3"),
                "Each stage divides what the stages before it divide, too: compare with >=, not with ==.",
            ),
            (
                DIVIDED.replace("stage >= 1", "stage >= 0"),
                "Stage 0 is plain data parallelism: every worker holds all 16 bytes.",
            ),
            (
                DIVIDED.replace("stage >= 1", "stage >= 1")
                .replace("stage >= 2", "stage >= 1")
                .replace("stage >= 3", "stage >= 1"),
                "Stage 1 divides the optimizer's 12 bytes only; the gradients are divided from stage 2 on, the weights in stage 3.",
            ),
            (
                DIVIDED.replace("2, 2, 12", "2, 2, 8"),
                "The optimizer's state takes 12 bytes: two averages and the copy of the weights, 4 bytes each.",
            ),
            (
                DIVIDED.replace(
                    "return held, (3 if stage == 3 else 2) * half_ring",
                    "return (3 if stage == 3 else 2) * half_ring, held",
                ),
                "Both numbers are right, but in the other order: first what a worker holds, then what it sends.",
            ),
        ],
        hint="Held: parameters * (2 + 2 + 12), where 12, then a 2, then the other 2 are divided by the workers as the stage rises. Sent: half rings of 2 * parameters * (K - 1) / K bytes, two of them in stages 0 to 2, three in stage 3.",
    ),
    "7.7": Exercise(
        answer="plan",
        stub="""
def plan(parameters, tokens, days, peak, utilization, memory, kilowatts, dollars):
    ...
""",
        solution=PLAN,
        cases=lambda: [
            (70e9, 1.4e12, 17.0, 989e12, 0.4, 80e9, 1.5, 2.5),
            (7e9, 140e9, 3.5, 312e12, 0.5, 40e9, 0.8, 1.5),
            (864e6, 1e9, 1, 1.5e13, 0.5, 32e9, 0.5, 2.0),  # eight devices, exactly
            (864e6, 1.00001e9, 1, 1.5e13, 0.5, 32e9, 0.5, 2.0),  # a few seconds too many for eight
            (1e9, 1e8, 30, 1.5e14, 0.5, 4e9, 0.3, 9.0),  # one device would do, but four must hold the state, exactly
            (1e9, 1e8, 30, 1.5e14, 0.5, 3e8, 0.3, 9.0),
            (101.0, 7.0, 0.01, 3.3, 0.7, 50.0, 0.3, 9.0),
        ],
        wrong=[
            (
                PLAN.replace("6 * parameters * tokens", "2 * parameters * tokens"),
                "Two operations per parameter and token is the forward pass alone. With the backward pass it is 6.",
            ),
            (
                PLAN.replace("(peak * utilization)", "peak"),
                "No device delivers its peak: multiply the peak by the utilization.",
            ),
            (
                PLAN.replace("max(in_time, that_fit)", "in_time"),
                "Your devices finish in time, but the state may not fit: 16 bytes per parameter, divided among them. Memory is in bytes already.",
            ),
            (
                PLAN.replace("max(in_time, that_fit)", "that_fit"),
                "Your devices hold the state, but they may not finish in time.",
            ),
            (
                PLAN.replace("max(in_time, that_fit)", "in_time + that_fit"),
                "The same devices compute and hold the state: the larger of the two numbers is enough, not their sum.",
            ),
            (
                PLAN.replace("max(in_time", "min(in_time"),
                "Both conditions must hold: take the larger of the two numbers of devices.",
            ),
            (
                PLAN.replace("np.ceil(", "np.round("),
                "Round up: with fewer devices than that, the run ends too late, or its state does not fit.",
            ),
            (
                PLAN.replace("np.ceil(", "np.floor("),
                "Round up: with fewer devices than that, the run ends too late, or its state does not fit.",
            ),
            (
                PLAN.replace("np.ceil(", "("),
                "There is no part of a device: round the number up to a whole one.",
            ),
            (
                PLAN.replace("np.ceil(", "1 + np.floor("),
                "What fits exactly, fits: where the division leaves no rest, you take one device too many.",
            ),
            *(
                (
                    PLAN.replace("16 * parameters", f"{numbers} * parameters"),
                    "Most of that is right, but the state takes more memory than you count: 16 bytes per parameter.",
                )
                for numbers in (2, 4, 8)
            ),
            (
                PLAN.replace(" * kilowatts / 1000", " * kilowatts"),
                "That energy is in kilowatt-hours. A megawatt-hour is 1,000 of them.",
            ),
            (
                PLAN.replace("(24 * days)", "days"),
                "You divided hours by days: a day has 24.",
            ),
            (
                PLAN.replace("    return devices", "    hours = 24 * days\n    return devices").replace(
                    "device_hours * kilowatts / 1000, device_hours * dollars",
                    "hours * devices * kilowatts / 1000, hours * devices * dollars",
                ),
                "You let all devices run until the deadline. They stop when the run is done: its device-hours do not depend on the number of devices.",
            ),
            (
                PLAN.replace(
                    "device_hours * kilowatts / 1000, device_hours * dollars",
                    "24 * days * kilowatts / 1000, 24 * days * dollars",
                ),
                "Energy and money are those of one device until the deadline. All devices draw power and are paid, until the run is done.",
            ),
        ],
        hint="Device-hours: 6 N D over peak * utilization, over 3,600. Devices: device-hours over 24 * days, and 16 N over memory, both rounded up; the larger counts. Energy: device-hours * kilowatts / 1,000; money: device-hours * dollars.",
    ),
}
