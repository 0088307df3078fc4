"""Exercises of lesson 06, Build a Transformer."""

import numpy as np

from lepton_helpers.checks import Exercise


def _shares_cases():
    rng = np.random.default_rng(0)
    return [
        (rng.normal(size=(3, 4)), rng.normal(size=(5, 4))),
        (rng.normal(size=(4, 9)), rng.normal(size=(4, 9))),
        (rng.normal(size=(2, 16)) * 60, rng.normal(size=(3, 16)) * 60),
        (np.array([[3000.0], [-1.0]]), np.array([[1.0], [1.5], [-2.0]])),  # one row in the thousands, one near 0
        (rng.normal(size=(1, 2)), rng.normal(size=(1, 2))),
    ]


def _embed_cases():
    rng = np.random.default_rng(0)
    table, places = rng.normal(size=(6, 4)), rng.normal(size=(9, 4))
    return [(table, places, np.array(tokens), start) for tokens, start in [([2, 0, 5], 0), ([3, 3], 4), ([1], 8)]]


def _target_cases():
    return [
        (np.array([[1, 5, 6, 2, 0, 0], [1, 7, 2, 0, 0, 0], [1, 4, 5, 6, 7, 2]]),),
        (np.array([[1, 3, 2]]),),
        (np.array([[1, 2], [1, 2]]),),
    ]


def _top_p_cases():
    rng = np.random.default_rng(0)
    spread = rng.dirichlet(np.ones(7))
    return [
        (np.array([0.1, 0.5, 0.25, 0.15]), 0.7),
        (np.array([0.1, 0.5, 0.25, 0.15]), 0.3),
        (np.array([0.1, 0.5, 0.25, 0.15]), 0.2),  # several are above p, and the first is enough
        (spread, 0.9),
        (spread, 0.55),
        (np.array([0.125, 0.5, 0.25, 0.125]), 0.75),  # the sum meets p exactly
        (np.array([0.125, 0.5, 0.25, 0.125]), 1.0),
        (np.array([0.25, 0.75]), 0.75),  # and with the first token
        (np.array([1.0]), 0.4),
    ]


SHARES = """
def attention_shares(queries, keys):
    scores = queries @ keys.T / np.sqrt(keys.shape[1])
    scores = scores - scores.max(axis=1, keepdims=True)
    positive = np.exp(scores)
    return positive / positive.sum(axis=1, keepdims=True)
"""

VISIBLE = """
def visible(tokens):
    place = np.arange(tokens.shape[1])
    causal = place <= place[:, None]  # (T, T): row looks at column
    not_padding = (tokens != 0)[:, None, :]  # (B, 1, T)
    return causal & not_padding
"""

MERGE = """
def merge_heads(x):
    heads, length, each = x.shape
    return x.transpose(1, 0, 2).reshape(length, heads * each)
"""

EMBED = """
def embed_tokens(table, places, tokens, start):
    return table[tokens] + places[start : start + len(tokens)]
"""

PAIR = """
def training_pair(target):
    answers = target[:, 1:]
    return target[:, :-1], answers, answers != 0
"""

TOP_P = """
def top_p(probabilities, p):
    order = np.argsort(-probabilities)
    reached = np.cumsum(probabilities[order])
    kept = order[: np.searchsorted(reached, p) + 1]
    result = np.zeros(len(probabilities))
    result[kept] = probabilities[kept]
    return result / result.sum()
"""

COUNT = """
def count_parameters(source_words, target_words, d, blocks):
    attention = 4 * (d * d + d)
    feed_forward = (d * 4 * d + 4 * d) + (4 * d * d + d)
    norm = 2 * d
    encoder = attention + feed_forward + 2 * norm
    decoder = 2 * attention + feed_forward + 3 * norm
    tables = (source_words + target_words) * d
    logits = d * target_words + target_words
    return blocks * (encoder + decoder) + tables + 2 * norm + logits
"""

TOO_FEW = "One token too few: the token with which the sum reaches p belongs to those that are kept."

