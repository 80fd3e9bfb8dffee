"""Columns that every table has: never NULL, so that nothing has two ways to say that there is nothing."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Text


def text(name: str) -> Column[str]:
    """Empty where nothing was said."""
    return Column(name, Text, nullable=False, server_default="")


def number(name: str) -> Column[int]:
    """0 where nothing was said."""
    return Column(name, BigInteger, nullable=False, server_default="0")
