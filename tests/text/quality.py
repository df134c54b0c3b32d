"""Print how well the breakdown assistant does: `python -m tests.text.quality [FOLDER]`.

Each text of the folder stands beside its answers, made by hand: NAME.txt and NAME.json. Precision is the share
of what is proposed that is right, recall the share of what is right that is proposed; names are compared without
blanks and with all widths of punctuation as one. A measure is right only under the right section.
"""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

TEXTS = Path(__file__).parent / "texts"


@dataclass(frozen=True)
class Quality:
    """What was right of what was proposed, and of what should have been, for one text."""

    name: str
    kind: str
    sections: tuple[float, float]
    measures: tuple[float, float]
    wrong: list[str]


def shares(proposed: list[str], right: list[str]) -> tuple[float, float]:
    """Return precision and recall of a list; nothing proposed where nothing is right is all right."""
    hits = len(set(proposed) & set(right))
    return hits / len(proposed) if proposed else float(not right), hits / len(
        right
    ) if right else float(not proposed)


def measure(path: Path) -> Quality:
    """Compare what is proposed for a text with its answers."""
    from tracker.domain.passages import normalise
    from tracker.text.breakdown import propose_breakdown
    from tracker.text.draft import draft_policy

    answer = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    made = draft_policy(propose_breakdown(path.read_text(encoding="utf-8")))

    def flat(name: str) -> str:
        return normalise(name).text

    found = [flat(section.row.name) for section in made.sections]
    right = [flat(section["name"]) for section in answer["sections"]]
    found_in = [
        f"{flat(s.row.name)} / {flat(m.row.name)}"
        for s in made.sections
        for m in s.measures
        if not m.general
    ]
    right_in = [
        f"{flat(s['name'])} / {flat(name)}" for s in answer["sections"] for name in s["measures"]
    ]
    wrong = [
        *(f"not found: {name}" for name in [*right, *right_in] if name not in found + found_in),
        *(f"not right: {name}" for name in [*found, *found_in] if name not in right + right_in),
    ]
    return Quality(
        path.stem, answer["kind"], shares(found, right), shares(found_in, right_in), wrong
    )


def main() -> None:
    """Print a line for each text, and under it what is wrong."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else TEXTS
    print(f"{'text':<16}{'kind':<10}{'sections P':>12}{'R':>7}{'measures P':>12}{'R':>7}")
    for path in sorted(folder.glob("*.txt")):
        found = measure(path)
        print(f"{found.name:<16}{found.kind:<10}{found.sections[0]:>12.3f}{found.sections[1]:>7.3f}"
              f"{found.measures[0]:>12.3f}{found.measures[1]:>7.3f}")  # fmt: skip
        for line in found.wrong:
            print(f"    {line}")


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
    django.setup()
    main()
