"""The plots draw what they are given, and refuse what they cannot draw."""

import ast

import matplotlib
import numpy as np
import pytest
from IPython.core.inputtransformer2 import TransformerManager

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import notebooks
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


def test_lines_are_dark_enough_to_see():
    drawn = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    assert drawn == plots.LINE_COLORS == [color for color in plots.COLORS if contrast(color, "white") >= 3]


# What draws thin lines or small marks; and the keywords that color them.
THIN = {"plot", "semilogx", "semilogy", "loglog", "scatter", "errorbar", "step", "stem", "contour", "vlines", "hlines"}
THIN |= {"axhline", "axvline", "axline", "quiver"}
KEYWORDS = {"color", "colors", "c", "edgecolor", "markeredgecolor", "mec", "ecolor"}


def faint(code):
    """Return the colors with a contrast under 3 on white that ``code`` names for lines, marks and letters."""
    found = []
    tree = ast.parse(TransformerManager().transform_cell(code))  # lines with % and ! are no Python
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for call in calls:
        if isinstance(call.func, ast.Attribute) and call.func.attr in THIN:
            for keyword in call.keywords:
                if keyword.arg in KEYWORDS:
                    found += [color for color in map(named_color, ast.walk(keyword.value)) if color]
    return [color for color in found if contrast(color, "white") < 3]


def named_color(node):
    """Return the color that a piece of code names (a text, or a place in the palette), or nothing."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and matplotlib.colors.is_color_like(node.value):
        return node.value
    palette = isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and ast.unparse(node.value)
    return plots.COLORS[node.slice.value] if palette == "plots.COLORS" else None


@pytest.mark.parametrize("path", notebooks.lessons(), ids=lambda path: path.stem)
def test_a_lesson_draws_no_faint_line_or_mark(path):
    for cell in notebooks.read(path).cells:
        assert cell.cell_type != "code" or faint(cell.source) == []


def test_faint_lines_are_found_and_areas_are_left_alone():
    assert faint("plt.plot(x, y, 'o', color=plots.COLORS[4])") == ["#E69F00"]
    assert faint("axis.scatter(x, y, c=['yellow', 'black'])") == ["yellow"]
    assert faint("axis.axhline(0, color='lightgray' if faded else 'k')") == ["lightgray"]
    assert faint("axis.errorbar(x, y, e, ecolor=plots.COLORS[7], color=plots.COLORS[0])") == ["#F0E442"]
    assert not faint("axis.fill_between(x, y, color=plots.COLORS[5]); axis.bar(x, y, color='orange')")
    assert not faint(
        "%matplotlib inline\naxis.plot(x, y, color='gray', label='orange'); axis.plot(x, y, color=plots.COLORS[i])"
    )


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
