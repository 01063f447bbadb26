import logging
import warnings

import pytest

from mmreid_ext.export.quiet import quiet


def talk():
    print("a line")
    warnings.warn("a warning", stacklevel=1)
    logging.getLogger("torch.onnx").warning("a log line")


@pytest.mark.filterwarnings("error")
def test_nothing_is_heard_and_levels_return(capsys, caplog):
    level = logging.getLogger("torch.onnx").level
    with quiet():
        talk()
    assert capsys.readouterr().out == "" and not caplog.records
    assert logging.getLogger("torch.onnx").level == level


def test_verbose_hides_nothing(capsys):
    with quiet(True), pytest.warns(UserWarning, match="a warning"):
        talk()
    assert capsys.readouterr().out == "a line\n"
