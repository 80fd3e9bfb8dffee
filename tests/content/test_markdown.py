"""Markdown to safe HTML and to plain text."""

import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.content import markdown, standins
from syndicate.model import Body

URL = "https://magick.ai/news/x"


def body(text: str, title: str = "T", url: str = URL) -> Body:
    found = markdown.render(textwrap.dedent(text), url, title)
    assert isinstance(found, Body), found
    return found


def test_addresses_become_absolute() -> None:
    found = body("[a](/p) [b](q) [c](https://b.test/?x=1&y=2) [m](mailto:a@b.test) ![i](i.png) <img src='/j.png'>")
    for address in (
        'href="https://magick.ai/p"',
        'href="https://magick.ai/news/q"',
        'href="https://b.test/?x=1&amp;y=2"',
        'href="mailto:a@b.test"',
        'src="https://magick.ai/news/i.png"',
        'src="https://magick.ai/j.png"',
    ):
        assert address in found.html


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "data:text/html;base64,PHM=", "//evil.test", "ftp://x.test/", "java&#9;script:x", "cid:x"],
)
def test_another_scheme_loses_its_link_and_keeps_its_text(address: str) -> None:
    found = body(f"<a href='{address}'>kept</a> <img src='{address}'>")
    assert "kept" in found.html
    assert "href" not in found.html
    assert "src" not in found.html
    assert found.text == "kept\n"


def test_without_an_address_of_the_article_relative_links_are_text() -> None:
    found = body("[a](/p) and [b](https://b.test/)", url="")
    assert found.html == '<p><a>a</a> and <a href="https://b.test/">b</a></p>'
    assert found.text == "a and b [1]\n\n[1] https://b.test/\n"


def test_only_known_tags_and_attributes_are_left() -> None:
    found = body(
        "<div class=a onclick=x>text<script>bad()</script><style>p{}</style><!-- note --></div>\n\n"
        "<p style='position:fixed;text-align:right' id=x>p</p>\n\n| a |\n|--:|\n| 1 |\n"
    )
    assert found.html.startswith("text\n<p>p</p>")
    assert '<td style="text-align:right">1</td>' in found.html
    assert "bad" not in found.text
    assert "note" not in found.text


def test_a_first_heading_that_repeats_the_title_is_left_out() -> None:
    assert body("# The Title\n\nText\n", title="The title").html == "<p>Text</p>"
    assert "<h1>Another</h1>" in body("# Another\n\nText\n", title="The title").html


def test_text_has_links_as_numbered_footnotes() -> None:
    found = body(
        "See [one](https://a.test/1), [two](https://a.test/2), [one again](https://a.test/1), <https://b.test>."
    )
    assert found.text == (
        "See one [1], two [2], one again [1], https://b.test.\n\n[1] https://a.test/1\n[2] https://a.test/2\n"
    )


def test_text_keeps_its_structure() -> None:
    found = body(
        """
        Title
        =====

        ## Part

        A *soft*
        break and a hard one  
        here, with `code()` and ~~gone~~ & &copy; <b>bold</b><br>line.

        - one
        - two, which is long enough to be wrapped into a second line, so that one sees where it hangs
          1. inner
          2. inner
        - three

        3. loose

           second paragraph
        4. end

        > quoted
        >
        > > deeper

        ```py
        if x:
            keep("    this")
        ```

        ![A cat](cat.png)

        ***
        """  # noqa: W291  # two blanks at a line's end are Markdown's hard break
    )
    assert found.text == textwrap.dedent(
        """\
        Title
        =====

        Part
        ----

        A soft break and a hard one
        here, with code() and gone & © bold
        line.

        - one
        - two, which is long enough to be wrapped into a second line, so that one sees
          where it hangs
          1. inner
          2. inner
        - three

        3. loose

           second paragraph

        4. end

        > quoted
        >
        > > deeper

            if x:
                keep("    this")

        [A cat]

        * * *
        """
    )


