"""One record in full: where its time went, its charts, unknown time under every policy, how often and how long."""

from collections.abc import Iterator
from typing import Final

from controller.core.calendars import day_at
from controller.core.sla.reports.report_document import Course, Day
from controller.reporting.blocks import (
    Align,
    Block,
    Column,
    Heading,
    Listing,
    Picture,
    Table,
    Tone,
    cell,
)
from controller.reporting.charts.burn_down import burn_down_svg
from controller.reporting.charts.calendar import calendar_lines, calendar_svg
from controller.reporting.figures import (
    NOTHING,
    bounds,
    ceiled,
    floored,
    percent,
    share,
    used,
)
from controller.reporting.story.context import (
    Record,
    Telling,
    heading_of,
    is_of_samples,
    is_running,
)
from controller.reporting.story.people import timers
from controller.reporting.story.samples import samples

_PARTS: Final = ("up", "down", "partial", "degraded", "unknown", "excluded", "out_of_schedule")
_MEANS: Final = ("mttr", "mtbf", "mtbsi", "mttd", "mtta")


def objective(
    told: Telling, record: Record, course: Course | None, shown: Course | None
) -> Iterator[Block]:
    """Everything that is known of a record. `shown` is a course whose days were told of already."""
    yield Heading(heading_of(told, record))
    if "timers" in record:
        yield timers(told, record)
        return
    is_new = course is not None and (shown is None or course.days != shown.days)
    if course is not None and course.days and is_new:
        yield calendar(told, record, course)
    if course is not None and course.budget:
        yield _burn_down(told, record, course)
    if all(part in record for part in _PARTS):
        yield _time(told, record)
    yield from samples(told, record)
    if course is not None and is_new and (days := _uneven(course)):
        yield _days(told, days)
    yield _variants(told, record)
    yield from _reliability(told, record)
    if is_running(record) and record.get("burn"):
        yield Heading(told.say("part.pace"), 2)
        yield Listing(tuple(pace(told, record)))


def calendar(told: Telling, record: Record, course: Course) -> Picture:
    """The days of a record, and how much of each was down."""
    last = day_at(record["period"]["ends"] - 1, told.clock.where)
    down = [one for one in course.days if one.downtime]
    if down:
        worst = max(down, key=lambda one: one.downtime)
        alt = told.say(
            "alt.calendar",
            down=len(down),
            days=len(course.days),
            most=ceiled(worst.downtime),
            worst=worst.day,
        )
    else:
        alt = told.say("alt.calendar.clean", days=len(course.days))
    return Picture(
        calendar_svg(course.days, last, alt, told.texts),
        told.say("caption.calendar", tz=told.report.period.tz),
        alt,
        tuple(calendar_lines(course.days, told.texts)),
    )


def _burn_down(told: Telling, record: Record, course: Course) -> Picture:
    last = course.budget[-1]
    budget = floored(record["budget"])
    alt = told.say(
        "alt.burn_down", left=floored(last.left), budget=budget, at=told.clock.local(last.at)
    )
    span = (record["period"]["from"], max(record["period"]["ends"], last.at))
    caption = told.say("caption.burn_down", objective=record["objective"], budget=budget)
    return Picture(burn_down_svg(course.budget, span, told.clock, alt, told.texts), caption, alt)


def _time(told: Telling, record: Record) -> Table:
    say = told.say
    whole_us = sum(record[part] for part in _PARTS)
    rows = [(say(f"time.{part}"), record[part]) for part in _PARTS]
    cells = [
        (cell(name), cell(ceiled(us)), cell(_share_of(us, whole_us)))
        for name, us in [*rows, (say("time.total"), whole_us)]
    ]
    sums = [("eligible", floored(record["eligible"]))]
    if not is_of_samples(record):
        sums += [
            ("downtime", ceiled(record["downtime"])),
            ("least", bounds(record["downtime_min"], record["downtime_max"])),
            ("budget", floored(record["budget"])),
            ("left", floored(record["budget_left"])),
        ]
    cells += [(cell(say(f"time.{key}")), cell(text), cell("")) for key, text in sums]
    cells.append((cell(say("time.used")), cell(""), cell(used(record.get("budget_used")))))
    columns = (
        Column(say("head.kind"), share=3),
        Column(say("head.length"), Align.RIGHT, 2),
        Column(say("head.share"), Align.RIGHT),
    )
    return Table(say("caption.time"), columns, tuple(cells))


