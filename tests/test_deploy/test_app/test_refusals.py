from mmreid_ext.deploy.app.refusals import Refusal, busy


def test_a_busy_service_says_when_to_come_back():
    refusal = busy("Full.")
    assert (refusal.status, refusal.sentence) == (503, "Full.")
    assert int(refusal.headers["Retry-After"]) > 0


def test_a_refusal_has_no_headers_of_its_own():
    assert Refusal(400, "No.").headers == {} and str(Refusal(400, "No.")) == "No."
