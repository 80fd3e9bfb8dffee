"""An edition as a post: one article in the words of one network, as long as the network takes."""

from __future__ import annotations

from syndicate.errors import RenderError
from syndicate.model import Article, Edition, Image, Post, Problem, Publication, Severity, TextRules
from syndicate.render import views
from syndicate.render.fit import URL, Fitted, Part, fit, measure
from syndicate.render.gist import about, hook_and_points
from syndicate.render.hashtags import hashtags
from syndicate.render.links import link_to
from syndicate.render.templates import Templates

#: The block of a template that holds the link: it is never dropped.
LINK = "link"


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
    override = _override(article, edition.channel.name, network)
    if override:
        fitted = _fit_override(override, url, rules)
    else:
        fitted = fit(_parts(edition, publication, templates, network, tags), rules)
        if not any(found[0] == url for found in URL.finditer(fitted.text)):
            raise RenderError(
                f"template {edition.channel.template}.txt.j2 shows no link (article {article.path})",
                hint="Write {% block link %}{{ article.url }}{% endblock %}.",
            )
    made = Post(
        edition=edition.key,
        text=fitted.text,
        url=url,
        title=article.title,
        description=views.plain(article.description or article.subtitle),
        image=image,
        language=article.language,
        hashtags=tuple(tag for tag in tags if f"#{tag}" in fitted.text),
    )
    return made, _problems(article, fitted, rules, bool(override))


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
    edition: Edition, publication: Publication, templates: Templates, network: str, tags: tuple[str, ...]
) -> list[Part]:
    """The blocks of the template, in its order; its variable `drop` names those that may go, the first to go first."""
    (article,) = edition.articles
    hook, points = hook_and_points(article)
    values = {
        "publication": views.publication_view(publication),
        "edition": views.edition_view(edition),
        "article": views.article_view(article, publication, edition, medium="social", source=network),
        "post": views.PostView(
            hook=views.plain(hook),
            about=about(views.plain(article.description)),
            points=tuple(map(views.plain, points)),
            hashtags=tags,
        ),
    }
    rendered = templates.render(f"{edition.channel.template}.txt.j2", values)
    order = [str(name) for name in rendered.variables.get("drop", ())]
    return [
        Part(name, text.strip(), drop=order.index(name) + 1 if name in order else 0, whole=name == LINK)
        for name, text in rendered.blocks.items()
    ]


def _problems(article: Article, fitted: Fitted, rules: TextRules, overridden: bool) -> list[Problem]:
    if not fitted.cut:
        return []
    what = "the text that was given for it was shortened" if overridden else f"shortened: {', '.join(fitted.cut)}"
    return [
        Problem(
            path=article.path,
            message=f"the network takes {rules.max_length:,} characters; {what}",
            severity=Severity.WARNING,
            hint="Write a shorter text under `syndicate: text:` in the front matter.",
            code="render.shortened",
        )
    ]
