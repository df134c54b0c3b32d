"""The admin: where the office edits everything."""

from tracker.admin import indicator, organization, policy, task
from tracker.web import disk_checks

__all__ = ["disk_checks", "indicator", "organization", "policy", "task"]
