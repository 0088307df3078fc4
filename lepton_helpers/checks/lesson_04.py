"""Exercises of lesson 04, Train a model end to end."""

import numpy as np

from lepton_helpers.checks import Exercise, report_flaw


def _observe_parts(parts):
    """Sizes, class counts, whether every image kept its label and stands in one part only, and whether the first cut is validation."""
    from sklearn.model_selection import train_test_split

    parts = [np.asarray(part) for part in parts]
    x, y = parts[:3], parts[3:]
    sizes = [len(part) for part in parts]
    classes = [np.bincount(part.ravel().astype(int), minlength=10)[:10].tolist() for part in y]
    matched = [bool(np.array_equal(a.ravel() // 1000, b.ravel())) for a, b in zip(x, y, strict=True)]
    first_cuts = [
        train_test_split(*case, test_size=0.2, stratify=case[1], random_state=0)[1] for case in _parts_cases()
    ]
    exchanged = any(np.array_equal(x[1], cut) for cut in first_cuts)
    return sizes, classes, matched, len(np.unique(np.concatenate([part.ravel() for part in x]))), exchanged


def _parts_cases():
    def images_of(labels):  # an image is its label times 1,000, plus a number of its own
        return (labels * 1000 + np.arange(len(labels)))[:, np.newaxis]

    equal, rare = (
        np.repeat(np.arange(10), 10),
        np.random.default_rng(0).permutation(np.repeat([0, 3, 7], [20, 40, 140])),
    )
    return [(images_of(equal), equal), (images_of(rare), rare)]


def _standardize_cases():
    rng = np.random.default_rng(0)
    train, other = rng.normal(3, 2, size=(6, 3)), rng.normal(-1, 5, size=(4, 3))
    train[:, 1] = other[:, 1] = 7.0  # a constant pixel
    inked = other + 200.0 * (np.arange(4)[:, None] > 1)  # that is constant in training only
    blank = np.array([[0.0, 1.0, 0.25, 0.5], [0.0, 0.0, 0.25, 0.5004]])  # the last pixel varies, if little
    return [(train, other), (train, inked), (blank, np.full((1, 4), 0.5))]


def _difference_cases():
    rng = np.random.default_rng(0)
    b = rng.random(40_000) < 0.9  # so many that it does not matter whether the deviation is taken over n or n - 1
    a = np.where(rng.random(40_000) < 0.9, b | (rng.random(40_000) < 0.7), rng.random(40_000) < 0.97)
    a, b = a.astype(float), b.astype(float)
    return [(a, b), (b, a), (a[:30_000], b[:30_000])]


def _observe_reading(reading):
    """Of the runs that were read wrongly the first one's need, "" if there is none, or that another word was used."""
    words = {panel: " ".join(str(reading[panel]).lower().split()) for panel in NEEDS}
    if not set(words.values()) <= set(NEEDS.values()):
        return "other words"
    return next((need for panel, need in NEEDS.items() if words[panel] != need), "")


def _observe_report(report):
    """What kind of report it is: the prediction may be any number, the losses must be those of training."""
    predicted, losses = report
    losses = [float(loss) for loss in losses]
    if losses and min(losses) > 0.8 and max(losses) < 1:
        return "accuracy"
    flaw = report_flaw(predicted, losses, lambda loss: loss > 0, lambda x: np.any(np.abs(x - x.round(4)) < 1e-9))
    if flaw:
        return flaw
    lowest, highest = FEW_IMAGES
    if lowest <= min(losses) and max(losses) <= highest:
        return "trained"
    if max(losses) < 0.1:
        return "training loss"
    if max(losses) < lowest:
        return "all images"
    return "first epoch" if highest < min(losses) and max(losses) < 0.7 else "outside"


def _trained():
    """Stand in for the lesson's names: nothing is trained by a check, nor by the tests of the mistakes."""
    names = {"train": np.arange(3200), "validation": np.arange(800), "train_network": _recorded}
    return names | {"scaled": np.zeros((3200, 1)), "labels": np.zeros(3200)}


def _recorded(seed, x, y, watch, epochs=14):
    """Stand in for the lesson's ``train_network``: a network (none), and the history that real runs gave, made a line."""
    if x.ndim != 2 or len(x) != len(y) or not len(x):
        raise ValueError("x has one row of pixels per image, y one label")
    (first, last), (learned, end) = RECORDED[400 if len(x) < 1600 else 3200]
    change = np.random.default_rng(seed).normal(0, 0.01)  # as from seed to seed
    lines = {"val_loss": (first + change, last + change), "loss": (learned + change, end + change / 10)}
    return None, {name: np.linspace(*ends, epochs) for name, ends in lines.items()}


SPLIT = """
from sklearn.model_selection import train_test_split


def three_parts(x, y):
    x_rest, x_test, y_rest, y_test = train_test_split(
        x, y, test_size=0.2, stratify=y, random_state=0
    )
    {second}
    return {order}
"""
SECOND = "x_train, x_validation, y_train, y_validation = train_test_split(\n        x_rest, y_rest, {options}, random_state=0\n    )"
ORDER = "x_train, x_validation, x_test, y_train, y_validation, y_test"


def _split(options="test_size=0.25, stratify=y_rest", order=ORDER):
    return SPLIT.format(second=SECOND.format(options=options), order=order)


STANDARDIZE = """
def standardize(train, other):
    mean = train.mean(axis=0)
    std = train.std(axis=0)
    std = np.where(std == 0, 1, std)
    return (train - mean) / std, (other - mean) / std
"""

COUNT = """
def count_parameters(sizes):
    total = 0
    for inputs, units in zip(sizes[:-1], sizes[1:], strict=True):
        total += inputs * units + units
    return total
"""

STOP = """
def stop_early(validation_losses, patience):
    best_loss, best_epoch = np.inf, 0
    for epoch, loss in enumerate(validation_losses, start=1):
        if loss < best_loss:
            best_loss, best_epoch = loss, epoch
        if epoch - best_epoch >= patience:
            break
    return epoch, best_epoch
"""

NEEDS = {  # the four runs of section 4.11
    "A": "lower the learning rate",
    "B": "stop earlier",
    "C": "look at the labels",
    "D": "train longer",
}


def _reading(needs, changed=None):
    """Return the code of an answer to 4.6, some of whose words are changed."""
    lines = [f'        "{panel}": "{(changed or {}).get(word, word)}",' for panel, word in needs.items()]
    return "\n".join(["def read_curves():", "    return {", *lines, "    }"])


# What 4.7 accepts as the validation loss with 400 images. Seeds 1 to 6 gave 0.318 to 0.380 with the first 400 training
# images, 0.240 to 0.380 with 400 others.
FEW_IMAGES = (0.2, 0.44)
# Of real runs, by the number of images: validation loss in the first and the last epoch, then the same of the training loss.
RECORDED = {400: ((0.49, 0.34), (0.6, 0.015)), 3200: ((0.26, 0.16), (0.36, 0.0016))}
REPORT = """
losses = []
for seed in (1, 2, 3):
    few = train[:400]
    network, history = train_network(seed, scaled[few], labels[few], validation)
    losses.append(history["val_loss"][-1])


def report():
    predicted = 0.25
    return predicted, losses
"""

DIFFERENCE = """
def difference_interval(right_a, right_b):
    difference = right_a - right_b
    mean = difference.mean()
    margin = 1.96 * difference.std() / np.sqrt(len(difference))
    return mean - margin, mean + margin
"""

EXERCISES = {
    "4.1": Exercise(
        answer="three_parts",
        stub="""
from sklearn.model_selection import train_test_split


def three_parts(x, y):
    x_rest, x_test, y_rest, y_test = train_test_split(
        x, y, test_size=0.2, stratify=y, random_state=0
    )
    ...
""",
        solution=_split(),
        cases=_parts_cases,
        observe=_observe_parts,
        wrong=[
            (
                _split("test_size=0.2, stratify=y_rest"),
                "Your validation part is 16 % of all: 20 % of the remaining 80 %. Which share of the rest is 20 % of all?",
            ),
            (
                _split("test_size=0.25"),
                "The sizes are right, but the classes are not in proportion in every part. Stratify the second split too.",
            ),
            (
                _split("test_size=0.25, stratify=y"),
                "The second split cuts the rest, so stratify it by the labels of the rest, not by all labels.",
            ),
            (
                _split(order="x_train, y_train, x_validation, y_validation, x_test, y_test"),
                "The parts are right but come in another order: first the three x, then the three y.",
            ),
            (
                _split().replace(
                    "x_train, x_validation, y_train, y_validation = ", "x_train, y_train, x_validation, y_validation = "
                ),
                "train_test_split returns both parts of x first, then both of y. Unpack them in that order.",
            ),
            (
                _split(order="x_train, x_test, x_validation, y_train, y_test, y_validation"),
                "Validation and test have changed places: the first cut makes the test part.",
            ),
            *(
                (
                    _split(f"test_size={share}, stratify=y").replace("x_rest, y_rest, test", "x, y, test"),
                    "You cut x and y again, so training and test share rows. Cut the rest.",
                )
                for share in (0.2, 0.25)
            ),
            (
                _split().replace("    return", "    x_validation, y_validation = x_test, y_test\n    return"),
                "Your validation part is the test part once more. No row may stand in two parts.",
            ),
            (
                _split("test_size=0.75, stratify=y_rest"),
                "Training and validation have changed places: test_size is the share of the second part, the smaller one.",
            ),
        ],
        hint="Split the rest once more, stratified by its labels, so that training, validation and test hold 60, 20 and 20 % of all rows.",
    ),
    "4.2": Exercise(
        answer="standardize",
        stub="""
def standardize(train, other):
    ...
""",
        solution=STANDARDIZE,
        cases=_standardize_cases,
        wrong=[
            (
                STANDARDIZE.replace(
                    "(other - mean) / std",
                    "(other - other.mean(axis=0)) / np.where(other.std(axis=0) == 0, 1, other.std(axis=0))",
                ),
                "You scaled other with its own mean and deviation. Both must come from train, or the parts are no longer comparable.",
            ),
            (
                STANDARDIZE.replace("axis=0", ""),
                "You took one mean over all numbers. Each column (pixel) needs its own: which axis runs over the rows?",
            ),
            (
                STANDARDIZE.replace("train.std(axis=0)", "train.std(axis=0, ddof=1)"),
                "Divide by the standard deviation as np.std computes it, over n and not n - 1.",
            ),
            (
                STANDARDIZE.replace("= train.", "= np.concatenate([train, other])."),
                "You took mean and deviation over both parts together: that is leakage. Fit on train alone.",
            ),
            (
                STANDARDIZE.replace("train.std", "train.var"),
                "You divided by the variance. The standard deviation is its square root.",
            ),
            (
                STANDARDIZE.replace("    std = np.where(std == 0, 1, std)\n", ""),
                "A constant column has deviation 0, and dividing by it gives NaN. Divide such columns by 1 instead.",
            ),
            *(
                (
                    STANDARDIZE.replace("np.where(std == 0, 1, std)", f"std + {little}"),
                    "You add a tiny number to every deviation. A pixel that is blank in train but not in other is then divided "
                    "by that number and becomes huge. Divide by 1 where the deviation is 0.",
                )
                for little in (1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6)
            ),
            (
                STANDARDIZE.replace("np.where(std == 0, 1, std)", "np.where(std == 0, np.inf, std)"),
                "You set a column that is constant in train to 0 in other, too, so what is new there cannot be seen. Divide it by 1.",
            ),
            (
                STANDARDIZE.replace("mean = train", "mean = np.concatenate([train, other])"),
                "Your mean was taken over both parts together: that is leakage. Fit on train alone.",
            ),
        ],
        hint="Subtract each column's training mean, then divide by its training standard deviation; return both parts.",
    ),
    "4.3": Exercise(
        answer="count_parameters",
        stub="""
def count_parameters(sizes):
    ...
""",
        solution=COUNT,
        cases=lambda: [([784, 128, 64, 1],), ([3, 2],), ([5, 4, 4, 4, 4, 2],)],
        wrong=[
            (
                COUNT.replace(" + units", ""),
                "You counted the weights but not the biases: each unit has one of its own.",
            ),
            (
                COUNT.replace("total = 0", "total = sizes[0]"),
                "You gave biases to the inputs too. The inputs are data, not units: they have no parameters.",
            ),
            (
                COUNT.replace("sizes[:-1], sizes[1:]", "sizes[:-2], sizes[1:-1]"),
                "The last layer is missing: a list of n sizes describes n - 1 layers.",
            ),
            (
                COUNT.replace("inputs * units + units", "inputs * units + inputs"),
                "You added one bias per input. There is one bias per unit, that is, per output of the layer.",
            ),
        ],
        hint="A layer has inputs * units weights and units biases. Go through neighboring pairs of sizes and add them up.",
    ),
    "4.4": Exercise(
        answer="stop_early",
        stub="""
def stop_early(validation_losses, patience):
    ...
""",
        solution=STOP,
        cases=lambda: [
            ([0.5, 0.3, 0.31, 0.32, 0.2, 0.25, 0.24, 0.23, 0.1], 3),
            ([0.5, 0.4, 0.45, 0.42, 0.41, 0.3], 2),
            ([0.5, 0.4, 0.3], 2),
            ([0.5, 0.6, 0.7, 0.8], 2),
            ([0.5, 0.4, 0.4, 0.4, 0.4], 2),  # an equal loss is no new best
            ([2.3, 1.9, 1.6, 1.4], 2),  # a loss may be above 1
            ([19.0, 16.0, 14.0, 15.0, 17.0], 2),
            ([0.1485, 0.1482, 0.1479], 1),  # a lower loss is lower, if little
            ([3.0, 1.0, 2.0, 1.5, 0.5], 2),
            ([0.9, 0.8, 0.85, 0.1], 1),
            ([0.7], 3),
            ([0.5, 0.4, 0.3, 0.35], 2),  # the list ends while training still waits
        ],
        wrong=[
            (
                STOP.replace("        if epoch - best_epoch >= patience:\n            break\n", ""),
                "You never stop before the list ends. Stop as soon as patience epochs in a row have brought no new best.",
            ),
            (
                STOP.replace("start=1", "start=0"),
                "Your epochs start at 0. Count them from 1, as the training output does.",
            ),
            (
                STOP.replace(">= patience", "> patience"),
                "You stop one epoch late: with patience 2, training ends at the second epoch in a row without a new best.",
            ),
            (
                STOP.replace(">= patience", ">= patience - 1"),
                "You stop one epoch early: with patience 2, training waits for two epochs in a row without a new best.",
            ),
            (
                STOP.replace("np.inf, 0", "np.inf, 0\n    waited = 0").replace(
                    "        if epoch - best_epoch >=", "        else:\n            waited += 1\n        if waited >="
                ),
                "You count all epochs without a new best. They must follow in a row: a new best starts the count again.",
            ),
            (
                STOP.replace("loss < best_loss", "loss <= best_loss"),
                "You count a loss that is equal to the lowest as a new one. Only a lower loss is.",
            ),
            (
                STOP.replace("return epoch, best_epoch", "return epoch, 1 + int(np.argmin(validation_losses))"),
                "Your best epoch may lie after the stop. Look only at the epochs up to then.",
            ),
            (
                STOP.replace("return epoch, best_epoch", "return best_epoch + patience, best_epoch"),
                "Where the list ends first, training stops at its last epoch, not later.",
            ),
            (
                STOP.replace("best_loss, best_epoch = loss, epoch", "best_epoch = epoch").replace(
                    "        if epoch -", "        best_loss = loss\n        if epoch -"
                ),
                "You compare each loss with the one before. Compare it with the lowest so far, or a slow climb looks like progress.",
            ),
            (
                STOP.replace("return epoch, best_epoch", "return best_epoch, epoch"),
                "Both numbers are right, but in the other order: first the epoch at which training stops, then the best one.",
            ),
        ],
        hint="Remember the lowest loss so far and its epoch; stop when it lies patience epochs back, or when the list ends.",
    ),
    "4.5": Exercise(
        answer="difference_interval",
        stub="""
def difference_interval(right_a, right_b):
    ...
""",
        solution=DIFFERENCE,
        cases=_difference_cases,
        wrong=[
            (
                DIFFERENCE.replace(" / np.sqrt(len(difference))", ""),
                "That is the spread of single images. The mean of n of them is more certain: divide by the square root of n.",
            ),
            (
                DIFFERENCE.replace("np.sqrt(len(difference))", "len(difference)"),
                "You divided by n. The standard error of a mean is the deviation divided by the square root of n.",
            ),
            (
                DIFFERENCE.replace("right_a - right_b", "right_b - right_a"),
                "The sign is turned around: subtract b from a.",
            ),
            (
                DIFFERENCE.replace("mean - margin, mean + margin", "mean + margin, mean - margin"),
                "The two ends have changed places: the lower one comes first.",
            ),
            (
                DIFFERENCE.replace("1.96 * ", ""),
                "That is one standard error. A 95 % interval reaches 1.96 of them to each side.",
            ),
            (
                DIFFERENCE.replace("difference.std()", "np.sqrt(right_a.var() + right_b.var())"),
                "You treated the models as tested on different images. They saw the same ones: take the deviation of the differences.",
            ),
        ],
        hint="Take the difference for each image, then its mean, plus and minus 1.96 standard errors of that mean.",
        tolerance=1e-4,
    ),
    "4.6": Exercise(
        answer="read_curves",
        stub="""
def read_curves():
    ...
""",
        solution=_reading(NEEDS),
        cases=lambda: [()],
        observe=_observe_reading,
        wrong=[
            (
                _reading(NEEDS, {"stop earlier": "train longer"}),
                "One run learns its images by heart, and its validation loss, low after some epochs, creeps up again. "
                "Would more epochs help it?",
            ),
            (
                _reading(NEEDS, {"train longer": "stop earlier"}),
                "In one run both losses sink, slowly and side by side, and are still high in the last epoch. What does it lack?",
            ),
            (
                _reading(NEEDS, {"lower the learning rate": "look at the labels"}),
                "In one run even the training loss leaps far above a coin's 0.69 and gets nowhere: each step lands too far off. What sets its length?",
            ),
            (
                _reading(NEEDS, {"look at the labels": "stop earlier"}),
                "In one run the training loss sinks, but the validation loss is at no time better than a coin's, which is 0.69. "
                "What would make the answers impossible to predict?",
            ),
            (
                _reading(NEEDS, {"train longer": "more epochs"}),
                "Use the four answers as the task writes them.",
            ),
        ],
        hint="Look at the training loss first: does it sink, how fast, how evenly? Then at the distance of the validation loss.",
    ),
    "4.7": Exercise(
        answer="report",
        stub="""
def report():
    ...
""",
        stand_ins=_trained,
        solution=REPORT,
        cases=lambda: [()],
        observe=_observe_report,
        wrong=[
            (
                "def report():\n    return 0.25, [0.3125, 0.334, 0.3509]",
                "These losses look typed or rounded. Train the three networks and return what the runs give, with all decimals.",
            ),
            (
                REPORT.replace("[few]", "[train]"),
                "Your losses are as low as with many more images. Did you take the first 400 for the pixels and the labels that you train on?",
            ),
            (
                REPORT.replace('"val_loss"', '"loss"'),
                "That is the training loss: 400 images are soon learned by heart. Report the loss on the validation images.",
            ),
            (
                REPORT.replace("train_network(seed,", "train_network(1,"),
                "Two of your runs gave the very same loss, as runs with the same seed do. Give each run its own seed.",
            ),
            (
                REPORT.replace("[-1]", "[0]"),
                "So high a loss stands at the beginning of training. Report the last epoch of 14, not the first.",
            ),
            (
                REPORT.replace("predicted, losses", "..., losses"),
                "The first part is no prediction. Write down, as a number above 0, which loss you expect, and keep it even if it was far off.",
            ),
            (
                REPORT.replace("(1, 2, 3)", "(1, 2)"),
                "Return three losses, one for each of the seeds 1, 2 and 3.",
            ),
            (
                "def report():\n    return 0.9, [0.88125, 0.87625, 0.88375]",
                "These look like accuracies. Report the validation loss.",
            ),
        ],
        hint="Train on the first 400 training images for 14 epochs, with seeds 1, 2 and 3, and return your prediction and the list of "
        "the three last validation losses. With so few images they are clearly higher than in section 4.6, and clearly lower than "
        "a coin's 0.69.",
    ),
}
