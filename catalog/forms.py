"""The admin's forms for putting values right; every value is read by the data contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.db.models import QuerySet

from catalog.contract import BLANKS, CORRECTABLE, Kind, Value, ValueRefused
from catalog.corrections import changed_meanwhile
from catalog.decisions import TAKE_SOURCE, WRITE, Decision
from catalog.models import FIELDS, MAX_REASON, Correction, Order, OrderVersion
from catalog.read_only import KEY
from catalog.values import read, written

WIDTH = {Kind.INTEGER: 14, Kind.CODE: 34, Kind.TIMESTAMP: 30}
MISSING_REASON = "Say why; the reason is kept for good."
NOT_ASKED = ("csrfmiddlewaretoken", "seen", "reason", "_save")


def reason_field(**options: Any) -> forms.CharField:
    """Why somebody changes something."""
    area = forms.Textarea(attrs={"rows": 2, "cols": 80, "class": "reason"})
    return forms.CharField(max_length=MAX_REASON, widget=area, error_messages={"required": MISSING_REASON}, **options)


def value_field(**options: Any) -> forms.CharField:
    """A value as it may stand in an export; whether it is good is for the contract to say."""
    size = options.pop("size", WIDTH[Kind.CODE])
    # The contract itself says what is too long, and which blanks count.
    entry = forms.TextInput(attrs={"size": size, "autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(required=False, strip=False, widget=entry, **options)


class ReasonForm(forms.Form):
    """Why."""

    reason = reason_field()


class ValueForm(forms.Form):
    """One value of a column that is known, and why."""

    value = value_field(help_text="as it may stand in an export; times without an offset are in UTC")
    reason = reason_field()

    def __init__(self, *args: Any, column: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.column = column

    def clean_value(self) -> Value:
        try:
            return read(self.column, self.cleaned_data["value"])
        except ValueRefused as refused:
            raise forms.ValidationError(f"{refused.message}.") from refused


class CorrectManyForm(forms.Form):
    """One value of one column, for many orders, and why."""

    column = forms.ChoiceField(choices=[("", "choose a column"), *FIELDS])
    value = value_field(
        help_text="the new value, as it may stand in an export; empty for a missing value, where that is allowed; "
        "times without an offset are in UTC"
    )
    reason = reason_field()

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if "column" in given and "value" in given:
            try:
                given["value"] = read(given["column"], given["value"])
            except ValueRefused as refused:
                self.add_error("value", f"{refused.message}.")
        return given


class CorrectOrderForm(forms.Form):
    """The correctable columns of one order as a person sees and edits them, and why.

    `seen` is the change that had made the order's state when the page was made. When another has come since, the form
    refuses, and shows what was typed beside what is in force now; what was not touched takes its present value.
    `values` are those that differ, once the form is valid; it is not when there are none.
    """

    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    reason = reason_field(
        help_text="why the values that you have changed above are right; times are in UTC unless they have an offset",
    )

    def __init__(self, order: Order, data: Any = None) -> None:
        now = {column.name: written(getattr(order, column.name)) for column in CORRECTABLE}
        super().__init__(data, initial={**now, "seen": order.change_id})
        self.order, self.now = order, now
        self.values: dict[str, Value] = {}
        for column in CORRECTABLE:
            self.fields[column.name] = value_field(size=WIDTH[column.kind], label=column.name)
        self.order_fields(now)

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        for name in self.data:
            if name not in self.fields and name not in NOT_ASKED:
                self.add_error(None, f"{name[:40]!a} is not a column that can be corrected.")
        if given.get("seen") != str(self.order.change_id):
            self._show_what_is_new(self._state_seen(given.get("seen", "")))
            return given
        self._read_all()
        if not self.values and self.errors.keys() <= {"reason"}:
            self.errors.pop("reason", None)
            self.add_error(None, f"Nothing differs from what order {self.order} shows already; nothing was saved.")
        return given

    def _state_seen(self, seen: str) -> OrderVersion | None:
        if not KEY.fullmatch(seen):
            return None
        return OrderVersion.objects.filter(key=self.order.key, change_id=int(seen)).first()

    def _show_what_is_new(self, before: OrderVersion | None) -> None:
        shown: dict[str, str] = {name: str(text) for name, text in self.data.items()}
        shown["seen"] = str(self.order.change_id)
        moved = []
        for name, now in self.now.items():
            was = now if before is None else written(getattr(before, name))
            typed = shown.get(name, was).strip(BLANKS)
            if typed == was:
                shown[name] = now
            elif was != now != typed:
                self.add_error(name, f"In force now: {now or 'no value'}. It was: {was or 'no value'}.")
            if was != now:
                moved.append(name)
        self.data = shown
        if before is None:
            sentence = "The request does not say which state of the order it is about; look at the present one again."
        else:
            sentence = changed_meanwhile(self.order, self.order.change).message
            sentence += f" What has changed: {', '.join(moved)}." if moved else ""
        self.add_error(None, sentence)

    def _read_all(self) -> None:
        for name, now in self.now.items():
            # What was left alone is not looked at: an erased value need not meet the contract.
            if name not in self.data or name not in self.cleaned_data or self.data[name].strip(BLANKS) == now:
                continue
            try:
                value = read(name, self.cleaned_data[name])
            except ValueRefused as refused:
                self.add_error(name, f"{refused.message}.")
                continue
            if value != getattr(self.order, name):
                self.values[name] = value


class DecideForm(forms.Form):
    """One of the decisions about one correction, a third value where it takes one, and why."""

    decision = forms.ChoiceField(widget=forms.RadioSelect, error_messages={"required": "Choose one of these."})
    value = value_field(label="The other value")
    reason = reason_field()

    def __init__(self, correction: Correction, decisions: Sequence[Decision], data: Any = None) -> None:
        super().__init__(data)
        self.correction, self.decisions = correction, {decision.name: decision for decision in decisions}
        choice = cast("forms.ChoiceField", self.fields["decision"])
        choice.choices = [(d.name, d.label) for d in decisions]
        if WRITE.name not in self.decisions:
            del self.fields["value"]

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if given.get("decision") == WRITE.name and "value" in given:
            self._read(given["value"])
        elif given.get("value", "").strip(BLANKS):
            self.add_error("value", f"A value was typed, but “{WRITE.label}” was not chosen.")
        return given

    def _read(self, text: str) -> None:
        field = self.correction.field
        try:
            value = self.cleaned_data["value"] = read(field, text)
        except ValueRefused as refused:
            self.add_error("value", f"{refused.message}.")
            return
        if value == self.correction.order.source_value(field):
            self.add_error("value", f"That is what the source says; choose “{TAKE_SOURCE.label}”.")

    def decide(self, corrections: QuerySet[Correction], actor: str) -> Decision:
        """Do what was decided. Raises `NotPossible`."""
        decision = self.decisions[self.cleaned_data["decision"]]
        value = (self.cleaned_data["value"],) if decision is WRITE else ()
        decision.decide(corrections, *value, actor=actor, reason=self.cleaned_data["reason"])
        return decision
