"""No browser keeps a page, so Back shows none after a log-out; static files may be kept.

That no address at all lets a browser keep its answer is seen in `test_access`, where every role
asks every one.
"""

from django.test import Client


def test_a_page_that_is_not_there_is_not_kept_either(db: None) -> None:
    assert "no-store" in Client().get("/nothing/").headers["Cache-Control"]


def test_static_files_may_be_kept(db: None) -> None:
    answer = Client().get("/static/tracker/style.css")
    answer.getvalue()
    assert answer.status_code == 200
    assert "no-store" not in answer.headers.get("Cache-Control", "")
