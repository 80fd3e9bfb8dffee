"""The configuration that is in force, for people: every default filled in, no secret shown."""

from __future__ import annotations

from typing import Any

from syndicate.config.plain import plain
from syndicate.config.secrets import redact
from syndicate.config.settings import Settings


def as_document(settings: Settings) -> dict[str, Any]:
    """As a mapping for JSON. References stay references; literal secrets are stars."""
    shown: dict[str, Any] = redact(plain(settings))
    return shown


def as_yaml(settings: Settings) -> str:
    """As YAML that would load again (but for the stars): keys that are not set are left out."""
    from io import StringIO

    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # declared None, read as a flag
    yaml.width = 120
    stream = StringIO()
    yaml.dump(without_none(as_document(settings)), stream)
    return stream.getvalue()


def without_none(value: Any) -> Any:
    """The same value without keys that hold nothing."""
    if isinstance(value, dict):
        return {key: without_none(item) for key, item in value.items() if item is not None}
    return value
