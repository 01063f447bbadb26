"""The reader of synthetic domains."""

import numpy as np
import pytest

from mmreid_ext.datasets import MultiSourceDataset, SyntheticReID
from mmreid_ext.datasets.synthetic import make_synthetic_domains

SMALL = dict(num_domains=2, num_ids=5, num_cameras=3, size=(64, 32))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_synthetic_domains(tmp_path_factory.mktemp("synthetic") / "set", seed=3, **SMALL)


def test_reader_of_a_domain(small):
    sources = [SyntheticReID(small, domain=d) for d in range(2)]
    train = MultiSourceDataset(sources)
    assert len(train) == 36 and train.num_classes == 6 and train.num_domains == 2
    assert np.bincount(train.domains).tolist() == [18, 18]
    test = SyntheticReID(small, "test", domain=1)
    assert list(test.metainfo["test_sets"]) == ["synthetic_1"]
    roles = [test[i]["role"] for i in range(len(test))]
    assert roles.count("query") == 6 and roles.count("gallery") == 6
    with pytest.raises(FileNotFoundError, match="tools/make_synthetic.py"):
        SyntheticReID(small, domain=2)
