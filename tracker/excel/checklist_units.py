"""The units that cells of a checklist name, and what is wrong with names that are no unit's."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from tracker.domain.parsing import NearNames
from tracker.domain.unit_names import UnitNames, UnitRole, Unread, find_units, name_key
from tracker.excel.preview import join_names
from tracker.models import Organization

MAX_SHOWN_NAME = 40  # characters of a name that a message repeats


def join_units(units: Iterable[Organization]) -> str:
    """Return the short names of units as a list in one line."""
    return join_names([unit.short_name for unit in units])


class UnitReader:
    """Finds units by their names, short names and aliases."""

    def __init__(self, units: Iterable[Organization], near: NearNames) -> None:
        self.units = list(units)
        self._near = near
        self._by_name: dict[str, set[Organization]] = defaultdict(set)
        for unit in self.units:
            for name in unit.all_names():
                self._by_name[name_key(name)].add(unit)
        in_office = {unit for unit in self.units if unit.active}
        for name, bearers in self._by_name.items():
            # A unit that has taken the place of another has its name as an alias.
            self._by_name[name] = bearers & in_office or bearers

    def read_lead(self, pieces: Sequence[str] | None) -> tuple[Organization | None, list[str]]:
        """Return the one unit that a cell names, and what is wrong with the cell."""
        names = find_units(pieces or [], self._find)
        problems = self._unread_texts(names)
        units = [unit for unit, _role in names.found]
        roles = [role for _unit, role in names.found]
        if len(set(units)) > 1:
            problems.append(_("One unit leads; the others co-operate."))
        elif UnitRole.HELPS in roles:
            problems.append(_("It is marked as co-operating; enter the lead unit here."))
        if units:
            return units[0], problems
        return None, problems

    def read_co_units(self, pieces: Sequence[str] | None) -> tuple[list[Organization], list[str]]:
        """Return the units that a cell names, each once, and what is wrong with the cell."""
        names = find_units(pieces or [], self._find)
        problems = self._unread_texts(names)
        leading = [unit for unit, role in names.found if role == UnitRole.LEADS]
        if leading:
            problems.append(
                _("%(units)s: marked as leading; the lead unit has its own column.")
                % {"units": join_units(leading)}
            )
        units = [unit for unit, _role in names.found]
        return list(dict.fromkeys(units)), problems

    def _find(self, key: str) -> Organization | None:
        found = self._by_name.get(key, set())
        if len(found) == 1:
            return next(iter(found))
        return None

    def _unread_texts(self, names: UnitNames[Organization]) -> list[str]:
        """Say of every piece of a cell that is no unit what is wrong with it."""
        return [self._unread_text(text, reason) for text, reason in names.unread]

    def _unread_text(self, text: str, reason: Unread) -> str:
        values = {"name": text[:MAX_SHOWN_NAME]}
        if reason == Unread.AND_OTHERS:
            problem = _("“%(name)s”: name each unit, and remove the word for “others”.")
            return problem % values
        near = self._near_names(text)
        if not near:
            return _("“%(name)s” does not match exactly one unit.") % values
        values["near"] = join_names(near)
        return _("“%(name)s” does not match exactly one unit; similar names: %(near)s.") % values

    def _near_names(self, text: str) -> list[str]:
        """Return the names that come near to a text, with the units that have them."""
        known = {}
        for unit in self.units:
            for name in unit.all_names():
                known[name] = unit.short_name
        shown = []
        for name in self._near.of(text, list(known)):
            unit_name = known.get(name, name)
            if name != unit_name:
                name = _("%(name)s (%(unit)s)") % {"name": name, "unit": unit_name}
            shown.append(name)
        return shown
