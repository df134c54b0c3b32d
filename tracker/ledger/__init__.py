"""The Excel workbook of a policy's tasks: columns -> sheets -> writer. The only way out to Excel."""

from tracker.ledger import indicators
from tracker.ledger.styles import PAPERS
from tracker.ledger.writer import Extra, Scope, build, filename, save

__all__ = ["PAPERS", "Extra", "Scope", "build", "filename", "indicators", "save"]
