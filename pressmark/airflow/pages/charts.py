"""Charts as SVG, made on the server: they need no script, and a reader of screens gets their titles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from statistics import quantiles
from typing import Any

from markupsafe import Markup, escape

_MIN_DAYS_FOR_BAND = 7
_BREAK_FACTOR = 2.0  # words per article: so many times more or fewer than the days before
_OUTCOME_CLASSES = ("kept", "not_requested", "no_response", "refused")


def expected_band(values: Sequence[int]) -> tuple[float, float] | None:
    """Return the range of what is usual, from the tenth to the ninetieth percentile; None for too few days."""
    if len(values) < _MIN_DAYS_FOR_BAND:
        return None
    deciles = quantiles(values, n=10, method="inclusive")
    return deciles[0], deciles[-1]


def sparkline(values: Sequence[int], band: tuple[float, float] | None, label: str) -> Markup:
    """Return a line of daily values over the expected band. Days outside of the band are marked."""
    width, height = 132, 28
    top = max([*values, band[1] if band else 0, 1])
    step = (width - 8) / max(len(values) - 1, 1)

    def y(value: float) -> float:
        return round(height - 4 - value / top * (height - 8), 1)

    points = [(round(4 + step * n, 1), y(value)) for n, value in enumerate(values)]
    parts = [f'<polyline class="line" points="{" ".join(f"{x},{height_}" for x, height_ in points)}"/>']
    if band:
        low, high = y(band[0]), y(band[1])
        parts.insert(0, f'<rect class="band" x="0" y="{high}" width="{width}" height="{max(low - high, 1)}"/>')
        # Today is not over, so only an unusually high value says something.
        outside = [
            point
            for n, (point, value) in enumerate(zip(points, values, strict=True))
            if value > band[1] * 1.5 + 2 or (value < band[0] * 0.5 - 1 and n < len(values) - 1)
        ]
        parts += [f'<circle class="outlier" cx="{x}" cy="{at}" r="2.5"/>' for x, at in outside]
    return _svg(width, height, "".join(parts), label, "spark")


def stacked_days(days: Sequence[Mapping[str, Any]], classes: Mapping[str, str], label: str) -> Markup:
    """Return one bar per day, stacked by the class of the outcomes. days: `day` and `outcomes` (numbers by outcome).

    classes: class by outcome.
    """
    width, height = 860, 180
    totals = [sum(day["outcomes"].values()) for day in days]
    top = max([*totals, 1])
    step = (width - 50) / max(len(days), 1)
    parts = [_axis(width, height, top)]
    for n, day in enumerate(days):
        x, at = 44 + n * step, float(height - 22)
        by_class = dict.fromkeys(_OUTCOME_CLASSES, 0)
        for outcome, count in day["outcomes"].items():
            by_class[classes.get(outcome, "not_requested")] += count
        title = escape(f"{day['day']}: " + (", ".join(
            f"{count} {name.replace('_', ' ')}" for name, count in sorted(day["outcomes"].items(), key=lambda i: -i[1])
        ) or "nothing"))  # fmt: skip
        bars = []
        for name, count in by_class.items():
            size = count / top * (height - 40)
            at -= size
            if count:
                bars.append(
                    f'<rect class="o-{name}" x="{x:.1f}" y="{at:.1f}" width="{step * 0.8:.1f}" height="{size:.1f}"/>'
                )
        parts.append(f"<g><title>{title}</title>{''.join(bars)}</g>")
    parts.append(_day_labels([day["day"] for day in days], step, height))
    return _svg(width, height, "".join(parts), label, "wide")


def words_line(days: Sequence[Mapping[str, Any]], label: str) -> Markup:
    """Return the median words per article by day. Days with twice or half of what was usual before are marked."""
    width, height = 860, 140
    values = [day["median_words"] for day in days]
    top = max([value for value in values if value is not None] or [1])
    step = (width - 50) / max(len(days), 1)
    parts, points = [_axis(width, height, top)], []
    for n, value in enumerate(values):
        if value is None:
            continue
        x, at = 44 + n * step, height - 22 - value / top * (height - 40)
        points.append(f"{x:.1f},{at:.1f}")
        is_break = breaks_from(values[:n], value)
        title = f"{days[n]['day']}: {value} words" + (", a break" if is_break else "")
        kind, radius = ("outlier", 4) if is_break else ("dot", 2)
        parts.append(f'<circle class="{kind}" cx="{x:.1f}" cy="{at:.1f}" r="{radius}"><title>{title}</title></circle>')
    parts.insert(1, f'<polyline class="line" points="{" ".join(points)}"/>')
    parts.append(_day_labels([day["day"] for day in days], step, height))
    return _svg(width, height, "".join(parts), label, "wide")


def breaks_from(before: Sequence[int | None], value: int) -> bool:
    """Whether a day's words differ from the week before by a factor of two."""
    known = sorted(words for words in before[-7:] if words)
    if len(known) < 3:
        return False
    usual = known[len(known) // 2]
    return value > usual * _BREAK_FACTOR or value < usual / _BREAK_FACTOR


def hours(latest: Sequence[int | None], week_before: Sequence[int], labels: Sequence[str], label: str) -> Markup:
    """Return articles by hour as bars, with those of the week before as a line. None: the hour is not over yet."""
    width, height = 860, 150
    top = max([*(value or 0 for value in latest), *week_before, 1])
    step = (width - 50) / len(latest)
    parts, points = [_axis(width, height, top)], []
    for n, (value, before) in enumerate(zip(latest, week_before, strict=True)):
        x = 44 + n * step
        size = (value or 0) / top * (height - 40)
        title = f"{labels[n]}: {'not over yet' if value is None else value}, a week before: {before}"
        parts.append(
            f'<g><title>{title}</title><rect class="bar" x="{x:.1f}" y="{height - 22 - size:.1f}" '
            f'width="{step * 0.8:.1f}" height="{size:.1f}"/></g>'
        )
        points.append(f"{x + step * 0.4:.1f},{height - 22 - before / top * (height - 40):.1f}")
        if n % 4 == 0:
            parts.append(f'<text x="{x:.1f}" y="{height - 6}">{labels[n][-5:]}</text>')
    parts.append(f'<polyline class="before" points="{" ".join(points)}"/>')
    return _svg(width, height, "".join(parts), label, "wide")


def _axis(width: int, height: int, top: float) -> str:
    lines = []
    for part in (0, 0.5, 1):
        at = height - 22 - part * (height - 40)
        lines.append(
            f'<line class="grid" x1="40" x2="{width}" y1="{at:.1f}" y2="{at:.1f}"/>'
            f'<text x="36" y="{at + 4:.1f}" text-anchor="end">{top * part:.0f}</text>'
        )
    return "".join(lines)


def _day_labels(days: Sequence[date], step: float, height: int) -> str:
    every = max(len(days) // 10, 1)
    return "".join(
        f'<text x="{44 + n * step:.1f}" y="{height - 6}">{day:%b} {day.day}</text>'
        for n, day in enumerate(days)
        if n % every == 0
    )


def _svg(width: int, height: int, content: str, label: str, kind: str) -> Markup:
    # The content consists of numbers, dates and names of outcomes. The label may have a name of an outlet.
    head = '<svg class="{}" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">{}</svg>'
    return Markup(head).format(kind, width, height, width, height, label, Markup(content))  # noqa: S704
