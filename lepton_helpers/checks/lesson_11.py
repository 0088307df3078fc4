"""Exercises of lesson 11, Language models of today."""

import numpy as np

from lepton_helpers.checks import Exercise


def _bytes_cases():
    merges = {(101, 32): 256, (116, 104): 257, (257, 256): 258, (97, 97): 259, (195, 164): 260, (259, 97): 261}
    texts = ["the cat ate the theory", "aaaa aaa baaaaab", "Käse", "2026 ☕", "", "a", "the"]
    gaps = {(116, 104): 300, (300, 101): 270, (97, 32): 400, (32, 10): 280}
    return [(text, merges) for text in texts] + [
        ("the a\n", gaps),
        (" a\n  e\u0301 😀 \n", gaps),  # nothing of it is tidied
        ("abcb", {(97, 98): 300, (98, 99): 260, (300, 99): 290}),
        ("the thin aaa", {}),
        ("abcab", {(98, 99): 256, (97, 98): 257}),
        ("bab a", {(97, 98): 256}),
    ]


def _perplexity_cases():
    return [
        (np.log([0.5, 0.25, 0.125]), ["on", "the", "way"]),
        (np.log([0.1, 0.9, 0.3, 0.2]), ["a"]),
        (np.log([0.2]), ["to", "be", "or", "not"]),
        (-np.ones(40) * 2.5, ["word"] * 31),
        (-np.ones(2000) * 3, ["o'er", "'tis", "now"] * 500),
    ]


def _rotate_cases():
    rng = np.random.default_rng(3)
    return [
        (rng.normal(size=(3, 8)), [0, 1, 2]),
        (rng.normal(size=(4, 6)), [5, 3, 100, 100]),
        (rng.normal(size=(2, 2)), [7, 0]),
        (rng.normal(size=(1, 4)), [1000]),
        (rng.normal(size=(5, 16)), [2, 4, 6, 8, 11]),
    ]


def _widest_cases():
    small = (20, 6, 2, 3, 1)  # words, d, layers, heads, key_heads: 120 for a table, 216 for attention and norms, 6
    return [
        (8_030_261_248, 128_256, 4096, 32, 32, 8, False),
        (8_030_261_247, 128_256, 4096, 32, 32, 8, False),
        (1_235_814_400, 128_256, 2048, 16, 32, 8, True),
        (342 + 36 * 5, *small, True),
        (342 + 36 * 5 - 1, *small, True),
        (342 + 36 * 5 - 7, *small, True),
        (342 + 36 * 5 - 31, *small, True),
        (342 + 36 * 5 + 35, *small, True),
        (462 + 36 * 5, *small, False),
        (462 + 36 * 5 - 1, *small, False),
        (462 + 36 * 5 - 13, *small, False),
        (462 + 35, *small, False),  # not even a width of 1
        (100, *small, False),
        (10**6, 50, 12, 3, 4, 4, False),
        (10**5, 50, 12, 1, 2, 1, True),
    ]


def _score_cases():
    short, long = ([-1.0, -1.5], "ay"), ([-1.0, -0.5, -1.5], "to the ships")
    many = [
        [short, long],
        [long, short, ([-0.25] * 4, "o o")],
        [([-2.0], "ab"), ([-1.0, -1.0], "abcd e"), ([-4.0], "abcdefghijkl")],
        [([-3.0, -1.0, -1.0], "my lord"), ([-4.0], "my lord, o"), ([-9.0], "x"), ([-4.5], "no")],
    ]
    return [
        (many, [0, 2, 2, 1]),
        (many, [1, 0, 1, 1]),
        (many, [0, 1, 0, 3]),
        (many[:2], [1, 0]),
        ([[([-2.0], "abcd"), ([-1.5, -0.5], "dcba")], [([-3.0], "abc"), ([-1.0], "a")]], [1, 0]),  # ties
        ([[([-2.0], "abcd"), ([-1.5, -0.5], "dcba")], [([-3.0], "abc"), ([-1.0], "a")]], [0, 0]),
        ([[([-1.0], "a b c d e f"), ([-0.75], "abcdefgh")]], [0]),
        ([[([-1.0], "a b c d e f"), ([-0.75], "abcdefgh"), ([-1.0], "abcdefghij")]], [0]),
        ([[short]], [0]),
        ([[([-5.0, -0.1, -0.1, -0.1], "abc"), ([-2.0], "abcd")], [long, short]], [0, 1]),
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
        (np.array([0.7, 0.299, 0.001]), 1.0),  # rounding leaves the sum just below 1
        (np.array([0.4, 0.15, 0.15, 0.15, 0.15]), 0.5),
    ]


