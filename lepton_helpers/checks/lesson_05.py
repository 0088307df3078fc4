"""Exercises of lesson 05, Deploy the model."""

import numpy as np

from lepton_helpers.checks import Exercise


def _compare_cases():
    before = np.array([0.1, 0.49, 0.52, 0.9, 0.97])
    return [
        (before, np.array([0.1, 0.53, 0.48, 0.9, 0.67])),  # the largest difference is a fall
        (before, before.copy()),
        (np.array([0.4, 0.6, 0.2]), np.array([0.45, 0.55, 0.45])),
        (np.array([0.49]), np.array([0.5])),  # 0.5 is not above 0.5
        (np.array([0.5, 0.5, 0.5]), np.array([0.4, 0.6, 0.5])),
        (np.array([0.45, 0.48, 0.1]), np.array([0.55, 0.52, 0.45])),
        (np.array([[0.2], [0.9], [0.6]]), np.array([0.25, 0.88, 0.4])),  # a column and a flat array
        (np.array([0.3, 0.8, 0.55, 0.1]), np.array([[0.35], [0.7], [0.45], [0.1]])),
        (np.array([[0.3], [0.8]]), np.array([[0.6], [0.7]])),
        (np.array([0.2, 0.7]), np.array([0.2, 0.7000031])),  # a small difference counts, too
    ]


def _quantize_cases():
    rng = np.random.default_rng(0)
    return [
        (np.array([-1.0, -0.5, 0.013, 0.7, 3.0]), -1.0, 3.0),
        (rng.uniform(0, 6, 40), 0.0, 6.0),
        (np.array([-9.0, -2.0, 0.11, 1.93, 50.0]), -2.0, 2.5),  # two values lie outside the range
        (rng.uniform(-20, -10, 30), -30.0, 5.0),
        # Clipped before it is rounded, 80 would get code 128. The scales, 0.5 and 2, are exact in every kind of number.
        (np.array([-70.0, -20.2, 0.0, 0.8, 40.9, 80.0]), -63.75, 63.75),
        (np.array([-300.0, 31.3, 400.0]), -255.0, 255.0),
    ]


def _observe_quantized(parts):
    """The codes as whole numbers, and the values restored from them."""
    codes, restored = parts
    return np.asarray(codes).astype(float), np.asarray(restored, dtype=float)


def _percentile_cases():
    rng = np.random.default_rng(0)
    return [
        ([8.0, 3.0, 5.0, 1.0], 0.5),
        (rng.exponential(4.0, 200).tolist(), 0.99),
        (rng.exponential(4.0, 31).tolist(), 0.9),
        ([7.0], 0.99),
        ([2.0, 9.0, 4.0, 6.0, 1.0, 3.0, 8.0, 5.0], 0.25),
        (rng.exponential(4.0, 31).tolist(), 0.95),
        (rng.exponential(4.0, 150).tolist(), 0.99),
        ([1.0, 2.0, 1.0, 1.0], 0.75),
        (rng.exponential(4.0, 1000).tolist(), 0.999),
        (rng.exponential(4.0, 100).tolist(), 0.29),  # 0.29 * 100 is a little less than 29, 0.07 * 100 more than 7
        (rng.exponential(4.0, 100).tolist(), 0.07),
    ]


