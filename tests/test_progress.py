"""epoch_lines prints one aligned line per epoch, the same in every run."""

import pytest

from lepton_helpers import progress


def test_lines_are_aligned_and_thinned_out(capsys):
    callback = progress.epoch_lines(every=5)
    for epoch in range(10):
        callback.on_epoch_end(epoch, {"loss": 1 / (epoch + 3), "val_loss": 0.25})
    assert capsys.readouterr().out == (
        "epoch   1  loss 0.3333  val_loss 0.2500\n"
        "epoch   5  loss 0.1429  val_loss 0.2500\n"
        "epoch  10  loss 0.0833  val_loss 0.2500\n"
    )


@pytest.mark.parametrize("every", [0, -1, 1.5, "2"])
def test_a_bad_interval_is_refused(every):
    with pytest.raises(ValueError, match="whole number above 0"):
        progress.epoch_lines(every)
