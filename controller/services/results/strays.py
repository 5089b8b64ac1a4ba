"""Lines that came for a check before there was one of that name: they count once there is (S-20)."""

from itertools import groupby

from controller.core.admission import admitted_line
from controller.core.samples import Sample
from controller.ports.storage import Transaction
from vedette.shared.identity import ResultId

_SEGMENTS_AT_ONCE = 16


def adopt(tx: Transaction, check: str) -> int:
    """Make samples of the lines that waited for `check`; how many. The caller judges the check anew."""
    adopted = 0
    for _, own in groupby(tx.strays(check), key=lambda one: (one.agent, one.epoch, one.stream)):
        adopted += _adopt_stream(tx, list(own))
    tx.forget_strays(check)
    return adopted


def _adopt_stream(tx: Transaction, strays: list[ResultId]) -> int:
    """Of one stream, by number."""
    wanted = {one.seq for one in strays}
    first = strays[0]
    key = (first.agent, first.epoch, first.stream)
    at_seq, adopted = first.seq, 0
    while at_seq <= strays[-1].seq:
        segments = tx.next_segments(*key, at_seq, _SEGMENTS_AT_ONCE)
        samples: list[Sample] = []
        for segment in segments:
            for seq, line in enumerate(segment.lines.split(b"\n")[:-1], segment.first_seq):
                if seq in wanted and at_seq <= seq:
                    read = admitted_line(line)
                    assert isinstance(read, Sample), "a stray was read as a sample before"
                    samples.append(read._replace(digest=0))
        tx.append([], samples, [], [], [])
        adopted += len(samples)
        if not segments:
            break
        at_seq = segments[-1].first_seq + segments[-1].count
    return adopted
