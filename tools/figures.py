"""Whether the figures that a run draws show what the stored ones show.

Two images are compared as an eye would, at arm's length: both are made coarse, and each block of one needs a block of its
color nearby in the other. Another font rasterizer, a line that lies a pixel elsewhere and a value off in its last digit pass;
another curve, color, panel or picture does not.
"""

import base64
import io

import numpy as np
import PIL.Image

PNG = "image/png"
WIDGET = "application/vnd.jupyter.widget-view+json"
# Measured on a figure with two curves. A font rasterizer with other hinting: 0 blocks; another font: 3; another word in the
# legend: 9; a curve moved by 3 % of the axis: 80; its color exchanged with the other's: 205. Other kernels moved no pixel.
BLOCK = 3  # pixels on each side of a block
REACH = 1  # a block's color may lie this many blocks away
COLOR = 0.3  # two blocks differ if their red, green or blue differs by more than this (of 1)
MOST_BLOCKS = 5  # so many blocks may be without a counterpart
MOST_PIXELS = 4  # so much wider or higher may an image be
LEAST_PIXELS = 50  # on each side of a figure


def opened(png):
    """Return a PNG in base64 as an image in red, green and blue on white.

    Raises:
        OSError, ValueError: it is none.
    """
    image = PIL.Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA")
    return PIL.Image.alpha_composite(PIL.Image.new("RGBA", image.size, "white"), image).convert("RGB")


def coarse(image, size):
    columns, rows = (-(-side // BLOCK) for side in size)
    page = PIL.Image.new("RGB", (columns * BLOCK, rows * BLOCK), "white")
    page.paste(image)
    return np.asarray(page.resize((columns, rows), PIL.Image.Resampling.BOX), dtype=float) / 255


def without_counterpart(blocks, others):
    """Return how many of ``blocks`` (rows, columns, 3) find no block of nearly their color in ``others``, near their place."""
    rows, columns, _ = blocks.shape
    around = np.pad(others, ((REACH, REACH), (REACH, REACH), (0, 0)), mode="edge")
    steps = range(2 * REACH + 1)
    shifted = (around[i : i + rows, j : j + columns] for i in steps for j in steps)
    nearest = np.min([np.abs(blocks - other).max(axis=2) for other in shifted], axis=0)
    return int(np.sum(nearest > COLOR))


def difference(one, other):
    """Return how many blocks of two images have no counterpart in the other, and by how many pixels their sizes differ."""
    size = tuple(map(max, one.size, other.size))
    a, b = coarse(one, size), coarse(other, size)
    apart = max(abs(x - y) for x, y in zip(one.size, other.size, strict=True))
    return max(without_counterpart(a, b), without_counterpart(b, a)), apart


def images(outputs):
    return [output["data"][PNG] for output in outputs if PNG in output.get("data", {})]


def flaw(outputs):
    """Say why a stored image is none that a lesson would draw; "" if all are sound."""
    for png in images(outputs):
        try:
            width, height = opened(png).size
        except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError) as error:
            return f"stores an image that cannot be read ({error}); run `make refresh`"
        if min(width, height) < LEAST_PIXELS:
            return f"stores an image of {width} by {height} pixels, which shows nothing; run `make refresh`"
    return ""


def fault(stored, produced, compared):
    """Say in what the figures of a cell's produced outputs differ from the stored ones; "" if in nothing that counts.

    What a cell whose output is not compared draws differs in every run; only the number and the size of its figures count.
    """
    if any(WIDGET in output.get("data", {}) for output in produced):
        return ""  # a widget's figures are not stored
    if sentence := flaw(stored):
        return f"The cell {sentence}."
    stored, produced = images(stored), images(produced)
    if len(stored) != len(produced):
        return f"The cell draws {len(produced)} figures and stores {len(stored)}; run `make refresh`."
    for i, (one, other) in enumerate(zip(stored, produced, strict=True), start=1):
        blocks, pixels = difference(opened(one), opened(other))
        if pixels > MOST_PIXELS:
            return f"Figure {i} of the cell is stored in another size than the run draws it, by {pixels} pixels; run `make refresh`."
        if compared and blocks > MOST_BLOCKS:
            return (
                f"Figure {i} of the cell is stored otherwise than the run draws it ({blocks} blocks of {BLOCK} by {BLOCK} "
                f"pixels differ, {MOST_BLOCKS} may); look at both, then run `make refresh` if the new one is right."
            )
    return ""
