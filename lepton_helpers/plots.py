"""One style for the course's figures, and the few plots that several lessons need.

Importing this module sets the style. The colors are Okabe and Ito's (2008), which stay apart for
readers with any of the common forms of color blindness. Orange, sky blue and yellow (``COLORS[4]``, ``[5]`` and ``[7]``)
have a contrast under 3 on white: they fill areas. Lines and small marks take their colors from ``LINE_COLORS``.
"""

import matplotlib.pyplot as plt
import numpy as np

COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442"]
LINE_COLORS = [COLORS[i] for i in (0, 1, 2, 3, 6)]

plt.rc("axes", prop_cycle=plt.cycler(color=LINE_COLORS), grid=True)
plt.rc("axes.spines", right=False, top=False)
plt.rc("figure", dpi=80, figsize=(6.4, 3.6))
plt.rc("figure.constrained_layout", use=True)
plt.rc("grid", alpha=0.3)
plt.rc("image", cmap="gray_r")


def learning_curves(history, metrics=("loss", "accuracy")):
    """Draw training and validation curves side by side, one panel per metric, and mark the best validation epoch.

    Args:
        history: dict of lists, one value per epoch, as in Keras's ``History.history``; the validation
            values stand under ``"val_" + metric``.
        metrics: names of the metrics to draw.

    Raises:
        ValueError: a metric is not in ``history``.
    """
    missing = [metric for metric in metrics if metric not in history]
    if missing:
        raise ValueError(f"The history holds no {missing[0]!r}; it holds {', '.join(history)}.")
    figure, axes = plt.subplots(1, len(metrics), figsize=(4.5 * len(metrics), 3.4), squeeze=False)
    for axis, metric in zip(axes[0], metrics, strict=True):
        epochs = np.arange(1, len(history[metric]) + 1)
        axis.plot(epochs, history[metric], marker=".", label="training")
        validation = history.get("val_" + metric)
        if validation is not None:
            axis.plot(epochs, validation, marker=".", linestyle="--", label="validation")
            best = np.argmin(validation) if "loss" in metric else np.argmax(validation)
            axis.plot(epochs[best], validation[best], "o", color="black", fillstyle="none", label="best validation")
        axis.set(xlabel="epoch", ylabel=metric)
        axis.legend()
    return figure


def image_grid(images, titles=None, columns=10):
    """Draw images in rows of ``columns``, each under its title.

    Args:
        images: array of shape (n, height, width); small values are drawn white, large ones black.
        titles: n strings or numbers.
        columns: images per row.

    Raises:
        ValueError: there is no image, or the number of titles is not the number of images.
    """
    if len(images) == 0:
        raise ValueError("image_grid needs at least one image.")
    if titles is not None and len(titles) != len(images):
        raise ValueError(f"image_grid got {len(images)} images but {len(titles)} titles; give one title per image.")
    rows = -(-len(images) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(0.95 * columns, 1.25 * rows), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for i, (axis, image) in enumerate(zip(axes.flat, images, strict=False)):
        axis.imshow(image)
        if titles is not None:
            axis.set_title(titles[i], fontsize=9)
    return figure


def confusion_matrix(matrix, names):
    """Draw a confusion matrix with its counts: true classes in rows, predicted classes in columns.

    Args:
        matrix: integer array of shape (k, k), as from ``sklearn.metrics.confusion_matrix``.
        names: the k classes' names.

    Raises:
        ValueError: the matrix is not square, or there is not one name per class.
    """
    matrix = np.asarray(matrix)
    if matrix.shape != (len(names), len(names)):
        raise ValueError(f"confusion_matrix got a matrix of shape {matrix.shape} for {len(names)} class names.")
    figure, axis = plt.subplots(figsize=(1.2 + 0.9 * len(names), 0.9 + 0.8 * len(names)))
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axis.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(matrix):
        axis.text(column, row, count, ha="center", va="center", color="white" if share[row, column] > 0.5 else "black")
    ticks = range(len(names))
    axis.set(xticks=ticks, xticklabels=names, yticks=ticks, yticklabels=names, xlabel="predicted", ylabel="true")
    axis.grid(False)
    return figure
