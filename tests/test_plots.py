"""The plots draw what they are given, and refuse what they cannot draw."""

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from lepton_helpers import plots


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def contrast(color, other):
    def luminance(color):
        rgb = np.array(matplotlib.colors.to_rgb(color))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    low, high = sorted([luminance(color), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_the_first_colors_stay_apart_for_color_blind_readers():
    # Machado, Oliveira and Fernandes (2009): what full protanopia and deuteranopia make of linear RGB.
    protanopia = np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    )
    deuteranopia = np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    )
    for matrix in (np.eye(3), protanopia, deuteranopia):
        seen = [np.clip(matrix @ matplotlib.colors.to_rgb(color), 0, 1) for color in plots.COLORS]
        apart = [np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[:i]]
        assert min(apart) > 0.1
    assert all(contrast(color, "white") >= 2 for color in plots.COLORS[:4])


def test_learning_curves_mark_the_best_validation_epoch():
    history = {"loss": [3, 2, 1], "val_loss": [3, 1, 2], "accuracy": [0.1, 0.2, 0.3], "val_accuracy": [0.1, 0.3, 0.2]}
    figure = plots.learning_curves(history)
    for axis, name in zip(figure.axes, ("loss", "accuracy"), strict=True):
        lines = axis.get_lines()
        assert lines[0].get_ydata().tolist() == history[name]
        assert lines[1].get_ydata().tolist() == history["val_" + name]
        assert lines[2].get_xdata().tolist() == [2]
        assert axis.get_xlabel() == "epoch"
    with pytest.raises(ValueError, match="holds no 'auc'"):
        plots.learning_curves(history, metrics=("auc",))


def test_image_grid_shows_every_image_under_its_title():
    images = np.arange(12 * 4).reshape(12, 2, 2)
    figure = plots.image_grid(images, titles=range(12), columns=5)
    shown = [axis.get_images()[0].get_array().tolist() for axis in figure.axes if axis.get_images()]
    assert shown == images.tolist()
    assert [axis.get_title() for axis in figure.axes][:12] == [str(i) for i in range(12)]
    with pytest.raises(ValueError, match="12 images but 1 titles"):
        plots.image_grid(images, titles=["a"])
    with pytest.raises(ValueError, match="at least one image"):
        plots.image_grid(images[:0])


def test_confusion_matrix_shows_every_count_in_its_place():
    figure = plots.confusion_matrix([[5, 1], [2, 7]], ["even", "odd"])
    counts = {text.get_position(): text.get_text() for text in figure.axes[0].texts}
    assert counts == {(0, 0): "5", (1, 0): "1", (0, 1): "2", (1, 1): "7"}
    with pytest.raises(ValueError, match=r"shape \(2, 2\) for 3 class names"):
        plots.confusion_matrix([[5, 1], [2, 7]], ["a", "b", "c"])
