"""Exercises of lesson 08, Work with language."""

import numpy as np

from lepton_helpers.checks import Exercise, report_flaw


def _fold_cases():
    return [
        (np.array(["b", "a", "b", "c", "a", "d"]), 2),
        (np.array(["film 3", "film 1", "film 1", "film 2", "film 10", "film 3", "film 4"]), 3),
        (np.array(["x", "x", "y"]), 2),
    ]


def _average_cases():
    table = np.random.default_rng(0).normal(size=(6, 3))
    return [
        (np.array([[2, 3, 4, 0], [5, 0, 0, 0]]), table),
        (np.array([[1, 1, 2, 5, 3]]), table),
        (np.array([[2, 0, 3], [3, 4, 0], [1, 5, 5], [0, 0, 4]]), table),
    ]


# What 8.3 accepts as the accuracy with 400 labels: draws 1 to 10 gave 0.669 to 0.716 on the validation part.
FEW_LABELS = (0.62, 0.76)


def _observe_few(report):
    """What kind of report it is: the prediction may be any share, the accuracies must be those of training."""
    predicted, counted, averaged, winner = report
    counted, averaged = ([float(share) for share in shares] for shares in (counted, averaged))
    if max(counted + averaged, default=0) > 1:
        return "percent"
    for shares in (counted, averaged):
        flaw = report_flaw(predicted, shares, lambda p: 0 < p < 1, lambda x: np.abs(x - x.round(3)).max() < 1e-9, 2)
        if flaw:
            return flaw
    if counted == averaged:
        return "the same"
    counted, averaged = np.array(counted), np.array(averaged)
    everything = np.concatenate([counted, averaged])
    if everything.min() > 0.95:
        return "training accuracy"
    if everything.min() > FEW_LABELS[1]:
        return "all labels"
    if averaged.max() < FEW_LABELS[0] <= counted.min():
        return "few epochs"
    if not FEW_LABELS[0] <= everything.min() <= everything.max() <= FEW_LABELS[1]:
        return "outside"
    leads = np.sign(averaged - counted).sum()
    return "right" if winner == {3: "averaged", -3: "counted"}.get(int(leads), "undecided") else "other winner"


