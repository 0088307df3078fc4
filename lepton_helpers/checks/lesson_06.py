"""Exercises of lesson 06, Build a Transformer."""

import numpy as np

from lepton_helpers.checks import Exercise


def _shares_cases():
    rng = np.random.default_rng(0)
    return [
        (rng.normal(size=(3, 4)), rng.normal(size=(5, 4)), 0.5),
        (rng.normal(size=(4, 9)), rng.normal(size=(4, 9)), 0.0),
        (rng.normal(size=(2, 16)) * 60, rng.normal(size=(3, 16)) * 60, 1.0),
        (np.array([[3000.0], [-1.0]]), np.array([[1.0], [1.5], [-2.0]]), 0.25),  # one row in the thousands, one near 0
        (rng.normal(size=(1, 2)), rng.normal(size=(1, 2)), 3.0),
        (rng.normal(size=(6, 4)), rng.normal(size=(2, 4)), 2.0),
    ]


def _norm_cases():
    rng = np.random.default_rng(0)
    x, wide, narrow = rng.normal(size=(3, 6)), rng.normal(size=(6, 8)), rng.normal(size=(8, 6))
    scale, shift = rng.normal(size=6), rng.normal(size=6)
    return [
        (x + 2, lambda x: np.maximum(x @ wide, 0) @ narrow, scale, shift),
        (x * 5, lambda x: -x[:, ::-1], scale, shift),
        (x * 0.003, lambda x: 0 * x, scale, shift),  # so small that epsilon counts
        (x + np.arange(3)[:, None], lambda x: x.mean(axis=0) + 0 * x, np.ones(6), np.zeros(6)),
        (x[:1], lambda x: x @ np.diag(scale), scale, 1 + shift),
    ]


def _loss_cases():
    rng = np.random.default_rng(0)
    words, table, places = 8, rng.normal(size=(8, 8)), rng.normal(size=(9, 8))

    def by_word(tokens):  # a decoder that looks at the last token alone, and at its place
        return table[tokens] + places[: tokens.shape[1]]

    def copies(tokens):
        return 9.0 * np.eye(words)[tokens]

    def is_sure(tokens):  # logits in the thousands
        return 2000 * (by_word(tokens) - 0.5)

    target = np.array([[1, 5, 6, 2, 0, 0], [1, 7, 2, 0, 0, 0], [1, 4, 5, 6, 7, 2]])
    return [
        (by_word, target),
        (copies, target),
        (by_word, np.array([[1, 3, 2]])),
        (is_sure, target[:2]),
        (lambda tokens: np.zeros((*tokens.shape, words)), target[::2]),
    ]


SHARES = """
def attention_shares(queries, keys, slope):
    apart = np.abs(np.arange(len(queries))[:, None] - np.arange(len(keys)))
    scores = queries @ keys.T / np.sqrt(keys.shape[1]) - slope * apart
    positive = np.exp(scores - scores.max(axis=1, keepdims=True))
    return positive / positive.sum(axis=1, keepdims=True)
"""

VISIBLE = """
def visible(tokens):
    place = np.arange(tokens.shape[1])
    causal = place <= place[:, None]  # (T, T): row looks at column
    not_padding = (tokens != 0)[:, None, :]  # (B, 1, T)
    return causal & not_padding
"""

POST_NORM = """
def post_norm(x, f, scale, shift):
    total = x + f(x)
    centered = total - total.mean(axis=1, keepdims=True)
    variance = (centered**2).mean(axis=1, keepdims=True)
    return scale * centered / np.sqrt(variance + 1e-5) + shift
"""

LOSS = """
def decoder_loss(predict, target):
    seen, answers = target[:, :-1], target[:, 1:]
    logits = predict(seen)
    logits = logits - logits.max(axis=2, keepdims=True)
    log_p = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
    right = np.take_along_axis(log_p, answers[:, :, None], axis=2)[:, :, 0]
    return -right[answers != 0].mean()
"""

