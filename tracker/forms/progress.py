"""What units fill in and the office decides: reports, requests, answers, evidence."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import IO, Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from tracker.domain import evidence
from tracker.domain.choices import Rating
from tracker.domain.dates import today
from tracker.forms.editing import (
    AmountField,
    VersionedForm,
    deadline_input,
    long_text,
    no_version_words,
    put_values,
)
from tracker.models import ChecklistItem, Evidence, Indicator, ProgressUpdate, Task
from tracker.workflow import Transition

RETURN_REASONS = (
    gettext_lazy("The progress is not specific: give figures, documents and dates."),
    gettext_lazy("The evidence is missing or does not support the report."),
    gettext_lazy("The percentage does not match the progress."),
    gettext_lazy("The text is the same as in the last period: describe what is new."),
    gettext_lazy("The next steps have no dates and no person responsible."),
)


class ManyFiles(forms.ClearableFileInput):
    """An input for several files."""

    allow_multiple_selected = True


class EvidenceField(forms.FileField):
    """Several files, each checked against the kinds and sizes that are accepted."""

    widget = ManyFiles

    def clean(self, data: Any, initial: Any = None) -> Any:
        files: Sequence[Any] = []
        if isinstance(data, list | tuple):
            files = data
        elif data:
            files = [data]
        if len(files) > evidence.MAX_EVIDENCE_FILES:
            raise ValidationError(
                _("At most %(count)d files at a time.") % {"count": evidence.MAX_EVIDENCE_FILES}
            )
        cleaned = []
        faults = []
        for file in files:
            try:
                one = cast(UploadedFile, super().clean(file, initial))
                evidence.check_evidence(one.name or "", one.size or 0, cast(IO[bytes], one.file))
                cleaned.append(one)
            except ValueError as fault:
                faults.append(str(fault))
            except ValidationError as fault:
                faults += fault.messages
        if faults:
            raise ValidationError(faults)
        return cleaned


class WithEvidence(forms.Form):
    """Files and a link that prove something, on a step of the checklist where one is named."""

    proofs = EvidenceField(
        label=gettext_lazy("evidence files"),
        required=False,
        help_text=gettext_lazy("PDF, OFD, Office and WPS documents, images; at most 20 MB each."),
    )
    link = forms.URLField(
        label=gettext_lazy("link to evidence"),
        required=False,
        max_length=500,
        assume_scheme="https",
    )
    item = forms.ModelChoiceField(
        ChecklistItem.objects.none(),
        label=gettext_lazy("evidence belongs to the step"),
        required=False,
    )

    def offer_steps(self, task: Task) -> None:
        """Offer the steps of a task, or no choice where there are none."""
        if task.items.all():
            cast(forms.ModelChoiceField, self.fields["item"]).queryset = task.items.all()
        else:
            del self.fields["item"]

    def pieces(self) -> list[Evidence]:
        """Return the evidence that was added, unsaved."""
        pieces = []
        for file in self.cleaned_data.get("proofs") or ():
            pieces.append(Evidence(file=file, name=file.name[-200:], size=file.size))
        link = self.cleaned_data.get("link")
        if link:
            pieces.append(Evidence(link=link, name=link[:200]))
        for piece in pieces:
            piece.item = self.cleaned_data.get("item")
        return pieces


class ReportForm(WithEvidence, VersionedForm):
    """A progress report, as far as it is written; what it needs to be handed in `workflow` says."""

    # The role of the unit, and the accepted report of the same period, as the page showed them.
    role = forms.CharField(widget=forms.HiddenInput, required=False)
    follows = forms.IntegerField(widget=forms.HiddenInput, required=False)
    same_ok = forms.BooleanField(
        label=gettext_lazy("The text is the same as last time, and that is correct"), required=False
    )

    class Meta:
        model = ProgressUpdate
        fields = (
            "percent",
            "fall_reason",
            "progress",
            "problems",
            "next_steps",
            "needs_help",
            "help_addressee",
        )

    def __init__(
        self,
        *args: Any,
        last: ProgressUpdate | None = None,
        own_percent: bool,
        indicators: Iterable[Indicator] = (),
        follows: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.last = last
        task = self.instance.task
        self.indicators_of_task = list(indicators)
        self.shown = {"role": _role_of(self.instance), "follows": follows}
        self.initial.update(self.shown)
        self.own_percent = own_percent
        self.indicators = {}
        if not self.instance.contribution:
            self.indicators = {f"indicator_{each.pk}": each for each in self.indicators_of_task}
        self.offer_steps(task)
        self._remove_fields(task)
        self._add_figure_fields(task)
        for name in ("progress", "problems", "next_steps"):
            self.fields[name].widget.attrs["rows"] = 4

    def _remove_fields(self, task: Task) -> None:
        """Remove the fields that this report does not need."""
        del self.fields["reason"]
        if not self.own_percent or self.instance.contribution:
            del self.fields["percent"]
        if task.follows_indicator:
            may_fall = bool(self.indicators)
        else:
            may_fall = "percent" in self.fields and task.latest_report is not None
        if not may_fall:
            del self.fields["fall_reason"]
        # Shown where the text repeats the last report.
        if not self.data.get("same_ok") and not self._says_the_same(self.data.get("progress", "")):
            del self.fields["same_ok"]

    def _add_figure_fields(self, task: Task) -> None:
        """Add a field for the value of each indicator, before the texts.

        The stored values are set on the instance, to be compared with those of other windows.
        """
        stored = {}
        for figure in self.instance.figures:
            stored[f"indicator_{figure['indicator']}"] = Decimal(figure["value"])
        for name, indicator in self.indicators.items():
            field = AmountField(
                label=_("%(indicator)s (%(unit)s)")
                % {"indicator": indicator, "unit": indicator.unit_of_measure},
                unit=indicator.unit_of_measure,
                required=False,
            )
            if task.follows_indicator and indicator.drives_percent:
                field.help_text = _(
                    "The percentage of this task is calculated from this indicator and is not "
                    "entered."
                )
            self.fields[name] = field
            self.initial[name] = stored.get(name)
            setattr(self.instance, name, stored.get(name))
        self.order_fields(["percent", *self.indicators, "fall_reason"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.instance.figures = []
        for name, indicator in self.indicators.items():
            value = cleaned.get(name)
            if value is not None:
                self.instance.figures.append(indicator.figure(value))
        if "percent" not in self.fields:
            # Entered before the percent came to follow something else, or the unit to help only.
            self.instance.percent = None
        self._check_page()
        if (
            "submit" in self.data
            and self._says_the_same(cleaned.get("progress", ""))
            and not cleaned.get("same_ok")
        ):
            self.add_error(
                "progress",
                _("This is the text of the last report: describe what is new, or confirm below."),
            )
        return cleaned

    def _check_page(self) -> None:
        """Say what has become of the report since the page was opened, and show it once more."""
        role = self.cleaned_data.get("role")
        follows = self.cleaned_data.get("follows")
        if "seen" not in self.data:
            self.add_error(None, no_version_words())
        if role and role != self.shown["role"]:
            put_values(self, "role", self.shown["role"])
            self.add_error(
                None,
                _(
                    "The lead unit was changed while you were writing: %(role)s. Check the form "
                    "and submit it again."
                )
                % {"role": ATTACHMENT_ROLES[str(self.shown["role"])]},
            )
        if follows is not None and follows != self.shown["follows"]:
            put_values(self, "follows", self.shown["follows"])
            self.add_error(
                None,
                _(
                    "Another report of this period was accepted while you were writing. Submit "
                    "yours again to add it."
                ),
            )

    def _says_the_same(self, progress: str) -> bool:
        return bool(
            self.last and progress.strip() and progress.split() == self.last.progress.split()
        )


ATTACHMENT_ROLES = {
    "lead": gettext_lazy("your unit leads the task now"),
    "helper": gettext_lazy("your unit co-operates in the task now"),
}


def _role_of(report: ProgressUpdate) -> str:
    if report.contribution:
        return "helper"
    return "lead"


class StepForm(WithEvidence):
    """What a step with a task needs: of these fields those that its transition names."""

    on = deadline_input(gettext_lazy("day"), initial=today)
    deadline = deadline_input(gettext_lazy("new deadline"))
    rating = forms.ChoiceField(
        label=pgettext_lazy("of a closing", "rating"),
        choices=Rating.choices,
        widget=forms.RadioSelect,
    )
    reason = long_text(gettext_lazy("reason"))
    progress = long_text(gettext_lazy("progress so far"))
    note = long_text(gettext_lazy("remark of the office"), rows=3)

    def __init__(self, step: Transition, task: Task, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = step.field_names
        for name in set(self.fields) - set(names):
            del self.fields[name]
        self.order_fields(names)
        for field in step.form_fields or ():
            if field.label:
                self.fields[field.name].label = field.label
            if field.required:
                self.fields[field.name].required = field.required(task)
        if "item" in self.fields:
            self.offer_steps(task)

    def entered(self) -> dict[str, Any]:
        """Return what the step takes: the fields, and evidence as rows."""
        plain = {}
        for name, value in self.cleaned_data.items():
            if name not in ("proofs", "link", "item"):
                plain[name] = value
        if "proofs" in self.fields:
            return {**plain, "evidence": self.pieces()}
        return plain


class ReviewForm(forms.Form):
    """The decision on a report: reasons to pick from, and words of one's own."""

    picked = forms.MultipleChoiceField(
        label=gettext_lazy("common reasons"),
        required=False,
        choices=[(str(number), words) for number, words in enumerate(RETURN_REASONS)],
        widget=forms.CheckboxSelectMultiple,
    )
    note = long_text(gettext_lazy("in your own words"), rows=3)

    def words(self) -> str:
        """Return the reasons as one text."""
        reasons = [str(RETURN_REASONS[int(number)]) for number in self.cleaned_data["picked"]]
        if self.cleaned_data["note"]:
            reasons.append(self.cleaned_data["note"])
        return "\n".join(reasons)


class AnswerForm(forms.Form):
    """The answer to a call for help."""

    answer = long_text(gettext_lazy("answer"), required=True)


class WithdrawAcceptanceForm(forms.Form):
    """Why an acceptance is taken back."""

    reason = long_text(gettext_lazy("why the acceptance is undone"), rows=3)
