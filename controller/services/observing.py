"""What is known of the checks of a contract, put together for its records."""

from controller.core.calendars import Period
from controller.core.sla.judgement import Observed
from controller.core.sla.records import Known, observed_from
from controller.core.sla.reliability import OutageTimes
from controller.services.sight import Sight
from controller.services.terms import Agreed
from vedette.shared.definitions import micros


def observed(sight: Sight, agreed: Agreed, when: Period) -> Observed:
    """What is told of the checks over a period, and as much around it as its figures hang on."""
    scope = agreed.contract.scope
    # Whether downtime is long enough is decided before it is cut to the period (S-39).
    around_us = max(micros(one.outage.min_duration) for one in agreed.contract.versions)
    from_us, to_us = when.from_us - around_us, min(when.to_us + around_us, sight.horizon_us)
    members = [_known(sight, check, from_us, to_us) for check in scope.members]
    return observed_from(members, agreed.fleet, scope, agreed.declared)


def _known(sight: Sight, check: str, from_us: int, to_us: int) -> Known:
    if from_us >= to_us:
        return Known((), ())
    told = sight.told(check, from_us, to_us)
    return Known(told.stretches, [OutageTimes(*span) for span in told.spans])
