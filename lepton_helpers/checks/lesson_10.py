"""Exercises of lesson 10, Hear and speak."""

import numpy as np

from lepton_helpers.checks import Exercise


def _cut_cases():
    wave = np.random.default_rng(0).normal(size=30)
    return [(wave[:10], 4, 2), (wave[:11], 4, 3), (wave, 8, 8), (wave[:7], 7, 2), (wave[:9], 2, 5)]


def _edit_distance(reference, hypothesis):
    row = list(range(len(hypothesis) + 1))
    for i, word in enumerate(reference, 1):
        previous, row = row, [i]
        for j, other in enumerate(hypothesis, 1):
            row.append(min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (word != other)))
    return row[-1]


def _greedy_cases():
    best = [[2, 0, 0, 2, 0, 1, 1, 2], [1, 1, 2, 2, 1, 0, 2, 0], [3, 3, 3, 3], [0, 3, 2, 3, 0]]
    tables = [0.1 + 0.5 * np.eye(4)[path] + 0.05 * np.arange(4) for path in best]
    paths = [
        (best[0], 0),
        (best[1], 1),
        ([2, 2], 2),
        ([1], 0),
        ([0, 0, 3, 3, 0, 3], 0),
    ]  # the blank need not be the last symbol
    others = [(np.log(0.1 + 0.5 * np.eye(4)[path] + 0.05 * np.arange(4)), blank) for path, blank in paths]
    return [*((table, 2) for table in tables[:2]), *((table, 3) for table in tables[2:]), *others]


def _error_rate_cases():
    one = [["three", "one", "four"], ["one"]], [["three", "four", "one", "four"], ["five"]]
    two = [["six", "six"], ["two", "eight", "nine", "nine", "zero"]], [["six"], ["two", "eight", "nine", "zero"]]
    three = [["one"]], [["nine", "one", "nine"]]
    four = [["one", "two"], ["three"]], [["one"], ["two", "three"]]  # a word must not cross from one string to the next
    five = (
        [["one", "two"], ["one", "two"]],
        [["one", "two"], ["two", "one"]],
    )  # two edits in one string, none in the other
    six = [["nine"], ["eight"]], [["nine"], ["eight"]]
    return [(_edit_distance, *pair) for pair in (one, two, three, four, five, six)]


def _length_cases():
    first = [("s", 0), ("E", 400), ("v", 1200), ("E", 2000)], 2400
    second = [("n", 80), ("aI", 720), ("n", 2320)], 4000
    third = [("s", 0), ("n", 640), ("E", 1000), ("s", 1500)], 2600
    fourth = [("v", 240)], 1040
    return [([first],), ([first, second],), ([first, second, third],), ([fourth, second, fourth],)]


def _signals():
    rng = np.random.default_rng(0)
    reference = np.sin(np.arange(400) / 5) + 0.3
    return reference, reference + 0.2 * rng.normal(size=400)


def _si_sdr_cases():
    reference, noisy = _signals()
    return [(noisy, reference), (0.2 * noisy + 1, reference), (3 * noisy - 0.5, 0.1 * reference + 2)]


def _mask_cases():
    speech = np.array([[1.0, 2.0, 0.0, 0.5], [3.0, 0.1, 1.1, 1.0]])
    noise = np.array([[1.0, 1.0, 0.0, 1.0], [1.0, 1.0, 1.0, 0.0]])
    near = np.array([[9.8, 10.2, 0.0, 0.3, 1.0]]), np.array([[1.0, 1.0, 0.0, 0.0, 0.099]])  # 20 dB is a factor of 10
    return [(speech, noise, 0.0), (speech, noise, 5.0), (speech, noise, -8.0), (*near, 20.0)]


CUT = """
def cut(wave, size, hop):
    count = 1 + (len(wave) - size) // hop
    return np.stack([wave[i * hop : i * hop + size] for i in range(count)])
"""

TIPS = """
def mel_tips(low, high, bands):
    low_mel, high_mel = 1127 * np.log(1 + low / 700), 1127 * np.log(1 + high / 700)
    mel = np.linspace(low_mel, high_mel, bands + 2)[1:-1]
    return 700 * (np.exp(mel / 1127) - 1)
"""

