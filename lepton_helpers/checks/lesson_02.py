"""Exercises of lesson 02, Loss functions."""

import numpy as np

from lepton_helpers.checks import Exercise


def _binary_cases():
    y, p = np.array([1.0, 0.0, 0.0, 1.0, 0.0]), np.array([0.8, 0.3, 0.05, 0.4, 0.6])
    rare = np.array([0.0, 0.0, 0.0, 1.0, 0.0, 0.0]), np.array([0.1, 0.2, 0.7, 0.35, 0.02, 0.4])
    return [(y, p), (1 - y[:3], p[:3]), rare]


def _any_binary_cases():
    """Also data in which one class does not occur, a single sample, and mistakes made with confidence."""
    p = np.array([0.9, 0.25, 0.6])
    sure = np.array([1.0, 0.0, 1.0]), np.array([1e-9, 0.999, 0.001])
    return [*_binary_cases(), (np.ones(3), p), (np.zeros(3), p), (np.array([0.0]), np.array([0.3])), sure]


def _linear_cases():
    rng = np.random.default_rng(0)
    return [(rng.normal(size=(n, m)), rng.normal(size=n), rng.normal(size=m)) for n, m in [(7, 3), (4, 2)]]


def _binary_logit_cases():
    y = np.array([1.0, 0.0, 1.0, 0.0])
    one, low = (np.array([1.0]), np.array([0.0])), (np.array([0.0]), np.array([-800.0]))
    far = [2.0, -1.0, -3.0, 0.5], [-800.0, 900.0, 1000.0, -750.0], [-8.0, -5.0, 5.0, 8.0]
    sure = np.array([1.0]), np.array([12.0])  # costs little, but not 0
    return [*((y, np.array(z)) for z in far), one, low, sure]


def _categorical_cases():
    rng = np.random.default_rng(0)
    labels, logits = np.array([2, 0, 1, 1]), rng.normal(size=(4, 3))
    shift = np.array([[1000.0], [-1000.0], [0.0], [500.0]])  # changes no probability
    impossible = np.array([[1000.0, 0.0, -1000.0]])  # exp(0 - 1000) is 0
    two, five = (np.array([1, 0, 1]), rng.normal(size=(3, 2))), (np.array([4, 0, 3, 2, 2]), rng.normal(size=(5, 5)))
    shifted = [(labels, logits + shift), (labels, logits + abs(shift))]
    return [(labels, logits), *shifted, (np.array([0]), impossible), (np.array([1]), impossible), two, five]


def _penalty_cases():
    with_zero = np.array([0.0, -0.003, 1.5, -4.0])
    return [
        (np.array([0.00002, -2.0, 3.0]), np.array([0.1, 0.2, -0.3]), 0.7, 0.4),
        (with_zero, np.array([0.6, -0.2, 0.0, 1.0]), 0.25, 0.1),
        (with_zero, np.array([0.6, -0.2, 0.0, 1.0]), 0.0, 1.5),
    ]


BINARY = """
def binary_cross_entropy(y, p):
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
"""

LINEAR = """
def linear_mse_gradient(x, y, weights):
    error = x @ weights - y
    return 2 * x.T @ error / len(y)
"""

BINARY_LOGITS = """
def cross_entropy_from_logits(y, z):
    largest = np.maximum(0, z)
    log_sum = largest + np.log(np.exp(0 - largest) + np.exp(z - largest))
    return np.mean(log_sum - y * z)
"""

NAIVE_BINARY_LOGITS = """
def cross_entropy_from_logits(y, z):
    p = 1 / (1 + np.exp(-z))
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
"""

CATEGORICAL = """
def categorical_cross_entropy(labels, logits):
    largest = logits.max(axis=1, keepdims=True)
    log_sum = largest[:, 0] + np.log(np.sum(np.exp(logits - largest), axis=1))
    true_logits = logits[np.arange(len(labels)), labels]
    return np.mean(log_sum - true_logits)
"""

WRONG_AXIS = """
def categorical_cross_entropy(labels, logits):
    shifted = logits - logits.max(axis=0)
    p = np.exp(shifted) / np.sum(np.exp(shifted), axis=0)
    return -np.mean(np.log(p[np.arange(len(labels)), labels]))
"""

