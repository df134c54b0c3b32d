"""The Excel workbook of a policy's tasks: columns -> sheets -> writer. The only way out to Excel."""

from tracker.ledger.writer import Scope, build, filename, save

__all__ = ["Scope", "build", "filename", "save"]