GREEDY = """
def greedy(p, blank):
    path = p.argmax(axis=1)
    merged = [int(s) for i, s in enumerate(path) if i == 0 or s != path[i - 1]]
    return [s for s in merged if s != blank]
"""

ERROR_RATE = """
def word_error_rate(distance, references, hypotheses):
    edits = sum(distance(r, h) for r, h in zip(references, hypotheses))
    return edits / sum(len(r) for r in references)
"""

LENGTHS = """
def mean_lengths(utterances):
    lengths = {}
    for phonemes, samples in utterances:
        starts = [start for _, start in phonemes] + [samples]
        for i, (name, start) in enumerate(phonemes):
            lengths.setdefault(name, []).append((starts[i + 1] - start) / 8000)
    return {name: sum(values) / len(values) for name, values in lengths.items()}
"""

SI_SDR = """
def si_sdr(estimate, reference):
    estimate = estimate - estimate.mean()
    reference = reference - reference.mean()
    target = (estimate @ reference) / (reference @ reference) * reference
    return 10 * np.log10(np.sum(target**2) / np.sum((estimate - target) ** 2))
"""

MASK = """
def binary_mask(speech, noise, threshold):
    stronger = speech > noise * 10 ** (threshold / 20)
    return stronger.astype(float)
"""

