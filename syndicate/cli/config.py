"""`config schema` and `config show`."""

from __future__ import annotations

import json

import typer

from syndicate.cli.session import session

group = typer.Typer(help="The configuration: its schema, and what is in force.", no_args_is_help=True)


@group.command("schema")
def schema(context: typer.Context) -> None:
    """A JSON Schema of config/syndicate.yaml, with which an editor completes and checks it."""
    from syndicate.config.schema import json_schema

    out = session(context).out
    document = json_schema()
    out.data(document)
    out.say(json.dumps(document, indent=2, ensure_ascii=False))


@group.command("show")
def show(context: typer.Context) -> None:
    """The configuration with every default filled in; secrets stay references, or stars."""
    from syndicate.config.show import as_document, as_yaml

    now = session(context)
    settings = now.app().settings
    now.out.data(as_document(settings))
    now.out.say(as_yaml(settings).rstrip())
