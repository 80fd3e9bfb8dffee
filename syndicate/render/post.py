"""An edition as a post: one article in the words of one network, as long as the network takes."""

from __future__ import annotations

from syndicate.errors import RenderError
from syndicate.model import Article, Channel, Edition, Image, Mention, Post, Problem, Publication, Severity, TextRules
from syndicate.model.links import URL
from syndicate.render import thread, views
from syndicate.render.fit import Fitted, Part, fit, measure
from syndicate.render.gist import about, hook_and_points
from syndicate.render.hashtags import hashtags
from syndicate.render.links import link_to
from syndicate.render.templates import Templates

#: The block of a template that holds the link: it is never dropped.
LINK = "link"
#: The block that goes to the end of a thread, and the one with the link that stands nowhere else.
CTA, END = "cta", "end"
#: Posts of a thread that do not hold the article's text: the first and the last.
ENDS = 2


def post(
    edition: Edition,
    publication: Publication,
    templates: Templates,
    rules: TextRules,
    network: str,
    image: Image | None = None,
) -> tuple[Post, list[Problem]]:
    """The edition's article as a post on `network`, and what did not fit.

    A text in the front matter (`syndicate: {text: {…}}`, by channel, network or `post`) wins over the template. Raises
    `RenderError` if the template fails or not even the link fits.
    """
    (article,) = edition.articles
    url = link_to(article, publication, edition.channel, source=network, medium="social")
    tags = hashtags(article, rules.max_hashtags)
    call = views.cta(views.plain(article.cta), publication.linkedin)
    said = views.cta_on(network, call, publication.linkedin)
    override = _override(article, edition.channel.name, network)
    spare: frozenset[str] = frozenset()
    then: tuple[str, ...] = ()
    if override:
        fitted = _fit_override(override, url, rules)
    else:
        parts, spare = _parts(edition, publication, templates, rules, network, said, tags)
        fitted, then = _fit_parts(parts, article, rules, edition.channel)
        _check_link(fitted.text, url, edition)
    page = views.own_page(fitted.text, call) if network == "linkedin" else None
    made = Post(
        edition=edition.key,
        date=edition.occasion,
        text=fitted.text,
        url=url,
        title=article.title,
        description=views.plain(article.description or article.subtitle),
        image=image,
        language=article.language,
        hashtags=tuple(tag for tag in tags if f"#{tag}" in fitted.text),
        mentions=(Mention(*page),) if page else (),
        then=then,
    )
    problems = _problems(article, [name for name in fitted.cut if name not in spare], rules, bool(override))
    return made, [*problems, *([] if override or said or not call.text else [_astray(article)])]


def _fit_parts(
    parts: list[Part], article: Article, rules: TextRules, channel: Channel
) -> tuple[Fitted, tuple[str, ...]]:
    """The post, and the further ones where the channel asks for a thread and the article has a text.

    A thread begins with the post, but for the call to action: that stands at the end, with the link once more.
    """
    inner = thread.inner(rules, channel.thread) if channel.numbered else rules
    text = article.body.text if article.body else ""
    text = views.unnotified(text) if rules.notifies else text
    middle = thread.posts(text, inner, channel.thread - ENDS) if channel.thread > ENDS else ()
    if not middle:
        return fit(_without(parts, END), rules), ()
    first = fit(_without(parts, CTA, END), inner)
    farewell = END if any(part.name == END for part in parts) else LINK
    last = fit([part for part in parts if part.name in {CTA, farewell}], inner)
    texts = (first.text, *middle, last.text)
    text, *then = thread.numbered(texts) if channel.numbered else texts
    return Fitted(text, first.cut), tuple(then)


def _check_link(text: str, url: str, edition: Edition) -> None:
    (article,) = edition.articles
    if url not in URL.findall(text):
        raise RenderError(
            f"template {edition.channel.template}.txt.j2 shows no link (article {article.path})",
            hint="Write {% block link %}{{ article.url }}{% endblock %}.",
        )


def _without(parts: list[Part], *names: str) -> list[Part]:
    return [part for part in parts if part.name not in names]


def _override(article: Article, channel: str, network: str) -> str:
    """The text of the front matter for this channel, else for this network, else for any post."""
    texts = article.overrides.text
    return next((texts[name].strip() for name in (channel, network, "post") if texts.get(name, "").strip()), "")


def _fit_override(text: str, url: str, rules: TextRules) -> Fitted:
    """The author's text as it is; the link follows unless the text holds one that survives."""
    alone = fit([Part("text", text)], rules)
    fitted = alone if URL.search(alone.text) else fit([Part("text", text), Part(LINK, url, whole=True)], rules)
    if fitted.text.strip() in {"", url}:
        raise RenderError(
            f"the text has {measure(text, rules):,} characters, and the network takes {rules.max_length:,}",
            hint="Shorten it; it has no place at which it could be cut.",
        )
    return fitted


def _parts(
    edition: Edition,
    publication: Publication,
    templates: Templates,
    rules: TextRules,
    network: str,
    call: str,
    tags: tuple[str, ...],
) -> tuple[list[Part], frozenset[str]]:
    """The blocks of the template, in its order; its variable `drop` names those that may go, the first to go first.

    With them those that are shown only where there is room (`spare`): nobody needs to be told that they went.
    """
    (article,) = edition.articles
    hook, points = hook_and_points(article)
    quiet = views.unnotified if rules.notifies else str
    values = {
        "publication": views.publication_view(publication),
        "edition": views.edition_view(edition),
        "article": views.article_view(article, publication, edition, medium="social", source=network),
        "post": views.PostView(
            hook=quiet(views.plain(hook)),
            about=quiet(about(views.plain(article.description))),
            points=tuple(quiet(views.plain(point)) for point in points),
            cta=call,
            mentions=article.overrides.mentions.get(network, ()),
            hashtags=tags,
        ),
    }
    rendered = templates.render(f"{edition.channel.template}.txt.j2", values)
    order = [str(name) for name in rendered.variables.get("drop", ())]
    parts = [
        Part(name, text.strip(), drop=order.index(name) + 1 if name in order else 0, whole=name in {LINK, END})
        for name, text in rendered.blocks.items()
    ]
    return parts, frozenset(map(str, rendered.variables.get("spare", ())))


def _astray(article: Article) -> Problem:
    """About a call to action that the template is not given, because it would lead nowhere."""
    return Problem(
        path=article.path,
        message="the call to action sends readers to LinkedIn without saying where; it is left out",
        severity=Severity.WARNING,
        hint="Set publication.linkedin to the address of your page.",
        code="render.cta",
    )


def _problems(article: Article, cut: list[str], rules: TextRules, overridden: bool) -> list[Problem]:
    if not cut:
        return []
    what = "the text that was given for it was shortened" if overridden else f"shortened: {', '.join(cut)}"
    return [
        Problem(
            path=article.path,
            message=f"the network takes {rules.max_length:,} characters; {what}",
            severity=Severity.WARNING,
            hint="Write a shorter text under `syndicate: text:` in the front matter.",
            code="render.shortened",
        )
    ]