SHARES_FIRST = """log_p = np.exp(logits)
    log_p = np.log(log_p / log_p.sum(axis=2, keepdims=True))"""

EXERCISES = {
    "6.1": Exercise(
        answer="attention_shares",
        stub="""
def attention_shares(queries, keys, slope):
    ...
""",
        solution=SHARES,
        cases=_shares_cases,
        wrong=[
            (
                SHARES.replace("axis=1", "axis=0"),
                "Your columns sum to 1. The shares that one query gives to all keys stand in a row, and it is the row that must sum to 1.",
            ),
            (
                SHARES.replace(" / np.sqrt(keys.shape[1])", ""),
                "The scale is missing: without it the scores grow with the width of the vectors, and so does the largest share.",
            ),
            (
                SHARES.replace("np.sqrt(keys.shape[1])", "keys.shape[1]"),
                "You divided by the width itself. The variance of the scores is d, so their spread is its square root.",
            ),
            (
                SHARES.replace("scores.max(axis=1, keepdims=True)", "scores.max()"),
                "You subtract one maximum from the whole table. In a row that lies far below it, e to every score is then 0 "
                "(it underflows), and 0 is divided by 0: each row needs its own maximum.",
            ),
            (
                SHARES.replace("scores - scores.max(axis=1, keepdims=True)", "np.minimum(scores, 700)"),
                "You cut large scores off, which makes them equal. Subtract each row's maximum: that changes no share.",
            ),
            (
                SHARES.replace(" - scores.max(axis=1, keepdims=True)", ""),
                "Right for small scores, but e to the power of a large score overflows. Subtract something from each row first that does not change the shares.",
            ),
            (
                SHARES.replace("np.sqrt(keys.shape[1])", "np.sqrt(len(keys))"),
                "You divided by the root of the number of keys. What makes the scores grow is the width of the vectors.",
            ),
            (
                SHARES.replace(" - slope * apart", ""),
                "Your shares are those of plain attention: the distance plays no part in them yet.",
            ),
            (
                SHARES.replace("- slope * apart", "+ slope * apart"),
                "The sign: your words prefer what is far away. Distance must lower the score.",
            ),
            (
                SHARES.replace(
                    "np.abs(np.arange(len(queries))[:, None] - np.arange(len(keys)))",
                    "np.arange(len(queries))[:, None] - np.arange(len(keys))",
                ),
                "A word that comes later is also far away: the distance has no sign.",
            ),
            (
                SHARES.replace("/ np.sqrt(keys.shape[1]) - slope * apart", "- slope * apart").replace(
                    "    positive = np.exp(", "    scores = scores / np.sqrt(keys.shape[1])\n    positive = np.exp("
                ),
                "You divided the distance by the root of the width, too. Only the product of query and key grows with the width.",
            ),
            (
                SHARES.replace(" - slope * apart", "").replace(
                    "return positive / positive.sum(axis=1, keepdims=True)",
                    "return positive / positive.sum(axis=1, keepdims=True) - slope * apart",
                ),
                "You lowered the shares, so that a row no longer sums to 1. Lower the scores, before the softmax.",
            ),
        ],
        hint="Four steps: the product of queries and transposed keys over the root of their width, minus slope times the distance of the two places, e to the power of it, and each row divided by its sum.",
    ),
    "6.2": Exercise(
        answer="visible",
        stub="""
def visible(tokens):
    ...
""",
        solution=VISIBLE,
        cases=lambda: [
            (np.array(tokens),)
            for tokens in ([[5, 6, 7, 0, 0], [4, 3, 3, 9, 8]], [[7, 0, 0]], [[0, 5, 0, 7]], [[1, 5, 2, 0]])
        ],
        observe=lambda mask: np.asarray(mask).astype(float),
        wrong=[
            (
                VISIBLE.replace("place <= place", "place >= place"),
                "Your mask is on the wrong side: it shows each token the future and hides the past. Rows look, columns are looked at.",
            ),
            (
                VISIBLE.replace("place <= place", "place < place"),
                "A token may look at itself. In your mask the first one sees nothing at all, and its shares would be 0 divided by 0.",
            ),
            (
                VISIBLE.replace("place[:, None]", "place[:, None] + 1"),
                "The future leaks: each of your tokens sees one token ahead, which is the one it is to predict.",
            ),
            (
                VISIBLE.replace("[:, None, :]", "[:, :, None]"),
                "You hid what padding looks at (rows). What must be hidden is the padding itself (columns), from every row.",
            ),
            (
                VISIBLE.replace("causal & not_padding", "causal & not_padding & (tokens != 0)[:, :, None]"),
                "The columns of padding are hidden, as they should be, but you emptied its rows as well. A row of padding sees the words before it.",
            ),
            (
                VISIBLE.replace("causal & not_padding", "causal & (not_padding | True)"),
                "The future is hidden, but padding is not: a column whose token is 0 must be False in every row.",
            ),
            (
                VISIBLE.replace("causal & not_padding", "not_padding & (causal | True)"),
                "Padding is hidden, but the future is not: compare the places of rows and columns as well.",
            ),
            *(
                (
                    VISIBLE.replace("tokens != 0", f"tokens > {number}"),
                    "Only 0 is padding. Every other number, such as 1 or 2, may be looked at.",
                )
                for number in (1, 2)
            ),
            (
                VISIBLE.replace("return causal & not_padding", "return ~(causal & not_padding)"),
                "Everything is inverted: True means here that a token may be looked at.",
            ),
        ],
        hint="Combine two masks with &: one of shape (T, T) that compares places, one of shape (B, 1, T) that finds the tokens other than 0.",
    ),
    "6.3": Exercise(
        answer="post_norm",
        stub="""
def post_norm(x, f, scale, shift):
    ...
""",
        solution=POST_NORM,
        cases=_norm_cases,
        wrong=[
            (
                "def post_norm(x, f, scale, shift):\n    centered = x - x.mean(axis=1, keepdims=True)\n"
                "    variance = (centered**2).mean(axis=1, keepdims=True)\n"
                "    return x + f(scale * centered / np.sqrt(variance + 1e-5) + shift)\n",
                "That is the order of our own block: first normalize, then f, then add. Here the sum is normalized.",
            ),
            (
                POST_NORM.replace("total = x + f(x)", "total = f(x)"),
                "The residual connection is missing: x itself must be in the sum.",
            ),
            (
                POST_NORM.replace("total = x + f(x)", "total = f(x)").replace("return ", "return x + "),
                "You normalized what f returns and added x afterward. First add, then normalize the sum.",
            ),
            (
                POST_NORM.replace("total = x + f(x)", "total = x"),
                "You never called f: the part's output belongs in the sum.",
            ),
            (
                POST_NORM.replace("axis=1", "axis=0"),
                "You took the mean over the tokens. Each token is normalized by itself, over its own numbers.",
            ),
            (
                POST_NORM.replace("axis=1, keepdims=True", ""),
                "You took one mean over the whole table. Each token, a row, has a mean and a variance of its own.",
            ),
            (
                POST_NORM.replace("np.sqrt(variance + 1e-5)", "(variance + 1e-5)"),
                "You divided by the variance. Its root brings the variance to 1.",
            ),
            (
                POST_NORM.replace("np.sqrt(variance + 1e-5)", "(np.sqrt(variance) + 1e-5)"),
                "Epsilon stands under the root, beside the variance.",
            ),
            (
                POST_NORM.replace("np.sqrt(variance + 1e-5)", "np.sqrt(variance)"),
                "Epsilon is missing. Where a token's numbers hardly differ, it decides the result.",
            ),
            (
                POST_NORM.replace(
                    "(centered**2).mean(axis=1, keepdims=True)", "total.var(axis=1, ddof=1, keepdims=True)"
                ),
                "Your variance divides by one less than the number of numbers. Layer normalization divides by all of them.",
            ),
            (
                POST_NORM.replace("scale * centered", "centered").replace(" + shift", ""),
                "Scale and shift are missing, the numbers that are learned.",
            ),
            (
                POST_NORM.replace(
                    "scale * centered / np.sqrt(variance + 1e-5) + shift",
                    "scale * (centered / np.sqrt(variance + 1e-5) + shift)",
                ),
                "First multiply by the scale, then add the shift: yours is multiplied, too.",
            ),
        ],
        hint="Add x and f(x), then for each row: subtract its mean, divide by the root of its variance plus epsilon, multiply by the scale, add the shift.",
    ),
    "6.4": Exercise(
        answer="decoder_loss",
        stub="""
def decoder_loss(predict, target):
    ...
""",
        solution=LOSS,
        cases=_loss_cases,
        wrong=[
            (
                LOSS.replace("predict(seen)", "predict(answers)"),
                "The future leaks: your decoder is shown the answers themselves, so it only has to copy. It must see what comes before each answer.",
            ),
            (
                LOSS.replace("target[:, :-1], target[:, 1:]", "target[:, 1:], target[:, :-1]"),
                "You trained it backward: from each character your decoder would predict the one before it.",
            ),
            (
                LOSS.replace("seen, answers = target[:, :-1], target[:, 1:]", "seen, answers = target, target"),
                "Answers and inputs are the same row here, not shifted. What the decoder has to say at a place is the token after the one it sees there.",
            ),
            (
                LOSS.replace("answers != 0", "(answers != 0) & (answers != 2)"),
                "The end (2) must count as well. A decoder that never learned to say it would never stop.",
            ),
            (
                LOSS.replace("answers != 0", "seen != 0"),
                "You counted where the input is no padding. What counts is whether the answer is: after the end there is none.",
            ),
            (
                LOSS.replace("right[answers != 0]", "right"),
                "You counted the padding too. Its answers are always 0, easy to learn, and they would flatter the loss.",
            ),
            (
                LOSS.replace("right[answers != 0].mean()", "np.where(answers != 0, right, 0).mean()"),
                "Padding adds nothing to your sum, but you divide by it all the same: divide by the number of answers that count.",
            ),
            (
                LOSS.replace("-right[answers != 0].mean()", "-right[answers != 0].sum()"),
                "That is the sum. The loss is the mean over the answers that count.",
            ),
            (
                LOSS.replace(
                    "-right[answers != 0].mean()",
                    "-np.mean([row[seen != 0].mean() for row, seen in zip(right, answers)])",
                ),
                "You took the mean of each text first, so an answer in a short text counts more. Take one mean over all answers.",
            ),
            (
                LOSS.replace("return -right", "return right"),
                "The sign: a logarithm of a probability is negative, and a loss is not.",
            ),
            (
                LOSS.replace("log_p = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))", "log_p = logits"),
                "Logits are no logarithms of probabilities yet: the softmax is missing.",
            ),
            *(
                (
                    code,
                    "Right for small logits. With large ones something on your way is infinite: e to the power of a logit, or the logarithm "
                    "of a share that has become 0. As in lesson 2, subtract each place's largest logit, then the logarithm of the sum.",
                )
                for code in (
                    LOSS.replace("    logits = logits - logits.max(axis=2, keepdims=True)\n", ""),
                    LOSS.replace("log_p = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))", SHARES_FIRST),
                )
            ),
            (
                LOSS.replace("-right[answers != 0].mean()", "-np.log(np.exp(right[answers != 0]).mean())"),
                "You took the mean of the probabilities and then its logarithm. Take each answer's logarithm first, then the mean.",
            ),
        ],
        hint="Show all tokens but the last; the answers are all but the first. From the logits make logarithms of probabilities, pick that of each answer, and take minus their mean where the answer is not padding.",
    ),
}
