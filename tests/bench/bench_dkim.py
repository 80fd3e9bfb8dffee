"""How many mails of 40 KB a core signs, against how many bare RSA signatures OpenSSL makes of it.

Run by hand, on a machine that does nothing else:

    python tests/bench/bench_dkim.py figures.json

`openssl speed` and the signer take turns, a second each, `ROUNDS` times; ratios are of one round, and the figures
median and range. `one_core` is one thread against one process of OpenSSL, both by CPU time, as `openssl speed` counts;
`all_cores` as many threads as there are cores against as many processes, both by the clock. `beside_rsa_us` is the CPU
time of one mail without its RSA operation, in microseconds.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from syndicate.adapters.dkim import Signer

ROUNDS = 7
SECONDS = 1.0
CORES = os.cpu_count() or 1
HEADERS = {
    "From": "Magick AI <news@example.com>",
    "To": "Ada Lovelace <ada@example.org>",
    "Subject": "=?utf-8?q?The_Rise_of_MLOps_Training_in_India=3A_Bridging?=\r\n =?utf-8?q?_the_Gap=E2=80=A6?=",
    "Date": "Mon, 10 Mar 2025 09:00:00 +0530",
    "Message-ID": "<5d2d0651b89f5ff9da54b2f2379df6aa@example.com>",
    "List-Id": '"Magick AI Dispatch: weekly-digest" <weekly-digest.example.com>',
    "List-Unsubscribe": "<https://news.example.com/u/3q2-7wAbCdEfGhIjKlMnOpQr>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "List-Owner": "<mailto:news@example.com>",
    "List-Post": "NO",
    "Feedback-ID": "20250310T0900:weekly-digest:digest:magick-ai-dispa",
    "Precedence": "bulk",
    "MIME-Version": "1.0",
    "Content-Type": 'multipart/alternative; boundary="=_d15c9a6fb08c651eaec9b4736f8f7db1"',
}
LINE = '<td align=3D"left" style=3D"padding:0 24px 8px; font-family: Georgia"> MLOps=\r\n'


class NoRsa:
    """Stands for a key, to see what the rest costs."""

    def sign(self, *_: object) -> bytes:
        return bytes(256)


def mail() -> bytes:
    head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    return f"{head}\r\n{LINE * (40_000 // len(LINE))}\r\n".encode()


def openssl(processes: int) -> float:
    """Signatures a second."""
    multi = ["-multi", str(processes)] if processes > 1 else []
    command = ["openssl", "speed", "-seconds", str(round(SECONDS)), *multi, "rsa2048"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"^rsa\s*2048 bits\s+[\d.]+s\s+[\d.]+s\s+([\d.]+)", said, re.MULTILINE)
    if not found:
        raise SystemExit(f"openssl said something new:\n{said}")
    return float(found[1])


def one_core(sign: Callable[[bytes], bytes], data: bytes) -> float:
    """Mails a second of CPU time."""
    count, start = 0, time.process_time()
    while (spent := time.process_time() - start) < SECONDS:
        sign(data)
        count += 1
    return count / spent


def all_cores(sign: Callable[[bytes], bytes], data: bytes) -> float:
    """Mails a second by the clock, in a thread for each core."""

    def work(end: float) -> int:
        count = 0
        while time.perf_counter() < end:
            sign(data)
            count += 1
        return count

    with ThreadPoolExecutor(CORES) as crew:
        start = time.perf_counter()
        done = sum(crew.map(work, [start + SECONDS] * CORES))
        return done / (time.perf_counter() - start)


def spread(values: Sequence[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 3),
        "least": round(min(values), 3),
        "most": round(max(values), 3),
    }


def measure() -> dict[str, Any]:
    data, signer = mail(), Signer("example.com", "news2025", generate_private_key(65537, 2048))
    rest = Signer("example.com", "news2025", cast(RSAPrivateKey, NoRsa()))
    signer.sign(data)
    figures: dict[str, Any] = {"bytes": len(data), "cores": CORES, "rounds": ROUNDS, "seconds": SECONDS}
    for run, processes in ((one_core, 1), (all_cores, CORES)):
        pairs = [(openssl(processes), run(signer.sign, data)) for _ in range(ROUNDS)]
        figures[run.__name__] = {
            "openssl_per_second": spread([theirs for theirs, _ in pairs]),
            "mails_per_second": spread([ours for _, ours in pairs]),
            "ratio": spread([ours / theirs for theirs, ours in pairs]),
        }
    figures["beside_rsa_us"] = spread([1e6 / one_core(rest.sign, data) for _ in range(ROUNDS)])
    return figures


def main() -> None:
    figures = json.dumps(measure(), indent=2)
    Path(sys.argv[1]).write_text(figures + "\n", "utf-8")
    print(figures)


if __name__ == "__main__":
    main()
