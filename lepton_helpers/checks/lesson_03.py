"""Exercises of lesson 03, Optimizers."""

import numpy as np

from lepton_helpers.checks import Exercise


def _slope(x):
    return 2 * x


def _steep_slope(x):
    return np.array([1.0, 20.0]) * x


def _hill(x):
    return -x


def _minimize_cases():
    return [
        (_slope, 5.0, 0.1, 10),
        (_steep_slope, np.array([-4.0, 1.0]), 0.04, 3),
        (_slope, 5.0, 0.1, 0),
        (_hill, 1e-8, 1.0, 30),  # a gradient near 0 is no reason to stop
    ]


def _adam_cases():
    return [
        (_slope, 5.0, 0.1, 4, 0.8, 0.9, 0.01),
        (_steep_slope, np.array([-4.0, 1.0]), 0.2, 6, 0.8, 0.9, 0.01),
        (_steep_slope, np.array([0.5, 0.0]), 0.05, 5, 0.6, 0.97, 0.2),  # a gradient that is always 0
        (_slope, -1.0, 0.3, 1, 0.9, 0.99, 0.5),
        (_slope, 5.0, 0.1, 0, 0.8, 0.9, 0.01),
    ]


def _adamw_cases():
    x, g = np.array([2.0, -3.0]), np.array([0.5, 10.0])
    m, v = np.array([0.1, -0.2]), np.array([0.3, 4.0])
    flat = np.array([0.0, 10.0])  # one parameter has had no gradient yet
    return [
        (x, g, 0 * m, 0 * v, 1, 0.1, 0.5),
        (x, g, m, v, 3, 0.2, 0.3),
        (x, g, m, v, 4, 0.1, 0.5, 0.8, 0.9, 0.01),
        (x, flat, 0 * m, 0 * v, 2, 0.1, 0.0, 0.7, 0.95, 0.3),
    ]


def _schedule_cases():
    return [
        *((step, 0.3, 10, 110) for step in (0, 3, 10, 35, 60, 109, 110)),
        *((step, 0.5, 0, 50) for step in (0, 20)),  # no warm-up
        *((step, 2.0, 40, 100) for step in (10, 39, 41, 80)),
    ]


def _clip_cases():
    small, large = np.array([0.3, -0.4]), np.array([[6.0, 0.0], [0.0, -8.0]])
    short = [np.array([3.0, 0.0]), np.array([0.0, 4.0])]  # each of them, but not both
    three = [np.array([2.0, -1.0, 2.0]), np.array([4.0]), np.full((2, 2), -0.5)]
    long = [([small, large], 5.0), ([large], 1.0), (three, 2.5), (short, 4.5)]
    return [*long, ([small, 0.1 * large], 5.0), (three, 6.0), ([0 * small, 0 * large], 1.0)]


def _fault_cases():
    return [(_rule(fault),) for fault in ("none", "climbs", "no correction", "no root", "t stands still")]


def _rule(fault):
    """Return Adam as lesson 03 writes it, with one fault, or "none"."""

    def rule(x, g, state, learning_rate):
        state["t"] = 1 if fault == "t stands still" else state.get("t", 0) + 1
        m = state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * g
        v = state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * g**2
        if fault != "no correction":
            m, v = m / (1 - 0.9 ** state["t"]), v / (1 - 0.999 ** state["t"])
        step = learning_rate * m / ((v if fault == "no root" else np.sqrt(v)) + 1e-7)
        return x + step if fault == "climbs" else x - step

    return rule


MINIMIZE = """
def minimize(gradient, x, learning_rate, steps):
    for _ in range(steps):
        x = x - learning_rate * gradient(x)
    return x
"""

LIMIT = """
def stability_limit(curvatures):
    return 2 / max(curvatures)
"""

ADAM = """
def minimize_with_adam(gradient, x, learning_rate, steps, beta_1, beta_2, epsilon):
    m, v = 0.0, 0.0
    for t in range(1, steps + 1):
        g = gradient(x)
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        m_hat = m / (1 - beta_1**t)
        v_hat = v / (1 - beta_2**t)
        x = x - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    return x
"""
ONE_NUMBER = "math.sqrt takes one number only, and here it gets an array. Use np.sqrt, which takes both."
FROM_0 = "You divide by zero or take the root of a negative number: is the first step t = 1, and is beta raised to the power t?"