EXERCISES = {
    "10.1": Exercise(
        answer="cut",
        stub="""
def cut(wave, size, hop):
    ...
""",
        solution=CUT,
        cases=_cut_cases,
        wrong=[
            (
                CUT.replace("1 + (len(wave)", "(len(wave)").replace("return np.stack(", "return np.array("),
                "The last frame is missing. If the wave is exactly as long as one frame, how many frames are there, and what does your count say?",
            ),
            (
                CUT.replace("1 + (len(wave) - size) // hop", "len(wave) // size").replace("i * hop", "i * size"),
                "Your frames stand end to end. They should start every hop samples, so that they overlap.",
            ),
            (
                CUT.replace("1 + (len(wave) - size) // hop", "1 + (len(wave) - size) // size"),
                "You divided by the size. A new frame starts every hop samples, so there is one more frame for each hop that still fits.",
            ),
            (
                CUT.replace("wave[i * hop : i * hop + size]", "np.arange(i * hop, i * hop + size)"),
                "Your table holds the places of the samples. Look the samples up in the wave.",
            ),
            (
                CUT.replace("return np.stack(", "return np.stack(").replace(
                    "for i in range(count)])", "for i in range(count)]).T"
                ),
                "Your table lies on its side: a row should be one frame.",
            ),
        ],
        hint="How often can you move on by hop samples before the frame reaches beyond the end? One frame more than that; frame i starts at sample i * hop.",
    ),
    "10.2": Exercise(
        answer="mel_tips",
        stub="""
def mel_tips(low, high, bands):
    ...
""",
        solution=TIPS,
        cases=lambda: [(60, 4000, 40), (0, 8000, 5), (300, 3400, 1)],
        wrong=[
            (
                "def mel_tips(low, high, bands):\n    return np.linspace(low, high, bands + 2)[1:-1]\n",
                "Those are at equal distances in hertz. Go to the mel scale first, divide there, and come back.",
            ),
            (
                TIPS.replace("return 700 * (np.exp(mel / 1127) - 1)", "return mel"),
                "Those are mels. Turn them back into hertz: solve the formula for f.",
            ),
            (
                TIPS.replace("bands + 2)[1:-1]", "bands)"),
                "Your first and last tips lie at low and high themselves. There a triangle's foot should be: divide the range into one part more than there are bands.",
            ),
            (
                TIPS.replace("(np.exp(mel / 1127) - 1)", "np.exp(mel / 1127)"),
                "The way back is not quite the inverse: 0 mel should give 0 Hz. What does yours give?",
            ),
            (
                TIPS.replace("bands + 2)[1:-1]", "bands + 1)[1:]"),
                "Your last tip lies at high. Both ends of the range belong to the feet of triangles, not to tips.",
            ),
        ],
        hint="Turn both ends into mel, divide the range into equal steps with both ends left out, and turn the result back with the inverse of the formula.",
    ),
    "10.3": Exercise(
        answer="greedy",
        stub="""
def greedy(p, blank):
    ...
""",
        solution=GREEDY,
        cases=_greedy_cases,
        wrong=[
            (
                "def greedy(p, blank):\n    path = [int(s) for s in p.argmax(axis=1) if s != blank]\n"
                "    return [s for i, s in enumerate(path) if i == 0 or s != path[i - 1]]\n",
                "You dropped the blanks before you merged. Then a digit that is said twice melts into one: the blank between them is there to prevent that.",
            ),
            (
                "def greedy(p, blank):\n    return [int(s) for s in p.argmax(axis=1) if s != blank]\n",
                "You did not merge: a symbol that leads in several frames in a row was said once.",
            ),
            (
                GREEDY.replace("if s != blank", "if s < blank"),
                "You take the blank for the last of the symbols. Its number is handed over: drop that one.",
            ),
            (
                GREEDY.replace("    return [s for s in merged if s != blank]", "    return merged"),
                "The blanks are still there. They mean that nothing new was said.",
            ),
            (
                "def greedy(p, blank):\n    return sorted({int(s) for s in p.argmax(axis=1)} - {blank})\n",
                "A set loses the order, and digits that are said again. Merge only neighbors.",
            ),
        ],
        hint="Take the most probable symbol of every row, keep a symbol only where it differs from the one before it, and only then drop the blanks.",
    ),
    "10.4": Exercise(
        answer="word_error_rate",
        stub="""
def word_error_rate(distance, references, hypotheses):
    ...
""",
        solution=ERROR_RATE,
        cases=_error_rate_cases,
        wrong=[
            (
                "def word_error_rate(distance, references, hypotheses):\n"
                "    return np.mean([distance(r, h) / len(r) for r, h in zip(references, hypotheses)])\n",
                "You averaged the rates of the strings, so that a word in a short string counts more. Add up all edits first, then divide once.",
            ),
            (
                "def word_error_rate(distance, references, hypotheses):\n"
                "    return distance(sum(references, []), sum(hypotheses, [])) / sum(len(r) for r in references)\n",
                "You joined the strings. A word of one recording must not be matched with a word of another: compare pair by pair.",
            ),
            (
                "def word_error_rate(distance, references, hypotheses):\n"
                "    return distance(references, hypotheses) / sum(len(r) for r in references)\n",
                "You compared the two lists as a whole, in which a string counts as one word. Compare string by string.",
            ),
            (
                ERROR_RATE.replace("for r in references", "for r in hypotheses"),
                "You divided by the words that were read. A recognizer that invents words would lower its own rate: divide by what was said.",
            ),
            (
                ERROR_RATE.replace("sum(len(r) for r in references)", "len(references)"),
                "That is the number of edits per string. Divide by the number of words that were said.",
            ),
            (
                "def word_error_rate(distance, references, hypotheses):\n"
                "    return sum(r != h for r, h in zip(references, hypotheses)) / len(references)\n",
                "That is the share of strings with any error. Count the edits inside the strings, in words.",
            ),
            (
                ERROR_RATE.replace(
                    "return edits / sum(len(r) for r in references)",
                    "return min(1.0, edits / sum(len(r) for r in references))",
                ),
                "You cut it off at 1. With enough insertions the rate is larger, and that should be seen.",
            ),
        ],
        hint="Add up the distances of all pairs, and divide by the number of words in all references together.",
    ),
    "10.5": Exercise(
        answer="mean_lengths",
        stub="""
def mean_lengths(utterances):
    ...
""",
        solution=LENGTHS,
        cases=_length_cases,
        wrong=[
            (
                """
def mean_lengths(utterances):
    means = {}
    for phonemes, samples in utterances:
        lengths, starts = {}, [start for _, start in phonemes] + [samples]
        for i, (name, start) in enumerate(phonemes):
            lengths.setdefault(name, []).append((starts[i + 1] - start) / 8000)
        means.update({name: sum(values) / len(values) for name, values in lengths.items()})
    return means
""",
                "A later utterance overwrites what an earlier one gave. Collect the lengths of all utterances first, then average once.",
            ),
            (
                LENGTHS.replace(" / 8000)", ")"),
                "Those are samples. Divide by the samples of one second.",
            ),
            (
                LENGTHS.replace("sum(values) / len(values)", "sum(values)"),
                "You added up a phoneme's lengths. Divide by how often it occurs.",
            ),
            (
                LENGTHS.replace("sum(values) / len(values)", "values[-1]"),
                "You kept each phoneme's last occurrence only. Collect all of them, then average.",
            ),
            (
                LENGTHS.replace(" + [samples]", " + [phonemes[-1][1]]"),
                "The last phoneme of each utterance came out with no length. It lasts until the utterance ends.",
            ),
            (
                LENGTHS.replace("(starts[i + 1] - start)", "start"),
                "Those are the times at which phonemes start. A length is the next start minus this one.",
            ),
        ],
        hint="For every phoneme, take the next one's start (for the last one: the samples in all) minus its own, in seconds; collect by name over all utterances, then average.",
        tolerance=1e-9,
    ),
    "10.6": Exercise(
        answer="si_sdr",
        stub="""
def si_sdr(estimate, reference):
    ...
""",
        solution=SI_SDR,
        cases=_si_sdr_cases,
        wrong=[
            (
                SI_SDR.replace(
                    "    estimate = estimate - estimate.mean()\n    reference = reference - reference.mean()\n", ""
                ),
                "The means are still there: a constant offset, which nobody hears, changes your result. Take both means off first.",
            ),
            (
                SI_SDR.replace("(estimate @ reference) / (reference @ reference) * reference", "reference"),
                "This is still the plain SDR: it changes with loudness. Scale the reference first, so that it fits the estimate.",
            ),
            (
                SI_SDR.replace("10 * np.log10", "20 * np.log10"),
                "Squares are energies already: a ratio of energies takes the factor 10. The factor 20 belongs to ratios of magnitudes.",
            ),
            (
                SI_SDR.replace("(reference @ reference)", "np.sqrt(reference @ reference)"),
                "You divided by the length of the reference. Divide by its square: scaling the reference must not change the target.",
            ),
            (
                SI_SDR.replace(
                    "np.sum(target**2) / np.sum((estimate - target) ** 2)",
                    "np.sum((estimate - target) ** 2) / np.sum(target**2)",
                ),
                "The sign is wrong: a better estimate should get more decibels. Which energy belongs on top?",
            ),
            (
                SI_SDR.replace("np.log10", "np.log"),
                "Decibels use the logarithm to base 10.",
            ),
        ],
        hint="Take both means off, project the estimate onto the reference to get the target, and compare the energy of the target with that of the rest, in decibels.",
    ),
    "10.7": Exercise(
        answer="binary_mask",
        stub="""
def binary_mask(speech, noise, threshold):
    ...
""",
        solution=MASK,
        cases=_mask_cases,
        observe=lambda mask: (str(np.asarray(mask).dtype) == "bool", np.asarray(mask).astype(float)),
        wrong=[
            (
                MASK.replace("threshold / 20", "threshold / 10"),
                "That threshold is in decibels of energy, but these are magnitudes: a factor of 10 in magnitude is 20 dB.",
            ),
            (
                MASK.replace("speech > noise", "noise > speech"),
                "Your mask keeps the noise. It should be 1 where the speech is the stronger one.",
            ),
            (
                MASK.replace(" * 10 ** (threshold / 20)", " + threshold"),
                "Decibels are ratios: turn the threshold into a factor on the noise, do not add it.",
            ),
            (
                MASK.replace("stronger.astype(float)", "stronger"),
                "These are truth values. Return numbers, so that the mask can be trained on and averaged.",
            ),
            (
                MASK.replace(" * 10 ** (threshold / 20)", ""),
                "You ignored the threshold. At 5 dB, the speech must be more than 5 dB stronger.",
            ),
            *(
                (
                    MASK.replace("speech > noise *", f"speech + {little} > (noise + {little}) *"),
                    "With a tiny number added to both, silence counts as equally strong, and a threshold below 0 lets it pass. "
                    "Where both are silent, the mask is 0.",
                )
                for little in (1e-12, 1e-10, 1e-9, 1e-8, 1e-6)
            ),
            (
                MASK.replace("speech > noise", "speech >= noise"),
                "Where both are silent, yours says 1. The speech must be stronger than the threshold, not equal to it.",
            ),
        ],
        hint="Turn the threshold into a factor of magnitudes, compare the speech with the noise times this factor, and turn the truth values into numbers.",
    ),
}
