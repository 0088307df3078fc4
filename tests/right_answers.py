"""Right answers that are written otherwise than the solutions: loops for arrays, other algebra, other libraries, in place."""

RIGHT = {
    "1.1": "def count_convolution(height, width, channels, filters):\n    return filters * (height * width * channels + 1)\n",
    "1.2": """
def decoder_parameters(vocabulary, positions, width, layers):
    block = 12 * width**2 + 13 * width
    return (vocabulary + positions + 2) * width + layers * block
""",
    "1.3": """
def training_hours(parameters, tokens, devices, peak, utilization):
    per_hour = devices * peak * utilization * 60 * 60
    return 6 * parameters * tokens / per_hour
""",
    "1.4": """
def training_gigabytes(parameters, compute_bytes, state_bytes):
    total = 0
    for size in (compute_bytes, compute_bytes, state_bytes, state_bytes, state_bytes):
        total += parameters * size
    return total / 10**9
""",
    "1.5": """
def gains(accuracy, i, j):
    here = accuracy[i][j]
    return [accuracy[i + 1][j] - here, accuracy[i][j + 1] - here]
""",
    "2.1": """
def binary_cross_entropy(y, p):
    p[y == 0] = 1 - p[y == 0]
    return -np.log(p).sum() / len(p)
""",
    "2.2": """
def linear_mse_gradient(x, y, weights):
    gradient = np.zeros(len(weights))
    for row, target in zip(x, y):
        gradient += 2 * (row @ weights - target) * row
    return gradient / len(x)
""",
    "2.3": """
def cross_entropy_from_logits(y, z):
    y *= z
    return np.mean(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))) - y)
""",
    "2.4": """
def categorical_cross_entropy(labels, logits):
    total = 0
    for label, row in zip(labels, logits):
        row -= row.max()
        total += np.log(np.exp(row).sum()) - row[label]
    return total / len(labels)
""",
    "2.5": """
def penalized_gradient(weights, loss_gradient, l1, l2):
    loss_gradient += 2 * l2 * weights
    loss_gradient[weights > 0] += l1
    loss_gradient[weights < 0] -= l1
    return loss_gradient
""",
    "2.6": """
def balanced_cross_entropy(y, p):
    return -(np.log(p[y == 1]).mean() + np.log(1 - p[y == 0]).mean()) / 2
""",
    "2.7": """
def missing_term(y, p):
    total = 0.0
    for target, chance in zip(y, p):
        if target == 0:
            total -= np.log(1 - chance)
    return total / len(y)
""",
    "3.1": """
def minimize(gradient, x, learning_rate, steps):
    while steps > 0:
        x -= learning_rate * gradient(x)
        steps -= 1
    return x
""",
    "3.2": "def stability_limit(curvatures):\n    return min(2 / curvatures)\n",
    "3.3": """
def minimize_with_adam(gradient, x, learning_rate, steps, beta_1, beta_2, epsilon):
    m = v = 0
    for t in range(steps):
        g = gradient(x)
        m += (1 - beta_1) * (g - m)
        v += (1 - beta_2) * (g * g - v)
        m_hat = m / (1 - beta_1 ** (t + 1))
        x = x - learning_rate * m_hat / ((v / (1 - beta_2 ** (t + 1))) ** 0.5 + epsilon)
    return x
""",
    "3.4": """
def adamw_step(x, g, m, v, t, learning_rate, weight_decay, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
    m *= beta_1
    m += (1 - beta_1) * g
    v *= beta_2
    v += (1 - beta_2) * g * g
    shrunk = x * (1 - learning_rate * weight_decay)
    root = np.sqrt(v / (1 - beta_2**t))
    return shrunk - learning_rate * (m / (1 - beta_1**t)) / (root + epsilon), m, v
""",
    "3.5": """
def learning_rate_at(step, peak, warmup_steps, total_steps):
    import math

    if step >= warmup_steps:
        angle = math.pi * (step - warmup_steps) / (total_steps - warmup_steps)
        return peak * math.cos(angle / 2) ** 2
    return step / warmup_steps * peak
""",
    "3.6": """
def clip_gradients(gradients, max_norm):
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in gradients]))
    if norm > max_norm:
        for g in gradients:
            g *= max_norm / norm
    return gradients
""",
    "4.2": """
def standardize(train, other):
    for column in range(train.shape[1]):
        mean, std = train[:, column].mean(), train[:, column].std()
        if std == 0:
            std = 1
        train[:, column] = (train[:, column] - mean) / std
        other[:, column] = (other[:, column] - mean) / std
    return train, other
""",
    "4.3": """
def count_parameters(sizes):
    if len(sizes) < 2:
        return 0
    return (sizes[0] + 1) * sizes[1] + count_parameters(sizes[1:])
""",
    "4.4": """
def stop_early(validation_losses, patience):
    best, waited = 0, 0
    for i in range(1, len(validation_losses)):
        if validation_losses[i] < validation_losses[best]:
            best, waited = i, 0
        else:
            waited += 1
        if waited == patience:
            return i + 1, best + 1
    return len(validation_losses), best + 1
""",
    "4.5": """
def difference_interval(right_a, right_b):
    right_a -= right_b
    error = right_a.std(ddof=1) / len(right_a) ** 0.5
    return np.mean(right_a) + np.array([-1.96, 1.96]) * error
""",
    "5.1": """
def compare(before, after):
    largest, changed = 0, 0
    for p, q in zip(before, after):
        largest = max(largest, abs(p - q))
        if (p > 0.5) != (q > 0.5):
            changed += 1
    return largest, changed
""",
    "5.2": """
def quantize(values, low, high):
    step = (high - low) / 255
    zero = round(-128 - low / step)
    codes = [max(-128, min(127, round(value / step) + zero)) for value in values]
    return codes, [(code - zero) * step for code in codes]
""",
    "5.3": """
def percentile(latencies, share):
    for latency in sorted(latencies):
        if sum(other <= latency for other in latencies) >= share * len(latencies):
            return latency
""",
    "5.4": """
def status_of(body):
    def is_pixel(number):
        return type(number) in (int, float) and 0 <= number <= 255

    def is_image(image):
        return isinstance(image, list) and len(image) == 784 and all(map(is_pixel, image))

    images = body.get("images") if isinstance(body, dict) else None
    right = isinstance(images, list) and 0 < len(images) <= 64 and all(map(is_image, images))
    return 200 if right else 422
""",
    "5.5": """
def set_alarm(clean, size, rate):
    means = []
    while len(clean) >= size:
        means.append(np.mean(clean[:size]))
        clean = clean[size:]
    return np.percentile(means, 100 * rate)
""",
    "5.6": """
def replicas(users, seconds_between, cpu_ms, utilization):
    copies = 1
    while users * cpu_ms / 1000 > copies * utilization * seconds_between * (1 + 1e-9):
        copies += 1
    return copies
""",
    "6.1": """
def attention_shares(queries, keys):
    queries /= keys.shape[1] ** 0.5
    rows = []
    for query in queries:
        scores = keys @ query
        e = np.exp(scores - max(scores))
        rows.append(e / sum(e))
    return np.array(rows)
""",
    "6.2": """
def visible(tokens):
    texts, length = tokens.shape
    mask = np.zeros((texts, length, length), bool)
    for b in range(texts):
        for i in range(length):
            for j in range(i + 1):
                mask[b, i, j] = tokens[b, j] != 0
    return mask
""",
    "6.3": "def merge_heads(x):\n    return np.concatenate(list(x), axis=1)\n",
    "6.4": """
def embed_tokens(table, places, tokens, start):
    return np.array([table[token] + places[start + i] for i, token in enumerate(tokens)])
""",
    "6.5": """
def training_pair(target):
    return np.delete(target, -1, axis=1), np.delete(target, 0, axis=1), target[:, 1:] > 0
""",
    "6.6": """
def top_p(probabilities, p):
    total = 0
    for i in sorted(range(len(probabilities)), key=lambda i: -probabilities[i]):
        if total >= p:
            probabilities[i] = 0
        total += probabilities[i]
    return probabilities / probabilities.sum()
""",
    "6.7": """
def count_parameters(source_words, target_words, d, blocks):
    dense = d * d + d
    attention, forward, norm = 4 * dense, 8 * d * d + 5 * d, 2 * d
    both = 3 * attention + 2 * forward + 5 * norm
    return source_words * d + target_words * (2 * d + 1) + blocks * both + 2 * norm
""",
    "7.1": """
def fit_power_law(sizes, losses, irreducible):
    x, y = np.log(sizes), np.log(losses - irreducible)
    x_mean, y_mean = x.mean(), y.mean()
    alpha = -np.sum((x - x_mean) * (y - y_mean)) / np.sum((x - x_mean) ** 2)
    return np.exp(y_mean + alpha * x_mean), alpha
""",
    "7.2": """
def best_split(compute, A, alpha, B, beta):
    G = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
    return G * (compute / 6) ** (beta / (alpha + beta)), (compute / 6) ** (alpha / (alpha + beta)) / G
""",
    "7.3": """
def quantize(weights):
    scale = np.maximum(weights.max(0, keepdims=True), -weights.min(0, keepdims=True)) / 127
    weights /= scale
    return np.rint(weights).astype(np.int8), scale
""",
    "7.4": """
def training_bytes(sizes, batch, bytes_each):
    parameters = sum((a + 1) * b for a, b in zip(sizes, sizes[1:]))
    return bytes_each * (4 * parameters + batch * sum(sizes[1:]))
""",
    "7.5": """
def accumulate(gradient, x, y, size):
    total, first = 0, 0
    while first < len(x):
        rows = x[first : first + size]
        total = total + len(rows) * gradient(x_part=rows, y_part=y[first : first + size])
        first += size
    return total / len(x)
""",
    "7.6": """
def speed_up(workers, compute_seconds, gradient_bytes, bandwidth):
    exchange = 2 * gradient_bytes * (1 - 1 / workers) / bandwidth
    return workers / (1 + workers * exchange / compute_seconds)
""",
    "7.7": """
def plan(parameters, tokens, devices, peak, utilization, kilowatts, dollars):
    device_hours = 6 * parameters * tokens / peak / utilization / 3600
    return device_hours / devices / 24, device_hours * kilowatts / 1000, device_hours * dollars
""",
    "8.1": """
def folds_by_group(groups, k):
    names = sorted(set(groups))
    return np.array([names.index(group) % k for group in groups])
""",
    "8.2": """
def average_words(tokens, table):
    rows = []
    for text in tokens:
        rows.append(table[text[text != 0]].mean(axis=0))
    return np.array(rows)
""",
    "8.3": """
def score_with_negation(words, lexicon, negations):
    score, since = 0, 9
    for word in words:
        value = lexicon.get(word, 0)
        if since <= 3:
            value *= -0.74
        score += value
        since = 1 if word in negations else since + 1
    return score
""",
    "8.4": """
def unseen_share(train, test):
    known = set(" ".join(train).split())
    count = 0
    for text in test:
        for word in text.split():
            if word not in known:
                count += 1
                break
    return count / len(test)
""",
    "8.5": """
def character_f(hypothesis, reference, n, beta):
    from collections import Counter

    h, r = "".join(hypothesis.split()), "".join(reference.split())
    in_h = Counter(h[i : i + n] for i in range(len(h) - n + 1))
    in_r = Counter(r[i : i + n] for i in range(len(r) - n + 1))
    hits = sum(min(count, in_r[piece]) for piece, count in in_h.items())
    if not hits:
        return 0
    return (1 + beta**2) * hits / (sum(in_h.values()) + beta**2 * sum(in_r.values()))
""",
    "9.1": """
def layer_size(size, kernel, stride, padding, channels_in, channels_out):
    positions = len(range(0, size + 2 * padding - kernel + 1, stride))
    return positions, channels_out * (kernel**2 * channels_in + 1)
""",
    "9.2": """
def iou_table(a, b):
    table = np.zeros((len(a), len(b)))
    for i, one in enumerate(a):
        for j, other in enumerate(b):
            width = min(one[2], other[2]) - max(one[0], other[0])
            height = min(one[3], other[3]) - max(one[1], other[1])
            if width > 0 and height > 0:
                both = (one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1])
                table[i, j] = width * height / (both - width * height)
    return table
""",
    "9.3": """
def suppress_per_class(overlap, scores, labels, limit):
    kept, rest = [], list(np.argsort(scores)[::-1])
    while rest:
        best = rest.pop(0)
        kept.append(best)
        rest = [i for i in rest if labels[i] != labels[best] or overlap[i, best] <= limit]
    return kept
""",
    "9.4": """
def eleven_point(scores, hits, objects):
    hits = hits[np.argsort(scores)[::-1]]
    total = 0
    for level in range(11):
        best, found = 0, 0
        for i, hit in enumerate(hits):
            found += hit
            if 10 * found >= level * objects:
                best = max(best, found / (i + 1))
        total += best
    return total / 11
""",
    "9.5": """
def gaussian_kl(mean_a, std_a, mean_b, std_b):
    total = 0
    for m, s, n, t in zip(mean_a, std_a, mean_b, std_b):
        total += np.log(t) - np.log(s) + (s * s + (m - n) ** 2) / (2 * t * t) - 1 / 2
    return total
""",
    "10.1": """
def cut(wave, size, hop):
    wave, frames, start = list(wave), [], 0
    while True:
        frame = wave[start : start + size]
        frames.append(frame + [0] * (size - len(frame)))
        start += hop
        if start + size - hop >= len(wave):
            return np.array(frames)
""",
    "10.2": """
def mel_tips(low, high, bands):
    import math

    low, high = math.log(1 + low / 700), math.log(1 + high / 700)
    step = (high - low) / (bands + 1)
    return [700 * (math.exp(low + step * (i + 1)) - 1) for i in range(bands)]
""",
    "10.3": """
def greedy(p, blank):
    said, before = [], blank
    for t, row in enumerate(p):
        symbol = int(np.argmax(row))
        if symbol != before and symbol != blank:
            said.append((symbol, t))
        before = symbol
    return said
""",
    "10.4": """
def word_error_rate(distance, references, hypotheses):
    edits, words = 0, 0
    for i in range(len(references)):
        edits += distance(references[i], hypotheses[i])
        words += len(references[i])
    return edits / words
""",
    "10.5": """
def mean_lengths(utterances):
    total, count = {}, {}
    for phonemes, end in utterances:
        for name, start in reversed(phonemes):
            total[name] = total.get(name, 0) + end - start
            count[name] = count.get(name, 0) + 1
            end = start
    return {name: total[name] / count[name] / 8000 for name in total}
""",
    "10.6": """
def two_errors(estimate, speech, noise):
    rest, parts = estimate - np.mean(estimate), []
    for other in (speech - np.mean(speech), noise - np.mean(noise)):
        share = np.dot(rest, other) / np.dot(other, other)
        parts.append(np.dot(share * other, share * other))
        rest = rest - share * other
    parts.append(np.dot(rest, rest))
    level = [10 * np.log10(part) for part in parts]
    return level[0] - level[1], level[0] - level[2]
""",
    "10.7": """
networks = [train_words(babble(train_lines), seed) for seed in (1, 2, 3)]


def report():
    return 0, np.array([share_wrong(w, in_babble, said) for w in networks])
""",
}
