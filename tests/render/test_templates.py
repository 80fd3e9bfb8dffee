"""Templates: advice instead of tracebacks, and nothing to reach from inside."""

from __future__ import annotations

from pathlib import Path

import pytest

from syndicate.errors import RenderError
from syndicate.render.email import letter
from syndicate.render.sample import check
from syndicate.render.templates import Templates
from syndicate.render.views import ArticleView, article_view
from tests.render.factory import HYDERABAD, PUBLICATION, RISE, ROOT, TEMPLATES, digest


@pytest.fixture
def article() -> ArticleView:
    return article_view(RISE, PUBLICATION, digest(), medium="email")


def failing(folder: Path, source: str, **values: object) -> str:
    """The message of the error that `source` makes."""
    (folder / "x.txt.j2").write_text(source, "utf-8")
    with pytest.raises(RenderError) as caught:
        Templates(folder).render("x.txt.j2", values)
    return caught.value.message


def test_an_unknown_name_is_told_with_line_and_what_was_meant(tmp_path: Path, article: ArticleView) -> None:
    message = failing(tmp_path, "one\ntwo {{ article.sumary }}", article=article)
    assert (
        message
        == f"template x.txt.j2:2: 'article.sumary' is not known; did you mean 'article.summary'? (article {RISE.path})"
    )


def test_an_unknown_variable_is_told_the_same_way(tmp_path: Path, article: ArticleView) -> None:
    message = failing(tmp_path, "{{ artcle.title }}", article=article)
    assert message.startswith("template x.txt.j2:1: 'artcle' is not known; did you mean 'article'?")


@pytest.mark.parametrize(
    "use",
    [
        "{% if article.sumary %}x{% endif %}",
        "{{ article.sumary ~ 1 }}",
        "{% for x in article.sumary %}{% endfor %}",
        "{{ article.sumary.more }}",
        "{{ article.sumary | length }}",
        "{% if article.sumary == 1 %}{% endif %}",
    ],
)
def test_an_unknown_name_is_an_error_wherever_it_is_used(tmp_path: Path, article: ArticleView, use: str) -> None:
    assert "'article.sumary' is not known" in failing(tmp_path, use, article=article)


def test_the_article_in_hand_is_named_inside_a_loop(tmp_path: Path) -> None:
    views = [article_view(each, PUBLICATION, digest(), medium="email") for each in (RISE, HYDERABAD)]
    message = failing(
        tmp_path,
        "{% for article in articles %}\n{{ article.minutes // (article.minutes - 8) }}\n{% endfor %}",
        articles=views,
    )
    assert message.startswith("template x.txt.j2:2: ")
    assert message.endswith(f"(article {HYDERABAD.path})")


def test_a_syntax_error_names_its_line(tmp_path: Path) -> None:
    assert failing(tmp_path, "a\nb\n{% if x %}\n").startswith("template x.txt.j2:3: ")


def test_an_error_in_an_imported_file_names_that_file(tmp_path: Path) -> None:
    (tmp_path / "w.j2").write_text("{% macro m(a) %}\n{{ a.nothing }}\n{% endmacro %}")
    assert failing(tmp_path, '{% from "w.j2" import m %}\n{{ m({"some": 1}) }}').startswith(
        "template w.j2:2: 'a.nothing' is not known"
    )


def test_a_missing_template_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(RenderError) as caught:
        TEMPLATES.render("digets.txt.j2", {})
    assert (caught.value.message, caught.value.hint) == (
        "there is no template digets.txt.j2",
        "Did you mean digest.txt.j2?",
    )


def test_a_project_s_own_template_wins_over_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "words.j2").write_text("mine")
    templates = Templates(tmp_path, ROOT / "templates")
    assert templates.render("words.j2", {}).text == "mine"
    assert "linkedin.txt.j2" in templates


