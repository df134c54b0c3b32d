"""The admin: where the office edits everything."""

from tracker.admin import organization, policy, task

__all__ = ["organization", "policy", "task"]