def test_a_table_is_columns_where_it_fits_and_records_where_not() -> None:
    narrow = body("| Name | Sum |\n|---|--:|\n| 名前 | 1 |\n| b | 20 |\n")
    assert narrow.text == "Name  Sum\n----  ---\n名前  1\nb     20\n"
    wide = body(f"| Name | Text |\n|---|---|\n| a | {'word ' * 30} |\n| b | c |\n")
    assert wide.text.startswith("Name: a\nText: word word")
    assert wide.text.endswith("Name: b\nText: c\n")
    assert max(map(len, wide.text.split("\n"))) <= 78


@pytest.mark.parametrize(
    ("written", "stand_in"),
    [
        ("{{< youtube PtXsAIo >}}", "<https://www.youtube.com/watch?v=PtXsAIo>"),
        ('{{< figure src="/a b.png" alt="A cat" >}}', "![A cat](/a%20b.png)"),
        ('{{< note >}}Kept{{< /note >}}', "Kept"),
        ('[watch it]({{< ref "x.md" >}} "Title")!', "[watch it]!"),
        ("{% embed https://a.test/x %} and", "<https://a.test/x> and"),
        ("{% youtube abc %}", "<https://www.youtube.com/watch?v=abc>"),
        ('{% image "a/b.png" "A dog" %}', "![A dog](a/b.png)"),
        ("Text{% include x.html %}.", "Text."),
        ("![Pic]({{ site.baseurl }}/x.png)", "![Pic](/x.png)"),
        ("By {{ page.author | capitalize }}.", "By ."),
        ("{{ 7 * 7 }} stays", "{{ 7 * 7 }} stays"),
        ("`{{ code }}` and ``{% x %}``", "`{{ code }}` and ``{% x %}``"),
        ("[youtube=http://www.youtube.com/watch?v=P&w=600]", "<http://www.youtube.com/watch?v=P&w=600>"),
        ('<iframe width="1" src="https://v.test/e" x></iframe>', "<https://v.test/e>"),
        ("See [[Page#Part|the page]] and [[Other#Part]].", "See the page and Other › Part."),
        ("![[cat.png]]", "![](cat.png)"),
        ("> [!warning]- Mind the gap", "> **Warning: Mind the gap**"),
        (":::tip Do it", "**Tip: Do it**"),
        ("## Heading {#name}", "## Heading "),
        ("Text{: .class}", "Text"),
        ("a {/* hidden */} b", "a  b"),
    ],
)  # fmt: skip
def test_what_means_nothing_in_a_mail_has_a_stand_in(written: str, stand_in: str) -> None:
    assert standins.replaced(written) == stand_in


def test_lines_of_which_nothing_is_left_are_gone() -> None:
    text = "import Tabs from '@theme/Tabs';\n\nimport x from 'y'\nexport const z = 1\n\nText\n{% endif %}\n:::\nMore"
    assert standins.replaced(text) == "\n\n\nText\nMore".removeprefix("\n")


def test_nothing_inside_code_is_touched() -> None:
    text = "~~~\n{{< youtube x >}}\n```\n:::\n~~~\n\n````\n```\n{% x %}\n````\n"
    assert standins.replaced(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "*" * 100_000, "[" * 20_000, "> " * 10_000 + "x", "a **b" * 10_000, "|a" * 20_000, "![a](b.png) " * 4_000,
        "{% a " * 10_000, "{{ " * 50_000, "<iframe " * 20_000, "[[" * 10_000, "<" * 20_000, "`" * 100_000,
        "".join(" " * (2 * depth) + "- x\n" for depth in range(500)),
    ],
)  # fmt: skip
def test_a_text_of_nothing_but_openings_is_rendered(text: str) -> None:
    assert isinstance(markdown.render(text, URL, "T"), Body)


def test_a_text_of_thousands_of_links_is_not() -> None:
    assert markdown.render("[a](b) " * 5_001, URL, "T") == "the text has more than 5000 links, and is not rendered"


@settings(max_examples=150, deadline=None)
@given(
    st.text(
        st.sampled_from("ab \n#*_`[]()<>!|-=:{}%&;\"'/\\.1\t") | st.characters(exclude_categories=["Cs"]), max_size=200
    )
)
def test_no_text_raises_and_none_breaks_out(text: str) -> None:
    found = markdown.render(text, URL, "T")
    assert isinstance(found, Body)
    assert "<script" not in found.html
    assert "javascript:" not in found.html.lower().replace("&", "")
    assert "\x00" not in found.text
