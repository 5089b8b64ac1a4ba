"""Every bound of the system, in one place, with the reason where it is not obvious.

Units stand last in the names. A bound that is met is never silent: the place that meets it counts or
refuses with a message.
"""

from typing import Final

# --- result lines and frames
LINE_BYTES_MAX: Final = 16 * 1024
FRAME_BYTES_MAX: Final = 1024 * 1024
FRAME_LINES_MAX: Final = 4096
DETAIL_CHARS_MAX: Final = 500
# Objects and arrays inside one another. An agent writes four; every reader must come to the end of a line.
LINE_DEPTH_MAX: Final = 32
# A thousand lines a second for 34 years. Sums over every stream of every agent stay far below 2**63.
SEQ_MAX: Final = 1 << 40

# --- seals
SEAL_EVERY_SECONDS: Final = 60.0
# What one seal may cover: the controller holds it in memory to check it, and packs it into one segment.
SEAL_LINES_MAX: Final = 65_536
SEAL_BYTES_MAX: Final = 32 * 1024 * 1024
NOTE_BYTES_MAX: Final = 64 * 1024
NOTE_SIGNATURES_MAX: Final = 16
# A path in a tree of 2**63 leaves.
PROOF_HASHES_MAX: Final = 64
# Manifests name every file of a bundle, some hundred thousand for a month; so do claims its streams.
BUNDLE_NOTE_BYTES_MAX: Final = 256 * 1024 * 1024
BUNDLE_PART_BYTES_MAX: Final = 1024 * 1024
BUNDLE_FILE_BYTES_MAX: Final = 4 * 1024 * 1024 * 1024
# Heads of the log that an export is asked to go on from.
HELD_HEADS_MAX: Final = 64
BUNDLE_SECONDS_MAX: Final = 1800.0
# Two of them prove a fork; a controller that signs more fills no disk.
REFUSED_HEADS_MAX: Final = 16
HEADS_WAITING_MAX: Final = 4
# A signature line: a name of 255 characters, and 76 bytes in base64.
COSIGNATURE_BYTES_MAX: Final = 512
# An agent that made a key anew a few times was restored; one that makes more fills no log.
WITNESS_KEYS_MAX: Final = 8
# How long an export waits for the witnesses that are connected to sign the head that it ends with.
COSIGN_SECONDS_MAX: Final = 2.0
# A timestamp of RFC 3161 with its certificates is a few kilobytes.
STAMP_BYTES_MAX: Final = 64 * 1024
STAMP_SECONDS_MAX: Final = 20.0
# A seal's note stands in the spool as a record beside the lines, and must fit one.
SEAL_NOTE_BYTES_MAX: Final = 4 * 1024
# One suffices as proof; an agent that signs more fills no disk.
FORKED_SEALS_MAX: Final = 8

