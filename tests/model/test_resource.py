from reconciler.model.address import Place
from reconciler.model.codec import decode_resource, encode_resource
from reconciler.resources.server.quota import Quota


def quota(size: int, stored: str | None = None) -> Quota:
    return Quota(place=Place.NEW, name="ann@example.org", size=size, stored=stored)


def test_two_texts_of_one_meaning_are_equal():
    assert quota(1024, "*:storage=1") == quota(1024, "*:bytes=1k") == quota(1024)
    assert len({quota(1024, "*:storage=1"), quota(1024)}) == 1
    assert quota(1024, "*:storage=1") != quota(2048, "*:storage=1")


def test_the_text_is_kept_in_data_and_what_was_kept_without_one_is_read():
    data = encode_resource(quota(1024, "*:storage=1"))
    back = decode_resource(data, {"quota": Quota})
    assert isinstance(back, Quota)
    assert back.stored == "*:storage=1"
    old = {"kind": "quota", "place": "new", "name": "ann@example.org", "size": 1024}
    assert decode_resource(old, {"quota": Quota}) == back