def _share_of(us: int, whole_us: int) -> str:
    return share({"num": us, "den": whole_us}) if us else NOTHING


def _uneven(course: Course) -> list[Day]:
    """The days of which there is more to tell than that they were up or out of schedule."""
    return [one for one in course.days if one.downtime or one.unknown or one.excluded or one.down]


def _days(told: Telling, days: list[Day]) -> Table:
    heads = ("day", "downtime", "unknown", "excluded", "out_of_schedule")
    columns = [
        Column(told.say(f"head.{one}"), Align.RIGHT if one != "day" else Align.LEFT)
        for one in heads
    ]
    rows = []
    for run in _runs(days):
        name = run[0].day if len(run) == 1 else f"{run[0].day} – {run[-1].day}"
        sums = (sum(getattr(one, part) for one in run) for part in heads[1:])
        rows.append((cell(name), *(cell(ceiled(us) if us else NOTHING) for us in sums)))
    return Table(told.say("caption.days"), tuple(columns), tuple(rows))


def _runs(days: list[Day]) -> list[list[Day]]:
    """Days that follow one another without downtime and are alike, as one; every other day by itself."""
    found: list[list[Day]] = []
    for one in days:
        before = found[-1][-1] if found else None
        if before is not None and not one.downtime and _is_next(before, one):
            found[-1].append(one)
        else:
            found.append([one])
    return found


def _is_next(before: Day, one: Day) -> bool:
    alike = all(
        bool(getattr(before, part)) == bool(getattr(one, part))
        for part in ("downtime", "unknown", "excluded", "out_of_schedule")
    )
    return alike and before.to_us == one.from_us


def _variants(told: Telling, record: Record) -> Table:
    policies = record["variants"]
    own = str(record["clauses"].get("unknown", ""))
    in_force = own.partition("(")[0].strip()
    rows = []
    for name, found in policies.items():
        word = told.texts.word("policy", name)
        is_own = name == in_force
        label = told.say("policy.in_force", policy=word) if is_own else word
        shown = percent(found["attainment_shown"])
        rows.append((cell(label), cell(shown, tone=Tone.PLAIN if is_own else Tone.MUTED)))
    columns = (
        Column(told.say("head.taken_for"), share=2),
        Column(told.say("head.attained"), Align.RIGHT),
    )
    policy = told.texts.word("policy", in_force)
    return Table(told.say("caption.variants", policy=policy), columns, tuple(rows))


def _reliability(told: Telling, record: Record) -> Iterator[Block]:
    if record.get("outages"):
        rows = [(cell(told.say("reliability.outages")), cell(str(record["outages"])))]
        for name in _MEANS:
            if name in record:
                us = record[name]
                shown = NOTHING if us is None else ceiled(us)
                rows.append((cell(told.say(f"reliability.{name}")), cell(shown)))
        columns = (
            Column(told.say("head.name"), share=2),
            Column(told.say("head.value"), Align.RIGHT),
        )
        yield Table(told.say("caption.reliability"), columns, tuple(rows))
    worst = record.get("worst") or {}
    if any(ratio["num"] < ratio["den"] for ratio in worst.values()):
        columns = (
            Column(told.say("head.window"), share=2),
            Column(told.say("head.worst"), Align.RIGHT),
        )
        rows = [
            (cell(told.texts.word("window", name)), cell(share(ratio)))
            for name, ratio in worst.items()
        ]
        yield Table(told.say("caption.worst"), columns, tuple(rows))


def pace(told: Telling, record: Record) -> Iterator[str]:
    """Where a period that is not over is going."""
    burn = record["burn"]
    yield told.say("pace.course", course=told.texts.word("course", burn["course"]))
    if burn["exhausted_at"] is not None:
        at_us = burn["exhausted_at"] // 1_000_000 * 1_000_000
        yield told.say("pace.exhausted", at=told.clock.local(at_us), utc=told.clock.utc(at_us))
    for one in burn["alerts"]:
        rate = one["rate"]["num"] * 10 // one["rate"]["den"]
        yield told.say(
            "pace.alert",
            urgency=told.texts.word("urgency", one["urgency"]),
            long=ceiled(one["long"]),
            short=ceiled(one["short"]),
            rate=f"{rate // 10}.{rate % 10}",
        )