SOFTMAX_THEN_LOG = """
def categorical_cross_entropy(labels, logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(shifted) / np.sum(np.exp(shifted), axis=1, keepdims=True)
    return -np.mean(np.log(p[np.arange(len(labels)), labels]))
"""

PENALTY = """
def penalized_gradient(weights, loss_gradient, l1, l2):
    return loss_gradient + l1 * np.sign(weights) + 2 * l2 * weights
"""

BALANCED = """
def balanced_cross_entropy(y, p):
    n, ones = len(y), np.sum(y)
    weights = np.where(y == 1, n / (2 * ones), n / (2 * (n - ones)))
    return -np.mean(weights * (y * np.log(p) + (1 - y) * np.log(1 - p)))
"""

MISSING = """
def missing_term(y, p):
    return -np.mean((1 - y) * np.log(1 - p))
"""

EXERCISES = {
    "2.1": Exercise(
        answer="binary_cross_entropy",
        stub="""
def binary_cross_entropy(y, p):
    ...
""",
        solution=BINARY,
        cases=_any_binary_cases,
        wrong=[
            (
                BINARY.replace(" + (1 - y) * np.log(1 - p)", ""),
                "Samples with y = 0 add nothing to your loss, so a model that always answers 1 would look perfect. "
                "What probability did it give to the answer 0?",
            ),
            (
                BINARY.replace("-np.mean", "np.mean"),
                "Your loss is negative. The logarithm of a probability is below 0: turn the sign.",
            ),
            (
                BINARY.replace("np.mean", ""),
                "You return one number per sample. The loss is a single number: their mean.",
            ),
            (
                BINARY.replace("np.mean", "np.sum"),
                "You added the samples up. The loss is their mean, or it would grow with the data.",
            ),
            (
                BINARY.replace("y * np.log(p) + (1 - y) * np.log(1 - p)", "p * np.log(p) + (1 - p) * np.log(1 - p)"),
                "y does not occur in your sum: this is the entropy of the predictions. The targets choose which logarithm counts.",
            ),
            (
                BINARY.replace("y * np.log(p) + (1 - y) * np.log(1 - p)", "y * np.log(1 - p) + (1 - y) * np.log(p)"),
                "The two logarithms have changed places: your loss is large where the prediction is good.",
            ),
            (
                BINARY.replace("np.log(1 - p)", "(1 - np.log(p))"),
                "In the second term, take the logarithm of 1 - p, not 1 minus the logarithm of p.",
            ),
            *(
                (
                    BINARY.replace("    return", f"    p = np.clip(p, {least}, 1 - {least})\n    return"),
                    "You clipped the probabilities. That caps the loss of a confident mistake; the formula has no cap.",
                )
                for least in (0.01, 1e-4, 1e-7)
            ),
            (BINARY.replace("np.log(", "np.log10("), "You took logarithms to base 10. The loss uses natural ones."),
            (BINARY.replace("np.log(", "np.log2("), "You took logarithms to base 2. The loss uses natural ones."),
        ],
        hint="For y = 1 a sample costs -log(p), for y = 0 it costs -log(1 - p); the loss is the mean over the samples.",
    ),
    "2.2": Exercise(
        answer="linear_mse_gradient",
        stub="""
def linear_mse_gradient(x, y, weights):
    ...
""",
        solution=LINEAR,
        cases=_linear_cases,
        wrong=[
            (
                LINEAR.replace("2 * x.T", "x.T"),
                "Your gradient is half of the right one. What does the square give when you differentiate it?",
            ),
            (
                LINEAR.replace(" / len(y)", ""),
                "Yours is the gradient of the sum of the squared errors. The mean divides by something.",
            ),
            (
                LINEAR.replace("x @ weights - y", "y - x @ weights"),
                "The sign is turned around. The derivative of (prediction - y) with respect to the prediction is +1.",
            ),
            (
                LINEAR.replace("x.T", "x"),
                "The shapes do not match: x has one row per sample, but you need one number per weight. Which way must x be turned?",
            ),
            (
                LINEAR.replace("2 * x.T @ error / len(y)", "2 * error / len(y)"),
                "That is the gradient with respect to the predictions. Each weight acts on them through its column of x: "
                "one factor is still missing.",
            ),
            (
                LINEAR.replace("len(y)", "len(weights)"),
                "You divided by the number of weights. The mean runs over the samples.",
            ),
            (
                LINEAR.replace("2 * x.T @ error / len(y)", "2 * x.T @ np.sign(error) / len(y)"),
                "The sign of the error belongs to the absolute error. The squared error keeps the error's size.",
            ),
        ],
        hint="Chain rule: the gradient with respect to the predictions, times what each weight changes in each prediction (x).",
    ),
    "2.3": Exercise(
        answer="cross_entropy_from_logits",
        stub="""
def cross_entropy_from_logits(y, z):
    ...
""",
        solution=BINARY_LOGITS,
        cases=_binary_logit_cases,
        wrong=[
            (
                NAIVE_BINARY_LOGITS,
                "Right for small logits, but infinite or NaN for large ones: the sigmoid rounds to 0 or 1 and you take its logarithm. "
                "Never form the probability; use log(1 + exp(z)) - y z.",
            ),
            *(
                (
                    code,
                    "You limited the probabilities. That caps the loss: where it should be 800, it stays below 40. Never form the probability.",
                )
                for least in (1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15)
                for code in (
                    NAIVE_BINARY_LOGITS.replace("    return", f"    p = np.clip(p, {least}, 1 - {least})\n    return"),
                    NAIVE_BINARY_LOGITS.replace("np.log(", f"np.log({least} + "),
                )
            ),
            *(
                (
                    BINARY_LOGITS.replace("    largest", f"    z = np.clip(z, -{most}, {most})\n    largest", 1),
                    "You limited the logits. That caps the loss: where it should be 900, it is your limit.",
                )
                for most in (30, 50, 100, 500, 700)
            ),
            (
                BINARY_LOGITS.replace("np.maximum(0, z)", "np.max(0, z)"),
                "np.max looks for one largest number and takes 0 for the array. np.maximum(0, z) compares element by element.",
            ),
            (
                BINARY_LOGITS.replace("np.maximum(0, z)", "max(0, z)"),
                "Python's max asks whether a whole array is larger than 0. np.maximum(0, z) compares element by element.",
            ),
            (
                BINARY_LOGITS.replace("np.maximum(0, z)", "0 * z"),
                "Right for small logits, but infinite for large ones: exp(z) overflows, or a probability rounds to 0. "
                "Use the log-sum-exp, with the larger of 0 and z taken out of the sum first.",
            ),
            (
                BINARY_LOGITS.replace("np.maximum(0, z)", "z"),
                "Where z is far below 0 you take z out of the sum, and exp(0 - z) overflows. Take out the larger of 0 and z.",
            ),
            (
                BINARY_LOGITS.replace("np.maximum(0, z)", "np.abs(z)"),
                "What you take out must be the larger of 0 and z, not the size of z.",
            ),
            *(
                (
                    BINARY_LOGITS.replace("np.maximum(0, z)", code),
                    "You took one largest number for all samples, so both terms of the others vanish. Each sample needs its own.",
                )
                for code in ("max(0, z.max())", "z.max()")
            ),
            (
                BINARY_LOGITS.replace("largest + np.log", "np.log"),
                "You took the largest term out of the sum but did not add it back after the logarithm.",
            ),
            (
                BINARY_LOGITS.replace("log_sum - y * z", "log_sum + y * z"),
                "Check the sign of y z: a large logit should be cheap when y = 1.",
            ),
            (
                BINARY_LOGITS.replace("log_sum - y * z", "log_sum"),
                "Your loss does not depend on y. A target of 1 lowers the loss by z.",
            ),
            (BINARY_LOGITS.replace("np.mean", "np.sum"), "You added the samples up. The loss is their mean."),
        ],
        hint="The loss of one sample is log(exp(0) + exp(z)) - y z: a log-sum-exp of the two numbers 0 and z.",
    ),
    "2.4": Exercise(
        answer="categorical_cross_entropy",
        stub="""
def categorical_cross_entropy(labels, logits):
    ...
""",
        solution=CATEGORICAL,
        cases=_categorical_cases,
        wrong=[
            (
                CATEGORICAL.replace("logits.max(axis=1, keepdims=True)", "np.zeros((len(labels), 1))"),
                "Right for small logits, but exp overflows at 1000. Subtract each row's largest logit first.",
            ),
            (
                CATEGORICAL.replace("logits.max(axis=1, keepdims=True)", "np.full((len(labels), 1), logits.max())"),
                "You subtracted one maximum from all rows, so rows far below it vanish to exp(-2000) = 0. Each row needs its own.",
            ),
            *(
                (
                    CATEGORICAL.replace("logits.max(axis=1, keepdims=True)", code),
                    "What you subtract must be the largest logit itself, not its size and not 0.",
                )
                for code in (
                    "np.abs(logits).max(axis=1, keepdims=True)",
                    "np.maximum(0, logits.max(axis=1, keepdims=True))",
                )
            ),
            *(
                (
                    CATEGORICAL.replace(
                        "    largest", f"    logits = np.clip(logits, -{most}, {most})\n    largest", 1
                    ),
                    "You limited the logits. That changes how far they lie apart, and so the loss.",
                )
                for most in (30, 50, 100, 500, 700)
            ),
            *(
                (
                    SOFTMAX_THEN_LOG.replace("np.log(", f"np.log({least} + "),
                    "You limited the probabilities. That caps the loss: where it should be 1000, it stays below 40.",
                )
                for least in (1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15)
            ),
            (
                SOFTMAX_THEN_LOG,
                "Nearly: but where a logit lies 1000 below the largest, its probability rounds to 0 and you take log(0). "
                "Never form the probability; subtract the logit from the log-sum-exp.",
            ),
            (
                WRONG_AXIS,
                "You normalized over the samples. Each row is one sample: its probabilities must add up to 1 along the row.",
            ),
            (
                CATEGORICAL.replace("log_sum - true_logits", "true_logits - log_sum"),
                "The sign is turned around: a loss is never negative here.",
            ),
            (CATEGORICAL.replace("np.mean(log", "np.sum(log"), "You added the samples up. The loss is their mean."),
            (
                CATEGORICAL.replace("true_logits)", "true_logits) / logits.shape[1]"),
                "Your loss is too small by the number of classes: the mean runs over the samples only.",
            ),
            (
                CATEGORICAL.replace("largest[:, 0] + np.log", "np.log"),
                "You subtracted the largest logit inside the sum but did not add it back after the logarithm.",
            ),
            (
                CATEGORICAL.replace("logits[np.arange(len(labels)), labels]", "logits.max(axis=1)"),
                "You took the largest logit of each row instead of the one that belongs to its label.",
            ),
            (
                CATEGORICAL.replace("np.mean(log_sum - true_logits)", "-np.mean(np.exp(true_logits - log_sum))"),
                "You averaged the probabilities of the right classes. Take their logarithms first.",
            ),
        ],
        hint="For each row: the log-sum-exp of its logits, minus the logit of the right class. Then the mean over the rows.",
    ),
    "2.5": Exercise(
        answer="penalized_gradient",
        stub="""
def penalized_gradient(weights, loss_gradient, l1, l2):
    ...
""",
        solution=PENALTY,
        cases=_penalty_cases,
        wrong=[
            (
                PENALTY.replace("2 * l2", "l2"),
                "The L2 part is half of what it should be: here the penalty is l2 times w squared, without a 1/2.",
            ),
            (
                PENALTY.replace("np.sign(weights)", "np.abs(weights)"),
                "You added the L1 penalty itself. Its derivative has the same size for every weight: which function is it?",
            ),
            (
                PENALTY.replace("2 * l2 * weights", "l2 * weights**2"),
                "You added the L2 penalty itself. Add its derivative with respect to each weight.",
            ),
            (
                PENALTY.replace("+ l1 * np.sign(weights) + 2", "- l1 * np.sign(weights) - 2"),
                "The signs of the penalties are turned around: this would reward large weights.",
            ),
            (
                PENALTY.replace("np.sign(weights)", "weights / np.abs(weights)"),
                "A weight of exactly 0 gives 0 / 0. NumPy has a function for this: it gives 1, -1, and 0 for 0.",
            ),
            *(
                (
                    PENALTY.replace("np.sign(weights)", code),
                    "A weight of exactly 0 is pulled to one side in your answer. Take 0 for its L1 part.",
                )
                for code in ("np.where(weights > 0, 1, -1)", "np.where(weights >= 0, 1, -1)")
            ),
            (
                PENALTY.replace("l1 * np.sign(weights)", "l1"),
                "The L1 part must pull negative weights up and positive ones down: it has a sign.",
            ),
            (
                PENALTY.replace("l1 * np.sign(weights) + 2 * l2 * weights", "l2 * np.sign(weights) + 2 * l1 * weights"),
                "The two factors have changed places: l1 belongs to the absolute values, l2 to the squares.",
            ),
        ],
        hint="Differentiate l1 |w| and l2 w squared with respect to w, and add both to the gradient of the loss.",
    ),
    "2.6": Exercise(
        answer="balanced_cross_entropy",
        stub="""
def balanced_cross_entropy(y, p):
    ...
""",
        solution=BALANCED,
        cases=_binary_cases,
        wrong=[
            (
                BALANCED.replace("n / (2 * ones), n / (2 * (n - ones))", "n / (2 * (n - ones)), n / (2 * ones)"),
                "The weights have changed places: the rarer class needs the larger weight.",
            ),
            (
                BALANCED.replace("(2 * ones)", "ones").replace("(2 * (n - ones))", "(n - ones)"),
                "Your loss is twice the right one: there are two classes, so each weight is n over twice its class's count.",
            ),
            (
                BALANCED.replace("weights * ", ""),
                "This is the plain mean, in which each sample counts the same. Where do the weights go in?",
            ),
            (
                BALANCED.replace("-np.mean", "np.mean"),
                "Your loss is negative. The logarithm of a probability is below 0: turn the sign.",
            ),
            (
                BALANCED.replace("n / (2 * ones), n / (2 * (n - ones))", "5, 5 / 9"),
                "Those are the weights for one nine in ten. Compute them from the counts in y.",
            ),
            (BALANCED.replace("-np.mean", "-np.sum"), "You added the weighted samples up. Take their mean."),
            (
                BALANCED.replace("n / (2 * ones), n / (2 * (n - ones))", "2 * ones / n, 2 * (n - ones) / n"),
                "Your weights grow with the class's count. They should fall with it: turn the fraction over.",
            ),
            (
                BALANCED.replace("weights * (y * np.log(p) + (1 - y) * np.log(1 - p))", "weights * y * np.log(p)"),
                "The second term of the cross-entropy is missing: samples with y = 0 cost -log(1 - p).",
            ),
        ],
        hint="Give each sample the weight n / (2 * count of its class), multiply its loss by it, and take the mean.",
    ),
    "2.7": Exercise(
        answer="missing_term",
        stub="""
def missing_term(y, p):
    ...
""",
        solution=MISSING,
        cases=_any_binary_cases,
        wrong=[
            (
                MISSING.replace("(1 - y) * np.log(1 - p)", "y * np.log(p)"),
                "That is what the formula computes. What does the code add to it?",
            ),
            (
                MISSING.replace("(1 - y) * np.log(1 - p)", "y * np.log(p) + (1 - y) * np.log(1 - p)"),
                "That is the whole cross-entropy. Return only the part that the formula leaves out.",
            ),
            (
                MISSING.replace("-np.mean", "np.mean"),
                "The sign is turned around: the formula's value is too small, so what it lacks is positive.",
            ),
            (
                MISSING.replace("-np.mean((1 - y) * np.log(1 - p))", "-np.sum(np.log(1 - p[y == 0])) / np.sum(y == 0)"),
                "You divided by the number of samples with y = 0. The mean in the formula runs over all n samples.",
            ),
            (
                MISSING.replace("np.log(1 - p)", "np.log(p)"),
                "For y = 0 the model gave the probability 1 - p to what happened: take the logarithm of that.",
            ),
            (
                MISSING.replace("np.mean", "np.sum"),
                "You added the samples up. Both code and formula take the mean over all n samples.",
            ),
        ],
        hint="Write code and formula under each other: the code has one more term inside its mean.",
    ),
}
