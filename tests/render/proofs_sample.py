"""A sheet of proofs made from the two seeds, by hand."""

import json
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

from mjml import mjml2html

from syndicate.model import Problem, Severity
from syndicate.render.proofs import (
    Card,
    Exchange,
    Group,
    LeftOut,
    Link,
    MailProof,
    PostProof,
    Reader,
    Sheet,
)

HOSTILE = (
    '</script><script>top.owned=1;alert(1)</script>"><img src=x onerror="top.owned=1;alert(1)">'
    '\'><svg onload=alert(1)></iframe></template></style></pre><iframe srcdoc="<script>alert(1)</script>">'
)
VIEWS = (
    *(f"e1-{view}" for view in ("letter", "text", "headers", "links", "readers", "problems")),
    *(f"e2-{view}" for view in ("post", "text", "request", "problems")),
    *("e3-post", "left-out", "problems"),
)
HERO = "https://images.magick.ai/mlops-training-india.jpg"
SUNRISE = "data:image/svg+xml;base64," + b64encode(
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 314"><rect width="600" height="314" fill="#14705d"/>'
    b'<circle cx="410" cy="180" r="54" fill="#f5b02e"/><path fill="#0d4a3d" d="M0 210L90 160 180 205 290 150 420 200 '
    b'600 165V314H0Z"/><path fill="#fff" d="M180 60h8v190h-8zM400 60h8v190h-8zM0 214h600v5H0z"/></svg>'
).decode("ascii")
UTM = "utm_source=weekly-digest&utm_medium=email&utm_campaign=weekly-digest"
TEXT_PART = """Magick AI Dispatch
Weekly digest · Monday, 10 March 2025 · 2 articles, 23 min

THE RISE OF MLOPS TRAINING IN INDIA: BRIDGING THE GAP BETWEEN AI
INNOVATION AND IMPLEMENTATION
Vikram Singh · 7 March 2025 · 15 min read

Explore how India is revolutionizing MLOps training to meet the growing
demand for AI implementation expertise.

Read the article [1]

--
You get this because you signed up on magick.ai.
Magick AI, 4th Floor, 12 Example Road, Hyderabad 500081, India
Unsubscribe: https://news.example.com/u/eyJhZGEi

[1] https://magick.ai/mlops-training-in-india
"""
HYDERABAD = """40% higher salaries: what Hyderabad's tech companies pay for MLOps skills.

78% of them plan to hire more MLOps people within a year. Three months of training is where most begin.

– Automated ML pipelines, CI/CD for models, monitoring and governance
– Hands-on work with Jenkins, Docker and Kubernetes
– Partnerships between training institutes and HITEC City employers

Stay updated on the latest developments in MLOps training and tech education in Hyderabad. Follow us on LinkedIn \
for exclusive insights, success stories, and industry updates that matter to your career growth.

https://magick.ai/mlops-training-in-hyderabad?utm_source=linkedin&utm_medium=social

#MLOps #Hyderabad #MachineLearning"""

INDIA = """Entry-level MLOps engineers in India can expect ₹6,00,000 to ₹8,00,000 a year; with experience it is often \
more than ₹14,00,000. What lies between the two is training, and India has begun to take it seriously.

– Programs of 3 to 6 months, theory and hands-on practice
– Pipelines, CI/CD for models, monitoring, versioned data
– Security and governance in ML systems

Stay updated on the latest developments in MLOps and AI implementation strategies! Follow us on LinkedIn for \
exclusive insights, industry trends, and success stories from India's thriving tech ecosystem.

https://magick.ai/mlops-training-in-india?utm_source=linkedin&utm_medium=social

#MLOps #India #MachineLearning"""


def a_letter() -> str:
    return mjml2html((Path(__file__).parent / "proofs_letter.mjml").read_text("utf-8"), fonts={})