ADAMW = """
def adamw_step(
    x, g, m, v, t, learning_rate, weight_decay, beta_1=0.9, beta_2=0.999, epsilon=1e-8
):
    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * g**2
    m_hat = m / (1 - beta_1**t)
    v_hat = v / (1 - beta_2**t)
    step = m_hat / (np.sqrt(v_hat) + epsilon)
    x = x - learning_rate * step - learning_rate * weight_decay * x
    return x, m, v
"""

SCHEDULE = """
def learning_rate_at(step, peak, warmup_steps, total_steps):
    if step < warmup_steps:
        return peak * step / warmup_steps
    progress = (step - warmup_steps) / (total_steps - warmup_steps)
    return peak * 0.5 * (1 + np.cos(np.pi * progress))
"""

CLIP = """
def clip_gradients(gradients, max_norm):
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    if norm <= max_norm:
        return gradients  # also where all of them are 0
    return [g * (max_norm / norm) for g in gradients]
"""

FAULT = """
def name_the_fault(rule):
    state = {}
    x_1 = rule(0.0, 2.0, state, 1.0)  # the learning rate is 1, the gradient always 2
    x_2 = rule(x_1, 2.0, state, 1.0)
    first, second = -x_1, x_1 - x_2
    if first < 0:
        return "climbs"
    if first > 2:  # 0.1 / np.sqrt(0.001) = 3.16
        return "no correction"
    if first < 0.9:  # 2 / 2**2 = 0.5
        return "no root"
    return "t stands still" if second > 1.1 else "none"  # 1.9 / np.sqrt(1.999) = 1.34
"""

