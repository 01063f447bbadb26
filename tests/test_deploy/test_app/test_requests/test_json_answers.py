import json

import numpy as np

from mmreid_ext.deploy.app.refusals import busy
from mmreid_ext.deploy.app.requests.json_answers import answer, error_answer


def test_numbers_keep_their_value():
    row = np.random.default_rng(0).normal(size=512).astype(np.float32)
    sent = answer({"embeddings": [row.tolist()], "name": "ä\u2028"})
    read = json.loads(sent.body)
    assert np.array_equal(np.float32(read["embeddings"][0]), row) and read["name"] == "ä\u2028"
    assert sent.headers["content-type"] == "application/json"


def test_errors_are_one_sentence():
    sent = error_answer(busy("Come later."))
    assert (sent.status_code, json.loads(sent.body)) == (503, {"detail": "Come later."})
    assert sent.headers["retry-after"] == "1"