def a_mail() -> MailProof:
    return MailProof(
        edition="weekly-digest/2025-03-10T09:00",
        channel="weekly-digest",
        account="outbox (file)",
        subject="The Rise of MLOps Training in India: Bridging the Gap … and 1 more",
        preheader="Explore how India is revolutionizing MLOps training to meet the growing demand for AI expertise.",
        sender="Magick AI <news@example.com>",
        readers=3,
        first_readers=(
            Reader("ada@example.org", "Ada Okafor"),
            Reader("ravi@example.net", "Ravi Menon"),
            Reader("jose@example.com", "José Álvarez"),
        ),
        skipped=(
            Group("unsubscribed", 290, ("lea@example.org", "tom@example.net", "mia@example.com")),
            Group("suppressed: bounced for good", 2, ("old@example.org", "gone@example.net")),
        ),
        html=a_letter(),
        text=TEXT_PART,
        headers=(
            ("From", "Magick AI <news@example.com>"),
            ("To", "Ada Okafor <ada@example.org>"),
            ("Subject", "The Rise of MLOps Training in India: Bridging the Gap … and 1 more"),
            ("Date", "Mon, 10 Mar 2025 09:00:00 +0530"),
            ("Message-ID", "<3f1c9d0a.weekly-digest@news.example.com>"),
            ("List-Id", "Weekly digest <weekly-digest.news.example.com>"),
            ("List-Unsubscribe", "<https://news.example.com/u/eyJhZGEi>, <mailto:unsubscribe@news.example.com>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            ("MIME-Version", "1.0"),
            ("Content-Type", 'multipart/alternative; boundary="=_4c1e0b"'),
        ),
        size=31_408,
        sha256="9a1f" * 16,
        links=(
            Link("Read the article", f"https://magick.ai/mlops-training-in-india?{UTM}"),
            Link("Follow us on LinkedIn", "https://www.linkedin.com/company/example"),
            Link("Read about Hyderabad", f"https://magick.ai/mlops-training-in-hyderabad?{UTM}"),
            Link("Unsubscribe", "https://news.example.com/u/eyJhZGEi"),
        ),
        pictures={HERO: SUNRISE},
        problems=(
            Problem(
                "seeds/001_0bc78cdf9e41f4cf.md",
                "the picture https://images.magick.ai/mlops-training-hyderabad.jpg was not fetched",
                Severity.WARNING,
                9,
                hint="Put the file into the project folder, or check the address.",
            ),
        ),
        files=("weekly-digest.eml", "weekly-digest.html", "weekly-digest.txt"),
    )


def a_post() -> PostProof:
    body = {
        "author": "urn:li:organization:5515715",
        "commentary": HYDERABAD.replace("(", r"\(").replace("_", r"\_"),
        "visibility": "PUBLIC",
        "distribution": {"feedDistribution": "MAIN_FEED", "targetEntities": [], "thirdPartyDistributionChannels": []},
        "content": {"article": {"source": "https://magick.ai/mlops-training-in-hyderabad", "thumbnail": "{{image}}"}},
        "lifecycleState": "PUBLISHED",
    }
    return PostProof(
        edition="linkedin/mlops-training-in-hyderabad",
        channel="linkedin",
        account="outbox (file)",
        network="LinkedIn",
        author="Magick AI",
        text=HYDERABAD,
        fold_phone=HYDERABAD[:75],
        fold_desktop=HYDERABAD[:75],
        used=1214,
        max=3000,
        card=Card(
            "MLOps Training in Hyderabad: Bridging the Gap Between ML Development and Operations",
            "Explore how Hyderabad emerges as a leading hub for MLOps training, with specialized programs.",
            "magick.ai",
        ),
        request=Exchange(
            "POST",
            "https://api.linkedin.com/rest/posts",
            (
                ("Authorization", "Bearer AQV-very-secret"),
                ("LinkedIn-Version", "202609"),
                ("Content-Type", "application/json"),
            ),
            json.dumps(body, ensure_ascii=False).encode(),
        ),
        sha256="0c7e" * 16,
        files=("mlops-training-in-hyderabad.txt", "mlops-training-in-hyderabad.json"),
    )


def a_sheet() -> Sheet:
    post = a_post()
    assert post.card is not None
    india = replace(
        post,
        edition="linkedin/mlops-training-in-india",
        text=INDIA,
        fold_phone=INDIA[:133],
        fold_desktop=INDIA[:189],
        used=1377,
        card=replace(
            post.card,
            title="The Rise of MLOps Training in India: Bridging the Gap Between AI Innovation and Implementation",
            picture=SUNRISE,
        ),
        sha256="77b2" * 16,
    )
    return Sheet(
        publication="Magick AI Dispatch",
        plan="7f3ac91e" * 8,
        local="Monday, 10 March 2025, 12:00 IST",
        utc="06:30 UTC",
        mode="rehearsal",
        proofs=(a_mail(), post, india),
        left_out=(
            LeftOut(
                "Vector databases, explained twice", "articles/vector.md", "its publish date, 2 April 2025, is later"
            ),
            LeftOut("Untitled draft", "articles/draft.md", "it is a draft"),
        ),
        problems=(
            Problem(
                "seeds/000_b5ca7274b39b3a56.md",
                "subtitle: \\' inside '…' is not YAML; read as \"Inside India's growing MLOps education ecosystem\"",
                Severity.REPAIRED,
                3,
                11,
                "syndicate check --fix writes it back",
            ),
            Problem(
                "seeds/001_0bc78cdf9e41f4cf.md",
                "publish date is 365 days before its creation date: wrong year?",
                Severity.WARNING,
                7,
                1,
            ),
        ),
        next=("syndicate run --once --at 2025-03-10T12:00", "syndicate check --fix"),
    )


def a_hostile_sheet() -> Sheet:
    """Every text that people or articles can fill holds an attack."""
    problem = Problem(HOSTILE, HOSTILE, hint=HOSTILE)
    mail = replace(
        a_mail(),
        **dict.fromkeys(("edition", "channel", "account", "subject", "preheader", "sender", "text", "sha256"), HOSTILE),
        html=a_letter().replace("</body>", HOSTILE + "</body>"),
        headers=((HOSTILE, HOSTILE),),
        links=(Link(HOSTILE, HOSTILE), Link("click", "javascript:alert(1)")),
        first_readers=(Reader(HOSTILE, HOSTILE),),
        pictures={"https://images.magick.ai/mlops-training-india.jpg": f"data:image/png,{HOSTILE}"},
        problems=(problem,),
        files=("javascript:alert(1)", HOSTILE),
    )
    post = replace(
        a_post(),
        **dict.fromkeys(("edition", "channel", "account", "network", "author", "text", "sha256"), HOSTILE),
        fold_phone=HOSTILE[:40],
        card=Card(HOSTILE, HOSTILE, HOSTILE, f"data:image/png,{HOSTILE}", HOSTILE),
        request=Exchange(HOSTILE, HOSTILE, ((HOSTILE, HOSTILE),), HOSTILE.encode()),
    )
    return Sheet(
        **dict.fromkeys(("publication", "language", "plan", "local", "utc", "mode"), HOSTILE),
        proofs=(mail, post, replace(post, card=None)),
        left_out=(LeftOut(HOSTILE, HOSTILE, HOSTILE),),
        problems=(problem,),
        next=(HOSTILE,),
    )
