"""The bounds of a storm in operations.md are those of the code."""

from pathlib import Path

from vedette.shared import limits

PAGE = Path(__file__).parents[3] / "docs" / "operations.md"


def test_the_bounds_of_a_storm_are_as_the_page_says() -> None:
    page = PAGE.read_text()
    section = page.partition("## Looking at once")[2].partition("\n## ")[0]
    for said in (
        f"{limits.CONFIRM_AGENT_ORDERS_PER_SECOND} and {limits.CONFIRM_ORDERS_PER_SECOND} a second",
        f"more than {limits.CONFIRM_FEW_FAILURES} checks",
        f"within {limits.CONFIRM_FEW_US // 1_000_000} s",
        f"after {limits.CONFIRM_ANCHORS_US_MAX // 1_000_000} s",
    ):
        assert said in section
    assert limits.CONFIRM_WISH_US_MAX == 60_000_000, "an interval, or a minute"
