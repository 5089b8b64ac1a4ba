"""English: the paper of a bundle of evidence."""

from collections.abc import Mapping
from typing import Final

PAPER: Final[Mapping[str, str | tuple[str, ...]]] = {
    # --- the whole
    "paper.title": "Evidence: {contract}",
    "paper.foot": "SHA-256 of MANIFEST.note {sha256}",
    "paper.manifest": "SHA-256 of MANIFEST.note, which names every file of the evidence",
    "paper.manifest.groups": "The same in groups of four, for reading aloud",
    "paper.note": (
        "This paper is for people and no evidence. It was made from the files of a bundle and from nothing else, and"
        " everybody can make it again. What it says is proved by these files only, and only if the hash above is"
        " that of the file MANIFEST.note in it."
    ),
    "fact.outage": "Outage",
    "paper.outage.revision": "of {check}, revision {revision}",
    "fact.log": "Log",
    "fact.supersedes": "In place of the claim",
    "paper.supersedes.none": "none: this is the first claim about it",
    # --- what happened
    "paper.part.happened": "What happened",
    "paper.retracted": (
        "{n} outage was recorded and taken back, because later evidence says that it was none: {handles}.",
        "{n} outages were recorded and taken back, because later evidence says that they were none: {handles}.",
    ),
    "paper.caption.said": "What people said, and moves no figure by itself",
    "paper.head.who": "Who",
    "paper.head.said": "What",
    "paper.file": "rests on {name}",
    "remark.ack": "taken on",
    "remark.annotation": "noted",
    "remark.pause": "clocks stopped",
    "remark.resume": "clocks run again",
    "remark.counter": "said against it",
    # --- when
    "paper.part.when": "When, and by which clock",
    "paper.when": (
        "Three clocks are told apart. Results carry the time of the agent that probed, set right by how its clock"
        " stands to the controller's; that is when something happened. Entries of the log carry the controller's"
        " time and a number; that is when it was known, and in which order. Authorities outside say when a head of"
        " the log existed; that is the latest instant at which everything before it was there."
    ),
    "paper.caption.known": "When outages became known",
    "paper.head.began": "Began, by the agents' clocks",
    "paper.head.opened": "Entered in the log",
    "paper.head.last": "Last entry about it",
    "paper.head.covered": "Under the head of",
    "paper.entry": "leaf {leaf}, {what}",
    "paper.covered": ("{n} leaf", "{n} leaves"),
    "paper.stamped": "stamped by {who}",
    "paper.unlogged": "no entry in this bundle",
    "outage.event.opened": "recorded",
    "outage.event.confirmed": "confirmed",
    "outage.event.revised": "revised",
    "outage.event.closed": "over",
    "outage.event.reopened": "not over after all",
    "outage.event.retracted": "taken back",
    "paper.caption.clocks": "How the agents' clocks stood to the controller's, by their own seals",
    "paper.head.agent": "Agent",
    "paper.head.offset": "Offset, from – to",
    "paper.head.error": "Error at most",
    "paper.head.moved": "Moved from seal to seal",
    "paper.head.known": "Seals that say so",
    "paper.moved": "by {most} at most",
    "paper.moved.none": "not at all",
    "paper.known": "{known} of {seals}",
    "paper.unsynced": ("{n} says: not synchronised", "{n} say: not synchronised"),
    # --- by whom
    "paper.part.whom": "Seen by whom",
    "paper.caption.streams": "What each agent sealed",
    "paper.head.stream": "Stream",
    "paper.head.seals": "Seals",
    "paper.head.lines": "Lines",
    "paper.head.missed": "Slots missed",
    "paper.head.sealed": "From – to, by its clock",
    "paper.anchors": "what it saw of anchors",
    "paper.epoch": "epoch {epoch}",
    "paper.region": "region {region}",
    "paper.provider": "at {provider}",
    "paper.missed": "{missed} of {scheduled}",
    "paper.runs": ("in {n} run: seals between never came", "in {n} runs: seals between never came"),
    "paper.operators": (
        "Who runs an agent is not in the bundle: the annex of the contract says it. Agents that all belong to the one"
        " side prove what that side signed, not that it is true."
    ),
    "paper.missed.text": (
        "Slots are accounted for without gaps: one that was missed has no result, and counts for nobody."
    ),
    "paper.absent": "What is not in this bundle, or did not count, although numbers say that it was there:",
    "paper.caption.absent": "Not here, or not counted",
    "paper.head.run": "Which",
    "paper.head.why": "Why",
    "paper.run.seals": "seals {first} – {last}",
    "paper.run.lines": "lines {first} – {last}",
    "paper.leaf": "leaf {leaf}",
    "paper.absent.gap": "These seals never came: what was under them is not known.",
    "paper.absent.pruned": (
        "The lines under these seals were dropped when their retention was over. That they were so is proved by the"
        " seals; what they said cannot be computed from any more."
    ),
    "paper.absent.unsealed": "These lines counted, and no seal of this bundle covers them.",
    "paper.absent.late": "These lines came after the figures were made, and did not count.",
    # --- how decided
    "paper.part.decided": "How it was decided",
    "paper.rule": (
        "{check}: probed every {every} from {regions}. {rule} A region says DOWN after {fail_after} failed results in a"
        " row, and UP after {recover_after} good ones; a result counts for {freshness}, and fewer than {least} regions"
        " with fresh results make the time unknown."
    ),
    "paper.rule.changed": (
        "A check was changed after the time that this is about had begun. These are the last rules; those before are in"
        " config/, and each part of the time was judged by its own."
    ),
    "rule.majority": "It is down while more than half of the regions with fresh results say so.",
    "rule.at_least_half": "It is down while at least half of the regions with fresh results say so.",
    "rule.all": "It is down while all regions with fresh results say so.",
    "rule.any": "It is down while any region says so.",
    "rule.k_of": "It is down while at least {k} regions say so.",
    "rule.healthy_fraction": "It is down while no more than {fraction} of the regions with fresh results are well.",
    "rule.domains": "Regions of one provider or network have one vote together.",
    "paper.caption.votes": "Votes at the beginning of each outage",
    "paper.head.votes": "Votes",
    "paper.vote": "{region}: {label}",
    "paper.vote.since": "{region}: {label}, certain since {at}",
    "paper.caption.unknown": "Unknown time, and what it was taken for",
    "paper.head.unknown": "Unknown in the period",
    "paper.head.excluded": "Excluded",
    "paper.caption.entered": "Where exclusions stand in the log",
    "paper.head.entered": "Entered in the log",
    "paper.head.begins": "It is about the time from",
    "paper.head.after": "After it had begun",
    "paper.exclusion.file": "no entry of its own: it stands in fleet.yaml",
    "exclusion.event.declared": "declared",
    "exclusion.event.approved": "approved",
    "exclusion.event.withdrawn": "withdrawn",
    "paper.caption.rules": "When rules and reports were entered in the log",
    "paper.caption.rules.some": "When rules and reports were entered in the log: the first and the last of {n}",
    "paper.head.rule": "What",
    "paper.head.before": "After these outages had begun",
    "paper.rules.fleet": "fleet file {name}, by {who}",
    "paper.rules.check": "check {name}",
    "paper.rules.report": "report on {name}",
    "paper.after.yes": "yes",
    "paper.after.no": "no",
    "paper.after.outage": "and after {outage} (leaf {leaf})",
    # --- what it costs
    "paper.part.costs": "What it comes to",
    # --- proof
    "paper.part.proved": "What is proved, and what is not",
    "paper.caption.proved": "Statements, by what they are proved, and where",
    "paper.head.statement": "Statement",
    "paper.head.proof": "By what",
    "paper.head.where": "Where",
    "paper.proved.files": "No file was changed, added or left out since the bundle was made",
    "paper.proved.files.by": "SHA-256 of every file, under a signature of the log",
    "paper.proved.lines": "Each line is what the agent named in it signed, and none between the first and the last seal is missing",
    "paper.proved.lines.but": (
        "Each line is what the agent named in it signed, and none between the first and the last seal is missing but"
        " those named above"
    ),
    "paper.proved.lines.by": "Ed25519 signatures of the agents; each seal names the one before; the claim names the first and the last",
    "paper.proved.order": "Rules, exclusions, outages and the claim were entered in the order of their numbers, and nothing was taken out since",
    "paper.proved.order.by": "Merkle tree (RFC 6962) with signed heads, proofs of inclusion and of growth",
    "paper.proved.time": "A head of the log existed when an authority outside says",
    "paper.proved.time.by": "RFC 3161 timestamps",
    "paper.proved.time.none": "nothing: no head in this bundle was stamped",
    "paper.proved.witness": "Others than the log saw the same history",
    "paper.proved.witness.by": "Cosignatures under heads of the log; who runs a witness the annex says",
    "paper.proved.witness.none": "nothing in this bundle: no head was cosigned",
    "paper.proved.figures": "The figures follow from the lines and the rules",
    "paper.proved.figures.by": "Computing them again",
    "paper.proved.figures.none": "nothing: lines were pruned. Integrity proved, recomputation impossible",
    "paper.unproved": "Not proved by this bundle:",
    "paper.unproved.truth": (
        "That the agents measured truthfully: whoever holds an agent's key can sign whatever they like. Agents that the"
        " other side runs are the remedy."
    ),
    "paper.unproved.late": (
        "That nothing was rewritten between being entered and the next timestamp or witness: whoever holds the log's"
        " key could do that."
    ),
    "paper.unproved.keys": (
        "Whose the keys are: they count only where the annex, on which the parties agreed before, has them."
    ),
    # --- keys
    "paper.part.keys": "Keys",
    "paper.keys": (
        "Compare these lines with the annex, letter by letter. The annex may have the SHA-256 of an agent's key in"
        " place of the key, and say behind it who runs the agent. Keys of witnesses stand in the annex alone."
    ),
    "paper.keys.annex": "Keys in this bundle, as an annex has them",
    "paper.caption.enrolled": "What the log says of the agents' keys",
    "paper.head.entries": "Entries in the log",
    "paper.enrolled": "enrolled",
    "standing.pending": "waiting for approval",
    "standing.approved": "approved",
    "standing.revoked": "revoked",
    "paper.standing": "standing: {standing}",
    # --- log
    "paper.part.log": "The log",
    "fact.log.name": "Name",
    "fact.log.size": "Leaves",
    "fact.log.root": "Root over them",
    "fact.log.heads": "Heads in this bundle",
    "fact.log.entries": "Entries in this bundle",
    "paper.caption.heads": "Heads of the log",
    "paper.caption.heads.some": "Heads of the log: the first and the last of {n}",
    "paper.head.size": "Leaves",
    "paper.head.root": "Root (base64)",
    "paper.head.stamps": "Stamped by",
    "paper.head.witnesses": "Cosigned by",
    # --- checking
    "paper.part.check": "How to check it",
    "paper.check": (
        "In the folder of the bundle, with the annex of the contract as annex.txt. The first line prints the hash that"
        " stands in the footer of every page. The second needs a POSIX shell, coreutils and OpenSSL 3, and no program"
        " of ours; begin with a verify.sh that you trust. The third also checks the proofs of the log and computes the"
        " figures again; it needs vedette[audit], no server and no network."
    ),
    # --- certificate
    "paper.part.certificate": "Certificate",
    "paper.certificate": (
        "To be filled in by a person who can speak to the record or to the process that made it, where a court, an"
        " authority or the other side asks for that. It is a form and no legal advice. What a certificate must say, who"
        " may give it and what follows from it depends on the law that applies; in the United States see Federal Rules"
        " of Evidence 902(13) and 902(14), in the European Union Regulation (EU) No 910/2014 and the law of the"
        " member state."
    ),
    "paper.certificate.record": "The record is the bundle whose file MANIFEST.note has this SHA-256",
    "paper.certificate.system": (
        "It was produced by Vedette {version}, log {origin}; its manifest names {files} files. Agents probed the checks"
        " named in it on a schedule, wrote each result once, and signed what they wrote; the controller kept the lines"
        " as they came, computed verdicts and figures from them by the rules in the bundle, and entered what could move"
        " a figure in a log that can only grow."
    ),
    "blank.name": "Name",
    "blank.function": "Function, organisation, address",
    "blank.knowledge": "How I know the system or the record",
    "blank.did": "What I did, with which programs and on which machine",
    "blank.hash": "The SHA-256 of MANIFEST.note that I computed myself",
    "blank.result": "What the verifiers said, and by which annex",
    "blank.place": "Place and date",
    "blank.signature": "Signature",
    "paper.certificate.statement": (
        "I state that what I have filled in is true to the best of my knowledge, and that the system above produced the"
        " record in its ordinary course, as far as I have said that I know it."
    ),
}
