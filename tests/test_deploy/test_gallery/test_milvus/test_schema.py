"""How rows of a gallery stand on a server."""

import numpy as np
import pytest

from mmreid_ext.deploy.gallery.milvus import schema
from mmreid_ext.deploy.gallery.milvus.expressions import NO_TIME


def test_ids_are_those_of_the_content():
    ids = [schema.id_of(bytes([number])) for number in range(256)]
    assert len(set(ids)) == 256 and all(0 < one < 2**53 for one in ids)
    assert max(ids) > 2**52  # the whole range is used
    assert schema.id_of(b"a") == schema.id_of(b"a") != schema.id_of(b"a", attempt=1)


@pytest.mark.parametrize("lite", [True, False])
def test_vectors_come_back_as_they_were_rounded(lite):
    vector = np.random.default_rng(0).standard_normal(7).astype(np.float32)
    stored = schema.stored_vector(vector, lite)
    assert stored.dtype == (np.float32 if lite else np.float16)
    for given in (
        stored.tolist(),
        stored.astype(np.float16).tobytes(),
        [stored.astype(np.float16).tobytes()],
    ):
        read = schema.read_vector(given, 7)
        assert read.dtype == np.float32
        np.testing.assert_array_equal(read, vector.astype(np.float16).astype(np.float32))


def test_unknown_values():
    assert schema.time_or_none(NO_TIME) is None and schema.time_or_none(-5.0) == -5.0
    assert schema.stored_picture(None) == "" and schema.read_picture("") is None
    assert schema.read_picture(schema.stored_picture(b"\xff\xd8\0")) == b"\xff\xd8\0"


def test_float16_as_pymilvus_sends_and_gives_it():
    """Milvus Lite has no float16, so pymilvus's own messages stand for a server."""
    pymilvus = pytest.importorskip("pymilvus")
    from pymilvus.client.entity_helper import extract_row_data_from_fields_data_v2
    from pymilvus.client.prepare import Prepare
    from pymilvus.client.types import HybridExtraList

    described = pymilvus.MilvusClient.create_schema(auto_id=False)
    described.add_field("id", pymilvus.DataType.INT64, is_primary=True)
    described.add_field("embedding", pymilvus.DataType.FLOAT16_VECTOR, dim=7)
    vectors = np.random.default_rng(0).standard_normal((2, 7)).astype(np.float16)
    rows = [dict(id=n, embedding=schema.stored_vector(vectors[n], lite=False)) for n in (0, 1)]
    fields = described.to_dict()["fields"]
    sent = Prepare.row_upsert_param("people", rows, "", fields_info=fields, enable_dynamic=False)
    _, column = sent.fields_data
    assert column.vectors.float16_vector == vectors.tobytes()
    got: list[dict] = [{}, {}]
    extract_row_data_from_fields_data_v2(column, got)
    for row, vector in zip(HybridExtraList([column], got, extra={}), vectors, strict=True):
        np.testing.assert_array_equal(schema.read_vector(dict(row)["embedding"], 7), vector)
