"""Mutants that are right: what was changed in the code, and why that changes nothing that the task asks for."""

EQUAL = {
    "1.2": {
        "2 times 2 is 2 plus 2": [
            "normalizations = (2 + 2) * width",
        ],
    },
    "1.4": {
        "a sum does not depend on the order": [
            "for size in (compute_bytes, state_bytes, compute_bytes, state_bytes, state_bytes):",
        ],
    },
    "2.1": {
        "a target is 0 or 1": [
            "p[y <= 0] = 1 - p[y == 0]",
            "p[y == 0] = 1 - p[y <= 0]",
        ],
        "what is counted has the same length in both arrays": [
            "return -np.log(p).sum() / len(y)",
        ],
    },
    "2.2": {
        "what is counted has the same length in both arrays": [
            "return 2 * x.T @ error / len(x)",
            "return gradient / len(y)",
        ],
        "a dot product does not depend on the order": [
            "gradient += 2 * (weights @ row - target) * row",
        ],
    },
    "2.3": {
        "the larger or smaller of two does not depend on their order": [
            "largest = np.maximum(z, 0)",
            "return np.mean(np.maximum(0, z) + np.log1p(np.exp(-np.abs(z))) - y)",
        ],
        "any number near the largest serves: it is taken out and added again": [
            "largest = np.maximum(1, z)",
            "largest = np.maximum(-1, z)",
        ],
    },
    "2.4": {
        "one column: by its place from either end, or as a table whose mean is the same": [
            "log_sum = largest + np.log(np.sum(np.exp(logits - largest), axis=1))",
            "log_sum = largest[:, -1] + np.log(np.sum(np.exp(logits - largest), axis=1))",
        ],
        "what is counted has the same length in both arrays": [
            "true_logits = logits[np.arange(len(logits)), labels]",
            "return total / len(logits)",
        ],
    },
    "2.6": {
        "a target is 0 or 1": [
            "weights = np.where(y >= 1, n / (2 * ones), n / (2 * (n - ones)))",
            "return -(np.log(p[y >= 1]).mean() + np.log(1 - p[y == 0]).mean()) / 2",
            "return -(np.log(p[y == 1]).mean() + np.log(1 - p[y <= 0]).mean()) / 2",
        ],
        "what is counted has the same length in both arrays": [
            "n, ones = (len(p), np.sum(y))",
        ],
    },
    "2.7": {
        "a target is 0 or 1": [
            "if target <= 0:",
        ],
        "what is counted has the same length in both arrays": [
            "return total / len(p)",
        ],
    },
    "3.5": {
        "the cosine of a number and of minus that number are equal": [
            "progress = (warmup_steps - step) / (total_steps - warmup_steps)",
            "progress = (step - warmup_steps) / (warmup_steps - total_steps)",
            "angle = math.pi * (step - warmup_steps) / (warmup_steps - total_steps)",
            "angle = math.pi * (warmup_steps - step) / (total_steps - warmup_steps)",
        ],
    },
    "3.6": {
        "at the limit the factor is 1": [
            "if norm < max_norm:",
            "if norm >= max_norm:",
        ],
    },
    "3.7": {
        "any gradient shows the faults whose root is not itself, and the second may differ a little": [
            "first = rule(0, 3, state, 1)",
            "second = rule(first, 1, state, 1) - first",
            "second = rule(first, 3, state, 1) - first",
            "x_1 = rule(0.0, 1.8, state, 1.0)",
            "x_1 = rule(0.0, 3.0, state, 1.0)",
            "x_2 = rule(x_1, 1.0, state, 1.0)",
            "x_2 = rule(x_1, 1.8, state, 1.0)",
            "x_2 = rule(x_1, 2.0, state, 0.9)",
            "x_2 = rule(x_1, 3.0, state, 1.0)",
        ],
        "the steps of the five are far apart, so a limit may lie anywhere between them": [
            "if first < 0.81:",
            "if first <= 0.9:",
            "if first <= 0:",
            "if first > 1:",
            "if first > 3:",
            "if first >= 2:",
            "return 't stands still' if second >= 1.1 else 'none'",
            "return 't stands still' if name == 'none' and round(3 * second) <= -4 else name",
        ],
        "only a t that stands still has such a second step": [
            "return 't stands still' if name <= 'none' and round(3 * second) == -4 else name",
            "return 't stands still' if name >= 'none' and round(3 * second) == -4 else name",
            "return 't stands still' if round(3 * second) == -4 else name",
        ],
    },
    "4.1": {
        "the task leaves the seed open, and a quarter is the default size": [
            "x_rest, x_test, y_rest, y_test = train_test_split(x, y, test_size=0.2, stratify=y)",
            "x_train, x_validation, y_train, y_validation = train_test_split(x_rest, y_rest, stratify=y_rest, random_state=0)",
            "x_train, x_validation, y_train, y_validation = train_test_split(x_rest, y_rest, test_size=0.25, stratify=y_rest)",
            "x_rest, x_test, y_rest, y_test = train_test_split(x, y, test_size=0.2, stratify=y, random_state=1)",
            "x_train, x_validation, y_train, y_validation = train_test_split(x_rest, y_rest, test_size=0.25, stratify=y_rest, random_state=1)",
        ],
    },
    "4.2": {
        "a deviation is never negative": [
            "std = np.where(std <= 0, 1, std)",
            "if std <= 0:",
        ],
        "what is counted has the same length in both arrays": [
            "for column in range(other.shape[1]):",
        ],
    },
    "4.3": {
        "what is too much at the end is cut off by zip": [
            "for inputs, units in zip(sizes[:-1], sizes[1:]):",
            "for inputs, units in zip(sizes[:-1], sizes[1:], strict=False):",
        ],
    },
    "4.4": {
        "the first loss is below infinity": [
            "best_loss, best_epoch = (np.inf, 1)",
            "best_loss, best_epoch = (np.inf, -1)",
        ],
        "the count goes up by one": [
            "if waited >= patience:",
        ],
    },
    "4.5": {
        "the task leaves open whether the deviation is taken over n or n - 1, and n is large": [
            "error = right_a.std() / len(right_a) ** 0.5",
            "error = right_a.std(ddof=2) / len(right_a) ** 0.5",
            "error = right_a.std(ddof=0) / len(right_a) ** 0.5",
            "error = right_a.std(ddof=1) / len(right_b) ** 0.5",
        ],
    },
    "4.7": {
        "a prediction may be any number above 0": [
            "predicted = 1.25",
            "predicted = 0.225",
            "predicted = 2.5",
            "return (2, np.array([history['val_loss'][-1] for history in histories.values()]))",
        ],
        "three numbers are three numbers": [
            "return (1, [history['val_loss'][-1] for history in histories.values()])",
        ],
        "after the last epoch but one, too, the loss lies in the range that other seeds give": [
            "return (1, np.array([history['val_loss'][-2] for history in histories.values()]))",
        ],
    },
    "5.1": {
        "a difference without its sign, and whether two differ, does not depend on the order": [
            "difference = np.abs(before - after).max()",
            "for p, q in zip(after.flatten(), before.flatten()):",
            "before, after = (np.ravel(after), np.ravel(before))",
            "largest = max(largest, abs(q - p))",
        ],
        "a difference without its sign is never below 0": [
            "largest, changed = (-1, 0)",
        ],
        "the larger or smaller of two does not depend on their order": [
            "largest = max(abs(p - q), largest)",
        ],
    },
    "5.2": {
        "the larger or smaller of two does not depend on their order": [
            "codes = np.clip(-128, np.round(values / scale) + zero_point, 127)",
            "codes = [max(min(127, round(value / step) + zero), -128) for value in values]",
            "codes = [max(-128, min(round(value / step) + zero, 127)) for value in values]",
        ],
    },
    "5.3": {
        "rounding errors are far smaller than that": [
            "rank = int(np.ceil(round(share * len(latencies), 10)))",
            "rank = int(np.ceil(round(share * len(latencies), 8)))",
        ],
    },
    "5.4": {
        "a list of types has no order": [
            "if isinstance(number, bool) or not isinstance(number, (float, int)):",
            "return type(number) in (float, int) and 0 <= number <= 255",
        ],
    },
    "5.5": {
        "sums of windows of one size are ordered as their means": [
            "return stream[:windows * size].reshape(windows, size).sum(axis=1)",
            "found.append(np.sum(stream[:size]))",
        ],
    },
    "5.6": {
        "rounding decides whether an end stands exactly on a limit": [
            "if low >= 0:",
            "elif high <= margin:",
            "if min(ends) >= 0:",
            "return (ends[0], ends[1], 'go on' if max(ends) <= margin else 'wait')",
        ],
    },
    "6.1": {
        "queries and keys have the same width": [
            "scores = queries @ keys.T / np.sqrt(queries.shape[1]) - slope * apart",
            "queries /= queries.shape[1] ** 0.5",
        ],
        "a distance has no sign, and a product no order": [
            "apart = np.abs(np.arange(len(keys)) - np.arange(len(queries))[:, None])",
            "scores = [key @ query - slope * abs(j - i) for j, key in enumerate(keys)]",
            "scores = [query @ key - slope * abs(i - j) for j, key in enumerate(keys)]",
        ],
        "a list of numbers or of rows is read as an array": [
            "e = np.exp(scores - max(scores))",
            "return rows",
        ],
    },
    "6.2": {
        "tokens are whole numbers from 0 on, and 1 occurs only at the start": [
            "not_padding = (tokens > 0)[:, None, :]",
            "mask[b, i, j] = tokens[b, j] > 0",
        ],
    },
    "6.4": {
        "what a causal decoder says at the last place, where there is no answer, is not looked at": [
            "logits, total, count = (predict(target[:, :]), 0, 0)",
            "logits, total, count = (predict(target), 0, 0)",
        ],
        "the third axis is the last one, which is the usual one": [
            "logits = logits - logits.max(axis=-1, keepdims=True)",
            "log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))",
            "right = np.take_along_axis(log_p, answers[:, :, None], axis=-1)[:, :, 0]",
            "right = np.take_along_axis(log_p, answers[:, :, None])[:, :, 0]",
        ],
        "the last axis has one place, which the choice by True and False keeps": [
            "right = np.take_along_axis(log_p, answers[:, :, None], axis=2)",
            "right = np.take_along_axis(log_p, answers[:, :, None], axis=2)[:, :, -1]",
        ],
        "tokens are whole numbers from 0 on": [
            "return -right[answers > 0].mean()",
            "if target[b, t] > 0:",
        ],
    },
    "7.1": {
        "a square has no sign": [
            "alpha = -np.sum((x - x_mean) * (y - y_mean)) / np.sum((x_mean - x) ** 2)",
        ],
        "deviations from the mean add up to 0": [
            "alpha = -np.sum((x + x_mean) * (y - y_mean)) / np.sum((x - x_mean) ** 2)",
            "alpha = -np.sum(x * (y - y_mean)) / np.sum((x - x_mean) ** 2)",
            "alpha = -np.sum((x - x_mean) * (y + y_mean)) / np.sum((x - x_mean) ** 2)",
            "alpha = -np.sum((x - x_mean) * y) / np.sum((x - x_mean) ** 2)",
        ],
    },
    "7.3": {
        "the larger or smaller of two does not depend on their order": [
            "scale = np.maximum(-weights.min(0, keepdims=True), weights.max(0, keepdims=True)) / 127",
        ],
        "a row of scales is read as scales": [
            "scale = np.maximum(weights.max(0), -weights.min(0, keepdims=True)) / 127",
            "scale = np.maximum(weights.max(0, keepdims=True), -weights.min(0)) / 127",
            "scale = np.maximum(weights.max(0, keepdims=False), -weights.min(0, keepdims=True)) / 127",
            "scale = np.maximum(weights.max(0, keepdims=True), -weights.min(0, keepdims=False)) / 127",
        ],
    },
    "7.4": {
        "what is too much at the end is cut off by zip": [
            "for inputs, units in zip(sizes, sizes[1:]):",
            "for inputs, units in zip(sizes[:], sizes[1:]):",
        ],
    },
    "7.5": {
        "what is counted has the same length in both arrays": [
            "for start in range(0, len(y), size):",
            "return total / len(y)",
            "while first < len(y):",
        ],
        "parts may be smaller than they could be": [
            "size = 1",
            "size = 2",
        ],
    },
    "7.6": {
        "there is no stage above 3": [
            "return (held, (3 if stage >= 3 else 2) * half_ring)",
        ],
    },
    "7.7": {
        "the larger of two does not depend on their order": [
            "devices = max(that_fit, in_time)",
        ],
        "a whole number may be a float": [
            "devices = -(-seconds // (days * 86400))",
        ],
    },
    "8.1": {
        "a list of rows is read as a table": [
            "return [names.index(group) % k for group in groups]",
        ],
    },
    "8.2": {
        "tokens are whole numbers from 0 on, and 1 occurs only at the start": [
            "real = tokens > 0",
            "rows.append(table[text[text > 0]].mean(axis=0))",
        ],
        "a list of rows is read as a table": [
            "return rows",
        ],
    },
    "8.3": {
        "a prediction may be any share": [
            "return (0.675, counted, averaged, 'undecided')",
            "return [0.45, np.array(models['counted']), tuple(models['averaged']), names.get(leads.sum(), 'undecided')]",
        ],
        "three numbers are three numbers": [
            "return [0.5, models['counted'], tuple(models['averaged']), names.get(leads.sum(), 'undecided')]",
            "return [0.5, np.array(models['counted']), models['averaged'], names.get(leads.sum(), 'undecided')]",
        ],
        "these three draws are undecided, whichever model is called which": [
            "return (0.75, averaged, counted, 'undecided')",
            "return [0.5, np.array(models['counted']), tuple(models['averaged']), 'undecided']",
            "return [0.5, np.array(models['counted']), tuple(models['averaged']), names.get(leads.mean(), 'undecided')]",
            "return [0.5, np.array(models['counted']), tuple(models['averaged']), names.get(leads.max(), 'undecided')]",
        ],
    },
    "8.4": {
        "any number but 0 counts as true": [
            "negated = sum((before in negations for before in words[max(0, i - 3):i]))",
        ],
        "the larger or smaller of two does not depend on their order": [
            "negated = any((before in negations for before in words[max(i - 3, 0):i]))",
        ],
        "more than three words before": [
            "score, since = (0, 10)",
            "score, since = (0, 8)",
        ],
    },
    "8.5": {
        "a list of words knows the same words as a set": [
            "known = ' '.join(train).split()",
        ],
    },
    "8.6": {
        "a count is never negative": [
            "if common <= 0:",
        ],
        "the larger or smaller of two does not depend on their order": [
            "hits = sum((min(in_r[piece], count) for piece, count in in_h.items()))",
        ],
    },
    "9.2": {
        "the overlap of two boxes does not depend on their order, and NumPy adds the axis in front": [
            "a, b = (b[None], a[:, None])",
            "a, b = (a[:, None], b)",
        ],
        "the larger or smaller of two does not depend on their order": [
            "width = np.minimum(b[..., 2], a[..., 2]) - np.maximum(a[..., 0], b[..., 0])",
            "width = np.minimum(a[..., 2], b[..., 2]) - np.maximum(b[..., 0], a[..., 0])",
            "height = np.minimum(b[..., 3], a[..., 3]) - np.maximum(a[..., 1], b[..., 1])",
            "height = np.minimum(a[..., 3], b[..., 3]) - np.maximum(b[..., 1], a[..., 1])",
            "shared = np.maximum(0, width) * np.maximum(height, 0)",
            "shared = np.maximum(width, 0) * np.maximum(0, height)",
            "width = min(other[2], one[2]) - max(one[0], other[0])",
            "width = min(one[2], other[2]) - max(other[0], one[0])",
            "height = min(other[3], one[3]) - max(one[1], other[1])",
            "height = min(one[3], other[3]) - max(other[1], one[1])",
        ],
        "boxes that touch share nothing": [
            "if width >= 0 and height > 0:",
            "if width > 0 and height >= 0:",
        ],
    },
    "9.3": {
        "the order of equal scores is open": [
            "for i in np.argsort(-scores):",
        ],
        "NumPy's whole numbers are numbers": [
            "kept.append(i)",
        ],
        "the overlap of two boxes does not depend on their order": [
            "if all((overlap[j, i] <= limit for j in rivals)):",
            "rest = [i for i in rest if labels[i] != labels[best] or overlap[best, i] <= limit]",
        ],
    },
    "9.4": {
        "the order of equal scores is open": [
            "order = np.argsort(-scores)",
        ],
        "a mean does not depend on the order": [
            "for level in np.linspace(1, 0, 11):",
        ],
        "the tolerance may be a little larger or smaller": [
            "reached = precision[recall > level - 1e-09]",
            "reached = precision[recall >= level - 9.000000000000001e-10]",
            "reached = precision[recall >= level - 1e-08]",
        ],
        "a recall above 1 is never reached": [
            "for level in range(12):",
        ],
        "the larger or smaller of two does not depend on their order": [
            "best = max(found / (i + 1), best)",
        ],
    },
    "9.5": {
        "a square has no sign": [
            "square = std_a ** 2 + (mean_b - mean_a) ** 2",
            "total += np.log(t) - np.log(s) + (s * s + (n - m) ** 2) / (2 * t * t) - 1 / 2",
        ],
    },
    "9.6": {
        "a prediction may be any number below 0": [
            "predicted = -141",
            "predicted = -139",
            "return (-201.5, np.array([log_p.mean() - divergence.mean() for log_p, divergence in both]))",
            "return (-199.5, np.array([log_p.mean() - divergence.mean() for log_p, divergence in both]))",
            "return (-180.45000000000002, np.array([log_p.mean() - divergence.mean() for log_p, divergence in both]))",
            "return (-2005.0, np.array([log_p.mean() - divergence.mean() for log_p, divergence in both]))",
        ],
        "three numbers are three numbers": [
            "return (-200.5, [log_p.mean() - divergence.mean() for log_p, divergence in both])",
        ],
    },
    "10.1": {
        "a list of rows is read as a table": [
            "return [filled[i * hop:i * hop + size] for i in range(count)]",
            "return frames",
        ],
        "the larger or smaller of two does not depend on their order": [
            "beyond = max(len(wave) - size, 0)",
        ],
        "zeros behind the last frame are not looked at": [
            "filled = np.zeros((count + 1) * hop + size)",
            "filled = np.zeros(count * hop + size)",
            "filled = np.zeros((count - 1) * size + size)",
            "filled = np.zeros((count - 0) * hop + size)",
        ],
    },
    "10.3": {
        "NumPy's whole numbers are numbers": [
            "return [(path[t], t) for t in starts if path[t] != blank]",
            "symbol = np.argmax(row)",
        ],
        "a place is never negative": [
            "starts = [t for t, s in enumerate(path) if t <= 0 or s != path[t - 1]]",
        ],
    },
    "10.4": {
        "what is counted has the same length in both arrays": [
            "for i in range(len(hypotheses)):",
        ],
    },
    "10.6": {
        "a square has no sign": [
            "error = target - estimate",
            "estimate, speech, noise = (x.mean() - x for x in (estimate, speech, noise))",
            "energies = [np.sum(part ** 2) for part in (left, left - error)]",
            "rest, parts = (np.mean(estimate) - estimate, [])",
            "for other in (np.mean(speech) - speech, noise - np.mean(noise)):",
            "for other in (speech - np.mean(speech), np.mean(noise) - noise):",
            "rest = share * other - rest",
        ],
        "a dot product or a correlation does not depend on the order": [
            "target = speech @ estimate / (speech @ speech) * speech",
            "left = noise @ error / (noise @ noise) * noise",
            "share = np.dot(other, rest) / np.dot(other, other)",
        ],
    },
    "10.7": {
        "a prediction may be any share": [
            "return (0.0, errors)",
            "return (0.45, errors)",
            "return (1, np.array([share_wrong(w, in_babble, said) for w in networks]))",
        ],
        "three numbers are three numbers": [
            "return (0, [share_wrong(w, in_babble, said) for w in networks])",
        ],
    },
    "11.1": {
        "bytes are read as numbers": [
            "ids = text.encode('utf-8')",
        ],
    },
    "11.3": {
        "every number is written before it is read": [
            "new = [-1.0] * s",
            "new = [1.0] * s",
        ],
        "an index below 0 counts from the end, and arrives at the same number": [
            "new[i], new[i - s // 2] = (turn.real, turn.imag)",
            "turn = np.exp(1j * place / 10000 ** (2 * i / s)) * complex(row[i], row[i - s // 2])",
        ],
        "a row of an array is as good as a list": [
            "for row, place in zip(x, places):",
        ],
    },
    "11.4": {
        "the larger of two is the same in either order": [
            "return max(left // (layers * 3 * d), 0)",
        ],
        "the heads share the width evenly": [
            "attention = d * d + d * d + 2 * d * (d * key_heads / heads)",
            "keys = d / heads * key_heads",
        ],
    },
    "11.6": {
        "each question has one right option": [
            "return (by_total / len(questions), by_character / len(right))",
            "return (by_total / len(right), by_character / len(questions))",
            "hits = np.zeros((len(right), 2), bool)",
        ],
        "a row of two numbers is as good as a list": [
            "return hits.mean(axis=0)",
        ],
    },
    "11.7": {
        "the heads share the width evenly": [
            "numbers = 2 * tokens * layers * d * kv_heads // heads",
            "per_token = 2 * layers * (d / heads * kv_heads) * bytes_each",
        ],
        "whole numbers are whole either way": [
            "return int((memory - weights) // (numbers * bytes_each))",
        ],
    },
}