EXERCISES = {
    "6.1": Exercise(
        answer="attention_shares",
        stub="""
def attention_shares(queries, keys):
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
                SHARES.replace("    scores = scores - scores.max(axis=1, keepdims=True)\n", ""),
                "Right for small scores, but e to the power of a large score overflows. Subtract something from each row first that does not change the shares.",
            ),
            (
                SHARES.replace("np.sqrt(keys.shape[1])", "np.sqrt(len(keys))"),
                "You divided by the root of the number of keys. What makes the scores grow is the width of the vectors.",
            ),
        ],
        hint="Three steps: the product of queries and transposed keys over the root of their width, e to the power of it, and each row divided by its sum.",
    ),
    "6.2": Exercise(
        answer="visible",
        stub="""
def visible(tokens):
    ...
""",
        solution=VISIBLE,
        cases=lambda: [
            (np.array(tokens),) for tokens in ([[5, 6, 7, 0, 0], [4, 3, 3, 9, 8]], [[7, 0, 0]], [[0, 5, 0, 7]])
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
            (
                VISIBLE.replace("return causal & not_padding", "return ~(causal & not_padding)"),
                "Everything is inverted: True means here that a token may be looked at.",
            ),
        ],
        hint="Combine two masks with &: one of shape (T, T) that compares places, one of shape (B, 1, T) that finds the tokens other than 0.",
    ),
    "6.3": Exercise(
        answer="merge_heads",
        stub="""
def merge_heads(x):
    ...
""",
        solution=MERGE,
        cases=lambda: [(np.arange(24.0).reshape(2, 3, 4),), (np.arange(60.0).reshape(3, 4, 5),)],
        wrong=[
            (
                MERGE.replace(".transpose(1, 0, 2)", ""),
                "The shape is right, but a row now holds numbers of several tokens: reshape reads in memory order. Bring the heads beside their numbers first.",
            ),
            (
                MERGE.replace("(1, 0, 2)", "(1, 2, 0)"),
                "Each row holds the right numbers in the wrong order: the numbers of one head must stay together.",
            ),
            (
                "def merge_heads(x):\n    return x.mean(axis=0)\n",
                "The heads are set side by side, not averaged: the width grows back to heads times d/heads.",
            ),
            (
                "def merge_heads(x):\n    return np.concatenate(list(x), axis=0)\n",
                "You set the heads one below the other. Each token keeps one row: set them side by side.",
            ),
        ],
        hint="First exchange the axes so that the order is token, head, number; then one reshape joins the last two.",
    ),
    "6.4": Exercise(
        answer="embed_tokens",
        stub="""
def embed_tokens(table, places, tokens, start):
    ...
""",
        solution=EMBED,
        cases=_embed_cases,
        wrong=[
            (
                EMBED.replace(" + places[start : start + len(tokens)]", ""),
                "The positions are dropped: the model could not tell any order of these tokens from another.",
            ),
            (
                EMBED.replace("start : start + len(tokens)", ": len(tokens)"),
                "Right when start is 0. With a cache the tokens continue a text, and the first of them stands at place start.",
            ),
            (
                EMBED.replace("start : start + len(tokens)", "tokens"),
                "You looked the positions up by what the token is. They depend only on where it stands.",
            ),
            (
                EMBED.replace("] + places", "] * places"),
                "You multiplied. The position is added to the row of the token.",
            ),
            (
                EMBED.replace("start : start + len(tokens)", "start : start + 1"),
                "All your tokens get the position of the first one. Each needs its own: as many rows as there are tokens.",
            ),
        ],
        hint="Look up one row of table per token, and add as many rows of places, beginning at start.",
    ),
    "6.5": Exercise(
        answer="training_pair",
        stub="""
def training_pair(target):
    ...
""",
        solution=PAIR,
        cases=_target_cases,
        observe=lambda parts: [np.asarray(part).astype(float) for part in parts],
        wrong=[
            (
                PAIR.replace("return target[:, :-1]", "return target[:, 1:]"),
                "The future leaks: your inputs are the answers themselves, so the decoder only has to copy. It must see what comes before each answer.",
            ),
            (
                PAIR.replace("target[:, :-1], answers, answers != 0", "answers, target[:, :-1], target[:, :-1] != 0"),
                "You trained it backward: from each character your decoder would predict the one before it.",
            ),
            (
                PAIR.replace("answers != 0", "(answers != 0) & (answers != 2)"),
                "The end (2) must count as well. A decoder that never learned to say it would never stop.",
            ),
            (
                PAIR.replace("answers != 0", "target[:, :-1] != 0"),
                "You counted where the input is no padding. What counts is whether the answer is: after the end there is none.",
            ),
            (
                PAIR.replace("answers != 0", "answers >= 0"),
                "You counted the padding too. Its answers are always 0, easy to learn, and they would flatter the loss.",
            ),
        ],
        hint="Inputs are all tokens but the last, answers all but the first, and an answer counts if it is not padding.",
    ),
    "6.6": Exercise(
        answer="top_p",
        stub="""
def top_p(probabilities, p):
    ...
""",
        solution=TOP_P,
        cases=_top_p_cases,
        wrong=[
            (
                TOP_P.replace("return result / result.sum()", "return result"),
                "The right tokens are kept, but their probabilities no longer sum to 1.",
            ),
            (
                TOP_P.replace("reached, p)", "reached, p, side='right')"),
                "One token too many: when the sum equals p exactly, it has reached it.",
            ),
            (
                TOP_P.replace("np.searchsorted(reached, p) + 1", "max(np.searchsorted(reached, p), 1)"),
                TOO_FEW,
            ),
            *(
                (TOP_P.replace("[: np.searchsorted(reached, p) + 1]", code), TOO_FEW)
                for code in ("[reached < p]", "[reached <= p]", "[: max(1, np.sum(reached <= p))]")
            ),
            (
                TOP_P.replace("[: np.searchsorted(reached, p) + 1]", "[reached >= p]"),
                "You kept the tokens from where the sum has reached p. Keep those up to there.",
            ),
            (
                TOP_P.replace("result[kept] = probabilities[kept]", "result[: len(kept)] = probabilities[kept]"),
                "Your probabilities stand in the order of their size. Put each back in the place of its token.",
            ),
            (
                TOP_P.replace("    return result", "    return result[result > 0]"),
                "The dropped tokens are missing. They keep their places, with the probability 0.",
            ),
            (
                TOP_P.replace("np.argsort(-probabilities)", "np.argsort(probabilities)"),
                "You began with the least likely tokens. Sort the other way.",
            ),
            (
                "def top_p(probabilities, p):\n    result = probabilities * (probabilities >= min(p, probabilities.max()))\n    return result / result.sum()\n",
                "You compared each probability with p. It is the sum of the kept ones that must reach p.",
            ),
            (
                TOP_P.replace("result[kept] = probabilities[kept]", "result[kept] = 1"),
                "The kept tokens must keep their proportions; yours are all equally likely.",
            ),
        ],
        hint="Sort from likely to unlikely, add up, keep all up to the token with which the sum reaches p, and divide by what is kept.",
    ),
    "6.7": Exercise(
        answer="count_parameters",
        stub="""
def count_parameters(source_words, target_words, d, blocks):
    ...
""",
        solution=COUNT,
        cases=lambda: [(33, 17, 96, 1), (1000, 500, 64, 2), (37000, 37000, 512, 6)],
        tolerance=1e-9,
        wrong=[
            (
                COUNT.replace("2 * attention", "attention"),
                "A decoder block has two attentions, each with four dense layers: one for its own tokens, one for the source.",
            ),
            (
                COUNT.replace("4 * (d * d + d)", "4 * d * d")
                .replace("(d * 4 * d + 4 * d) + (4 * d * d + d)", "8 * d * d")
                .replace("d * target_words + target_words", "d * target_words"),
                "The weights are right; every dense layer also has one bias per output.",
            ),
            (
                COUNT.replace("norm = 2 * d", "norm = 0"),
                "The normalizations are missing. Each has a scale and a shift for each of the d numbers.",
            ),
            (
                COUNT.replace("norm = 2 * d", "norm = d"),
                "A normalization has two numbers for each of the d: a scale and a shift.",
            ),
            (
                COUNT.replace("4 * (d * d + d)", "3 * (d * d + d)"),
                "Attention has four dense layers: queries, keys, values, and the output matrix that mixes the heads.",
            ),
            (
                COUNT.replace("blocks * (", "("),
                "You counted one block of each kind. There are as many as blocks says.",
            ),
            (
                COUNT.replace(
                    "return blocks * (encoder + decoder) + tables + 2 * norm + logits",
                    "return blocks * (encoder + decoder + tables + 2 * norm + logits)",
                ),
                "You multiplied everything by the number of blocks. The tables, the two outer norms and the last layer exist once.",
            ),
            (
                COUNT.replace(" + 2 * norm + logits", " + logits"),
                "Two normalizations stand outside the blocks: one after the encoder, one after the decoder.",
            ),
            (
                COUNT.replace(" + logits", ""),
                "The last layer is missing, which turns d numbers into one logit per target word.",
            ),
        ],
        hint="Add up: both tables of words, per encoder block one attention, per decoder block two, in each a feed-forward part and one norm per part, two norms outside, and the layer of the logits.",
    ),
}