# --- definitions
ID_CHARS_MAX: Final = 63
FLEET_BYTES_MAX: Final = 16 * 1024 * 1024
CHECKS_MAX: Final = 100_000
EXPECTATIONS_MAX: Final = 50
EXPECTATION_CHARS_MAX: Final = 1000
# What an expression may be given: some tens of milliseconds each, where a macro takes its input squared or cubed.
EXPECTATION_ELEMENTS_MAX: Final = 20_000
MACRO_ELEMENTS_MAX: Final = 1000
MACRO_COPIED_ELEMENTS_MAX: Final = 250
# Every + copies what the ones before it made: their number squared, times the elements (64 characters each).
EXPECTATION_JOINED_MAX: Final = 1024 * 1024
# Characters, as often as functions go through them.
EXPECTATION_SEARCHED_MAX: Final = 16 * 1024 * 1024
# Thousandths of what one expression may be given, for all expressions of a check together.
EXPECTATION_SHARES_MAX: Final = 4000
# Steps of a pattern times bytes of text, of all patterns of a check: at worst 14 ns each, so about 2 s. They are
# spent beside the loop. What is certain to be done within milliseconds is done at once.
MATCH_STEPS_MAX: Final = 10_000
MATCH_WORK_MAX: Final = 128 * 1024 * 1024
LIGHT_SHARES_MAX: Final = 200
LIGHT_ELEMENTS_MAX: Final = 1000
LIGHT_MATCH_WORK_MAX: Final = 512 * 1024
INTERVAL_US_MIN: Final = 1_000_000
INTERVAL_US_MAX: Final = 24 * 3600 * 1_000_000
TIMEOUT_US_MAX: Final = 120 * 1_000_000
# While an outage is open a check runs no faster than this, unless it always does.
OUTAGE_INTERVAL_US_MIN: Final = 5 * 1_000_000
REDIRECTS_MAX: Final = 50
ICMP_COUNT_MAX: Final = 100
URL_CHARS_MAX: Final = 2048
REQUEST_HEADERS_MAX: Final = 50
REQUEST_BODY_CHARS_MAX: Final = 64 * 1024
CA_CHARS_MAX: Final = 64 * 1024
PINS_MAX: Final = 16
SECRET_CHARS_MAX: Final = 4096
OAUTH_PARAMETERS_MAX: Final = 20
DNS_SERVERS_MAX: Final = 16
DNS_ANCHORS_MAX: Final = 8
ICMP_PAYLOAD_BYTES_MAX: Final = 8972  # an Ethernet jumbo frame
DIALOGUE_STEPS_MAX: Final = 50
DIALOGUE_SEND_CHARS_MAX: Final = 4096
PATTERN_CHARS_MAX: Final = 1000
# Steps of a compiled pattern, and bytes that it is matched against at once: their product is the longest time
# that a match takes, about 40 ms.
PATTERN_STEPS_MAX: Final = 400
PATTERN_WINDOW_BYTES: Final = 8 * 1024
PATTERN_MEMORY_BYTES_MAX: Final = 1024 * 1024
# Compiled ones, which may each take as much memory as that when a target makes them.
PATTERNS_KEPT_MAX: Final = 128
BODY_BYTES_MAX: Final = 8 * 1024 * 1024
BODY_BYTES_DEFAULT: Final = 1024 * 1024
PROBLEMS_SHOWN_MAX: Final = 100

