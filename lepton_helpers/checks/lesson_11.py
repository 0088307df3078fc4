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

OPERATIONS = """
def writing_saved(parameters, prompt, new):
    with_cache = prompt + new - 1
    without = sum(prompt + i for i in range(new))
    return 2 * parameters * (without - with_cache)
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
    "11.4": Exercise(
        answer="writing_saved",
        stub="""
def writing_saved(parameters, prompt, new):
    ...
""",
        solution=OPERATIONS,
        cases=lambda: [(1000, 1, 63), (7, 5, 1), (8_000_000_000, 900, 100), (13, 4, 6)],
        tolerance=1e-12,
        wrong=[
            (
                OPERATIONS.replace("(without - with_cache)", "without"),
                "That is what writing takes without the cache, or the difference with one call too many both ways. What is asked for is the difference, for as many calls as there are new tokens.",
            ),
            (
                OPERATIONS.replace("(without - with_cache)", "with_cache"),
                "That is what writing takes with the cache. What is asked for is the difference.",
            ),
            (
                OPERATIONS.replace("2 * parameters", "parameters"),
                "Each parameter takes part in two operations per token, a multiplication and an addition.",
            ),
            (
                OPERATIONS.replace("with_cache = prompt + new - 1", "with_cache = new"),
                "With the cache, too, the whole prompt must go through the model once, before the first new token.",
            ),
            (
                OPERATIONS.replace("with_cache = prompt + new - 1", "with_cache = prompt + new").replace(
                    "prompt + i for", "prompt + i + 1 for"
                ),
                "Either your calls without the cache are all one token too long (the first one sees the prompt alone), or you forgot the one token that each further call sends with the cache.",
            ),
            (
                OPERATIONS.replace("with_cache = prompt + new - 1", "with_cache = prompt + new"),
                "The last token that is written need not go through the model: nothing comes after it.",
            ),
            (
                OPERATIONS.replace("sum(prompt + i for i in range(new))", "new * prompt"),
                "Without the cache each call sends everything written so far: one token more every time.",
            ),
            (
                OPERATIONS.replace("sum(prompt + i for i in range(new))", "new * (new + 1) // 2"),
                "Without the cache the prompt, too, goes through the model at every call.",
            ),
            (
                OPERATIONS.replace("return 2 * parameters * (without - with_cache)", "return without / with_cache"),
                "That is how many times as many tokens go through the model. What is asked for is a number of operations: the difference.",
            ),
        ],
        hint="Count the tokens that go through the model both ways, call by call: with the cache the prompt once and then one token a call, without it everything so far. The difference times 2 times the parameters.",
    ),
    "11.5": Exercise(
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
