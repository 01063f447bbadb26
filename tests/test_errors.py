"""Errors that a user can mend are caught as such, and as the kind that Python would raise."""

import pytest

from mmreid_ext import errors

KINDS = {
    errors.UserError: ValueError,
    errors.UserTypeError: TypeError,
    errors.MissingFileError: FileNotFoundError,
    errors.ExistingFileError: FileExistsError,
    errors.MissingPackageError: ImportError,
    errors.DivergenceError: FloatingPointError,
}


def test_every_error_has_its_kind():
    defined = {x for x in vars(errors).values() if isinstance(x, type)}
    assert defined == KINDS.keys()


@pytest.mark.parametrize("error, kind", KINDS.items(), ids=lambda kind: kind.__name__)
def test_a_user_error_is_also_what_python_raises(error, kind):
    with pytest.raises(kind):
        raise error("Owner: x=3, take 2.")
    with pytest.raises(errors.UserError):
        raise error("Owner: x=3, take 2.")
    assert str(error("Owner: x=3, take 2.")) == "Owner: x=3, take 2."
