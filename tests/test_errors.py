"""Errors that a user can mend are caught as such, and as the kind that Python would raise."""

import numpy as np
import pytest

from mmreid_ext import errors
from mmreid_ext.evaluation import EmbeddingSet, evaluate_retrieval, evaluate_set

KINDS = {
    errors.UserError: ValueError,
    errors.UserTypeError: TypeError,
    errors.MissingFileError: FileNotFoundError,
    errors.ExistingFileError: FileExistsError,
    errors.MissingPackageError: ImportError,
    errors.RankLostError: ConnectionError,
    errors.DivergenceError: FloatingPointError,
}


def test_every_error_has_its_kind():
    defined = {
        x for x in vars(errors).values() if isinstance(x, type) and issubclass(x, errors.UserError)
    }
    assert defined == KINDS.keys()


@pytest.mark.parametrize("error, kind", KINDS.items(), ids=lambda kind: kind.__name__)
def test_a_user_error_is_also_what_python_raises(error, kind):
    with pytest.raises(kind):
        raise error("Owner: x=3, take 2.")
    with pytest.raises(errors.UserError):
        raise error("Owner: x=3, take 2.")
    assert str(error("Owner: x=3, take 2.")) == "Owner: x=3, take 2."


def test_a_direct_warning_points_here():
    with pytest.warns(FutureWarning, match="a word") as caught:
        errors.warn_user("a word", FutureWarning)
    assert caught[0].filename == __file__


def test_the_warning_of_an_outlier_points_here():
    feats = np.eye(6)
    feats[0] *= 1e4
    pids, roles = [0, 1, 2, 0, 1, 2], ["query"] * 3 + ["gallery"] * 3
    with pytest.warns(UserWarning, match="query_feats: 1 of 3 rows") as caught:
        evaluate_retrieval(feats[:3], feats[3:], pids[:3], pids[3:], distance="euclidean")
    assert {warning.filename for warning in caught} == {__file__}
    images = EmbeddingSet(feats, pids, [0] * 6, roles, ["a"] * 6, [""] * 6)
    with pytest.warns(UserWarning, match="query_feats: 1 of 3 rows") as caught:
        evaluate_set(images, "no_camera", distance="euclidean")
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize("error", KINDS, ids=lambda kind: kind.__name__)
def test_what_a_message_quotes_commands_no_terminal(error):
    assert str(error("a\x1b[31m\u202eb;\n* c")) == "a [31m b;\n* c"


def test_nor_does_a_warning():
    with pytest.warns(UserWarning, match=r"a \[31m"):
        errors.warn_user("a\x1b[31m")


def test_other_letters_are_printable():
    assert errors.printable("a\nb\t\x1b[0m\u202ec") == "a\nb  [0m c"
    assert errors.printable("é 日本") == "é 日本"