def _status_cases():
    image = [0] * 783 + [254.5]
    bad_numbers = ("7", None, True, False, *map(float, ("nan", "inf", "-inf")), -1, 256, -0.5, 255.01, [0], {}, 10**400)
    bodies = [
        {"images": [image]},
        {"images": [[255] * 784, [0.0] * 784]},
        {"images": [[*image] for _ in range(64)]},
        {"images": [[127] * 784]},
        {"images": [[0.5] * 784]},
        {"images": [[1.5] * 784]},
        {"images": [[0] * 784]},
        {"images": [image[1:], image]},
        {"images": [image, image[1:]]},
        {"images": [image[1:], [*image, 0]]},
        *({"images": [image, image[:400] + [number] + image[401:]]} for number in bad_numbers),
        {"images": [["7", *image[1:]]]},
        {"images": [[*image[1:], "7"]]},
        {"images": [image], "model": "digits", "count": None},
        {"model": None, "images": [image], "image": [[1]]},
        {"images": []},
        {"images": [image] * 65},
        {"images": [image[1:]]},
        {"images": [[*image, 0]]},
        {"images": [[]]},
        {"images": [image, "an image"]},
        *({"images": [image, odd]} for odd in (5, None, True, 2.5, {}, dict.fromkeys(map(str, range(784)), 1))),
        {"images": [5]},
        {"images": ["7" * 784]},
        {"images": [[image] * 784]},
        *({"images": odd} for odd in (5, True, 0, {"0": image}, [None], [[]])),
        {"images": image},
        {"images": "images"},
        {"images": None},
        {},
        {"pictures": [image]},
        {"image": image},
        [image],
        None,
        5,
        "images",
    ]
    return [(body,) for body in bodies]


def _alarm_cases():
    rng = np.random.default_rng(0)
    clean, later = 1 - rng.exponential(0.02, 1047), 1 - rng.exponential(0.024, 1047)
    whole, many = clean[:1000], 1 - rng.exponential(0.02, 8000)  # whole: windows that come out even
    levels = np.repeat([0.5, 0.625, 0.75, 0.875, 1.0], 4)  # whose means stand on the thresholds
    return [
        (clean, later, 10, 0.02),
        (clean, later, 20, 0.1),
        (clean, 1 - (1 - later) / 2, 20, 0.1),  # surer than before
        (whole, later[:300], 50, 0.1),
        (levels, levels, 4, 0.5),
        (levels, np.array([0.25, 0.5, 0.75, 0.5625, 0.875, 0.9375, 1.0, 0.625, 0.125]).repeat(4), 4, 0.5),
        (np.linspace(0.6, 1.0, 95), np.linspace(0.5, 0.9, 38), 10, 0.5),
        (clean, clean, 10, 0.05),
        (np.roll(many, 2), many + 0.0002, 4, 0.15),
        (many, np.roll(many, 2) - 0.0002, 4, 0.03),
    ]


def _decide_cases():
    return [
        (65, 822, 9, 178, 0.02),  # go on
        (70, 908, 5, 92, 0.02),  # wait
        (23, 270, 16, 30, 0.02),  # roll back
        (24, 900, 3, 100, 0.02),
        (240, 9000, 30, 1000, 0.02),
        (50, 1000, 100, 1000, 0.1),  # worse, also where the margin would allow it
        (50, 1000, 100, 1000, 0.01),
        (100, 1000, 50, 1000, 0.0),
        (100, 1000, 90, 1000, 0.0),
        (0, 1000, 0, 5, 0.02),
        (0, 1000, 0, 500, 0.02),
        (0, 1000, 5, 5, 0.02),
        (0, 0, 0, 0, 0.02),
        (2, 40, 3, 12, 0.3),
        (30, 300, 26, 300, 0.05),
        (30, 300, 32, 300, 0.05),
        (30, 300, 44, 300, 0.05),
        (30, 300, 50, 300, 0.05),
        (400, 1000, 420, 1000, 0.07),
        (400, 1000, 440, 1000, 0.07),
        (400, 1000, 450, 1000, 0.2),
        (980, 1000, 985, 1000, 0.02),
        (30, 1000, 8, 100, 0.05),
        (8, 100, 30, 1000, 0.0),
    ]


COMPARE = """
def compare(before, after):
    before, after = np.ravel(before), np.ravel(after)
    difference = np.abs(after - before).max()
    changed = np.sum((before > 0.5) != (after > 0.5))
    return difference, changed
"""

