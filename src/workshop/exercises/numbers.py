"""Numbers of schedules as somebody would say them: `1,186`, `2.6 million`, `more than 10^15`."""

from __future__ import annotations

_NAMES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"))
_MOST = 10**15


def said(number: int) -> str:
    """Return a number: to the unit below a million, to two figures above, in words."""
    if number >= _MOST:
        return f"more than 10^{len(str(number)) - 1}"
    for unit, name in _NAMES:
        if number >= unit:
            return f"{_two_figures(number / unit)} {name}"
    return f"{number:,}"


def share(broken: int, schedules: int) -> str:
    """Return how many of the schedules break it, as a sentence: `4 of 6 schedules break it`."""
    if broken == schedules:
        return "Every schedule breaks it" if schedules > 1 else "The only schedule breaks it"
    verb = "breaks" if broken == 1 else "break"
    some, all_of_them = said(broken), said(schedules)
    if some == all_of_them:
        return "Nearly every schedule breaks it"
    return f"{some[0].upper()}{some[1:]} of {all_of_them} schedules {verb} it"


def _two_figures(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0") if value < 10 else f"{value:.0f}"