# --- agent
PROBES_AT_ONCE_MAX: Final = 256
PROBES_PER_CHECK_MAX: Final = 2
LAUNCH_LAG_US_MAX: Final = 2_000_000
OVERRUN_US_MAX: Final = 500_000
# A loop that stood still for longer, and for more than a tenth of what was measured, makes a probe distorted.
LOOP_LAG_US_MAX: Final = 100_000
HEARTBEAT_US: Final = 20_000
# Expectations that take longer than milliseconds: threads for them, and how long a run waits for one to be done.
EVALUATION_THREADS_MAX: Final = 4
EVALUATION_US_MAX: Final = 5 * 1_000_000
LATE_BEATS_KEPT_MAX: Final = 4096
# Failure capture: how many at a time and in line, how long one may take, and what of it may stand in a line.
CAPTURES_AT_ONCE_MAX: Final = 4
CAPTURES_WAITING_MAX: Final = 32
CAPTURE_US_MAX: Final = 4 * 1_000_000
CAPTURE_BYTES_MAX: Final = 6 * 1024
TRACE_HOPS_MAX: Final = 30
TRACE_US_MAX: Final = 2 * 1_000_000
RESOLVER_THREADS_MAX: Final = 32
RESPONSE_HEADER_BYTES_MAX: Final = 64 * 1024
RESPONSE_HEADERS_MAX: Final = 256
INTERIM_RESPONSES_MAX: Final = 10
# Frames of HTTP/2 that carry neither headers nor body that we keep.
HTTP2_OVERHEAD_BYTES_MAX: Final = 256 * 1024
HTTP2_FRAMES_MAX: Final = 5000
# What arrives of a body beyond twice its bound (chunks, extensions, empty blocks) ends it.
BODY_OVERHEAD_BYTES_MAX: Final = 1024 * 1024
GZIP_MEMBERS_MAX: Final = 1000
# What arrived is parsed in slices, and others run between them.
FEED_SLICE_BYTES: Final = 16 * 1024
PLANS_KEPT_MAX: Final = 8192
TOKENS_KEPT_MAX: Final = 1024
TOKEN_ANSWER_BYTES_MAX: Final = 64 * 1024
READ_AHEAD_BYTES_MAX: Final = 256 * 1024
JSON_DEPTH_MAX: Final = 100
# A larger body is not parsed as JSON: its `json` is absent.
JSON_BYTES_MAX: Final = 256 * 1024
ADDRESSES_MAX: Final = 32
RECORDS_SHOWN_MAX: Final = 20
HEADER_NAMES_SHOWN_MAX: Final = 64
SHOWN_CHARS_MAX: Final = 120
ICMP_PACKETS_PER_WAKE_MAX: Final = 64
# Of one reply: a longer one takes longer to read than its target has a right to.
DNS_RECORDS_MAX: Final = 1000
REPLIES_READ_AT_ONCE_MAX: Final = 1
DATAGRAMS_PASSED_OVER_MAX: Final = 64
# Of a reply with addresses: many more than ADDRESSES_MAX fit, and no longer one is read.
NAME_REPLY_BYTES_MAX: Final = 8 * 1024
NAME_SERVERS_MAX: Final = 16
# Validation is public-key arithmetic that a hostile zone could ask for without end.
DNSSEC_QUERIES_MAX: Final = 64
DNSSEC_KEYS_MAX: Final = 32
DNSSEC_SIGNATURES_MAX: Final = 8
DNSSEC_VERIFICATIONS_MAX: Final = 128
NSEC3_ITERATIONS_MAX: Final = 150
# TLS 1.3 is agreed on before the server has seen the client's certificate: how long its refusal is waited for.
REFUSAL_US_MIN: Final = 20_000
REFUSAL_US_MAX: Final = 250_000
DIALOGUE_LINE_BYTES_MAX: Final = 8 * 1024
DIALOGUE_BYTES_MAX: Final = 256 * 1024
# Lines and reads: a target that drips must not keep the agent busy either.
DIALOGUE_PIECES_MAX: Final = 4096
CAPTURE_CHARS_MAX: Final = 1000
# A week without the controller for 1,000 HTTPS checks a minute, with their seals, takes 9.6 GiB.
SPOOL_BYTES_MAX: Final = 12 * 1024**3
# Two weeks: a result that nobody fetched for so long changes no figure that is still open.
SPOOL_AGE_SECONDS_MAX: Final = 14 * 24 * 3600.0
SPOOL_SEGMENT_BYTES: Final = 8 * 1024 * 1024
SPOOL_BYTES_MIN: Final = 64 * 1024
# Taken in memory while the disk is slow; beyond it new lines are dropped and counted.
SPOOL_PENDING_BYTES_MAX: Final = 16 * 1024 * 1024
SEND_WINDOW_LINES_MAX: Final = 65_536
# More lines than this waiting when the controller is back are a backlog: they follow behind live results.
BACKLOG_LINES_MIN: Final = 10_000
BACKLOG_FRAME_BYTES: Final = 128 * 1024
BACKLOG_WINDOW_LINES: Final = 1_024
# A week of 1,000 checks a minute is delivered in about half an hour.
BACKLOG_LINES_PER_SECOND: Final = 5_000
RECONNECT_SECONDS_MIN: Final = 0.2
RECONNECT_SECONDS_MAX: Final = 30.0
CONNECT_SECONDS_MAX: Final = 10.0
CLOCK_PROBE_SECONDS: Final = 30.0
HEALTH_SECONDS: Final = 30.0
# A wall clock that moved against the steady one by more was set, not slewed.
CLOCK_STEP_US_MIN: Final = 100_000
CLOCK_LOOK_SECONDS: Final = 1.0
# Anchors (SEMANTICS S-10).
ANCHORS_MIN: Final = 3
ANCHORS_MAX: Final = 16
ANCHOR_TIMEOUT_US: Final = 3 * 1_000_000
ANCHOR_INTERVAL_US_MIN: Final = 5 * 1_000_000
ANCHOR_INTERVAL_US_MAX: Final = 20 * 1_000_000
# A failure brings the next round forward, but rounds stay at least this far apart.
ANCHOR_APART_US_MIN: Final = 2 * 1_000_000
# The site's policy (policy.yaml): what holds where it says nothing. Rates are runs a second, with a burst.
SITE_CHECKS_MAX: Final = 10_000
SITE_LOOK_SECONDS: Final = 1.0
SITE_RATE_TOTAL: Final = 1000
SITE_RATE_TARGET: Final = 20
SITE_RATE_ADDRESS: Final = 100
SITE_TARGETS_KEPT_MAX: Final = 65_536
# A check that the policy refuses writes a line this often at most, and so many of them write lines at all.
REFUSAL_INTERVAL_US_MIN: Final = 60 * 1_000_000
REFUSED_CHECKS_SCHEDULED_MAX: Final = 1000
UNRUNNABLE_SHOWN_MAX: Final = 100
POLICY_CHARS_MAX: Final = 1000
# What an agent takes of a controller: checks and secrets of one assignment, and assignments that wait.
ASSIGNED_MAX: Final = 100_000
ASSIGNMENTS_WAITING_MAX: Final = 256
LABELS_MAX: Final = 32
PLACES_MAX: Final = 1024