QUANTIZE = """
def quantize(values, low, high):
    scale = (high - low) / 255
    zero_point = np.round(-128 - low / scale)
    codes = np.clip(np.round(values / scale) + zero_point, -128, 127)
    restored = (codes - zero_point) * scale
    return codes, restored
"""

PERCENTILE = """
def percentile(latencies, share):
    # 0.07 * 100 is 7.000000000000001 on a computer: round it before going up.
    rank = int(np.ceil(round(share * len(latencies), 9)))
    return sorted(latencies)[rank - 1]
"""

STATUS = """
def status_of(body):
    if not isinstance(body, dict) or not isinstance(body.get("images"), list):
        return 422
    if not 1 <= len(body["images"]) <= 64:
        return 422
    for image in body["images"]:
        if not isinstance(image, list) or len(image) != 784:
            return 422
        for number in image:
            if isinstance(number, bool) or not isinstance(number, (int, float)):
                return 422
            if not 0 <= number <= 255:
                return 422
    return 200
"""

ALARM = """
def alarm_share(clean, later, size, rate):
    def means(stream):
        windows = len(stream) // size
        return stream[: windows * size].reshape(windows, size).mean(axis=1)

    low, high = np.quantile(means(clean), [rate / 2, 1 - rate / 2])
    return np.mean((means(later) < low) | (means(later) > high))
"""

DECIDE = """
def decide(errors_old, n_old, errors_new, n_new, margin):
    old, new = (errors_old + 1) / (n_old + 2), (errors_new + 1) / (n_new + 2)
    variance = old * (1 - old) / (n_old + 2) + new * (1 - new) / (n_new + 2)
    low, high = new - old - 1.96 * variance**0.5, new - old + 1.96 * variance**0.5
    decision = "wait"
    if low > 0:
        decision = "roll back"
    elif high < margin:
        decision = "go on"
    return low, high, decision
"""