EXERCISES = {
    "3.1": Exercise(
        answer="minimize",
        stub="""
def minimize(gradient, x, learning_rate, steps):
    ...
""",
        solution=MINIMIZE,
        cases=_minimize_cases,
        wrong=[
            (
                MINIMIZE.replace("x - learning_rate", "x + learning_rate"),
                "You walk uphill: the gradient points to larger values. Which sign leads to smaller ones?",
            ),
            (
                MINIMIZE.replace(
                    "    for _ in range(steps):\n", "    g = gradient(x)\n    for _ in range(steps):\n"
                ).replace("* gradient(x)", "* g"),
                "You measured the gradient once, at the start. It changes with x: measure it again before every step.",
            ),
            (
                MINIMIZE.replace("range(steps)", "range(1, steps)"),
                "You take one step too few. How many numbers does your range hold? Or do you return x as it was before the last step?",
            ),
            (
                MINIMIZE.replace("range(steps)", "range(steps + 1)"),
                "You take one step too many: with steps=0, x must stay where it is.",
            ),
            (
                MINIMIZE.replace(
                    "        x = x - learning_rate * gradient(x)\n    return x",
                    "        x = x - learning_rate * gradient(x)\n        return x",
                ),
                "You return inside the loop, after the first step. Where does the loop end?",
            ),
        ],
        hint="Repeat steps times: subtract learning_rate times the gradient at the current x; then return x.",
    ),
    "3.2": Exercise(
        answer="stability_limit",
        stub="""
def stability_limit(curvatures):
    ...
""",
        solution=LIMIT,
        cases=lambda: [
            (np.array(curvatures),) for curvatures in ([1.0, 50.0], [2.0], [8.0, 0.5, 3.0], [3.0, 7.0, 1.0])
        ],
        wrong=[
            (
                LIMIT.replace("max", "min"),
                "That is the limit of the flattest direction. Every direction must stay below its own limit: which one breaks first?",
            ),
            (
                LIMIT.replace("max(curvatures)", "curvatures[-1]"),
                "The steepest direction need not be the last one.",
            ),
            (
                LIMIT.replace("2 /", "1 /"),
                "At that rate the steepest direction lands exactly in its minimum. It may overshoot, as long as it comes nearer.",
            ),
            (
                LIMIT.replace("max(curvatures)", "sum(curvatures)"),
                "You added the curvatures up. Each direction runs on its own, so one of them alone sets the limit.",
            ),
            (
                LIMIT.replace("max(curvatures)", "np.mean(curvatures)"),
                "The mean hides the steepest direction, and that is the one that diverges.",
            ),
        ],
        hint="Direction i is multiplied by 1 - learning_rate * h_i in each step. When does that factor leave the range from -1 to 1?",
    ),
    "3.3": Exercise(
        answer="minimize_with_adam",
        stub="""
def minimize_with_adam(gradient, x, learning_rate, steps, beta_1, beta_2, epsilon):
    ...
""",
        solution=ADAM,
        cases=_adam_cases,
        wrong=[
            (
                ADAM.replace("x - learning_rate", "x + learning_rate"),
                "You walk uphill. The update is subtracted.",
            ),
            (ADAM.replace("range(1, steps + 1)", "range(steps)"), FROM_0),
            (
                ADAM.replace("range(1, steps + 1)", "range(steps)").replace(
                    "m, v = 0.0, 0.0", "m, v = np.zeros_like(x), np.zeros_like(x)"
                ),
                FROM_0,
            ),
            (ADAM.replace("np.sqrt", "__import__('math').sqrt"), ONE_NUMBER),
            (
                ADAM.replace("(np.sqrt(v_hat) + epsilon)", "np.sqrt(v_hat) + epsilon"),
                "Here epsilon is added to the parameter, outside the fraction. It belongs in the denominator: check the brackets.",
            ),
            (
                ADAM.replace("(np.sqrt(v_hat) + epsilon)", "np.sqrt(v_hat + epsilon)"),
                "You put epsilon under the root, as RMSProp does here. In Adam's formula it is added to the root.",
            ),
            (
                ADAM.replace("m_hat / (np.sqrt(v_hat)", "v_hat / (np.sqrt(m_hat**2)"),
                "The moments have changed places: the mean gradient stands above, the root of the mean square below.",
            ),
            (
                ADAM.replace("beta_1 * m + (1 - beta_1)", "beta_2 * m + (1 - beta_2)")
                .replace("beta_2 * v + (1 - beta_2)", "beta_1 * v + (1 - beta_1)")
                .replace("m / (1 - beta_1**t)", "m / (1 - beta_2**t)")
                .replace("v / (1 - beta_2**t)", "v / (1 - beta_1**t)"),
                "The betas have changed places: beta_1 belongs to m, beta_2 to v.",
            ),
            *(
                (code, "The betas have changed places: beta_1 belongs to m, beta_2 to v.")
                for code in (
                    ADAM.replace("beta_1 * m + (1 - beta_1)", "beta_2 * m + (1 - beta_2)").replace(
                        "beta_2 * v + (1 - beta_2)", "beta_1 * v + (1 - beta_1)"
                    ),
                    ADAM.replace("m / (1 - beta_1**t)", "m / (1 - beta_2**t)").replace(
                        "v / (1 - beta_2**t)", "v / (1 - beta_1**t)"
                    ),
                )
            ),
            (
                ADAM.replace("steps + 1", "steps"),
                "You take one step too few. How many numbers does your range hold? Or do you return x as it was before the last step?",
            ),
            (
                ADAM.replace("steps + 1", "steps + 2"),
                "You take one step too many: with steps=0, x must stay where it is.",
            ),
            (
                ADAM.replace("    return x", "        return x"),
                "You return inside the loop, after the first step. Where does the loop end?",
            ),
            (
                ADAM.replace("m / (1 - beta_1**t)", "m"),
                "You corrected v, but not m. Both start at 0.",
            ),
            (
                ADAM.replace("v / (1 - beta_2**t)", "v"),
                "You corrected m, but not v. Both start at 0.",
            ),
            (
                ADAM.replace("m / (1 - beta_1**t)", "m").replace("v / (1 - beta_2**t)", "v"),
                "The bias correction is missing: m and v start at 0 and are too small in the first steps.",
            ),
            (
                ADAM.replace("m_hat", "m").replace("v_hat", "v"),
                "You overwrote m and v with their corrected values. The next step must start from the uncorrected ones.",
            ),
            (
                ADAM.replace("np.sqrt(v_hat)", "v_hat"),
                "You divided by the mean square itself. Take its root, so that it is measured like a gradient.",
            ),
            (
                ADAM.replace("g**2", "g"),
                "v is the mean of the squared gradient; you averaged the gradient itself.",
            ),
        ],
        hint="Go through the five formulas in order, for t = 1 to steps: m, v, m_hat, v_hat, then x.",
    ),
    "3.4": Exercise(
        answer="adamw_step",
        stub="""
def adamw_step(
    x, g, m, v, t, learning_rate, weight_decay, beta_1=0.9, beta_2=0.999, epsilon=1e-8
):
    ...
""",
        solution=ADAMW,
        cases=_adamw_cases,
        wrong=[
            (
                ADAMW.replace("    m = beta_1 * m", "    g = g + weight_decay * x\n    m = beta_1 * m").replace(
                    " - learning_rate * weight_decay * x", ""
                ),
                "You added the decay to the gradient, so it went into both moments: that is L2 in Adam. Keep it out of m and v.",
            ),
            (
                ADAMW.replace("- learning_rate * weight_decay", "- weight_decay"),
                "The decay must be multiplied by the learning rate, so that it shrinks with it under a schedule.",
            ),
            (
                ADAMW.replace("- learning_rate * weight_decay", "+ learning_rate * weight_decay"),
                "Your decay makes the parameters grow. It should pull them toward 0.",
            ),
            (
                ADAMW.replace("m_hat / (", "(m_hat + weight_decay * x) / (").replace(
                    " - learning_rate * weight_decay * x", ""
                ),
                "The moments are right, but the decay is divided by the root of v_hat. It should be a term of its own.",
            ),
            (
                ADAMW.replace(" - learning_rate * weight_decay * x", "\n    x = x - learning_rate * weight_decay * x"),
                "You shrink the parameters after the step. Take the decay from the old x, the one the gradient was measured at.",
            ),
            (ADAMW.replace("np.sqrt", "__import__('math').sqrt"), ONE_NUMBER),
            (
                ADAMW.replace("(np.sqrt(v_hat) + epsilon)", "np.sqrt(v_hat + epsilon)"),
                "You put epsilon under the root. In Adam's formula it is added to the root.",
            ),
            (
                ADAMW.replace("(np.sqrt(v_hat) + epsilon)", "np.sqrt(v_hat) + epsilon"),
                "Here epsilon is added to the step, outside the fraction. It belongs in the denominator: check the brackets.",
            ),
            (
                ADAMW.replace(" - learning_rate * weight_decay * x", ""),
                "That is Adam. The decay is missing.",
            ),
            (
                ADAMW.replace("return x, m, v", "return x, v, m"),
                "The moments have changed places: first m, then v.",
            ),
            (
                ADAMW.replace("    m = beta", "    old = m, v\n    m = beta").replace(
                    "return x, m, v", "return x, *old"
                ),
                "You return the m and v that were given. The next step needs the new ones.",
            ),
            (
                ADAMW.replace("return x, m, v", "return x, m_hat, v_hat"),
                "Return m and v themselves. The corrected ones are for this step only; the next step starts from m and v.",
            ),
        ],
        hint="Take an Adam step, subtract learning_rate * weight_decay * x (the old x) as well, and return x, m, v.",
    ),
    "3.5": Exercise(
        answer="learning_rate_at",
        stub="""
def learning_rate_at(step, peak, warmup_steps, total_steps):
    ...
""",
        solution=SCHEDULE,
        cases=_schedule_cases,
        wrong=[
            (
                SCHEDULE.replace("(step - warmup_steps) / (total_steps - warmup_steps)", "step / total_steps"),
                "Your cosine starts at step 0, so the rate drops when warm-up ends. Count its progress from the end of warm-up.",
            ),
            (
                SCHEDULE.replace("(total_steps - warmup_steps)", "total_steps"),
                "Your rate does not reach 0 at total_steps. How many steps remain after warm-up?",
            ),
            (
                SCHEDULE.replace("0.5 * (1 + np.cos(np.pi * progress))", "np.cos(np.pi * progress)"),
                "The cosine runs from 1 to -1, so your rate becomes negative. Shift and halve it to run from 1 to 0.",
            ),
            (
                SCHEDULE.replace("peak * 0.5", "0.5"),
                "Your cosine part does not depend on peak.",
            ),
            (
                SCHEDULE.replace("0.5 * ", ""),
                "Your rate jumps to twice the peak after warm-up: 1 + cos starts at 2.",
            ),
            (
                SCHEDULE.replace("np.cos(np.pi * progress)", "np.cos(180 * progress)"),
                "np.cos takes radians: half a turn is pi, not 180.",
            ),
            (
                SCHEDULE.replace("step < warmup_steps", "step <= warmup_steps"),
                "Without warm-up you divide by 0 at step 0. The straight line holds for steps below warmup_steps only.",
            ),
            (
                SCHEDULE.replace("peak * step / warmup_steps", "peak"),
                "There is no warm-up: below warmup_steps the rate should climb in a straight line from 0.",
            ),
        ],
        hint="A straight line from 0 to peak during warm-up, then half a cosine wave from peak to 0 over the steps that remain.",
    ),
    "3.6": Exercise(
        answer="clip_gradients",
        stub="""
def clip_gradients(gradients, max_norm):
    ...
""",
        solution=CLIP,
        cases=_clip_cases,
        wrong=[
            (
                """
def clip_gradients(gradients, max_norm):
    return [g * min(1, max_norm / np.sqrt(np.sum(g**2))) for g in gradients]
""",
                "You gave each array a norm of its own, which turns the direction. Take one norm over all arrays together.",
            ),
            (
                """
def clip_gradients(gradients, max_norm):
    return [np.clip(g, -max_norm, max_norm) for g in gradients]
""",
                "You cut off single numbers, which turns the direction. Multiply all of them by the same factor.",
            ),
            (
                CLIP.replace("for g in gradients]", "for g in gradients], norm").replace(
                    "return gradients", "return gradients, norm"
                ),
                "You return the norm as well. Return the list alone.",
            ),
            (
                CLIP.replace("norm <= max_norm", "norm == 0"),
                "You also stretch gradients that are short enough. The factor must never be above 1.",
            ),
            (
                CLIP.replace("np.sqrt(sum(np.sum(g**2) for g in gradients))", "sum(np.sum(g**2) for g in gradients)"),
                "That is the square of the norm: the root is missing.",
            ),
            (
                CLIP.replace(
                    "np.sqrt(sum(np.sum(g**2) for g in gradients))", "sum(np.sqrt(np.sum(g**2)) for g in gradients)"
                ),
                "The norms of the parts do not add up to the norm of the whole: add the squares first, then take the root.",
            ),
        ],
        hint="One norm over all numbers of all arrays; if it is above max_norm, multiply every array by max_norm / norm.",
    ),
    "3.7": Exercise(
        answer="name_the_fault",
        stub="""
def name_the_fault(rule):
    ...
""",
        solution=FAULT,
        cases=_fault_cases,
        wrong=[
            (
                FAULT.replace('"t stands still" if second > 1.1 else "none"', '"none"'),
                "You miss the t that stands still. It shows in the second step, if both steps use one and the same state.",
            ),
            (
                FAULT.replace("2.0, state", "1.0, state"),
                "You miss the missing root. With the gradient 1 nobody can see it, because 1 is its own root: choose another.",
            ),
            (
                FAULT.replace("-x_1, x_1 - x_2", "x_1, x_2 - x_1"),
                "You call a right Adam climbing. Where the gradient is positive, x must become smaller.",
            ),
            (
                FAULT.replace("if first > 2:", "if second > 1.1 * first:").replace(
                    '"t stands still" if second > 1.1 else "none"', '"none"'
                ),
                "Without any correction and with a t that stands still, the second step is 1.34 times the first. "
                "Compare the first step with the learning rate.",
            ),
            (
                FAULT.replace('"no correction"', "None")
                .replace('"no root"', '"no correction"')
                .replace("None", '"no root"'),
                "You exchange two faults. Without the root the step is divided by more than it should be (where the gradient is above 1), "
                "and without the corrections the first one is 3.16 times too long.",
            ),
        ],
        hint="Give the rule the same gradient, such as 2, twice, with one state, and compare both steps with the learning rate: "
        "a right Adam makes each as long as the rate. Return the name of the fault, as a string.",
    ),
}
