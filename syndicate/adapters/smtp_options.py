"""What an account at a mail server may say in the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from syndicate.adapters import base
from syndicate.adapters.dkim import DkimOptions

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class SmtpOptions(base.Options):
    """An account at a mail server that relays for us."""

    host: str = Field(description="name of the mail server, as in its certificate")
    port: int = Field(default=587, ge=1, le=65535, description="587 for `tls: required`, 465 for `tls: implicit`")
    tls: Literal["required", "implicit", "none"] = Field(
        default="required", description="required: STARTTLS | implicit: TLS from the first byte | none: in the clear"
    )
    ca_file: Path | None = Field(default=None, description="certificates to trust instead of the system's (PEM)")
    username: str = Field(default="", description="for AUTH; empty: no AUTH")
    password: SecretStr = Field(default=SecretStr(""), description="for AUTH")
    dkim: DkimOptions | None = Field(default=None, description="signs each mail for our own domain (RFC 6376)")
    helo: str = Field(default="", pattern=r"^[A-Za-z0-9.:\[\]-]*$", description="how we greet; empty: our host name")
    bounce_address: str = Field(default="", description="envelope sender, where bounces go; empty: the From address")
    pipelining: Literal["ride", "envelope", "off"] = Field(
        default="ride",
        description="where the server offers it. ride: the next envelope travels with the message before it | "
        "envelope: an envelope travels in one piece | off: every command waits for its answer",
    )
    connect_timeout: float = Field(default=30, gt=0, description="seconds")
    timeout: float = Field(default=300, gt=0, description="seconds for any reply but the last (RFC 5321 §4.5.3.2)")
    final_timeout: float = Field(default=600, gt=0, description="seconds for the reply to the final dot")

    processes: int = Field(
        default=1,
        ge=1,
        le=64,
        description="that share the connections, on a processor each: for a server that is near, or with `dkim`",
    )

    @model_validator(mode="after")
    def _a_connection_for_each_process(self) -> Self:
        if self.processes > self.connections:
            raise ValueError(f"{self.processes} `processes` need as many `connections`, not {self.connections}")
        return self

    @model_validator(mode="after")
    def _no_password_in_the_clear(self) -> Self:
        if self.tls == "none" and self.username and self.host not in _LOOPBACK:
            raise ValueError("`tls: none` would send the password in the clear; use `required` or `implicit`")
        return self
