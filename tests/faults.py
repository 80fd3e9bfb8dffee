"""Which test proves what happens at which fault. `python -m tests.faults` prints the table.

A test names its faults (`F-11`) in its name (`test_f11_…`), its docstring, or the ids of its parameters.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

TESTS = Path(__file__).parent

#: Every fault that delivery has to bear.
FAULTS: Mapping[str, str] = {
    "F-01": "killed before the claim is committed",
    "F-02": "killed after the claim, before it connects",
    "F-03": "killed after RCPT, or in the middle of the message",
    "F-04": "killed after the record of the attempt, before the dot",
    "F-05": "killed after the dot, before the answer",
    "F-06": "killed after the answer, before the record of it",
    "F-07": "killed after the record of the answer, before the settlement",
    "F-08": "killed during the settlement",
    "F-09": "killed during recovery, again and again",
    "F-10": "killed while an edition is rendered and entered",
    "F-11": "after the dot: RST, FIN, silence, half a reply, garbage, an endless line",
    "F-12": "the connection breaks in the middle of the message",
    "F-13": "250, then RST",
    "F-14": "421 at any step",
    "F-15": "450, 451, 452 at any step",
    "F-16": "550 5.1.1 at RCPT",
    "F-17": "550 5.7.x at the dot: the set-up is at fault",
    "F-18": "552 too big, mailbox full; 554 spam",
    "F-19": "554 in the banner, 535 to the password",
    "F-20": "a server that is slow without end",
    "F-21": "TLS: expired, self-signed, wrong host, old, stripped, injected, refused",
    "F-22": "some of several recipients refused",
    "F-23": "PIPELINING, CHUNKING, SMTPUTF8, SIZE, DSN there or not; SIZE too small",
    "F-30": "the disk is full at claim, settlement or in the log",
    "F-31": "somebody else holds the database",
    "F-32": "the database is lost before, in, or after a commit",
    "F-33": "a database server fails over and forgets the last commits",
    "F-34": "a damaged database file",
    "F-35": "a database restored from an old backup",
    "F-36": "read-only file system, no rights, no file descriptors",
    "F-37": "a network file system without locks",
    "F-60": "SIGTERM while idle, connecting, in the message, waiting for the answer",
    "F-61": "SIGINT, SIGHUP, SIGPIPE, a closed terminal",
    "F-62": "out of memory",
    "F-63": "one row raises what nobody foresaw",
    "F-70": "an HTTP server that answers nothing, half, too much or something else",
}

#: What no test here proves, and why.
NOT_HERE: Mapping[str, str] = {
    "F-35": "a backup cannot be told from the present: nothing beside the database counts what was sent since",
    "F-33": "there is no ledger on PostgreSQL, and so no replica that could forget; SQLite has one file",
}

_ID = re.compile(r"\bF-(\d\d)\b")
_NAME = re.compile(r"_f(\d\d)(?=_)")


def covered() -> dict[str, list[str]]:
    """Fault -> the tests that name it."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        if path.name == "test_fault_matrix.py":
            continue
        for test, faults in _tests(path.read_text("utf-8")):
            for fault in sorted(faults):
                found[fault].append(f"{path.relative_to(TESTS.parent)}::{test}")
    return dict(found)


def _tests(source: str) -> Iterator[tuple[str, set[str]]]:
    """(name, faults) of each test function. The rows of a table count for the tests that are parametrized with it."""
    module = ast.parse(source)
    tables = {
        target.id: ast.get_source_segment(source, node.value) or ""
        for node in module.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            decorators = [ast.get_source_segment(source, one) or "" for one in node.decorator_list]
            used = [tables[name] for one in decorators for name in re.findall(r"\w+", one) if name in tables]
            words = " ".join((ast.get_docstring(node) or "", *decorators, *used))
            yield node.name, {f"F-{number}" for number in (*_ID.findall(words), *_NAME.findall(node.name))}


def main() -> None:
    """Prints the table."""
    tests = covered()
    for fault, what in FAULTS.items():
        print(f"{fault}  {what}")
        for line in tests.get(fault, ()):
            print(f"      {line}")
        if fault in NOT_HERE:
            print(f"      not here: {NOT_HERE[fault]}")


if __name__ == "__main__":
    main()
