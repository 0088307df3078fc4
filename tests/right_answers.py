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
    "3.7": """
def name_the_fault(rule):
    state = {}
    first = rule(0, 2, state, 1)
    second = rule(first, 2, state, 1) - first
    name = {-1: "none", 1: "climbs", -3: "no correction", 0: "no root"}[round(first)]
    return "t stands still" if name == "none" and round(3 * second) == -4 else name
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
    "4.6": """
def read_curves():
    needs = ["Lower the learning rate", "stop earlier", "look at the labels", "train longer"]
    return dict(zip("ABCD", needs))
""",
    "4.7": """
x, y = scaled[train], labels[train]
histories = {seed: train_network(seed, x[:400], y[:400], validation)[1] for seed in (1, 2, 3)}


def report():
    return 1, np.array([history["val_loss"][-1] for history in histories.values()])
""",
    "5.1": """
def compare(before, after):
    largest, changed = 0, 0
    for p, q in zip(before.flatten(), after.flatten()):
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
        if sum(other <= latency for other in latencies) / len(latencies) >= share:
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
def alarm_share(clean, later, size, rate):
    def means(stream):
        found = []
        while len(stream) >= size:
            found.append(np.mean(stream[:size]))
            stream = stream[size:]
        return found

    low = np.percentile(means(clean), 100 * rate / 2)
    high = np.percentile(means(clean), 100 - 100 * rate / 2)
    outside = [mean for mean in means(later) if not low <= mean <= high]
    return len(outside) / len(means(later))
""",
    "5.6": """
def decide(errors_old, n_old, errors_new, n_new, margin):
    ends = []
    for sign in (-1, 1):
        old = (errors_old + 1) / (n_old + 2)
        new = (errors_new + 1) / (n_new + 2)
        spread = np.sqrt(old * (1 - old) / (n_old + 2) + new * (1 - new) / (n_new + 2))
        ends.append(new - old + sign * 1.96 * spread)
    if min(ends) > 0:
        return ends[0], ends[1], "roll back"
    return ends[0], ends[1], "go on" if max(ends) < margin else "wait"
""",
    "6.1": """
def attention_shares(queries, keys, slope):
    queries /= keys.shape[1] ** 0.5
    rows = []
    for i, query in enumerate(queries):
        scores = [key @ query - slope * abs(i - j) for j, key in enumerate(keys)]
        e = np.exp(np.array(scores) - max(scores))
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
    "6.3": """
def post_norm(x, f, scale, shift):
    x = x + f(x)
    for row in x:
        row -= row.mean()
        row /= (row.var() + 1e-5) ** 0.5
    return x * scale + shift
""",
    "6.4": """
def decoder_loss(predict, target):
    logits, total, count = predict(target[:, :-1]), 0, 0
    for b in range(len(target)):
        for t in range(1, target.shape[1]):
            if target[b, t] != 0:
                z = logits[b, t - 1] - max(logits[b, t - 1])
                total += np.log(np.sum(np.exp(z))) - z[target[b, t]]
                count += 1
    return total / count
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
def divided(parameters, workers, stage):
    held = 0
    for bytes_each, divided_from in [(12, 1), (2, 2), (2, 3)]:
        held += parameters * bytes_each / (workers if stage >= divided_from else 1)
    sent = 2 * parameters * (1 - 1 / workers)
    rounds = [2, 2, 2, 3][stage]
    return [held, rounds * sent]
""",
    "7.7": """
def plan(parameters, tokens, days, peak, utilization, memory, kilowatts, dollars):
    seconds = 6 * parameters * tokens / peak / utilization
    devices = int(-(-seconds // (days * 86400)))
    while devices * memory < 16 * parameters:
        devices += 1
    return devices, seconds / 3600 * kilowatts / 1000, seconds / 3600 * dollars
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
models = {"counted": [], "averaged": []}
for rows in [np.random.default_rng(draw).permutation(train)[:400] for draw in range(1, 4)]:
    fitted = counted_words(strength).fit(x[rows], y[rows])
    models["counted"] += [fitted.score(x[validation], y[validation])]
    history = train_classifier(new_averaging(0), averaging, 40, 5e-3, rows=rows)[0]
    models["averaged"] += [history[-1]]
leads = np.sign(np.subtract(models["averaged"], models["counted"]))
names = {3: "averaged", -3: "counted"}


def report():
    return [0.5, np.array(models["counted"]), tuple(models["averaged"]), names.get(leads.sum(), "undecided")]
""",
    "8.4": """
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
    "8.5": """
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
    "8.6": """
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
    "9.6": """
networks = [train_vae(2, seed) for seed in (1, 2, 3)]
both = [measure_bound(w, binary[validation]) for w in networks]


def report():
    return -200.5, np.array([log_p.mean() - divergence.mean() for log_p, divergence in both])
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
    "11.1": """
def encode_bytes(text, merges):
    ids = [*text.encode()]
    while True:
        pairs = {*zip(ids, ids[1:])}
        known = [pair for pair in merges if pair in pairs]
        if not known:
            return ids
        i = 0
        while i < len(ids) - 1:
            if (ids[i], ids[i + 1]) == known[0]:
                ids[i : i + 2] = [merges[known[0]]]
            i += 1
""",
    "11.2": """
def word_perplexity(log_p, words):
    bits = -np.sum(log_p) / np.log(2)
    return 2 ** (bits / len(words))
""",
    "11.3": """
def rotate_halves(x, places):
    s, rows = x.shape[1], []
    for row, place in zip(x.tolist(), places):
        new = [0.0] * s
        for i in range(s // 2):
            turn = np.exp(1j * place / 10_000 ** (2 * i / s)) * complex(row[i], row[i + s // 2])
            new[i], new[i + s // 2] = turn.real, turn.imag
        rows.append(new)
    return rows
""",
    "11.4": """
def widest(budget, words, d, layers, heads, key_heads, tied):
    def size(wide):
        attention = d * d + d * d + 2 * d * (d * key_heads // heads)
        blocks = layers * (attention + 3 * d * wide + 2 * d)
        return words * d + blocks + d + (0 if tied else words * d)

    low, high = 0, budget
    while high - low > 1:
        middle = (low + high) // 2
        if size(middle) <= budget:
            low = middle
        else:
            high = middle
    return low
""",
    "11.5": """
def top_p(probabilities, p):
    total = 0
    for i in sorted(range(len(probabilities)), key=lambda i: -probabilities[i]):
        if total >= p:
            probabilities[i] = 0
        total += probabilities[i]
    return probabilities / probabilities.sum()
""",
    "11.6": """
def two_scores(questions, right):
    hits = np.zeros((len(questions), 2), bool)
    for row, (options, index) in enumerate(zip(questions, right)):
        best = [None, None]
        for number, (log_p, text) in enumerate(options):
            for column, score in enumerate((np.sum(log_p), np.sum(log_p) / len(text))):
                if best[column] is None or score > best[column]:
                    best[column] = score
                    hits[row, column] = number == index
    return list(hits.mean(axis=0))
""",
    "11.7": """
def texts_at_once(memory, weights, layers, heads, kv_heads, d, tokens, bytes_each):
    numbers = 2 * tokens * layers * d * kv_heads / heads
    return int((memory - weights) / (numbers * bytes_each))
""",
}
