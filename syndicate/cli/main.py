"""The `syndicate` command: global options, and the one place where an exception becomes a sentence."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from syndicate import __version__
from syndicate.cli.output import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_PERSON, EXIT_USAGE, Output, let_go
from syndicate.cli.session import Session
from syndicate.errors import ConfigError, NeedsPerson, SyndicateError, UsageError

#: These may stand before or after the command's name; the parser only knows the first.
FLAGS = {"--json", "-v", "--verbose", "-q", "--quiet"}
HELP = {"-h", "--help"}

#: command -> where it is made, below `syndicate.cli`
COMMANDS = {
    "init": "start:init",
    "check": "check:check",
    "articles": "articles:articles",
    "plan": "articles:plan",
    "preview": "preview:preview",
    "send": "send:send",
    "post": "send:post",
    "run": "send:run",
    "worker": "worker:worker",
    "rehearse": "rehearse:rehearse",
    "serve": "serve:serve",
    "status": "status:status",
    "why": "editions:why",
    "resolve": "editions:resolve",
    "editions": "update:group",
    "audience": "audience:group",
    "feedback": "feedback:group",
    "connect": "connect:connect",
    "config": "config:group",
}


def show_version(wanted: bool) -> None:
    """`--version`."""
    if wanted:
        print(f"syndicate {__version__}")
        raise typer.Exit


def options(
    context: typer.Context,
    config: Annotated[Path, typer.Option(help="The configuration file.")] = Path("config/syndicate.yaml"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Say more.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of every command; all but --config may also follow its name."""
    context.obj = Session(config, Output(as_json, quiet, verbose))
    context.call_on_close(context.obj.close)


def command_line(arguments: Sequence[str] = ()) -> typer.Typer:
    """The parser with the commands that these arguments can mean; all of them where a list of them is shown.

    Importing them all costs as much as planning thousands of articles.
    """
    cli = typer.Typer(
        name="syndicate",
        help="A folder of Markdown articles becomes e-mail digests and social posts. Dry runs show every byte.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog="Exit status: 0 done, 1 something failed or was found, 2 usage or configuration, 3 needs a person.",
    )
    cli.callback()(options)
    named = COMMANDS.keys() & set(arguments) if HELP.isdisjoint(arguments[:1]) else set()
    for name in COMMANDS:
        if not named or name in named:
            module, _, attribute = COMMANDS[name].partition(":")
            made = getattr(import_module(f"syndicate.cli.{module}"), attribute)
            if isinstance(made, typer.Typer):
                cli.add_typer(made, name=name)
            else:
                cli.command(name)(made)
    return cli


def hoist(arguments: Sequence[str]) -> list[str]:
    """The same arguments with the global flags in front, so that `editions show KEY --json` works too."""
    end = list(arguments).index("--") if "--" in arguments else len(arguments)
    head, tail = arguments[:end], arguments[end:]
    return [a for a in head if a in FLAGS] + [a for a in head if a not in FLAGS] + list(tail)


def exit_status(error: SyndicateError) -> int:
    """The exit status that an exception stands for."""
    if isinstance(error, ConfigError | UsageError):
        return EXIT_USAGE
    return EXIT_PERSON if isinstance(error, NeedsPerson) else EXIT_FAILED


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command and leaves with its exit status; no traceback reaches a user."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    output = Output("--json" in given)
    try:
        command_line(given)(hoist(given), prog_name="syndicate")
    except SyndicateError as error:
        output.error(error)
        sys.exit(exit_status(error))
    except SystemExit as leaving:
        if leaving.code == EXIT_USAGE and output.as_json:  # the parser has said on stderr what it did not understand
            output.error(UsageError("the command line was not understood; stderr says why"))
        raise
    except BrokenPipeError:
        let_go()
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        hint = "Look at the permissions of the file and its folder, and at the space on the disk."
        output.error(SyndicateError(f"{where}{error.strerror or error}", hint=hint))
        sys.exit(EXIT_FAILED)
    except Exception as error:
        if "-v" in given or "--verbose" in given:
            raise
        fault = SyndicateError(
            f"{type(error).__name__}: {error}",
            hint="This is a fault of Syndicate, not of yours: -v shows where it happened; please report it.",
        )
        output.error(fault)
        sys.exit(EXIT_FAILED)
    finally:
        gc.enable()  # `plan` and `articles` end before there is garbage