def _observe_top_p(new):
    """In the case of five tokens four are equally likely, and any of them may be kept: those four by size."""
    new = np.asarray(new)
    return np.append(new[:1], np.sort(new[1:])) if new.shape == (5,) else new


ENCODE = """
def encode_bytes(text, merges):
    ids = list(text.encode("utf-8"))
    for pair, new in merges.items():
        merged = []
        for i in ids:
            if merged and (merged[-1], i) == pair:
                merged[-1] = new
            else:
                merged.append(i)
        ids = merged
    return ids
"""

WORD_BY_WORD = """
import re


def encode_bytes(text, merges):
    return [i for word in words for i in one(word, merges)]
"""

PERPLEXITY = """
def word_perplexity(log_p, words):
    return np.exp(-np.sum(log_p) / len(words))
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

ROTATE = """
def rotate_halves(x, places):
    half = x.shape[1] // 2
    speeds = 10_000.0 ** (-2 * np.arange(half) / x.shape[1])
    angles = np.outer(places, speeds)
    cos, sin, a, b = np.cos(angles), np.sin(angles), x[:, :half], x[:, half:]
    return np.hstack([a * cos - b * sin, a * sin + b * cos])
"""

WIDEST = """
def widest(budget, words, d, layers, heads, key_heads, tied):
    ends = words * d * (1 if tied else 2)
    keys = d // heads * key_heads
    block = 2 * d * d + 2 * d * keys + 2 * d
    left = budget - ends - layers * block - d
    return max(0, left // (layers * 3 * d))
"""

SCORES = """
def two_scores(questions, right):
    by_total, by_character = 0, 0
    for options, index in zip(questions, right):
        totals = [sum(log_p) for log_p, text in options]
        means = [sum(log_p) / len(text) for log_p, text in options]
        by_total += np.argmax(totals) == index
        by_character += np.argmax(means) == index
    return by_total / len(right), by_character / len(right)
"""

FIT = """
def texts_at_once(memory, weights, layers, heads, kv_heads, d, tokens, bytes_each):
    per_token = 2 * layers * (d // heads * kv_heads) * bytes_each
    return (memory - weights) // (per_token * tokens)
"""

PART = "A text that fits only in part does not fit: return the whole number of those that do."

TOO_FEW = "One token too few: the token with which the sum reaches p belongs to those that are kept."

EXERCISES = {
    "11.1": Exercise(
        answer="encode_bytes",
        stub="""
def encode_bytes(text, merges):
    ...
""",
        solution=ENCODE,
        cases=_bytes_cases,
        observe=lambda ids: [int(i) for i in ids],
        wrong=[
            (
                ENCODE.replace('list(text.encode("utf-8"))', "[ord(c) for c in text]"),
                "You began with characters. A character beyond the first 128, such as ä, is more than one byte.",
            ),
            (
                ENCODE.replace("merges.items()", "[*merges.items()][::-1]"),
                "The order: a pair that was learned first is merged first, and later pairs find what it has made.",
            ),
            (
                ENCODE.replace(
                    "            if merged and (merged[-1], i) == pair:",
                    "            if new not in merged and merged and (merged[-1], i) == pair:",
                ),
                "You merge a pair only where it stands first. It may stand in several places.",
            ),
            (
                ENCODE.replace("    for pair, new in merges.items():\n", "    for pair, new in []:\n"),
                "Those are the bytes. No pair has been merged yet.",
            ),
            (
                """
def encode_bytes(text, merges):
    ids, done = list(text.encode("utf-8")), []
    for i in ids:
        done.append(i)
        while len(done) > 1 and (done[-2], done[-1]) in merges:
            done[-2:] = [merges[done[-2], done[-1]]]
    return done
""",
                "You merged whatever fitted first. Go through the merges, in their order, and for each through the whole text.",
            ),
            (
                ENCODE.replace("merges.items()", "zip(merges, range(256, 256 + len(merges)))"),
                "You counted the new numbers yourself. Take those that merges gives.",
            ),
            (
                ENCODE.replace("merges.items()", "sorted(merges.items(), key=lambda item: item[1])"),
                "You sorted the merges by their new numbers. Take them in the order in which the dictionary holds them.",
            ),
            *(
                (
                    ENCODE.replace("text.encode", f"{tidied}.encode"),
                    "You tidied the text. Every space and every line break is a byte, and stays one.",
                )
                for tidied in ('" ".join(text.split())', "text.strip()")
            ),
            *(
                (
                    ENCODE.replace("def encode_bytes", "def one") + WORD_BY_WORD.replace("words", words),
                    "You kept words apart. A pair may reach across a space.",
                )
                for words in (r're.findall(r"\S+|\s", text)', r're.findall(r" ?\w+|\W", text)', "text.split()")
            ),
            (
                ENCODE.replace("                merged[-1] = new\n", "                merged[-1:] = [new, i]\n"),
                "The new piece takes the place of both numbers of the pair; one of yours is left over.",
            ),
        ],
        hint="Begin with the text's bytes in UTF-8. For each pair, in the order of merges, go through the numbers from the left and put the new number wherever the pair stands.",
    ),
    "11.2": Exercise(
        answer="word_perplexity",
        stub="""
def word_perplexity(log_p, words):
    ...
""",
        solution=PERPLEXITY,
        cases=_perplexity_cases,
        wrong=[
            (
                PERPLEXITY.replace("len(words)", "len(log_p)"),
                "That is the perplexity per token, which depends on how the text was cut. The words are to be counted, not the tokens.",
            ),
            (
                PERPLEXITY.replace("-np.sum", "np.sum"),
                "The sign: your perplexity is below 1. A sure model has 1, every other one more.",
            ),
            (
                PERPLEXITY.replace("np.exp", "np.exp2"),
                "The logarithms are natural ones, so it is e that they are powers of. Turn them into bits first, or use e.",
            ),
            (
                "def word_perplexity(log_p, words):\n    return -np.sum(log_p) / len(words)\n",
                "That is the loss per word, in nats. The perplexity is e to the power of it.",
            ),
            (
                "def word_perplexity(log_p, words):\n    return -np.sum(log_p) / len(words) / np.log(2)\n",
                "Those are bits per word. The perplexity is 2 to the power of them.",
            ),
            (
                PERPLEXITY.replace("len(words)", 'len("".join(words))'),
                "You divided by the number of characters. The words are to be counted.",
            ),
            (
                "def word_perplexity(log_p, words):\n    return np.exp(-np.asarray(log_p)).sum() / len(words)\n",
                "You took e to the power of each token's loss and then the mean. First the sum of all losses, per word; then one power.",
            ),
            (
                "def word_perplexity(log_p, words):\n    return np.prod(np.exp(log_p)) ** (-1 / len(words))\n",
                "You multiplied the probabilities. Of thousands the product is too small for the computer, which takes it as 0: add up the logarithms.",
            ),
        ],
        hint="Add up the losses of all tokens, divide by the number of words, and take e to the power of it.",
    ),
    "11.3": Exercise(
        answer="rotate_halves",
        stub="""
def rotate_halves(x, places):
    ...
""",
        solution=ROTATE,
        cases=_rotate_cases,
        wrong=[
            (
                ROTATE.replace("x[:, :half], x[:, half:]", "x[:, ::2], x[:, 1::2]"),
                "You paired neighbors. Here number i belongs to number i + s/2.",
            ),
            (
                ROTATE.replace("x[:, :half], x[:, half:]", "x[:, ::2], x[:, 1::2]").replace(
                    "np.hstack([a * cos - b * sin, a * sin + b * cos])",
                    "np.stack([a * cos - b * sin, a * sin + b * cos], axis=-1).reshape(x.shape)",
                ),
                "That is the way of the lesson, with neighbors as pairs. Here number i belongs to number i + s/2.",
            ),
            (
                ROTATE.replace(
                    "np.hstack([a * cos - b * sin, a * sin + b * cos])",
                    "np.stack([a * cos - b * sin, a * sin + b * cos], axis=-1).reshape(x.shape)",
                ),
                "The pairs are right, but you put the two numbers of a pair side by side. Each goes back to its own column.",
            ),
            (
                ROTATE.replace("a * cos - b * sin, a * sin + b * cos", "a * cos + b * sin, b * cos - a * sin"),
                "You turned the other way. The first number of a pair loses its partner times the sine; the second one gains.",
            ),
            (
                ROTATE.replace("np.outer(places", "np.outer(range(len(places))"),
                "You counted the rows. The place of each row stands in places, and places may leave gaps.",
            ),
            (
                ROTATE.replace("-2 * np", "-1.0 * np"),
                "The speeds fall too slowly: the exponent is -2i/s, with s the whole width.",
            ),
            (
                ROTATE.replace("-2 * np", "2 * np"),
                "The exponent is negative: the first pair is the fastest, the last one the slowest.",
            ),
            (
                ROTATE.replace("-2 * np", "0 * np"),
                "All your pairs turn with the same speed. Each has its own.",
            ),
            (
                ROTATE.replace("(-2 * np.arange(half) / x.shape[1])", "(-2 * np.arange(half) / half)"),
                "You divided by the number of pairs. In the exponent s is the whole width.",
            ),
            (
                ROTATE.replace("np.hstack([a * cos - b * sin, a * sin + b * cos])", "np.hstack([a * cos, b * cos])"),
                "The sines are missing: each number of a pair takes something of the other one.",
            ),
        ],
        hint="Take the first and the second half of the columns. Each row and pair has its angle: the place times the speed. Turn, and put the two halves side by side again.",
    ),
    "11.4": Exercise(
        answer="widest",
        stub="""
def widest(budget, words, d, layers, heads, key_heads, tied):
    ...
""",
        solution=WIDEST,
        cases=_widest_cases,
        tolerance=1e-12,
        wrong=[
            (
                WIDEST.replace("(1 if tied else 2)", "2"),
                "Tied ends are one table, not two.",
            ),
            (
                WIDEST.replace("(1 if tied else 2)", "1"),
                "Ends that are not tied are two tables of words.",
            ),
            (
                WIDEST.replace("(1 if tied else 2)", "(2 if tied else 1)"),
                "The other way round: tied ends are one table, untied ends are two.",
            ),
            (
                WIDEST.replace("layers * 3 * d", "layers * 2 * d"),
                "A gated feed-forward part has three matrices.",
            ),
            (
                WIDEST.replace("d // heads * key_heads", "d"),
                "Keys and values are not d wide: there are only key_heads heads of them, each d / heads wide.",
            ),
            (
                WIDEST.replace("d // heads * key_heads", "key_heads"),
                "A key head is more than one number wide: d / heads.",
            ),
            (
                WIDEST.replace(" + 2 * d\n", "\n"),
                "You left out the two norms of each block, which have d numbers each.",
            ),
            (
                WIDEST.replace(" - d\n", "\n"),
                "You left out the last norm, after all blocks: d numbers.",
            ),
            (
                WIDEST.replace(" + 2 * d\n", "\n").replace(" - d\n", "\n"),
                "You left out the norms: two in each block and one after the last, with d numbers each.",
            ),
            (
                WIDEST.replace("max(0, left // (layers * 3 * d))", "left // (layers * 3 * d)"),
                "Where nothing fits, the answer is 0.",
            ),
            (
                WIDEST.replace("max(0, left", "max(1, left"),
                "Where not even a width of 1 fits, the answer is 0.",
            ),
            (
                WIDEST.replace("max(0, left // (layers * 3 * d))", "max(0, left / (layers * 3 * d))"),
                "A width is a whole number: the largest that still fits.",
            ),
            (
                WIDEST.replace("max(0, left // (layers * 3 * d))", "max(0, round(left / (layers * 3 * d)))"),
                "You rounded to the nearest whole number; the model may then be larger than the budget.",
            ),
            (
                WIDEST.replace("max(0, left // (layers * 3 * d))", "max(0, -(-left // (layers * 3 * d)))"),
                "You rounded up; the model is then larger than the budget.",
            ),
            (
                WIDEST.replace("layers * 3 * d", "3 * d"),
                "Every block has a feed-forward part of its own: they share what is left.",
            ),
            (
                WIDEST.replace("2 * d * d + 2", "d * d + 2"),
                "Beside the keys and values, attention has two matrices of d times d: for the queries and for the output.",
            ),
        ],
        hint="Count all that does not depend on the width: the ends, and for each block the attention and two norms; then the last norm. What the budget leaves is shared by three matrices in each block.",
    ),
    "11.5": Exercise(
        answer="top_p",
        stub="""
def top_p(probabilities, p):
    ...
""",
        solution=TOP_P,
        cases=_top_p_cases,
        observe=_observe_top_p,
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
            (
                TOP_P.replace(
                    "    result[kept]", "    kept = probabilities >= probabilities[kept].min()\n    result[kept]"
                ),
                "You kept all tokens that are as likely as the last one. Stop with the token with which the sum reaches p.",
            ),
            (
                TOP_P.replace("np.searchsorted(reached, p)", "np.argmax(reached >= p)"),
                "With p = 1, rounding may leave the sum of all just below 1. Then all tokens are kept.",
            ),
        ],
        hint="Sort from likely to unlikely, add up, keep all up to the token with which the sum reaches p, and divide by what is kept.",
    ),
    "11.6": Exercise(
        answer="two_scores",
        stub="""
def two_scores(questions, right):
    ...
""",
        solution=SCORES,
        cases=_score_cases,
        wrong=[
            (
                SCORES.replace("/ len(text)", "/ len(log_p)"),
                "You took the mean per token. It depends on how the text was cut; divide by the characters of the text.",
            ),
            (
                SCORES.replace("/ len(text)", "/ len(text.split())"),
                "You took the mean per word. Divide by the characters of the text.",
            ),
            (
                SCORES.replace("argmax", "argmin"),
                "You chose the least likely option. The logarithms are negative, and the largest is the nearest to 0.",
            ),
            (
                SCORES.replace("np.argmax(totals)", "len(totals) - 1 - np.argmax(totals[::-1])").replace(
                    "np.argmax(means)", "len(means) - 1 - np.argmax(means[::-1])"
                ),
                "Of equally good options you chose the last. The first one counts.",
            ),
            (
                SCORES.replace(
                    "by_total / len(right), by_character / len(right)",
                    "by_character / len(right), by_total / len(right)",
                ),
                "Both numbers are right, in the wrong order: first the total, then the mean per character.",
            ),
            (
                SCORES.replace("by_total / len(right), by_character / len(right)", "by_total, by_character"),
                "Those are numbers of questions. Divide by how many there are.",
            ),
            (
                SCORES.replace("[sum(log_p) for", "[sum(np.exp(log_p)) for"),
                "You added up probabilities. The probability of a text is the product of its tokens': add up the logarithms.",
            ),
            (
                SCORES.replace(
                    "by_total / len(right), by_character / len(right)", "by_total / len(right), by_total / len(right)"
                ),
                "Both of your shares are by the total. For the second, divide each total by the characters first.",
            ),
            (
                SCORES.replace("by_total / len(right)", "by_total / sum(map(len, questions))").replace(
                    "by_character / len(right)", "by_character / sum(map(len, questions))"
                ),
                "You divided by the number of options. Divide by the number of questions.",
            ),
            (
                SCORES.replace("/ len(text)", "/ len(text.replace(' ', ''))"),
                "A space is a character, too.",
            ),
        ],
        hint="For each question: add up each option's logarithms, and take the index of the largest sum; do the same with the sums divided by the characters. Compare with the right index, and divide by the number of questions.",
    ),
    "11.7": Exercise(
        answer="texts_at_once",
        stub="""
def texts_at_once(memory, weights, layers, heads, kv_heads, d, tokens, bytes_each):
    ...
""",
        solution=FIT,
        cases=lambda: [
            (80 * 10**9, 16 * 10**9, 32, 32, 8, 4096, 8192, 2),
            (80 * 10**9, 16 * 10**9, 32, 32, 32, 4096, 8192, 2),
            (24 * 10**9, 3 * 10**9, 28, 24, 8, 3072, 2048, 1),
            (9100, 100, 3, 4, 2, 20, 5, 1),
            (1000, 900, 3, 4, 2, 20, 5, 1),  # no room for a single text
        ],
        tolerance=1e-12,
        wrong=[
            (
                FIT.replace("2 * layers", "layers"),
                "You counted the keys alone (or the values). Both are kept.",
            ),
            (
                FIT.replace("2 * layers", "2"),
                "Every layer has keys and values of its own.",
            ),
            (
                FIT.replace("(d // heads * kv_heads)", "d"),
                "You took the full width. Only the heads that have keys and values of their own count: kv_heads, each d / heads wide.",
            ),
            (
                FIT.replace("(d // heads * kv_heads)", "(d * kv_heads)"),
                "A head is not d wide: the heads share d among them.",
            ),
            (
                FIT.replace("(memory - weights)", "memory"),
                "The weights lie in the same memory, once for all texts.",
            ),
            (
                FIT.replace(" // (per_token", " / (per_token"),
                PART,
            ),
            (
                FIT.replace(
                    "(memory - weights) // (per_token * tokens)", "round((memory - weights) / (per_token * tokens))"
                ),
                PART,
            ),
            (
                FIT.replace(
                    "(memory - weights) // (per_token * tokens)", "-((weights - memory) // (per_token * tokens))"
                ),
                PART,
            ),
            (
                FIT.replace("return ", "return max(1, ").replace(" * tokens)", " * tokens))"),
                "Where there is no room for a single text, the answer is 0.",
            ),
            (
                FIT.replace(" * tokens)", " * (tokens - 1))"),
                "Every token of a text has its place in the cache, the last one, too.",
            ),
            (
                FIT.replace("(per_token * tokens)", "per_token"),
                "That is the number of tokens. How many texts of that length are they?",
            ),
            (
                FIT.replace(" * bytes_each", ""),
                "You counted numbers. Each takes bytes_each bytes.",
            ),
        ],
        hint="Bytes per token: two (keys and values) times layers times the width of all kv_heads times bytes_each. What the weights leave free, divided by a text's bytes, as a whole number.",
    ),
}
