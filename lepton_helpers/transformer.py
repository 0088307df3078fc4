"""The Transformer of lesson 06 (Vaswani et al., 2017), encoder and decoder, as plain functions. Built in lesson 06.

Shapes: B sentences, T target tokens, S source tokens, d the width, H heads. Token 0 is padding, 1 starts and 2 ends a
target. The weights are a dict of dicts and lists of ``tf.Variable``; nothing else has a state. TensorFlow is imported on use.
"""

import numpy as np

PADDING, START, END = 0, 1, 2


def positions(length, d):
    """Return sines and cosines of geometrically growing wavelengths, one row per position, shape (length, d) (Vaswani et al., 2017, section 3.5)."""
    angles = np.arange(length)[:, None] / 10_000 ** (np.arange(0, d, 2) / d)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(length, d)


def create(source_words, target_words, d, blocks=1, seed=0, dtype="float64"):
    """Return new weights for vocabularies of these sizes: ``blocks`` encoder blocks and as many decoder blocks of even width ``d``, feed-forward 4 d."""
    import tensorflow as tf

    rng = np.random.default_rng(seed)

    def variable(values):
        return tf.Variable(values, dtype=dtype)

    def dense(n, m):
        return {"kernel": variable(rng.normal(size=(n, m)) / np.sqrt(n)), "bias": variable(np.zeros(m))}

    def norm():
        return {"scale": variable(np.ones(d)), "shift": variable(np.zeros(d))}

    def block(*attentions):
        parts = {name: {part: dense(d, d) for part in ("query", "key", "value", "output")} for name in attentions}
        parts |= {"wide": dense(d, 4 * d), "narrow": dense(4 * d, d)}
        return parts | {f"norm_{name}": norm() for name in (*attentions, "wide")}

    return {
        "source": variable(rng.normal(size=(source_words, d))),
        "target": variable(rng.normal(size=(target_words, d))),
        "encoder": [block("self") for _ in range(blocks)],
        "decoder": [block("self", "cross") for _ in range(blocks)],
        "norm_encoder": norm(),
        "norm_decoder": norm(),
        "logits": dense(d, target_words),
    }


def dense(w, x):
    import tensorflow as tf

    return tf.tensordot(x, w["kernel"], 1) + w["bias"]


def normalize(w, x, epsilon=1e-5):
    """Layer normalization (Ba, Kiros and Hinton, 2016) over the last axis."""
    import tensorflow as tf

    centered = x - tf.reduce_mean(x, axis=-1, keepdims=True)
    variance = tf.reduce_mean(centered**2, axis=-1, keepdims=True)
    return centered * tf.math.rsqrt(variance + epsilon) * w["scale"] + w["shift"]


