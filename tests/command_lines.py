"""Command lines of ours: found in pages, units and images, and looked up in the program without running it."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from agent.cli.main import cli as agent_cli
from controller.cli.main import cli as controller_cli

PROGRAMS: Final = {"vedette": controller_cli, "vedette-agent": agent_cli}
# What the services of deploy/compose.yaml start with.
ENTRY_POINTS: Final = {"controller": "vedette", "agent": "vedette-agent"}
_FENCE: Final = re.compile(r"^```.*?\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INLINE: Final = re.compile(r"`([^`]+)`")
_SPACE: Final = re.compile(r"\s+")
_ASSIGNMENT: Final = re.compile(r"[A-Z][A-Z0-9_]*=.*")
_SEPARATORS: Final = frozenset("();|&")
_BETWEEN_WORDS: Final = re.compile(r"(?<=\w)\|(?=\w)")
_OR: Final = "\N{BROKEN BAR}"


@dataclass(frozen=True, slots=True)
class CommandLine:
    """`argv` begins with the program's name. A mention may leave out what the command requires."""

    argv: Sequence[str]
    is_whole: bool = True
    stdin: str | None = None

    def __str__(self) -> str:
        return shlex.join(self.argv).replace(_OR, "|")


def command_lines(page: str) -> Iterator[CommandLine]:
    """Every command line of ours in a page of Markdown: whole ones from blocks, mentions from the text."""
    for block in _FENCE.findall(page):
        lines = block.replace("\\\n", " ").splitlines()
        has_output = any(line.startswith("$ ") for line in lines)
        for line in lines:
            if line.startswith("$ ") or not has_output:
                yield from in_shell(line.removeprefix("$ "))
    for mention in _INLINE.findall(_FENCE.sub("", page)):
        for found in in_shell(_SPACE.sub(" ", mention)):
            yield CommandLine(found.argv, is_whole=False)


def in_shell(line: str) -> Iterator[CommandLine]:
    """The commands of ours in one line of shell; none if it is not a line of shell."""
    lexer = shlex.shlex(_BETWEEN_WORDS.sub(_OR, line), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        words = [*lexer, ";"]
    except ValueError:
        return
    simple: list[str] = []
    for word in words:
        if not word or not set(word) <= _SEPARATORS:
            simple.append(word)
            continue
        found = _of_ours(simple)
        if found is not None:
            yield found
        simple = []


def _of_ours(words: Sequence[str]) -> CommandLine | None:
    bare, stdin = _without_redirections(words)
    for position, word in enumerate(bare):
        if Path(word).name in PROGRAMS and _is_prefix(bare[:position]):
            return CommandLine([Path(word).name, *bare[position + 1 :]], stdin=stdin)
        if bare[:3] == ["docker", "compose", "run"] and word in ENTRY_POINTS:
            return CommandLine([ENTRY_POINTS[word], *bare[position + 1 :]], stdin=stdin)
    return None


def _without_redirections(words: Sequence[str]) -> tuple[list[str], str | None]:
    bare, stdin = [], None
    rest = iter(words)
    for word in rest:
        if word in {"<", ">", ">>"}:
            target = next(rest, None)
            stdin = target if word == "<" else stdin
        else:
            bare.append(word)
    return bare, stdin


def _is_prefix(words: Sequence[str]) -> bool:
    """What may stand before a command: settings, another user, a container, a measure of time."""
    if list(words[:3]) == ["docker", "compose", "exec"]:
        return True
    rest = [word for word in words if not _ASSIGNMENT.fullmatch(word)]
    if rest[:2] in (["sudo", "-u"], ["runuser", "-u"]):
        if len(rest) == 2:
            return False  # the next word is the user's name
        rest = rest[3:]
    return all(word in {"sudo", "env", "time", "exec", "--"} for word in rest)


def problem_of(line: CommandLine) -> str | None:
    """What is wrong with it, in words; None if the program would take it."""
    command: click.Command = PROGRAMS[line.argv[0]]
    words = [word for word in line.argv[1:] if line.is_whole or word not in {"...", "…"}]
    context = click.Context(command, info_name=line.argv[0])
    while isinstance(command, click.Group):
        if not words:
            return "a command is missing" if line.is_whole else None
        word = words.pop(0)
        if word.startswith("-"):
            if word not in _options(command, context):
                return f"{context.command_path} has no option {word}"
            continue
        found = command.get_command(context, word)
        if found is None:
            return f"{context.command_path} has no command {word!r}"
        context = click.Context(found, info_name=word, parent=context)
        command = found
    return _problem_of_words(command, context, words, line)


def _problem_of_words(
    command: click.Command, context: click.Context, words: Sequence[str], line: CommandLine
) -> str | None:
    options = _options(command, context)
    values: list[tuple[click.Parameter, str]] = []
    positional: list[str] = []
    rest = iter([word if line.is_whole else word.strip("[].") for word in words])
    for word in rest:
        if not word.startswith("-") or word == "-":
            positional.append(word)
            continue
        name, has_value, value = word.partition("=")
        if name not in options:
            return f"{context.command_path} has no option {name}"
        if not options[name].is_flag and not has_value:
            value = next(rest, "")
            if not value and line.is_whole:
                return f"{context.command_path}: {name} needs a value"
        values.append((options[name], value))
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    if len(positional) > len(arguments) and all(a.nargs == 1 for a in arguments):
        return f"{context.command_path} takes no {positional[len(arguments)]!r}"
    values += zip(arguments, positional, strict=False)
    if line.is_whole and (missing := _missing(command, [parameter for parameter, _ in values])):
        return f"{context.command_path} needs {missing}"
    problems = (_problem_of_value(parameter, value) for parameter, value in values)
    return next((f"{context.command_path}: {problem}" for problem in problems if problem), None)


def _missing(command: click.Command, given: Sequence[click.Parameter]) -> str:
    """What the command requires and is not given; empty if that is nothing."""
    missing = [p for p in command.params if p.required and p not in given]
    return ", ".join(
        p.opts[-1] if isinstance(p, click.Option) else p.human_readable_name for p in missing
    )


def _problem_of_value(parameter: click.Parameter, value: str) -> str | None:
    """A value outside a closed set; words in capitals stand for a value."""
    if not value or value.isupper() or not isinstance(parameter.type, click.Choice):
        return None
    wrong = [word for word in value.split(_OR) if word not in parameter.type.choices]
    return f"{wrong[0]!r} is none of {', '.join(parameter.type.choices)}" if wrong else None


def _options(command: click.Command, context: click.Context) -> dict[str, click.Option]:
    found = [p for p in command.get_params(context) if isinstance(p, click.Option)]
    return {name: option for option in found for name in (*option.opts, *option.secondary_opts)}