# --- time (SEMANTICS S-3)
CLOCK_OFFSET_US_MAX: Final = 60 * 1_000_000
FUTURE_US_MAX: Final = 5 * 1_000_000

# --- controller
# A call has 30 s, and nothing is taken in meanwhile: a day of a check in three regions takes half a second.
BACKTEST_PART_US_MAX: Final = 24 * 3600 * 1_000_000
INGEST_QUEUE_FRAMES_MAX: Final = 4096
INGEST_BATCH_LINES_MAX: Final = 65_536
INGEST_BACKLOG_LINES_MAX: Final = 2_048
# Of one transaction that prunes, so that results that come meanwhile wait for some hundredths of a second: seals, and
# bytes as they are kept.
PRUNE_SEALS_AT_ONCE_MAX: Final = 250
PRUNE_BYTES_AT_ONCE_MAX: Final = 2 * 1024 * 1024
# Looking again at numbers that a stream is past costs reading what is stored. An agent may cause so much of it
# in an hour; beyond that only its new lines are taken. A point is 64 KiB read back or one line that conflicts.
LOOKBACK_POINTS_PER_HOUR: Final = 4096
LOOKBACK_KEPT_BYTES_MAX: Final = 64 * 1024 * 1024
# Different lines under one identity that are kept (S-2): the first, and so many others.
CONFLICTS_PER_RESULT_MAX: Final = 8
# Of one agent, in the long run and at once. One that probes 1,000 checks a second stays far below, and so does
# one that delivers a week of them.
AGENT_LINES_PER_SECOND_MAX: Final = 20_000
AGENT_LINES_BURST: Final = 400_000
AGENT_BYTES_PER_SECOND_MAX: Final = 16 * 1024 * 1024
AGENT_BYTES_BURST: Final = 320 * 1024 * 1024
AGENT_MESSAGES_PER_SECOND_MAX: Final = 20
AGENT_MESSAGES_BURST: Final = 400
# Seals: one a minute of every stream, or those of a long outage behind their lines. One that is refused costs a
# transaction and an alarm, and counts as so many.
AGENT_SEALS_PER_SECOND_MAX: Final = 200
AGENT_SEALS_BURST: Final = 4000
AGENT_SEAL_REFUSED_COST: Final = 10
# Streams that were not there before: one for each service, and again for each epoch.
AGENT_STREAMS_PER_SECOND_MAX: Final = 1
AGENT_STREAMS_BURST: Final = 20_000
# Checks whose whole timeline is read again in one transaction, which takes up to half a second each.
LATE_CHECKS_AT_ONCE_MAX: Final = 4
SEALS_QUEUE_MAX: Final = 1024
# Seals of one transaction: each may have 32 MiB of lines behind it, which are read one after another.
SEALS_AT_ONCE_MAX: Final = 64
JOIN_TOKEN_TTL_US_MAX: Final = 24 * 3600 * 1_000_000
# A site that is switched off over weekends recovers a few times a month; more needs a person.
RECOVERIES_MAX: Final = 10
RECOVERY_PERIOD_US: Final = 30 * 24 * 3600 * 1_000_000
# A shorter one cannot be told from ordinary text when it is taken out of a line.
SECRET_VALUE_CHARS_MIN: Final = 8
SECRETS_MAX: Final = 1000
REASON_CHARS_MAX: Final = 500
REMARK_CHARS_MAX: Final = 2000
# A file of the other side that is kept with what they say; of a larger one the hash is.
COUNTER_BYTES_MAX: Final = 64 * 1024
COUNTER_FILE_BYTES_MAX: Final = 1024 * 1024 * 1024
COUNTERS_MAX: Final = 200
HOLDS_MAX: Final = 1000
# Entries of the ledger of exclusions: every figure reads them all, in a tenth of a second.
EXCLUSION_ENTRIES_MAX: Final = 20_000
# Of one import: events of a file, and occurrences that it declares, in one call of 30 s.
CALENDAR_BYTES_MAX: Final = 1024 * 1024
CALENDAR_EVENTS_MAX: Final = 1000
CALENDAR_OCCURRENCES_MAX: Final = 1000
# Days that all series of a file are followed through: a few seconds.
CALENDAR_DAYS_MAX: Final = 500_000
CALENDAR_UID_CHARS_MAX: Final = 255
# Of one outage.
REMARKS_MAX: Final = 500
AUDIT_ACTS_SHOWN_MAX: Final = 1000
RPC_SECONDS_MAX: Final = 30.0
# Confirming looks. Two of one agent at one check are this far apart: looks within a moment see the same moment.
CONFIRM_APART_US: Final = 2 * 1_000_000
# Orders of one agent, and of all of them, a second: an order is one run of one check by one agent.
CONFIRM_AGENT_ORDERS_PER_SECOND: Final = 50
CONFIRM_ORDERS_PER_SECOND: Final = 500
# More checks that begin to fail at one agent within this time may be the agent's own trouble: its anchors come
# first, and if they say nothing for so long, the checks wait for their slots.
CONFIRM_FEW_FAILURES: Final = 5
CONFIRM_FEW_US: Final = 2 * 1_000_000
CONFIRM_ANCHORS_US_MAX: Final = 10 * 1_000_000
# An agent that told of no anchors for so long has none, or is too old to ask them.
CONFIRM_ANCHORS_KNOWN_US: Final = 90 * 1_000_000
# Checks that one agent is still to be asked about, and how long an order waits at most before its slot does.
CONFIRM_WISHES_MAX: Final = 20_000
CONFIRM_WISH_US_MAX: Final = 60 * 1_000_000
# Three reports of an agent's health, and it has missed them: it is silent.
SILENT_US: Final = 90 * 1_000_000
SILENCE_LOOK_SECONDS: Final = 5.0