def split(x, heads):
    """(B, T, d) to (B, H, T, d/H)."""
    import tensorflow as tf

    shape = tf.shape(x)
    return tf.transpose(tf.reshape(x, (shape[0], shape[1], heads, x.shape[-1] // heads)), (0, 2, 1, 3))


def keys_values(w, x, heads):
    return split(dense(w["key"], x), heads), split(dense(w["value"], x), heads)


def attend(w, x, keys, values, mask):
    """Multi-head attention of x (B, T, d) to keys and values (B, H, S, d/H), where ``mask`` (broadcasting to (B, H, T, S)) is true.

    Returns:
        the output (B, T, d), and the shares (B, H, T, S) that each token gives to each.
    """
    import tensorflow as tf

    queries = split(dense(w["query"], x), keys.shape[1])
    scores = tf.matmul(queries, keys, transpose_b=True) / keys.shape[-1] ** 0.5
    shares = tf.nn.softmax(tf.where(mask, scores, tf.constant(-1e9, x.dtype)))
    together = tf.reshape(tf.transpose(shares @ values, (0, 2, 1, 3)), tf.shape(x))
    return dense(w["output"], together), shares


def feed_forward(w, x):
    import tensorflow as tf

    return dense(w["narrow"], tf.nn.relu(dense(w["wide"], x)))


def block(w, x, heads, mask, past=None, source=None, source_mask=None):
    """Self-attention to ``past`` and x (B, T, d), cross-attention if there is a source, feed-forward; each adds to x what it makes of normalized x.

    Returns:
        x; keys and values (B, H, past and T, d/H) of the self-attention; the shares (B, H, T, S) of the cross-attention.
    """
    import tensorflow as tf

    near = normalize(w["norm_self"], x)
    own, shares = keys_values(w["self"], near, heads), None
    if past is not None:
        own = tuple(tf.concat(pair, axis=2) for pair in zip(past, own, strict=True))
    x = x + attend(w["self"], near, *own, mask)[0]
    if source is not None:
        seen, shares = attend(w["cross"], normalize(w["norm_cross"], x), *source, source_mask)
        x = x + seen
    return x + feed_forward(w, normalize(w["norm_wide"], x)), own, shares


def embed(table, tokens, start=0):
    """Return the table's rows for the tokens (B, T), plus their positions, counted from ``start`` and at most 512."""
    import tensorflow as tf

    place = tf.constant(positions(512, table.shape[1]), table.dtype)
    return tf.gather(table, tokens) + place[start : start + tf.shape(tokens)[1]]


def encode(w, source, heads):
    """Encode source (B, S). Return the keys and values of each decoder block's cross-attention, and the mask (B, 1, 1, S)."""
    mask = (source != PADDING)[:, None, None, :]
    x = embed(w["source"], source)
    for part in w["encoder"]:
        x, _, _ = block(part, x, heads, mask)
    x = normalize(w["norm_encoder"], x)
    return [keys_values(part["cross"], x, heads) for part in w["decoder"]], mask


def decode(w, tokens, encoded, heads, past=None):
    """Score what follows each of the tokens (B, T). They continue ``past``, what an earlier call returned.

    Returns:
        logits (B, T, target words); the keys and values to pass on as ``past``; each block's shares (B, H, T, S) of the source.
    """
    import tensorflow as tf

    sources, source_mask = encoded
    start, length = 0 if past is None else past[0][0].shape[2], tf.shape(tokens)[1]
    causal = tf.range(start + length) <= tf.range(start, start + length)[:, None]  # (T, past and T)
    x, present, maps = embed(w["target"], tokens, start), [], []
    for i, (part, source) in enumerate(zip(w["decoder"], sources, strict=True)):
        x, own, shares = block(part, x, heads, causal, past and past[i], source, source_mask)
        present.append(own)
        maps.append(shares)
    return dense(w["logits"], normalize(w["norm_decoder"], x)), present, maps


def loss(w, source, target, heads):
    """Return the mean cross-entropy in nats per token of target (B, T), which begins with START and is padded after END."""
    import tensorflow as tf

    logits, _, _ = decode(w, target[:, :-1], encode(w, source, heads), heads)
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(target[:, 1:], logits)
    counted = tf.cast(target[:, 1:] != PADDING, each.dtype)
    return tf.reduce_sum(each * counted) / tf.reduce_sum(counted)


def make_train_step(w, loss, steps, learning_rate=2e-3, warm_up=50):
    """Return a compiled function that takes a batch (int32 arrays of rank 2), does one step of Adam on ``loss(w, *batch)``, and returns the loss before it.

    The learning rate grows linearly for ``warm_up`` steps, then falls linearly to 0 at step ``steps``. Adam is that of lesson 03.
    """
    import tensorflow as tf

    weights = tf.nest.flatten(w)
    averages = [(tf.Variable(tf.zeros_like(p)), tf.Variable(tf.zeros_like(p))) for p in weights]
    count = tf.Variable(0.0, dtype=weights[0].dtype)

    @tf.function(reduce_retracing=True)
    def train_step(*batch):
        with tf.GradientTape() as tape:
            value = loss(w, *batch)
        t = count.assign_add(1.0)
        rate = learning_rate * tf.maximum(tf.minimum(t / warm_up, (steps - t) / (steps - warm_up)), 0.0)
        rate *= tf.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        for p, (m, v), g in zip(weights, averages, tape.gradient(value, weights), strict=True):
            g = tf.convert_to_tensor(g)
            m.assign_add(0.1 * (g - m))
            v.assign_add(0.001 * (g * g - v))
            p.assign_sub(rate * m / (tf.sqrt(v) + 1e-7))
        return value

    return train_step


def greedy(w, source, heads, length):
    """Decode source (B, S) token by token, always the likeliest, with cached keys and values. Return int32 (B, <= length), END and what follows included."""
    import tensorflow as tf

    encoded, past = encode(w, source, heads), None
    tokens = [tf.fill((len(source), 1), START)]
    ended = np.zeros(len(source), bool)
    while len(tokens) <= length and not ended.all():
        logits, past, _ = decode(w, tokens[-1], encoded, heads, past)
        tokens.append(tf.argmax(logits, axis=-1, output_type=tf.int32))
        ended |= tokens[-1].numpy()[:, 0] == END
    return np.concatenate(tokens[1:], axis=1)
