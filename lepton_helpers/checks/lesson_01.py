"""Exercises of lesson 01, What makes a model large."""

import numpy as np

from lepton_helpers.checks import Exercise

CONVOLUTION = """
def count_convolution(height, width, channels, filters):
    weights = height * width * channels * filters
    biases = filters
    return weights + biases
"""

DECODER = """
def decoder_parameters(vocabulary, positions, width, layers):
    embeddings = vocabulary * width + positions * width
    attention = 4 * (width * width + width)
    feed_forward = width * 4 * width + 4 * width + 4 * width * width + width
    normalizations = 2 * 2 * width
    block = attention + feed_forward + normalizations
    return embeddings + layers * block + 2 * width


# GPT-2 medium: decoder_parameters(50_257, 1_024, 1_024, 24) is 354,823,168
"""

HOURS = """
def training_hours(parameters, tokens, devices, peak, utilization):
    operations = 6 * parameters * tokens
    speed = devices * peak * utilization
    return operations / speed / 3600


# training_hours(1e9, 20e9, 8, 312e12, 0.4) is 33.4 hours
"""

GIGABYTES = """
def training_gigabytes(parameters, compute_bytes, state_bytes):
    weights_and_gradients = 2 * compute_bytes
    copy_and_averages = 3 * state_bytes
    return parameters * (weights_and_gradients + copy_and_averages) / 1e9


# 2 * 2 + 3 * 4 = 16 bytes; training_gigabytes(gpt3, 2, 4) is 2,794
"""

GAINS = """
def gains(accuracy, i, j):
    more_data = accuracy[i + 1, j] - accuracy[i, j]
    more_parameters = accuracy[i, j + 1] - accuracy[i, j]
    return more_data, more_parameters


# gains(grid, 0, 2): about 0.11 and 0.00; gains(grid, 1, 0): about 0.04 and 0.05
"""


def _gains_cases():
    grid = np.array([[0.40, 0.61, 0.66], [0.52, 0.77137, 0.85], [0.55, 0.86, 0.94]])
    falling = np.array(
        [[0.60, 0.55, 0.50, 0.52], [0.58, 0.61, 0.43, 0.57]]
    )  # not square, and more is not always better
    return [(grid, 0, 0), (grid, 1, 1), (grid, 1, 0), (grid, 0, 1), (falling, 0, 0), (falling, 0, 1), (falling, 0, 2)]


