"""Counter-evidence as messages."""

from controller.ports.counters import Counter
from vedette.v1 import dispute_pb2 as pb


def counter_message(one: Counter) -> pb.Counter:
    """Counter-evidence, without the file."""
    return pb.Counter(
        subject=one.subject,
        at_us=one.at_us,
        who=one.who,
        role=one.role,
        text=one.text,
        file_name=one.file_name,
        size=one.size,
        sha256=one.sha256,
        is_kept=bool(one.content),
    )