EXERCISES = {
    "5.1": Exercise(
        answer="compare",
        stub="""
def compare(before, after):
    ...
""",
        solution=COMPARE,
        cases=_compare_cases,
        wrong=[
            (
                COMPARE.replace("np.abs(after - before)", "(after - before)"),
                "Your difference has a sign, so a large fall counts as less than a small rise. Take absolute values before the maximum.",
            ),
            (
                COMPARE.replace("np.abs(after - before)", "(before - after)"),
                "Your difference has a sign, so a large rise counts as less than a small fall. Take absolute values before the maximum.",
            ),
            (
                COMPARE.replace("before > 0.5", "before >= 0.5").replace("after > 0.5", "after >= 0.5"),
                "You count exactly 0.5 as odd. The answer is odd only *above* 0.5.",
            ),
            (
                COMPARE.replace(".max()", ".mean()"),
                "You return the mean difference. The bound must hold for every image: take the largest.",
            ),
            (
                COMPARE.replace("(before > 0.5) != (after > 0.5)", "before != after"),
                "You counted probabilities that moved. An answer changes only if the probability crosses 0.5.",
            ),
            (
                COMPARE.replace("np.sum(", "np.mean("),
                "You return the share of changed answers. The task asks for their number.",
            ),
            (
                COMPARE.replace("np.sum(", "np.flatnonzero("),
                "The second part should be one number: how many answers changed, not which ones.",
            ),
            (
                COMPARE.replace("return difference, changed", "return changed, difference"),
                "Both numbers are right, but in the other order: first the largest difference, then the number of changed answers.",
            ),
            (
                COMPARE.replace(
                    "np.sum((before > 0.5) != (after > 0.5))", "abs(np.sum(before > 0.5) - np.sum(after > 0.5))"
                ),
                "You compared how many images are called odd. One that turns odd and one that turns even cancel out: compare image by image.",
            ),
            (
                COMPARE.replace("    before, after = np.ravel(before), np.ravel(after)\n", ""),
                "A column minus a flat array gives a table of each against each. Make both flat first, with np.ravel.",
            ),
            (
                COMPARE.replace("np.ravel(after)", "after"),
                "The second array may be a column, too. Make both flat before you compare them.",
            ),
            (
                COMPARE.replace("np.ravel(before)", "before"),
                "The first array may be a column, too. Make both flat before you compare them.",
            ),
        ],
        hint="Take the largest absolute difference, with both arrays flat; then compare `before > 0.5` with `after > 0.5` image by image and count where they differ.",
    ),
    "5.2": Exercise(
        answer="quantize",
        stub="""
def quantize(values, low, high):
    ...
""",
        solution=QUANTIZE,
        cases=_quantize_cases,
        observe=_observe_quantized,
        wrong=[
            (
                QUANTIZE.replace(
                    "np.clip(np.round(values / scale) + zero_point, -128, 127)", "np.round(values / scale) + zero_point"
                ),
                "Values outside low to high get codes that do not fit into 8 bits. Clip the codes to -128 and 127.",
            ),
            (
                QUANTIZE.replace(
                    "np.clip(np.round(values / scale) + zero_point, -128, 127)",
                    "(np.round(values / scale) + zero_point).astype(int).astype(np.int8)",
                ),
                "Values outside low to high wrap around: 128 becomes -128. Clip the codes to -128 and 127 before they become int8.",
            ),
            (
                QUANTIZE.replace("-128, 127)\n", "-128, 127).astype(np.int8)\n").replace(
                    "np.round(-128 - low / scale)", "np.int8(np.round(-128 - low / scale))"
                ),
                "An int8 overflows when you subtract the zero point. Restore the values in floating point, or convert the codes at the end.",
            ),
            (
                QUANTIZE.replace("restored = (codes - zero_point) * scale", "restored = values"),
                "You returned the values you were given. Restore them from the codes: that is what rounding has left of them.",
            ),
            (
                QUANTIZE.replace(
                    "np.clip(np.round(values / scale) + zero_point, -128, 127)",
                    "np.round(np.clip(values, low, high) / scale) + zero_point",
                ),
                "You clipped the values. Rounding can still give the code 128, which does not fit into 8 bits: clip the codes.",
            ),
            (
                QUANTIZE.replace("np.round(values / scale)", "np.floor(values / scale)"),
                "You rounded down. Round to the nearest whole number, and the error is at most half a step.",
            ),
            (
                QUANTIZE.replace("np.round(values / scale)", "np.trunc(values / scale)"),
                "You cut the digits after the point off. Round to the nearest whole number, and the error is at most half a step.",
            ),
            (
                QUANTIZE.replace("codes - zero_point", "codes"),
                "The codes are right. To restore the values, subtract the zero point before you multiply by the scale.",
            ),
            (
                QUANTIZE.replace("np.round(-128 - low / scale)", "0"),
                "Without a zero point, one half of the codes may stay unused and the other half is too small. The value low must get the code -128.",
            ),
            (
                QUANTIZE.replace("/ 255", "/ 256"),
                "From -128 to 127 there are 256 codes but 255 steps: divide the range by 255.",
            ),
            (
                QUANTIZE.replace("return codes, restored", "return restored, codes"),
                "Both parts are right, but in the other order: first the codes, then the restored values.",
            ),
        ],
        hint="The scale is the range over 255; the zero point is the rounded -128 - low / scale; a code is the rounded value / scale plus the zero point, clipped.",
    ),
    "5.3": Exercise(
        answer="percentile",
        stub="""
def percentile(latencies, share):
    ...
""",
        solution=PERCENTILE,
        cases=_percentile_cases,
        wrong=[
            (
                PERCENTILE.replace("sorted(latencies)", "latencies"),
                "You took the latencies in the order they came. Sort them first.",
            ),
            (
                PERCENTILE.replace("[rank - 1]", "[min(rank, len(latencies) - 1)]"),
                "You are one place too far: the element of rank r stands at index r - 1.",
            ),
            (
                PERCENTILE.replace("sorted(latencies)", "sorted(latencies, reverse=True)"),
                "You sorted from slow to fast. At the given share of the way from the fastest on stands the one you want.",
            ),
            (
                PERCENTILE.replace("return sorted(latencies)[rank - 1]", "return np.percentile(latencies, share)"),
                "np.percentile counts from 0 to 100, and it averages between two latencies. Return one that was measured.",
            ),
            (
                PERCENTILE.replace("return sorted(latencies)[rank - 1]", "return np.mean(latencies)"),
                "That is the mean. It tells neither what most users wait nor what the unlucky ones do.",
            ),
            (
                PERCENTILE.replace("return sorted(latencies)[rank - 1]", "return max(latencies)"),
                "That is the slowest of all. You want the smallest latency that the given share of the requests did not exceed.",
            ),
            (
                PERCENTILE.replace("return sorted(latencies)[rank - 1]", "return np.quantile(latencies, share)"),
                "That value lies between two latencies. Return one that was measured: the smallest that the given share did not exceed.",
            ),
            (
                PERCENTILE.replace("np.ceil(", "max(1, ").replace(
                    "round(share * len(latencies), 9)", "np.floor(share * len(latencies))"
                ),
                "You rounded the rank down, so fewer requests than the given share stay within it. Round up.",
            ),
            (
                PERCENTILE.replace("    # 0.07", "    latencies = sorted(set(latencies))\n    # 0.07"),
                "Equal latencies count as often as they occur.",
            ),
            (
                PERCENTILE.replace("round(share * len(latencies), 9)", "share * len(latencies)"),
                "Nearly right. On a computer, 0.07 * 100 is a little more than 7 (inside np.quantile, too): round it to nine digits before you go up.",
            ),
            (
                PERCENTILE.replace("share * len", "round(share, 2) * len"),
                "You round the share to whole percent: 0.999 becomes 1.",
            ),
            (
                PERCENTILE.replace("share * len", "int(share * 100) / 100 * len"),
                "You cut the share to whole percent: 0.999 becomes 0.99, and 0.29 becomes 0.28, because 0.29 * 100 is a little less than 29 on a computer.",
            ),
        ],
        hint="Sort the latencies; the one you want has the rank share * n, rounded up, counted from 1.",
    ),
    "5.4": Exercise(
        answer="status_of",
        stub="""
def status_of(body):
    ...
""",
        solution=STATUS,
        cases=_status_cases,
        wrong=[
            (
                STATUS.replace("if not 0 <= number <= 255", "if number < 0 or number > 255"),
                "NaN passes: it is neither below 0 nor above 255. Ask whether the number lies inside, and refuse if not.",
            ),
            (
                STATUS.replace("isinstance(number, bool) or ", ""),
                "True passes, because Python counts bool among the integers. Refuse it before you look at its value.",
            ),
            (
                STATUS.replace("not 1 <= len", "not len"),
                "An empty list of images passes. There must be at least one.",
            ),
            (
                STATUS.replace('if not 1 <= len(body["images"]) <= 64:', 'if not body["images"]:'),
                "A list of 65 images passes. The limit is 64.",
            ),
            (
                STATUS.replace('for image in body["images"]:', 'for image in body["images"][:1]:'),
                "You checked the first image only. Every image must be checked.",
            ),
            (
                STATUS.replace("isinstance(number, (int, float))", "isinstance(number, int)"),
                "You accept whole numbers only. Decimals such as 254.5 count as well.",
            ),
            (
                STATUS.replace("not isinstance(image, list) or len(image)", "len(image)"),
                "An image that is a number or null has no length: that raises TypeError, in a service a 500. Is it a list at all?",
            ),
            (
                STATUS.replace(
                    "not isinstance(image, list) or len(image)", "not hasattr(image, '__len__') or len(image)"
                ).replace("in image:", "in (image.values() if isinstance(image, dict) else image):"),
                "An object of 784 numbers passes as an image. It must be a list.",
            ),
            (
                STATUS.replace(' or not isinstance(body.get("images"), list)', " or [*body] != ['images']"),
                "A body with other entries beside the images is refused. They do not matter.",
            ),
            (
                STATUS.replace("<= 64", "< 64"),
                "A list of exactly 64 images is refused. The limit itself is allowed.",
            ),
            (
                STATUS.replace("not isinstance(image, list) or len(image) != 784", "not isinstance(image, list)"),
                "Images of the wrong length pass. Each must have exactly 784 numbers.",
            ),
            (
                STATUS.replace(
                    "            if isinstance(number, bool) or not isinstance(number, (int, float)):\n                return 422\n",
                    "",
                ),
                "A text among the numbers raises TypeError: in a service, that is a 500. Check the type before you compare.",
            ),
            (
                STATUS.replace("0 <= number <= 255", "0 < number < 255"),
                "An image with 0 or 255 in it is refused. Paper is 0 and ink is 255: both ends are allowed.",
            ),
            (
                STATUS.replace("            if not 0 <= number <= 255:\n                return 422\n", ""),
                "Numbers below 0 or above 255 pass, and so do NaN and infinity. Refuse every number outside 0 to 255.",
            ),
            (
                STATUS.replace(
                    'not isinstance(body, dict) or not isinstance(body.get("images"), list)',
                    "not isinstance(body, dict)",
                ),
                "A body whose images are missing, or not a list, raises an error: in a service, that is a 500. Check that first.",
            ),
            (
                STATUS.replace(
                    'not isinstance(body, dict) or not isinstance(body.get("images"), list)', '"images" not in body'
                ),
                "A body that is not an object, or whose images are not a list, raises an error: in a service, that is a 500.",
            ),
        ],
        hint="Go from outside in: the body is a dict with a list under images, 1 to 64 of them, each a list of 784, each an int or float from 0 to 255.",
    ),
    "5.5": Exercise(
        answer="alarm_share",
        stub="""
def alarm_share(clean, later, size, rate):
    ...
""",
        solution=ALARM,
        cases=_alarm_cases,
        wrong=[
            (
                ALARM.replace("[rate / 2, 1 - rate / 2]", "[rate, 1 - rate]"),
                "You left the whole rate on each side, so twice as many clean windows lie outside. Give each side half of it.",
            ),
            (
                ALARM.replace("(means(later) < low) | (means(later) > high)", "means(later) < low"),
                "You looked below the lower threshold only. An inverted image lies above the upper one.",
            ),
            (
                ALARM.replace("(means(later) < low) | (means(later) > high)", "means(later) > high"),
                "You looked above the upper threshold only. A shifted image lies below the lower one.",
            ),
            (
                ALARM.replace(
                    "(means(later) < low) | (means(later) > high)", "(means(later) >= low) & (means(later) <= high)"
                ),
                "That is the share inside both thresholds. The alarm sounds outside.",
            ),
            (
                ALARM.replace("return np.mean(", "return np.sum("),
                "You return the number of windows. The task asks for their share.",
            ),
            (
                ALARM.replace("np.quantile(means(clean)", "np.quantile(means(later)"),
                "You took the thresholds from the later images. They come from the clean ones: the alarm is set before.",
            ),
            (
                ALARM.replace("np.quantile(means(clean)", "np.quantile(clean"),
                "You took the quantiles of single images. The alarm looks at the means of windows, which vary far less.",
            ),
            (
                ALARM.replace(
                    "np.mean((means(later) < low) | (means(later) > high))", "np.mean((later < low) | (later > high))"
                ),
                "You compared single later images with the thresholds. Compare the means of their windows.",
            ),
            (
                ALARM.replace("np.quantile(", "np.percentile("),
                "np.percentile counts from 0 to 100: it takes 1 where np.quantile takes 0.01.",
            ),
            (
                ALARM.replace(
                    "        windows = len(stream) // size\n        return stream[: windows * size].reshape(windows, size).mean(axis=1)",
                    "        return np.array([stream[i : i + size].mean() for i in range(0, len(stream), size)])",
                ),
                "Your last window may be shorter than the others, and the mean of few images varies more. Leave it out.",
            ),
            (
                ALARM.replace(
                    "        windows = len(stream) // size\n        return stream[: windows * size].reshape(windows, size).mean(axis=1)",
                    "        return np.array([stream[i : i + size].mean() for i in range(0, len(stream) - size, size)])",
                ),
                "When the windows come out even, your last one is missing: range ends before its limit.",
            ),
            (
                ALARM.replace(
                    "        windows = len(stream) // size\n        return stream[: windows * size].reshape(windows, size).mean(axis=1)",
                    "        return np.array([stream[i : i + size].mean() for i in range(len(stream) - size + 1)])",
                ),
                "Your windows overlap. Take them one after another, each image in one window.",
            ),
            (
                ALARM.replace("reshape(windows, size).mean(axis=1)", "reshape(size, windows).mean(axis=0)"),
                "Your windows take every so-many-th image. A window holds consecutive ones: give each a row, and take the mean of each row.",
            ),
        ],
        hint="Cut both streams into full windows and take the mean of each. Two quantiles of the clean means are the thresholds, with half the rate outside each; then count the later means outside both.",
    ),
    "5.6": Exercise(
        answer="decide",
        stub="""
def decide(errors_old, n_old, errors_new, n_new, margin):
    ...
""",
        solution=DECIDE,
        cases=_decide_cases,
        wrong=[
            (
                DECIDE.replace("low > 0", "high > margin"),
                "You roll back where it is not decided yet. Roll back only if the whole interval lies above 0.",
            ),
            (
                DECIDE.replace("low > 0", "high > 0"),
                "You roll back as soon as the interval reaches above 0. It must lie above 0 as a whole: look at its lower end.",
            ),
            (
                DECIDE.replace("low > 0", "low > margin"),
                "A new version that is worse by less than the margin passes. Roll back if the whole interval lies above 0.",
            ),
            (
                DECIDE.replace("low > 0", "new > old"),
                "You roll back when the new share of errors is larger at all. Chance alone does that every second time: look at the interval.",
            ),
            (
                DECIDE.replace("high < margin", "new - old < margin"),
                "You go on when the difference itself is below the margin. A few answers can show that by chance: the whole interval must lie below it.",
            ),
            (
                DECIDE.replace("high < margin", "low < margin"),
                "You go on when the lower end is below the margin. The whole interval must lie below it: look at its upper end.",
            ),
            (
                DECIDE.replace("high < margin", "high < 0"),
                "You go on only if the new version is surely better. The task allows that it is worse by less than the margin.",
            ),
            (
                DECIDE.replace(
                    """
    if low > 0:
        decision = "roll back"
    elif high < margin:
        decision = "go on"
""",
                    """
    if high < margin:
        decision = "go on"
    elif low > 0:
        decision = "roll back"
""",
                ),
                "You ask for the margin first, so a version that is surely worse goes on if the margin is wide. Ask first whether to roll back.",
            ),
            (
                DECIDE.replace("new - old - 1.96", "old - new - 1.96").replace("new - old + 1.96", "old - new + 1.96"),
                "You took the old version minus the new one. A new version with more errors must give a difference above 0.",
            ),
            (
                DECIDE.replace("return low, high, decision", "return decision"),
                "Return three things: the two ends of the interval, and the decision.",
            ),
            (
                DECIDE.replace("errors_old + 1", "n_old + 1")
                .replace("n_old + 2", "errors_old + 2")
                .replace("errors_new + 1", "n_new + 1")
                .replace("n_new + 2", "errors_new + 2"),
                "You took errors and answers in the wrong order. difference takes the errors of a version first, then how many of its answers were checked.",
            ),
        ],
        hint="Return the two ends that difference gives, and the decision. Ask first whether both ends lie above 0, then whether both lie below the margin.",
    ),
}