def _few_stand_ins():
    """Stand in for the lesson's names: nothing is trained, and the accuracies are near those of real runs."""

    class Counted:
        def fit(self, texts, topics):
            self.share = _accuracy(len(texts), texts[0], 40) + (0.01 if texts[0] // 100 % 2 else -0.01)
            return self

        def score(self, texts, topics):
            return self.share if len(texts) == 1474 else 0.97 + int(texts[0]) % 97 / 9973

    def train_classifier(w, logits, epochs, learning_rate, rows=None, batch=64):
        rows = np.arange(8331) if rows is None else rows
        return np.full(epochs, _accuracy(len(rows), rows[0], epochs)), None

    def _accuracy(labels, first, epochs):
        shares = {400: 0.7 if epochs > 10 else 0.4}
        return shares.get(labels, 0.84) + int(first) % 97 / 9973

    names = {"x": np.arange(14000), "y": np.zeros(14000, int), "train": np.arange(8331)}
    names |= {"validation": np.arange(8331, 9805), "strength": 2, "averaging": None}
    names |= {"counted_words": lambda strength: Counted(), "new_averaging": lambda seed: {}}
    return names | {"train_classifier": train_classifier}


FEW = """
counted, averaged = [], []
for draw in (1, 2, 3):
    rows = np.random.default_rng(draw).permutation(train)[:400]
    model = counted_words(strength).fit(x[rows], y[rows])
    counted.append(model.score(x[validation], y[validation]))
    accuracy, _ = train_classifier(new_averaging(draw), averaging, 40, 5e-3, rows)
    averaged.append(accuracy[-1])


def report():
    return 0.75, counted, averaged, "undecided"
"""


LEXICON = {"good": 2.0, "funny": 1.5, "bad": -2.5, "dull": -1.5, "no": -1.2}


def _lexicon_cases():
    texts = [
        "a good and funny film",
        "not good",
        "it is never really good",
        "not a film that is good",
        "good not",
        "never funny but good",
        "not bad and not dull and never a good idea",
        "not that it is good",
        "never not good",
        "no good",
        "nothing good",
        "not funny good",
        "no bad dull funny good",
        "good not good",
        "good good Good",
        "",
    ]
    cases = [(text.split(), LEXICON, {"not", "never", "no"}) for text in texts]
    return [*cases, (["no", "good"], LEXICON, {"not"})]  # "no" is a part of "not", but no negation here


def _unseen_cases():
    train = ["red apple", "green tree", "man running"]
    return [
        (train, ["green apple", "red red tree", "woman running", "blue sky"]),
        (train, ["running man"]),
        (train, ["app", "tree house blue", "tree"]),
        (train, ["blue sky", "blue sky", "blue sky", "red apple"]),  # each text counts, also one that occurs again
        (["red apple"], ["apple red", "red", "red apple apple", "pear"]),
        (["t rex", "Red"], ["t-rex", "red", "rex."]),
        (train, ["man sleeping", "sleeping man", "old green tree", "a green cat running"]),
    ]


def _character_cases():
    return [
        ("drapeau gray", "drapeau arménie", 3, 2.0),
        ("visage", "visage triste", 2, 2.0),
        ("visage visage triste", "triste visage", 2, 1.0),
        ("aaaa", "aab", 1, 3.0),
        ("panda", "étoile", 2, 2.0),
        ("a", "abc", 2, 2.0),  # shorter than a piece
        ("", "abc", 1, 1.0),
        ("a", "b", 2, 2.0),
        ("a b", "ab", 2, 0.5),
        ("abab", "abab", 2, 2.0),
        ("ab", "ab", 3, 2.0),
        ("abc", "abcd", 3, 2.0),
        ("l’A", "la", 1, 1.0),  # only spaces are removed, and A is not a
    ]


FOLDS = """
def folds_by_group(groups, k):
    _, index = np.unique(groups, return_inverse=True)
    return index % k
"""

AVERAGE = """
def average_words(tokens, table):
    real = tokens != 0  # (B, T)
    total = (table[tokens] * real[:, :, None]).sum(axis=1)  # (B, d)
    return total / real.sum(axis=1)[:, None]
"""

NEGATION = """
def score_with_negation(words, lexicon, negations):
    score = 0.0
    for i, word in enumerate(words):
        negated = any(before in negations for before in words[max(0, i - 3) : i])
        score += lexicon.get(word, 0.0) * (-0.74 if negated else 1)
    return score
"""

UNSEEN = """
def unseen_share(train, test):
    known = {word for text in train for word in text.split()}
    return np.mean([not set(text.split()) <= known for text in test])
"""

CHARACTERS = """
from collections import Counter


def character_f(hypothesis, reference, n, beta):
    counts = []
    for text in (hypothesis, reference):
        text = text.replace(" ", "")
        counts.append(Counter(text[i : i + n] for i in range(len(text) - n + 1)))
    common = (counts[0] & counts[1]).total()
    if common == 0:
        return 0.0
    precision, recall = common / counts[0].total(), common / counts[1].total()
    return (1 + beta**2) * precision * recall / (beta**2 * precision + recall)
"""

EXERCISES = {
    "8.1": Exercise(
        answer="folds_by_group",
        stub="""
def folds_by_group(groups, k):
    ...
""",
        solution=FOLDS,
        cases=_fold_cases,
        wrong=[
            (
                "def folds_by_group(groups, k):\n    return np.arange(len(groups)) % k\n",
                "You dealt out the rows, so rows of one film land in different folds. Deal out the groups.",
            ),
            (
                FOLDS.replace("index % k", "(index + 1) % k"),
                "The groups stay together, but the first one should go to fold 0: start counting at 0.",
            ),
            (
                FOLDS.replace("index % k", "index * k // (index.max() + 1)"),
                "You cut the sorted groups into blocks. Let them take turns: 0, 1, ..., k - 1, 0, 1, ...",
            ),
            (
                FOLDS.replace("return index % k", "return index"),
                "Each group has a number of its own now. With k folds, the numbers must start again after k - 1.",
            ),
            (
                "def folds_by_group(groups, k):\n    order = {g: i for i, g in enumerate(dict.fromkeys(groups))}\n"
                "    return np.array([order[g] % k for g in groups])\n",
                "Your groups take turns in the order in which they appear. Here they should do so in the order of np.unique.",
            ),
        ],
        hint="Number the groups in the order of np.unique from 0 and take the remainder of that number by k; every row gets its group's fold.",
    ),
    "8.2": Exercise(
        answer="average_words",
        stub="""
def average_words(tokens, table):
    ...
""",
        solution=AVERAGE,
        cases=_average_cases,
        wrong=[
            (
                "def average_words(tokens, table):\n    return table[tokens].mean(axis=1)\n",
                "You averaged the padding too, so short texts are pulled toward row 0. Leave it out of the sum and of the count.",
            ),
            (
                AVERAGE.replace("real.sum(axis=1)[:, None]", "tokens.shape[1]"),
                "The sum is right, but you divide by the padded length. Divide by the number of real words of each text.",
            ),
            (
                AVERAGE.replace("real.sum(axis=1)[:, None]", "real.sum()"),
                "The sum is right, but you divide by the words of the whole batch. Divide each text by its own number of words.",
            ),
            (
                AVERAGE.replace(" / real.sum(axis=1)[:, None]", ""),
                "That is the sum. A text of twelve words would look four times as large as one of three: divide by the number of words.",
            ),
            (
                AVERAGE.replace(" * real[:, :, None]", ""),
                "The count leaves the padding out, but the sum still contains row 0. Multiply by the mask before summing.",
            ),
            (
                AVERAGE.replace("tokens != 0", "tokens > 1"),
                "Only number 0 is padding. Number 1, the unknown word, is a word of the text and counts.",
            ),
            *(
                (
                    AVERAGE.replace("tokens != 0", code),
                    "Padding may stand before and between words, too: ask of each place whether it is 0.",
                )
                for code in (
                    "np.cumprod(tokens != 0, axis=1)",
                    "np.arange(tokens.shape[1]) < np.count_nonzero(tokens, axis=1)[:, None]",
                )
            ),
        ],
        hint="Look up the rows of the table, multiply those of padding by 0, sum over the words (axis 1), and divide by the number of words that are not padding.",
    ),
    "8.3": Exercise(
        answer="report",
        stub="""
def report():
    # Train above this line, then return
    # predicted, counted, averaged, winner.
    ...
""",
        solution=FEW,
        cases=lambda: [()],
        observe=_observe_few,
        stand_ins=_few_stand_ins,
        wrong=[
            (
                FEW.replace("0.75", "None"),
                "The first value is your prediction: a share between 0 and 1, written down before you train.",
            ),
            (FEW.replace("(1, 2, 3)", "(1,)"), "Draw three times: one accuracy of each model per draw."),
            (
                FEW.replace('counted, averaged, "', 'counted, counted, "'),
                "You returned the same three accuracies twice.",
            ),
            (
                FEW.replace("append(", "append(100 * "),
                "Return shares between 0 and 1, not percent.",
            ),
            (
                "def report():\n    return 0.75, [0.7, 0.69, 0.71], [0.71, 0.7, 0.705], 'averaged'",
                "Return the accuracies as the runs gave them, not typed in or rounded.",
            ),
            (
                FEW.replace("default_rng(draw)", "default_rng(1)"),
                "All draws are the same one. Give each its own generator: the number of the draw is the seed.",
            ),
            (
                FEW.replace("[:400]", ""),
                "So high an accuracy needs more than 400 labels. Do you pass the 400 rows on, to both models?",
            ),
            (
                FEW.replace("x[validation], y[validation]", "x[rows], y[rows]").replace(
                    "accuracy[-1]", "0.99 + draw / 997"
                ),
                "These are accuracies on the sentences that were trained on. Take the validation part.",
            ),
            (
                FEW.replace("averaging, 40, 5e-3", "averaging, 4, 5e-3"),
                "With 400 labels an epoch has only six steps, so the average needs more epochs: the task says how many.",
            ),
            (
                FEW.replace("undecided", "averaged"),
                "The winner does not follow from your accuracies: a model wins if it is ahead in all three draws; else it is undecided.",
            ),
        ],
        hint="Train both models on the same 400 rows, in three draws, and return the validation accuracies as the runs gave them.",
    ),
    "8.4": Exercise(
        answer="score_with_negation",
        stub="""
def score_with_negation(words, lexicon, negations):
    ...
""",
        solution=NEGATION,
        cases=_lexicon_cases,
        wrong=[
            (
                "def score_with_negation(words, lexicon, negations):\n    return sum(lexicon.get(word, 0.0) for word in words)\n",
                "You added the valences up but did not look for negations: `not good` still scores like `good`.",
            ),
            (
                NEGATION.replace("max(0, i - 3) : i", "max(0, i - 1) : i"),
                "You looked at the one word before. In `never really good` the negation is two words before `good`: look at three.",
            ),
            (
                NEGATION.replace("max(0, i - 3) : i", "max(0, i - 2) : i"),
                "You looked at the two words before. Look at three.",
            ),
            (
                NEGATION.replace(
                    "any(before in negations for before in words[max(0, i - 3) : i])",
                    "any(b in negations and not {*words[j + 1 : i]} & {*lexicon} for j, b in enumerate(words[:i]) if j >= i - 3)",
                ),
                "Your negation ends at the first word that it turns. It turns every rated word among the three that follow.",
            ),
            (
                NEGATION.replace("max(0, i - 3) : i", "max(0, i - 4) : i"),
                "You looked at four words before. Only the three before a word can turn it.",
            ),
            (
                NEGATION.replace("negated = any(", "negated = sum(").replace(
                    "(-0.74 if negated else 1)", "(-0.74) ** negated"
                ),
                "Two negations turned the word twice. One or several in the three words before: the factor is -0.74 once.",
            ),
            (
                NEGATION.replace("max(0, i - 3) : i", "max(0, i - 3) : i + 1"),
                "A word must not negate itself: look at the three words before it.",
            ),
            (
                NEGATION.replace("max(0, i - 3) : i", ": i"),
                "A negation now reaches to the end of the text. Only the three words before a word can turn it.",
            ),
            (
                NEGATION.replace("-0.74", "-1"),
                "`not bad` is weaker than `good`: a turned valence is multiplied by -0.74, not by -1.",
            ),
            (
                NEGATION.replace("-0.74", "0"),
                "You dropped the negated words. They count, with the factor -0.74.",
            ),
            (
                NEGATION.replace("words[max(0, i - 3) : i]", "words[i + 1 : i + 4]"),
                "You looked at the words that follow. In English the negation stands before the word that it turns.",
            ),
            (
                NEGATION.replace("i, word in enumerate(words):", "word in words:\n        i = words.index(word)"),
                "words.index finds the first place only: use enumerate.",
            ),
            *(
                (
                    NEGATION.replace("i, word in enumerate(words):", loop),
                    "A word that occurs twice counts twice.",
                )
                for loop in (
                    "i, word in enumerate(dict.fromkeys(words)):",
                    "word in set(words):\n        i = words.index(word)",
                )
            ),
            (
                NEGATION.replace("max(0, i - 3)", "i - 3"),
                "At the beginning of a text, i - 3 is negative, and Python counts a negative index from the end: start at 0 at the earliest.",
            ),
        ],
        hint="For each word: its valence (0 if it is not in the lexicon), times -0.74 if one of the three words before it is a negation. Add all up.",
    ),
    "8.5": Exercise(
        answer="unseen_share",
        stub="""
def unseen_share(train, test):
    ...
""",
        solution=UNSEEN,
        cases=_unseen_cases,
        wrong=[
            (
                "def unseen_share(train, test):\n    known = {word for text in train for word in text.split()}\n"
                "    words = [word for text in test for word in text.split()]\n"
                "    return np.mean([word not in known for word in words])\n",
                "That is the share of unseen words. Asked is the share of texts that hold at least one.",
            ),
            (
                UNSEEN.replace("not set(text.split()) <= known", "set(text.split()) <= known"),
                "That is the share of texts whose words are all known: the other part.",
            ),
            (
                UNSEEN.replace("not set(text.split()) <= known", "not set(text.split()) & known"),
                "You counted texts in which no word is known. One unseen word is enough.",
            ),
            (
                UNSEEN.replace("for text in test]", "for text in set(test)]"),
                "You counted a text that occurs several times once. The share is that of all test texts.",
            ),
            (
                UNSEEN.replace("np.mean(", "np.sum("),
                "That is how many texts there are. The share is their number over that of all test texts.",
            ),
            (
                UNSEEN.replace(
                    "known = {word for text in train for word in text.split()}", "known = set(train)"
                ).replace("not set(text.split()) <= known", "text not in known"),
                "You compared whole texts. Compare their words.",
            ),
            (
                UNSEEN.replace(
                    "known = {word for text in train for word in text.split()}", "known = ' '.join(train)"
                ).replace("not set(text.split()) <= known", "not all(word in known for word in text.split())"),
                "`app` is part of `apple`, but it is another word. Look words up in a set of words, not in a long string.",
            ),
            (
                UNSEEN.replace(".split()", ""),
                "You compare letters: split each text at its spaces first.",
            ),
        ],
        hint="Collect the words of all training texts in a set; a test text counts if one of its words is not in it; return the share of those texts.",
    ),
    "8.6": Exercise(
        answer="character_f",
        stub="""
def character_f(hypothesis, reference, n, beta):
    ...
""",
        solution=CHARACTERS,
        cases=_character_cases,
        wrong=[
            (
                CHARACTERS.replace('        text = text.replace(" ", "")\n', ""),
                "You counted pieces that contain the spaces between words. chrF removes the spaces first.",
            ),
            (
                CHARACTERS.replace("(counts[0] & counts[1]).total()", "len(set(counts[0]) & set(counts[1]))"),
                "You counted each kind of piece once. A piece that occurs twice in both texts matches twice: count with a Counter and `&`.",
            ),
            (
                CHARACTERS.replace(
                    "(counts[0] & counts[1]).total()", "sum(c for piece, c in counts[0].items() if piece in counts[1])"
                ),
                "A piece may match only as often as the reference has it: clip the count.",
            ),
            (
                CHARACTERS.replace("len(text) - n + 1", "len(text) - n"),
                "The last piece of each text is missing: a text of L characters has L - n + 1 of them.",
            ),
            (
                CHARACTERS.replace("range(len(text) - n + 1)", "range(max(1, len(text) - n + 1))"),
                "A text shorter than n has no piece of n characters.",
            ),
            (
                CHARACTERS.replace("(beta**2 * precision + recall)", "(precision + beta**2 * recall)"),
                "Precision and recall have changed places: beta = 2 should make recall the more important one.",
            ),
            (
                CHARACTERS.replace(
                    "return (1 + beta**2) * precision * recall / (beta**2 * precision + recall)",
                    "return 2 * precision * recall / (precision + recall)",
                ),
                "That is the formula for beta = 1, which weighs both alike. Use beta.",
            ),
            (
                CHARACTERS.replace("    if common == 0:\n        return 0.0\n", ""),
                "With no piece in common, precision and recall are both 0, and the formula divides 0 by 0. Return 0 then.",
            ),
        ],
        hint="Remove the spaces, count the pieces of n characters of both texts, clip, and combine precision (over the hypothesis) and recall (over the reference).",
    ),
}
