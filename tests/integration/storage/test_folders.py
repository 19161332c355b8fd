"""The folders of a bucket, however many there are and however much lies in them."""

from drorch.storage.folders import folders

NAMES = [f"{n:02}" for n in range(7)]


def test_they_are_listed_page_after_page_without_what_lies_in_them(source, repository, monkeypatch):
    for name in NAMES:
        for inside in ("a", "b/c"):
            source.put(f"{repository}/{name}/{inside}", b"")
    source.put(f"{repository}/no-folder", b"")
    asked, page = [], source.page

    def three_at_once(prefix, more):
        asked.append(prefix)
        return page(prefix, {"MaxKeys": 3, **more})

    monkeypatch.setattr(source, "page", three_at_once)
    assert folders(source, f"{repository}/") == NAMES
    assert len(asked) == 3
    asked.clear()
    assert folders(source, f"{repository}/", 2) == NAMES[:2]
    assert len(asked) == 1
    assert folders(source, f"{repository}/nothing/") == []


def test_below_a_prefix_too(destination, repository):
    assert destination.region.prefix
    destination.put(f"{repository}/x/y", b"")
    assert folders(destination, f"{repository}/") == ["x"]
