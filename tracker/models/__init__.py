"""The models, each with its queryset beside it."""

from tracker.models import account_checks, history_triggers, twins
from tracker.models.imports import ImportBatch
from tracker.models.indicator import Indicator, IndicatorValue
from tracker.models.organization import Organization, User
from tracker.models.policy import BackgroundPassage, DeclaredCount, Measure, PolicyDocument, Section
from tracker.models.progress import Evidence, ProgressUpdate, TaskRequest
from tracker.models.reminder import SentReminder
from tracker.models.stored_rules import StoredRules
from tracker.models.task import ChecklistItem, Task
from tracker.models.unit_move import UnitMove