EXERCISES = {
    "1.1": Exercise(
        answer="count_convolution",
        stub="""
def count_convolution(height, width, channels, filters):
    ...
""",
        solution=CONVOLUTION,
        cases=lambda: [(3, 3, 1, 64), (3, 3, 64, 32), (5, 2, 7, 3)],
        wrong=[
            (
                CONVOLUTION.replace("weights + biases", "weights"),
                "You counted the weights but not the biases: each filter has one.",
            ),
            (
                CONVOLUTION.replace("biases = filters", "biases = 1"),
                "You added one bias for the whole layer. Each filter has its own.",
            ),
            (
                CONVOLUTION.replace(" * channels", ""),
                "A filter looks at all input channels at once, so it has a full window of weights for each of them.",
            ),
            (
                CONVOLUTION.replace("biases = filters", "biases = channels * filters"),
                "You gave a filter one bias per input channel. It adds up all channels first, then adds a single bias.",
            ),
            (
                CONVOLUTION.replace("biases = filters", "biases = channels"),
                "You added one bias per input channel. There is one bias per filter, that is, per output channel.",
            ),
        ],
        hint="Count the weights of one filter (its window, over all channels), add its bias, multiply by the filters.",
    ),
    "1.2": Exercise(
        answer="decoder_parameters",
        stub="""
def decoder_parameters(vocabulary, positions, width, layers):
    ...
""",
        solution=DECODER,
        cases=lambda: [(50257, 1024, 768, 12), (100, 10, 8, 2), (7, 50, 4, 5), (50257, 2048, 12288, 96)],
        tolerance=1e-12,  # a count is exact
        wrong=[
            (
                DECODER.replace(" + 2 * width\n", "\n"),
                "One normalization is missing: the one after the last block.",
            ),
            (
                DECODER.replace(" + positions * width", ""),
                "You counted the embedding of the tokens only. The positions have an embedding too.",
            ),
            (
                DECODER.replace("return embeddings", "return vocabulary * width + embeddings"),
                "You counted the matrix of vocabulary times width twice. The output uses the token embedding again: no new ones.",
            ),
            (
                DECODER.replace("4 * (width * width + width)", "4 * width * width").replace(
                    "width * 4 * width + 4 * width + 4 * width * width + width", "8 * width * width"
                ),
                "You left out the biases: all four dense layers of the attention have them, and both of the feed-forward part.",
            ),
            (
                DECODER.replace("4 * (width", "3 * (width"),
                "Attention has four dense layers: query, key, value, and the one that mixes the result.",
            ),
            (
                DECODER.replace("2 * 2 * width", "2 * width"),
                "A block has two normalizations, each with a gain and a shift per number.",
            ),
        ],
        hint="Add the two embeddings, layers times one block, and the last normalization. Start from block and the count of GPT-2 small.",
    ),
    "1.3": Exercise(
        answer="training_hours",
        stub="""
def training_hours(parameters, tokens, devices, peak, utilization):
    ...
""",
        solution=HOURS,
        cases=lambda: [
            (175e9, 300e9, 1024, 312e12, 0.4),
            (1e9, 20e9, 8, 1e14, 0.5),
            (1e6, 1e6, 1, 1e10, 0.25),
            (1e5, 1e6, 3, 1e10, 0.7),
        ],
        wrong=[
            (
                HOURS.replace("6 *", "2 *"),
                "2 operations per parameter and token are the forward pass alone. Training adds the backward pass.",
            ),
            (
                HOURS.replace(" * utilization", ""),
                "You used the peak speed. A device delivers only the share called utilization.",
            ),
            (HOURS.replace(" / 3600", " / 60"), "That is the time in minutes. An hour has 60 of them."),
            (
                HOURS.replace("peak * utilization", "peak / utilization"),
                "You divided the speed by the utilization. A device that is busy 40 % of the time delivers 0.4 of its peak.",
            ),
            (
                HOURS.replace("speed = devices * peak", "speed = peak"),
                "That is the time on one device. The work is shared by all of them.",
            ),
            (
                HOURS.replace(" / 3600", ""),
                "That is the time in seconds. An hour has 3,600 of them.",
            ),
            (
                HOURS.replace(" / 3600", " / 86400"),
                "That is the time in days. Return hours.",
            ),
        ],
        hint="Divide the operations, 6 N D, by the speed that all devices together really deliver; then turn seconds into hours.",
    ),
    "1.4": Exercise(
        answer="training_gigabytes",
        stub="""
def training_gigabytes(parameters, compute_bytes, state_bytes):
    ...
""",
        solution=GIGABYTES,
        cases=lambda: [(124_439_808, 2, 4), (175e9, 2, 4), (1e9, 4, 8), (1e9, 4, 4), (1000, 1, 4)],
        tolerance=5e-7,  # a single byte of 14,000 is seen
        wrong=[
            (
                GIGABYTES.replace("3 * state_bytes", "2 * state_bytes"),
                "Three numbers per parameter are kept in the longer format: two averages of Adam, and one more (reread the text).",
            ),
            (
                GIGABYTES.replace("2 * compute_bytes", "compute_bytes"),
                "You counted the weights in the shorter format, but not their gradients.",
            ),
            (
                GIGABYTES.replace("1e9", "1024**3"),
                "You divided by 1024 three times, which gives gibibytes. A gigabyte is 10**9 bytes.",
            ),
            (
                GIGABYTES.replace("2 * compute", "2 * x").replace("3 * state", "3 * compute").replace("x_b", "state_b"),
                "The formats have changed places: weights and gradients are in the shorter one, the copy and Adam's averages in the longer.",
            ),
            (
                GIGABYTES.replace(" / 1e9", ""),
                "That is the number of bytes. A gigabyte is 10**9 of them.",
            ),
        ],
        hint="Per parameter, two numbers take compute_bytes each and three take state_bytes each. Return gigabytes, 10**9 bytes.",
    ),
    "1.5": Exercise(
        answer="gains",
        stub="""
def gains(accuracy, i, j):
    ...
""",
        solution=GAINS,
        cases=_gains_cases,
        tolerance=1e-5,
        wrong=[
            (
                GAINS.replace("return more_data, more_parameters", "return more_parameters, more_data"),
                "Both gains are there, in the other order. Rows are numbers of images: one row down is more data.",
            ),
            (
                GAINS.replace("[i, j]", "[0, 0]"),
                "You compare with the smallest model on the least data. Compare with the cell you stand in, row i and column j.",
            ),
            (
                GAINS.replace("[i + 1, j]", "[i + 1, j + 1]").replace("[i, j + 1]", "[i + 1, j + 1]"),
                "You changed both at once. To see what one quantity does, hold the other one fixed.",
            ),
            (
                GAINS.replace("return more_data, more_parameters", "return -more_data, -more_parameters"),
                "The signs are turned around: subtract the accuracy you have from the one you would get.",
            ),
            (
                GAINS.replace("accuracy[i + 1, j] - accuracy[i, j]", "accuracy[i + 1, j] / accuracy[i, j]").replace(
                    "accuracy[i, j + 1] - accuracy[i, j]", "accuracy[i, j + 1] / accuracy[i, j]"
                ),
                "Those are ratios. A gain is a difference: the accuracy after the change minus the accuracy before.",
            ),
        ],
        hint="Go one row down for more data, one column right for more parameters, and subtract the accuracy in row i, column j.",
    ),
}
