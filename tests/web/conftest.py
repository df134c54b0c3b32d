"""The same browsers as for the pages."""

from tests.views.conftest import browser, office, stranger

__all__ = ["browser", "office", "stranger"]
