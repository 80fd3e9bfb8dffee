"""A handful of addresses, as `send --test` names them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256

from syndicate.model import Problem, Recipient
from syndicate.model.address import normalise


class Named:
    """Readers who are named one by one; the same face as `csv.Readers`."""

    def __init__(self, addresses: Sequence[str]) -> None:
        """Raises `ValueError` with the reason for the first text that is no address."""
        self.addresses = tuple(map(normalise, addresses))
        self.problems: list[Problem] = []
        self.left_out: list[tuple[str, str]] = []

    def __iter__(self) -> Iterator[Recipient]:
        """Each once, in the order in which they were named."""
        return (Recipient(address) for address in dict.fromkeys(self.addresses))

    def count(self) -> int:
        """How many they are."""
        return len(set(self.addresses))

    def fingerprint(self) -> str:
        """Hex SHA-256 of the addresses."""
        return sha256("\n".join(self.addresses).encode()).hexdigest()
