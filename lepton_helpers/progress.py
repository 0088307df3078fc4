"""Show how training goes, one line per epoch, in lines that are the same on every machine."""


def epoch_lines(every=1):
    """Return a Keras callback that prints the epoch's metrics, aligned, without timings.

    Pass it to ``fit`` together with ``verbose=0``, which silences Keras's own progress bar.

    Args:
        every: print each ``every``-th epoch; the first one is always printed.

    Raises:
        ValueError: ``every`` is not a whole number above 0.
    """
    if not isinstance(every, int) or every < 1:
        raise ValueError(f"epoch_lines needs a whole number above 0 for every, not {every!r}.")
    import keras

    def print_line(epoch, logs):
        if epoch == 0 or (epoch + 1) % every == 0:
            numbers = "  ".join(f"{name} {value:.4f}" for name, value in logs.items())
            print(f"epoch {epoch + 1:3d}  {numbers}", flush=True)

    return keras.callbacks.LambdaCallback(on_epoch_end=print_line)
