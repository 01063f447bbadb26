import time

import pytest

from mmreid_ext.distributed.waits import seconds_waited, waiting


def test_waits_are_counted():
    before = seconds_waited()
    with pytest.raises(RuntimeError), waiting():
        time.sleep(0.02)
        raise RuntimeError
    assert seconds_waited() - before >= 0.02
