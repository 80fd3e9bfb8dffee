"""How a web address is told from the text around it."""

from __future__ import annotations

import re

#: A URL in running text; punctuation that closes a sentence or a bracket around it is not part of it.
URL = re.compile(r"https?://[^\s<>\"“”]*[^\s<>\"“”.,;:!?'’)\]}…]")
