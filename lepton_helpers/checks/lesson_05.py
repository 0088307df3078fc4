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
    ]


def _status_cases():
    image = [0] * 783 + [254.5]
    bad_numbers = ("7", None, True, float("nan"), float("inf"), float("-inf"), -1, 256, -0.5, 255.01, [0], {}, 10**400)
    bodies = [
        {"images": [image]},
        {"images": [[255] * 784, [0.0] * 784]},
        {"images": [image] * 64},
        {"images": [[127] * 784]},
        {"images": [[0.5] * 784]},
        {"images": [[1.5] * 784]},
        {"images": [[0] * 784]},
        {"images": [image[1:], image]},
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
    stream = 1 - rng.exponential(0.02, 1047)
    whole = stream[:1000]  # a whole number of windows
    return [(stream, 10, 0.01), (stream, 50, 0.05), (np.linspace(0.6, 1.0, 95), 10, 0.25), (whole, 50, 0.05)]


COMPARE = """
def compare(before, after):
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
def set_alarm(clean, size, rate):
    windows = len(clean) // size
    means = clean[: windows * size].reshape(windows, size).mean(axis=1)
    return np.quantile(means, rate)
"""

REPLICAS = """
def replicas(users, seconds_between, cpu_ms, utilization):
    requests_per_second = users / seconds_between
    busy_cores = requests_per_second * cpu_ms / 1000
    # 2.1 / 0.7 is 3.0000000000000004 on a computer: round it before going up.
    return int(np.ceil(round(busy_cores / utilization, 9)))
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
                COMPARE.replace("return difference, changed", "return changed, difference"),
                "Both numbers are right, but in the other order: first the largest difference, then the number of changed answers.",
            ),
            (
                COMPARE.replace(
                    "np.sum((before > 0.5) != (after > 0.5))", "abs(np.sum(before > 0.5) - np.sum(after > 0.5))"
                ),
                "You compared how many images are called odd. One that turns odd and one that turns even cancel out: compare image by image.",
            ),
        ],
        hint="Take the largest absolute difference; then compare `before > 0.5` with `after > 0.5` image by image and count where they differ.",
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
        answer="set_alarm",
        stub="""
def set_alarm(clean, size, rate):
    ...
""",
        solution=ALARM,
        cases=_alarm_cases,
        wrong=[
            (
                ALARM.replace("np.quantile(means, rate)", "np.quantile(clean, rate)"),
                "You took the quantile of single images. The alarm looks at the means of windows, which vary far less.",
            ),
            (
                ALARM.replace("np.quantile(means, rate)", "np.percentile(means, rate)"),
                "np.percentile counts from 0 to 100: it takes 1 where np.quantile takes 0.01.",
            ),
            (
                """
def set_alarm(clean, size, rate):
    means = [clean[start : start + size].mean() for start in range(0, len(clean) - size, size)]
    return np.quantile(means, rate)
""",
                "When the windows come out even, your last one is missing: range ends before its limit.",
            ),
            (
                ALARM.replace("np.quantile(means, rate)", "np.quantile(means, 1 - rate)"),
                "You took the upper end: nearly every clean window lies below it. The alarm sounds when the mean is low.",
            ),
            (
                ALARM.replace("np.quantile(means, rate)", "means.min()"),
                "You took the lowest window. Then no clean window of these sounds the alarm, whatever rate was asked for.",
            ),
            (
                """
def set_alarm(clean, size, rate):
    means = [clean[start : start + size].mean() for start in range(0, len(clean), size)]
    return np.quantile(means, rate)
""",
                "Your last window may be shorter than the others, and the mean of few images varies more. Leave it out.",
            ),
            (
                """
def set_alarm(clean, size, rate):
    means = [clean[start : start + size].mean() for start in range(len(clean) - size + 1)]
    return np.quantile(means, rate)
""",
                "Your windows overlap. Take them one after another, each image in one window.",
            ),
            (
                """
def set_alarm(clean, size, rate):
    windows = len(clean) // size
    means = clean[: windows * size].reshape(size, windows).mean(axis=0)
    return np.quantile(means, rate)
""",
                "Your windows take every so-many-th image. A window holds consecutive ones: give each a row, and take the mean of each row.",
            ),
        ],
        hint="Cut the stream into full windows, one after another, take the mean of each, and return the rate-quantile of these means.",
    ),
    "5.6": Exercise(
        answer="replicas",
        stub="""
def replicas(users, seconds_between, cpu_ms, utilization):
    ...
""",
        solution=REPLICAS,
        cases=lambda: [
            (1000, 10, 2, 0.6),
            (50_000, 30, 4, 0.5),
            (7000, 7, 40, 0.7),
            (300, 60, 1, 0.6),
            (10_000, 5, 1.3, 0.8),
            (9000, 10, 2, 0.6),  # exactly 3
            (4000, 10, 5, 0.5),  # exactly 4
            (20, 60, 1000, 0.6),
            (10_000, 5, 1.1, 0.8),
            (9006, 10, 2, 0.6),  # a little more than 3
        ],
        wrong=[
            (
                REPLICAS.replace("np.ceil", "np.floor"),
                "You rounded down, so each replica is busier than you allowed. Round up.",
            ),
            (
                REPLICAS.replace("np.ceil", "np.round"),
                "You rounded to the nearest number. Where that is downward, each replica is busier than you allowed. Round up.",
            ),
            (
                REPLICAS.replace("int(np.ceil(round(busy_cores / utilization, 9)))", "busy_cores / utilization"),
                "That is not a whole number. Copies come one by one: round up.",
            ),
            (
                REPLICAS.replace("round(busy_cores / utilization, 9)", "np.ceil(busy_cores) / utilization"),
                "You rounded up twice. Round once, at the end.",
            ),
            (
                REPLICAS.replace(" / 1000", ""),
                "The CPU time is in milliseconds. Divide by 1000 to count in seconds.",
            ),
            (
                REPLICAS.replace("busy_cores / utilization", "busy_cores * utilization"),
                "You multiplied by the utilization. Cores that may be busy only part of the time are needed in larger number: divide.",
            ),
            (
                REPLICAS.replace("busy_cores / utilization", "busy_cores"),
                "That is enough only if every core is busy all the time. Divide by the utilization you allow.",
            ),
            (
                REPLICAS.replace("users / seconds_between", "users * seconds_between"),
                "A user who waits longer between requests sends fewer per second: divide by the seconds.",
            ),
            (
                REPLICAS.replace("users / seconds_between", "users"),
                "That is one request per user and second. Divide by the seconds between a user's requests.",
            ),
        ],
        hint="Requests per second, times CPU seconds per request, is the number of busy cores; divide by the utilization and round up.",
    ),
}
