import pytest

from mmreid_ext.evaluation.retrieval.settings import (
    AUTO_RERANK_LIMIT,
    RERANK_DEFAULTS,
    rerank_settings,
)


def test_auto_depends_on_the_size():
    assert rerank_settings("auto", AUTO_RERANK_LIMIT - 1) == RERANK_DEFAULTS
    assert rerank_settings("auto", AUTO_RERANK_LIMIT) is None
    assert rerank_settings(dict(k1=7), AUTO_RERANK_LIMIT) == dict(k1=7, k2=6, lambda_value=0.3)
    assert rerank_settings(None, 1) is None


@pytest.mark.parametrize("wrong", [True, "on", dict(k3=1), 20])
def test_other_settings_are_refused(wrong):
    with pytest.raises(ValueError, match="None, 'auto' or a dict"):
        rerank_settings(wrong, 1)
