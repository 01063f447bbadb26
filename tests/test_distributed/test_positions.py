from mmreid_ext.distributed.positions import get_positions, rows_at


def test_positions_hold_inside_of_the_block():
    with rows_at([3, 1]):
        assert get_positions() == (3, 1)
        with rows_at(None):
            assert get_positions() is None
        assert get_positions() == (3, 1)
    assert get_positions() is None
