"""The Transformer of lesson 06: shapes, what each token may see, the cache of keys and values, and that it learns."""

import functools

import numpy as np
import pytest

from lepton_helpers import transformer

HEADS = 2


@pytest.fixture(scope="module")
def model():
    pytest.importorskip("tensorflow")
    rng = np.random.default_rng(0)
    w = transformer.create(9, 7, d=8, blocks=2, seed=0)
    source, target = rng.integers(3, 9, (4, 5)).astype("int32"), rng.integers(3, 7, (4, 6)).astype("int32")
    return w, source, target


def logits_of(w, source, target):
    return transformer.decode(w, target, transformer.encode(w, source, HEADS), HEADS)[0].numpy()


def test_shapes(model):
    w, source, target = model
    encoded, mask = transformer.encode(w, source, HEADS)
    logits, past, maps = transformer.decode(w, target, (encoded, mask), HEADS)
    assert logits.shape == (4, 6, 7) and mask.shape == (4, 1, 1, 5)
    assert [keys.shape for keys, _ in encoded] == [(4, 2, 5, 4)] * 2
    assert [keys.shape for keys, _ in past] == [(4, 2, 6, 4)] * 2
    assert [shares.shape for shares in maps] == [(4, 2, 6, 5)] * 2
    assert np.allclose(np.sum(maps, axis=-1), 1, rtol=0, atol=1e-12)


def test_the_seed_decides_the_weights(model):
    w, source, target = model
    again, other = (transformer.create(9, 7, d=8, blocks=2, seed=seed) for seed in (0, 1))
    assert np.array_equal(logits_of(again, source, target), logits_of(w, source, target))
    assert not np.allclose(logits_of(other, source, target), logits_of(w, source, target))


def test_a_later_token_changes_no_earlier_logits(model):
    w, source, target = model
    changed = target.copy()
    changed[:, 3:] = 9 - changed[:, 3:]
    before, after = logits_of(w, source, target), logits_of(w, source, changed)
    assert np.array_equal(before[:, :3], after[:, :3])
    assert np.abs(before[:, 3:] - after[:, 3:]).max() > 0.01


def test_every_source_token_counts_and_padding_does_not(model):
    w, source, target = model
    before = logits_of(w, source, target)
    padded = np.pad(source, ((0, 0), (0, 3)))
    assert np.allclose(logits_of(w, padded, target), before, rtol=0, atol=1e-12)
    for place in range(source.shape[1]):
        changed = source.copy()
        changed[:, place] = 11 - changed[:, place]
        assert np.abs(logits_of(w, changed, target) - before).max() > 0.001


def test_order_counts(model):
    w, source, target = model
    assert np.abs(logits_of(w, source[:, ::-1], target) - logits_of(w, source, target)).max() > 0.01


def test_cached_decoding_equals_decoding_everything_anew(model):
    w, source, target = model
    encoded, past, steps = transformer.encode(w, source, HEADS), None, []
    for t in range(target.shape[1]):
        logits, past, _ = transformer.decode(w, target[:, t : t + 1], encoded, HEADS, past)
        steps.append(logits.numpy())
    assert np.allclose(np.concatenate(steps, axis=1), logits_of(w, source, target), rtol=0, atol=1e-10)


def test_padding_does_not_count_in_the_loss(model):
    w, source, target = model
    padded = np.pad(target, ((0, 0), (0, 2)))
    assert np.allclose(
        transformer.loss(w, source, padded, HEADS), transformer.loss(w, source, target, HEADS), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_it_learns_to_copy_and_stops_at_the_end(dtype):
    pytest.importorskip("tensorflow")
    w = transformer.create(8, 8, d=16, seed=1, dtype=dtype)
    train_step = transformer.make_train_step(
        w, functools.partial(transformer.loss, heads=HEADS), 150, 0.005, warm_up=10
    )
    rng = np.random.default_rng(1)

    def batch(size=32):
        source = rng.integers(3, 8, (size, 4)).astype("int32")
        return source, np.pad(np.pad(source, ((0, 0), (1, 0)), constant_values=1), ((0, 0), (0, 1)), constant_values=2)

    losses = [float(train_step(*batch())) for _ in range(150)]
    assert np.mean(losses[-10:]) < 0.1 * np.mean(losses[:10])
    source, target = batch(50)
    found = transformer.greedy(w, source, HEADS, length=9)
    assert found.shape[1] <= 9 and np.mean((found[:, :5] == target[:, 1:]).all(axis=1)) > 0.9
