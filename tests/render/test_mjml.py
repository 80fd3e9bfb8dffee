"""The pass before the engine: each test is a fault of the engine that readers would have seen."""

from __future__ import annotations

import pytest

from syndicate.errors import RenderError
from syndicate.render.mjml import to_html


def rendered(inside: str, head: str = "") -> str:
    body = f"<mj-body><mj-section><mj-column>{inside}</mj-column></mj-section></mj-body>"
    return to_html(f'<mjml lang="en" dir="ltr"><mj-head>{head}</mj-head>{body}</mjml>', "x.mjml.j2")


@pytest.mark.parametrize(
    "text", ["क्षेत्र", "e\u0301", "a\u00a0b", "❤\ufe0f", "می\u200cکردم", "日本", 'a "quoted" \\ word', "new\nline"]
)
def test_attributes_keep_what_the_engine_would_write_as_rust_escapes(text: str) -> None:
    from html import escape
    from html.parser import HTMLParser

    class Alts(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "img":
                alts.append(dict(attrs)["alt"])

    alts: list[str | None] = []
    Alts().feed(rendered(f'<mj-image src="https://x.test/a.png" alt="{escape(text)}" />'))
    assert alts == [text.replace("\n", " ")]


def test_a_line_end_between_links_stays_a_space() -> None:
    assert "</a> <a" in rendered(
        '<mj-text><a href="https://a.test">one</a>\n<a href="https://b.test">two</a></mj-text>'
    )


def test_lines_of_code_stay_lines() -> None:
    html = rendered("<mj-text><pre><span>a</span>\n<span>b</span></pre></mj-text>")
    assert "</span>\n<span>" in html or "</span>&#10;<span>" in html


def test_a_template_with_carriage_returns_renders_like_one_without() -> None:
    tags = [
        "mjml",
        "mj-head",
        "/mj-head",
        "mj-body",
        "mj-section",
        "mj-column",
        "/mj-column",
        "/mj-section",
        "/mj-body",
        "/mjml",
    ]
    source = "".join(f"<{tag}>\n" for tag in tags)
    assert to_html(source.replace("\n", "\r\n"), "x") == to_html(source, "x")


def test_a_zero_without_unit_does_not_widen_an_image() -> None:
    html = rendered('<mj-image src="https://x.test/a.png" alt="" padding="0 50px" />')
    assert 'width="500"' in html


def test_blanks_between_tags_of_the_head_are_harmless() -> None:
    assert "<title>T</title>" in rendered(
        "<mj-text>x</mj-text>", head=" <mj-title>T</mj-title> <mj-style>.a{color:red}</mj-style> "
    )


def test_void_tags_and_unquoted_attributes_are_mended() -> None:
    assert "one<br" in rendered("<mj-text>one<BR>two <a href=https://x.test/>three</a></mj-text>")


def test_tags_that_do_not_match_are_an_error_with_the_line() -> None:
    with pytest.raises(RenderError, match=r"template x\.mjml\.j2: MJML line 2: </mj-image> closes what was not opened"):
        rendered("\n<mj-text>x</mj-image>")


@pytest.mark.parametrize("tag", ["mj-hero", "mj-carousel", "mj-include", "mj-preview"])
def test_what_the_engine_misrenders_is_refused_with_advice(tag: str) -> None:
    with pytest.raises(RenderError, match=f"{tag} does not render reliably: "):
        rendered(f"<{tag}></{tag}>")


def test_a_thousand_tags_inside_one_another_do_not_kill_the_process() -> None:
    with pytest.raises(RenderError, match="more than 100 tags inside one another"):
        rendered("<mj-text>" + "<b>" * 1000 + "</b>" * 1000 + "</mj-text>")


def test_an_error_of_the_engine_names_the_template() -> None:
    with pytest.raises(RenderError, match=r"template x\.mjml\.j2.*MJML"):
        to_html("<mjml><mj-head></mj-head><mj-nothing></mj-nothing><mj-body></mj-body></mjml>", "x.mjml.j2")


def test_no_web_font_is_fetched() -> None:
    assert "fonts.googleapis.com" not in rendered("<mj-text>x</mj-text>")
