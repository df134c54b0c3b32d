"""The forms that the pages send.

What each names of what it was shown with, or why it names nothing.
"""

from dataclasses import dataclass, field
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.text.quality import TEXTS

NOTICE = (TEXTS / "notice.txt").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Listed:
    """What a form names of what it was shown with, and what is typed in it.

    Or why it names nothing.
    """

    names: tuple[str, ...] = ()
    typed: dict[str, Any] = field(default_factory=dict)
    why: str = ""
    writes: bool = True

    def data(self, shown: dict[str, str]) -> dict[str, Any]:
        """Return what is sent: what the page has filled in, and what is typed.

        Files anew each time.
        """
        typed = {name: value() if callable(value) else value for name, value in self.typed.items()}
        return {**shown, **typed}


def proof() -> SimpleUploadedFile:
    return SimpleUploadedFile("proof.pdf", b"%PDF-1.4 proof")


def reading(why: str) -> Listed:
    """List a form that writes nothing."""
    return Listed(why=why, writes=False)


BOOK: dict[str, bytes] = {}  # the workbook that is sent in
SEEN = ("seen",)
NOTE, REASON = {"note": "typed note"}, {"reason": "typed reason"}
LATER = {"deadline": "2027-03-31", **REASON}
REPORT = {"progress": "typed progress", "problems": "typed problems", "next_steps": "typed steps"}
FORMS: dict[str, Listed] = {
    "report submit": Listed(("seen", "follows", "role"), {**REPORT, "proofs": proof}),
    "report save": Listed(("seen", "follows", "role"), {**REPORT, "proofs": proof}),
    "report use_last": reading("fills the empty fields of the form"),
    "report unchanged": Listed(("seen", "repeats", "follows")),
    "report withdraw": Listed(SEEN),
    "tick done": Listed(("item", "seen")),
    "step acknowledge": Listed(SEEN),
    "step request_closing": Listed(SEEN, {**REASON, "proofs": proof}),
    "step withdraw_closing": Listed(SEEN),
    "step grant_closing": Listed(SEEN, {"rating": "good", **NOTE}),
    "step return_closing": Listed(SEEN, NOTE),
    "step request_extension": Listed(SEEN, {**LATER, "progress": "typed progress"}),
    "step grant_extension": Listed(SEEN, NOTE),
    "step return_extension": Listed(SEEN, NOTE),
    "step close": Listed(SEEN, {"on": "2026-06-01", "rating": "good", **NOTE}),
    "step suspend": Listed(SEEN, REASON),
    "step cancel": Listed(SEEN, REASON),
    "step resume": Listed(SEEN, LATER),
    "step reopen": Listed(SEEN, LATER),
    "step hand_over": Listed(SEEN, {"on": "2026-06-15"}),
    "review accept": Listed(SEEN),
    "review return": Listed(SEEN, NOTE),
    "review withdraw_acceptance": Listed(SEEN, REASON),
    "accept_many": reading("shows what was picked, each report with its version"),
    "accept_many all": reading("shows what was picked, each report with its version"),
    "accept_many confirm": Listed(("pick",)),
    "answer": Listed(SEEN, {"answer": "typed answer"}),
    "batch": Listed(SEEN),
    "batch undo": Listed(why="an import is undone once, and not where a row was changed since"),
    "imports": Listed(
        typed={"file": lambda: SimpleUploadedFile("file.xlsx", BOOK["content"])},
        why="the same file of the same account is one batch until it is confirmed",
    ),
    "new": reading("shows a proposal"),
    "new refresh": reading("shows the changed proposal"),
    "new do": reading("shows the changed proposal"),
    "new confirm": Listed(
        typed={"title": "typed title", "text": NOTICE},
        why="makes a new policy; its short address is taken from then on",
    ),
    "text": reading("has no button where nothing of the text is open"),
    "text mark": Listed(SEEN),
    "text unmark": Listed(("unmark",)),
    "password": reading("asks for the present password, which is another one afterwards"),
    "login": reading("opens a session"),
    "logout": reading("ends a session"),
    "set_language language": reading("is of this browser alone"),
    "large_type large": reading("is of this browser alone"),
    "admin:tracker_task_changelist apply": Listed(("seen-",), {"on": "2026-06-15", **REASON}),
    "admin:tracker_task_change _save": Listed(
        SEEN, {"remark": "typed remark", "co_units": [], **REASON}
    ),
    "admin:tracker_organization_change _save": Listed(SEEN, {"aliases": "typed alias", **REASON}),
    "admin:tracker_task_delete": Listed(SEEN),
    "admin:tracker_organization_move confirm": Listed(SEEN, REASON),
    "admin:tracker_unitmove_undo": Listed(
        typed=REASON, why="a move is undone once, and not where a row was changed since"
    ),
}
# One page on: the form is sent, and the answer has a form of its own.
LEADS_ON = {"accept_many all": {}, "new": {"text": NOTICE}}
OF_UNIT = (
    ("my", [], ""), ("imports", [], ""), ("password", [], ""), ("task", ["rise", "A1-01"], ""),
    *(("report", ["rise", f"A1-{number}"], "?period=2026-05-01") for number in ("01", "02", "03", "12")),
    *(
        ("step", ["rise", code, action], "")
        for code, action in (
            ("A1-01", "acknowledge"), ("A1-11", "request_closing"), ("A1-04", "withdraw_closing"),
            ("A1-01", "request_extension"),
        )
    ),
)  # fmt: skip
OF_OFFICE = (
    ("queue", [], ""), ("new", [], ""), ("text", ["rise"], "?at=2"), ("text", ["rise"], "?at=3"),
    *(
        ("step", ["rise", code, action], "")
        for code, action in (
            ("A1-04", "grant_closing"), ("A1-04", "return_closing"), ("A1-05", "grant_extension"),
            ("A1-05", "return_extension"), ("A1-01", "close"), ("A1-01", "suspend"), ("A1-01", "cancel"),
            ("A1-06", "resume"), ("A1-07", "reopen"), ("A1-08", "hand_over"),
        )
    ),
)  # fmt: skip