# --- notifications
CHANNELS_MAX: Final = 200
CHANNEL_URL_CHARS_MAX: Final = 4096
# Heads of the log: it is signed once a minute, and who hears of it once in a month holds too little of it.
CHANNEL_EVERY_US_MIN: Final = 60 * 1_000_000
CHANNEL_EVERY_US_MAX: Final = 31 * 24 * 3600 * 1_000_000
FILTER_NAMES_MAX: Final = 1000
# Over 5 s, 10 s, 20 s and so on, up to an hour each: about fifteen hours in all.
NOTIFY_ATTEMPTS_MAX: Final = 24
NOTIFY_RETRY_US_MIN: Final = 5 * 1_000_000
NOTIFY_RETRY_US_MAX: Final = 3600 * 1_000_000
# One attempt, from the name's resolution to the answer.
NOTIFY_SECONDS_MAX: Final = 15.0
NOTIFY_LOOK_SECONDS: Final = 1.0
# At once to one channel, each of another outage, so that one that hangs keeps nobody else waiting.
NOTIFY_AT_ONCE_MAX: Final = 4
# Of one transaction, so that results that come meanwhile wait for a tenth of a second at most.
NOTIFY_EVENTS_AT_ONCE_MAX: Final = 25
NOTIFY_HELD_AT_ONCE_MAX: Final = 50
DELIVERIES_SHOWN_MAX: Final = 1000
NOTIFY_ADDRESSES_MAX: Final = 4
# apprise talks to some services several times for one message.
APPRISE_SECONDS_MAX: Final = 30.0
APPRISE_PROCESSES_MAX: Final = 6
# Of such a process: what a hostile answer could make it take.
APPRISE_MEMORY_BYTES_MAX: Final = 512 * 1024 * 1024
