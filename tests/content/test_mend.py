"""`check --fix` writes certain repairs back and changes no other byte."""

from pathlib import Path

import pytest
import yaml

from syndicate.content.mend import Mended, mend
from tests.content.conftest import read
from tests.content.test_repair import BROKEN


def changed_lines(before: bytes, after: bytes) -> list[int]:
    pairs = zip(before.split(b"\n"), after.split(b"\n"), strict=True)
    return [number for number, (old, new) in enumerate(pairs, 1) if old != new]


def test_of_the_first_seed_two_lines_change_and_of_the_second_none(root: Path, tmp_path: Path) -> None:
    first, second = (tmp_path / path.name for path in sorted((root / "seeds").glob("*.md")))
    for copy in (first, second):
        copy.write_bytes((root / "seeds" / copy.name).read_bytes())
    before, untouched = first.read_bytes(), second.read_bytes()

    assert mend(first) == Mended(first, (3, 10))
    assert mend(second) is None

    after = first.read_bytes()
    assert changed_lines(before, after) == [3, 10]
    assert len(after) == len(before) + 1  # \' became '', and ' became ''
    assert second.read_bytes() == untouched
    strict = yaml.safe_load(after.split(b"---\n")[1])
    assert strict["subtitle"] == "Inside India's growing MLOps education ecosystem and its impact on AI adoption"
    assert strict["cta"].endswith("from India's thriving tech ecosystem.")
    assert read(after).problems == ()
    assert mend(first) is None  # once is enough


ODD = (
    "---\r\n# a comment\r\nzebra: 1   # another\r\ntitle: 'It's here'   # keep\r\n\r\nauthor:   \"Ada\"\r\n"
    "tags:\r\n    - b\r\n    - a\r\ndate: 2025-03-01\r\n---\r\nBody with 'it's' and \u2014 no end of line"
)


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_comments_order_quotes_line_ends_and_encoding_are_kept(codec: str, tmp_path: Path) -> None:
    file = tmp_path / "x.md"
    file.write_bytes(ODD.encode(codec))
    assert mend(file) == Mended(file, (4,))
    assert file.read_bytes() == ODD.replace("'It's here'", "'It''s here'").encode(codec)


@pytest.mark.parametrize("mode", [0o640, 0o444, 0o755])
def test_permissions_are_kept(mode: int, tmp_path: Path) -> None:
    file = tmp_path / "x.md"
    file.write_text("---\ntitle: 'it's'\n---\n")
    file.chmod(mode)
    assert mend(file)
    assert file.stat().st_mode & 0o777 == mode
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(("block", "title", "rule"), BROKEN)
def test_every_certain_repair_can_be_written_back(block: str, title: str, rule: str, tmp_path: Path) -> None:
    file = tmp_path / "x.md"
    file.write_text(f"---\nauthor: Ada\n{block}\ndate: 2025-03-01\n---\nText\n")
    before = file.read_bytes()
    assert mend(file) == Mended(file, (3,)), rule
    after = file.read_bytes()
    assert changed_lines(before, after) == [3]
    reading = read(after)
    assert reading.problems == ()
    assert reading.article
    assert reading.article.title == title
    assert set(yaml.safe_load(after.split(b"---\n")[1])) == {"author", "title", "date"}
    assert mend(file) is None


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("title: T\ndate: 2025-03-01\n---\nText\n", "---\ntitle: T\ndate: 2025-03-01\n---\nText\n"),
        ("\ndate: 2025-03-01\n---\ntitle: T\n---\nText\n", "\n---\ndate: 2025-03-01\ntitle: T\n---\nText\n"),
        (" ---\n title: T\n tags:\n  - a\n ---\nText\n", "---\ntitle: T\ntags:\n - a\n---\nText\n"),
        ("---\ntitle: T\ntags:\n\t- a\n---\nText\n", "---\ntitle: T\ntags:\n  - a\n---\nText\n"),
        ("---\ntitle: T\ntags:\n-a\n- b\n---\nText\n", "---\ntitle: T\ntags:\n- a\n- b\n---\nText\n"),
        ("---\ntitle: 'it's' // x\n---\nText\n", "---\ntitle: 'it''s' # // x\n---\nText\n"),
    ],
)
def test_fences_tabs_and_comments_are_mended_in_place(text: str, mended: str, tmp_path: Path) -> None:
    file = tmp_path / "x.md"
    file.write_text(text)
    assert mend(file)
    assert file.read_text() == mended


@pytest.mark.parametrize(
    "text",
    [
        "---\ntitle: fine\n---\nText\n",
        "---\ntitle: 'never closed\n---\nText\n",  # only probable
        "---\ntitle: 'it's'\ndescription: {{ x }}\n---\nText\n",  # strict YAML would still refuse it
        "---\ntitle: 'it's'\ntitle: x\n---\nText\n",
        "no front matter\n",
        "",
        "+++\ntitle = 'it's'\n+++\n",
    ],
)
def test_what_is_not_beyond_doubt_is_not_written(text: str, tmp_path: Path) -> None:
    file = tmp_path / "x.md"
    file.write_text(text)
    stamp = file.stat().st_ctime_ns
    assert mend(file) is None
    assert (file.read_text(), file.stat().st_ctime_ns) == (text, stamp)


def test_bytes_that_cannot_be_written_back_are_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "x.md"
    data = "---\ntitle: 'it's é'\n---\n".encode() + b"\xc2 \x96"
    file.write_bytes(data)
    assert mend(file) is None
    assert file.read_bytes() == data


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.md").write_text("---\ntitle: 'it's'\n---\n")
    (tmp_path / "link.md").symlink_to("real.md")
    assert mend(tmp_path / "link.md")
    assert (tmp_path / "link.md").is_symlink()
    assert "it''s" in (tmp_path / "real.md").read_text()


def test_a_file_that_is_not_there_is_nothing_to_mend(tmp_path: Path) -> None:
    assert mend(tmp_path / "gone.md") is None
