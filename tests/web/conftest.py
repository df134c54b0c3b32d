"""The readers of the pages, for what happens around them."""

from tests.views.conftest import browser, office, stranger

__all__ = ["browser", "office", "stranger"]