@pytest.mark.parametrize(
    "source",
    [
        "{{ article.__class__.__mro__ }}",
        "{{ ''.__class__ }}",
        "{{ slot.__globals__ }}",
        "{{ article.title.__init__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ config }}",
        "{% include '../secret.txt' %}",
        "{% include '/etc/hostname' %}",
        "{% include 'link.j2' %}",
        "{% do article %}",
    ],
)
def test_nothing_leads_out_of_a_template(tmp_path: Path, article: ArticleView, source: str) -> None:
    (tmp_path / "secret.txt").write_text("s3cret")
    inside = tmp_path / "templates"
    inside.mkdir()
    (inside / "link.j2").symlink_to(tmp_path / "secret.txt")
    assert "s3cret" not in failing(inside, source, article=article, slot=len)


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in range(900) %}{% for b in range(900) %}{{ 'xxxxxxxxxx' }}{% endfor %}{% endfor %}",
        "{% for a in range(10000000) %}{% endfor %}",
        "{{ 'x' * 1000000000 }}",
        "{{ 9 ** 999999 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '%*d' % (1000000000, 1) }}",
        "{{ 'x' | center(1000000000) }}",
    ],
)
def test_a_template_cannot_fill_the_memory(tmp_path: Path, source: str) -> None:
    """F-62: a template is stopped before it takes the process with it."""
    assert failing(tmp_path, source).startswith("template x.txt.j2")


def test_html_is_escaped_in_html_and_not_in_text(tmp_path: Path) -> None:
    for name in ("a.txt.j2", "a.html.j2", "a.mjml.j2"):
        (tmp_path / name).write_text("{{ x }}")
    templates = Templates(tmp_path)
    assert [templates.render(name, {"x": "<b>"}).text for name in ("a.txt.j2", "a.html.j2", "a.mjml.j2")] == [
        "<b>",
        "&lt;b&gt;",
        "&lt;b&gt;",
    ]


def test_an_unknown_slot_is_an_error_that_lists_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "digest.txt.j2").write_text('{% set subject = "x" %}\n{{ slot("nmae") }}')
    with pytest.raises(
        RenderError, match=r'template digest\.txt\.j2:2: there is no slot "nmae"; templates may use "name"'
    ):
        letter(digest(), PUBLICATION, Templates(tmp_path))


POSTS = ["post", "mastodon", "bluesky", "threads", "x", "slack", "discord", "telegram"]


@pytest.mark.parametrize("name", ["digest", "linkedin", *POSTS])
def test_the_shipped_templates_have_no_problems(name: str) -> None:
    assert check(TEMPLATES, name) == []


def test_a_template_that_extends_another_says_only_where_it_differs(tmp_path: Path) -> None:
    (tmp_path / "base.txt.j2").write_text(
        "{% set drop = drop | default(['one']) %}{% set size = size | default(1) %}"
        "{% block one %}1{% endblock %}{% block two %}{{ size }}{% endblock %}{% block three %}3{% endblock %}"
    )
    (tmp_path / "middle.txt.j2").write_text(
        "{% extends 'base.txt.j2' %}{% set size = 22 %}{% block four %}4{% endblock %}"
    )
    (tmp_path / "own.txt.j2").write_text(
        "{% extends 'middle.txt.j2' %}{% set drop = ['two'] %}"
        "{% block three %}{{ super() }}!{% endblock %}{% block one %}I{% endblock %}"
    )
    rendered = Templates(tmp_path).render("own.txt.j2", {})
    assert list(rendered.blocks.items()) == [("one", "I"), ("two", "22"), ("three", "3!"), ("four", "4")]
    assert rendered.variables["drop"] == ["two"]


def test_check_tells_file_and_line_of_a_slip(tmp_path: Path) -> None:
    source = (ROOT / "templates" / "digest.mjml.j2").read_text("utf-8").replace("article.summary |", "article.sumary |")
    (tmp_path / "digest.mjml.j2").write_text(source, "utf-8")
    (problem,) = check(Templates(tmp_path, ROOT / "templates"), "digest")
    line = source[: source.index("article.sumary")].count("\n") + 1
    assert (problem.path, problem.line) == ((tmp_path / "digest.mjml.j2").as_posix(), line)
    assert problem.message == "'article.sumary' is not known; did you mean 'article.summary'?"


def test_check_tells_of_a_template_that_is_not_there(tmp_path: Path) -> None:
    (problem,) = check(Templates(tmp_path), "nothing")
    assert problem.message == "there is no template nothing.txt.j2"
