"""Marketing assets: variants of a text and a picture, a gallery of them, approval, export.

Without a model both come from templates: sentences with gaps, and pictures that Pillow draws. A language
model adds its own texts through the notebook's tool; pictures are painted by an image model where one is
named in `IMAGE_MODEL`. It knows no tools.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import textwrap
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from PIL import Image, ImageDraw, ImageFont

Tone = Literal["warm", "bold", "plain"]
Painter = Callable[[str], bytes]
"""Paints what a text describes; returns a PNG or JPEG."""

SIZE = (1200, 675)
THUMBNAIL = (320, 180)
COLOURS = 64
"""Of a thumbnail: a gallery has to stay small, since its pictures travel inside the widget."""
MAX_ASSETS = 12

TEXTS: dict[str, list[tuple[str, str]]] = {
    "warm": [
        ("{Product}, like coming home", "Made slowly, for {audience}. Sit down; we have kept you a place."),
        ("A little {product} goes a long way", "For {audience} who know that the best of a day is small."),
        ("Good mornings begin with {product}", "And {audience} deserve more of them."),
        ("Share {product}", "Because what {audience} like best is never eaten, read or seen alone."),
    ],
    "bold": [
        ("{Product}. Now.", "{Audience} have waited long enough."),
        ("Forget what you know about {product}", "This one was made for {audience}, and for nobody else."),
        ("More {product}. Less talk.", "{Audience}, this is yours."),
        ("The {product} others will copy", "Be first. {Audience} usually are."),
    ],
    "plain": [
        ("{Product} for {audience}", "What it is, what it costs, and where to get it: in one minute."),
        ("New: {product}", "Better made, at the same price. For {audience}."),
        ("{Product}, explained", "Everything that {audience} have asked us, answered."),
        ("Try {product} for a week", "{Audience} can give it back, no questions asked."),
    ],
}
PALETTES = [("#7a2e1d", "#f4a259"), ("#12355b", "#7fc8f8"), ("#234f1e", "#b5d99c"), ("#4a154b", "#e8aeb7")]


@dataclass
class Asset:
    """One variant."""

    number: int
    product: str
    audience: str
    headline: str
    body: str
    author: Literal["template", "model"]
    picture: bytes
    painted: bool = False
    """Whether an image model made the picture."""
    approved: bool = False


class Campaign:
    """The variants that were made, in the order of their numbers. Callable from any thread.

    Args:
        painter: paints pictures; templates draw them without one.
    """

    def __init__(self, painter: Painter | None = None) -> None:
        self.assets: list[Asset] = []
        self._painter = painter
        self._lock = threading.Lock()

    def make(self, product: str, audience: str, tone: Tone = "warm", count: int = 3) -> list[Asset]:
        """Make variants from the templates of a tone.

        Raises:
            ValueError: more than there are templates.
        """
        templates = TEXTS[tone]
        if not 0 < count <= len(templates):
            raise ValueError(f"One to {len(templates)} variants can be made at once.")
        words = {
            "product": product,
            "audience": audience,
            "Product": product[:1].upper() + product[1:],
            "Audience": audience[:1].upper() + audience[1:],
        }
        texts = [(head.format(**words), body.format(**words)) for head, body in templates[:count]]
        return [self.add(product, audience, *text) for text in texts]

    def add(
        self,
        product: str,
        audience: str,
        headline: str,
        body: str,
        author: Literal["template", "model"] = "template",
    ) -> Asset:
        """Add a variant with a picture of its own.

        Raises:
            ValueError: there are too many.
        """
        with self._lock:
            if len(self.assets) >= MAX_ASSETS:
                raise ValueError(
                    f"{MAX_ASSETS} variants are enough: export what is approved, and start anew."
                )
            number = len(self.assets) + 1
            asset = Asset(number, product, audience, headline, body, author, b"")
            self.assets.append(asset)
        if self._painter is not None:
            wish = f"An advertisement for {product}, for {audience}. {headline}. No words in the picture."
            asset.picture, asset.painted = self._painter(wish), True
        else:
            asset.picture = poster(product, headline, PALETTES[(number - 1) % len(PALETTES)], shape=number)
        return asset

    def approve(self, number: int, approved: bool = True) -> Asset:
        """Approve a variant, or take that back.

        Raises:
            ValueError: there is none of this number.
        """
        if not 0 < number <= len(self.assets):
            raise ValueError(f"There is no variant {number}; there are {len(self.assets)}.")
        asset = self.assets[number - 1]
        asset.approved = approved
        return asset

    def export(self, folder: str | Path) -> list[Path]:
        """Write what is approved: a picture and a text for each, and a list of all as JSON.

        Raises:
            ValueError: nothing is approved.
        """
        approved = [asset for asset in self.assets if asset.approved]
        if not approved:
            raise ValueError("Nothing is approved yet.")
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        written: list[Path] = []
        for asset in approved:
            name = f"{asset.number:02d}-{re.sub(r'[^a-z0-9]+', '-', asset.headline.lower()).strip('-')[:40]}"
            image, text = folder / f"{name}.png", folder / f"{name}.md"
            Image.open(io.BytesIO(asset.picture)).save(image)
            text.write_text(f"# {asset.headline}\n\n{asset.body}\n", "utf-8")
            written += [image, text]
        listed = [
            {name: value for name, value in asdict(asset).items() if name != "picture"} for asset in approved
        ]
        index = folder / "assets.json"
        index.write_text(json.dumps(listed, indent=1, ensure_ascii=False) + "\n", "utf-8")
        return [*written, index]


# ---- pictures -------------------------------------------------------------------------------------


def poster(product: str, headline: str, palette: tuple[str, str], shape: int = 0) -> bytes:
    """Draw a picture from a template; returns a PNG of 1200 x 675."""
    dark, light = palette
    image = Image.new("RGB", SIZE, dark)
    draw = ImageDraw.Draw(image)
    width, height = SIZE
    for step in range(6):  # rings, bars or steps: each variant has a look of its own
        reach = 90 + 70 * step
        if shape % 3 == 1:
            box = (width - reach, height - reach, width + reach, height + reach)
            draw.ellipse(box, outline=light, width=18)
        elif shape % 3 == 2:
            draw.rectangle(
                (width - 60 * (step + 1), height - reach, width - 60 * step - 20, height), fill=light
            )
        else:
            draw.polygon(
                [(width, height - reach), (width + 20, height + 20), (width - reach, height)],
                outline=light,
                width=14,
            )
    draw.text((80, 70), product.upper(), fill=light, font=ImageFont.load_default(34))
    lines = "\n".join(textwrap.wrap(headline, 20)[:4])
    draw.multiline_text((80, 150), lines, fill="white", font=ImageFont.load_default(78), spacing=14)
    return _png(image)


def painter_if_configured() -> Painter | None:
    """Return a painter where `IMAGE_MODEL` and `OPENAI_API_KEY` are set; `OPENAI_BASE_URL` is heeded."""
    model = os.environ.get("IMAGE_MODEL", "")
    if not model or not os.environ.get("OPENAI_API_KEY"):
        return None
    from openai import OpenAI

    client = OpenAI(timeout=120)

    def paint(wish: str) -> bytes:
        made = client.images.generate(model=model, prompt=wish, size="1536x1024")
        data = made.data[0].b64_json if made.data else None
        if not data:
            raise ValueError("The model has painted nothing.")
        return base64.b64decode(data)

    return paint


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


# ---- the gallery ----------------------------------------------------------------------------------


def gallery(campaign: Campaign) -> dict[str, Any]:
    """Return all variants as a widget, each with a button to approve it."""
    approved = sum(asset.approved for asset in campaign.assets)
    status = f"{len(campaign.assets)} variants, {approved} approved"
    cards = [_tile(asset) for asset in campaign.assets]
    empty = {"type": "Caption", "value": "Nothing yet: “make three variants for …”"}
    export = {"label": "Export what is approved", "action": {"type": "export_assets"}}
    return {
        "type": "Card",
        "size": "full",
        "status": {"text": status},
        "children": [{"type": "Row", "wrap": "wrap", "gap": 4, "children": cards}] if cards else [empty],
        **({"confirm": export} if approved else {}),
    }


def _tile(asset: Asset) -> dict[str, Any]:
    thumbnail = Image.open(io.BytesIO(asset.picture)).convert("RGB")
    thumbnail.thumbnail(THUMBNAIL)
    data = base64.b64encode(_png(thumbnail.quantize(COLOURS))).decode()
    return {
        "type": "Col",
        "key": str(asset.number),
        "width": THUMBNAIL[0],
        "gap": 1,
        "children": [
            {"type": "Image", "src": f"data:image/png;base64,{data}", "alt": asset.headline, "radius": "md"},
            {"type": "Text", "weight": "semibold", "value": f"{asset.number}. {asset.headline}"},
            {"type": "Text", "size": "sm", "value": asset.body},
            {
                "type": "Row",
                "justify": "between",
                "align": "center",
                "children": [
                    {"type": "Badge", "label": "Approved", "color": "success"}
                    if asset.approved
                    else {"type": "Badge", "label": f"by {asset.author}", "color": "secondary"},
                    {
                        "type": "Button",
                        "label": "Take back" if asset.approved else "Approve",
                        "size": "sm",
                        "variant": "soft",
                        "onClickAction": {
                            "type": "approve_variant",
                            "payload": {"number": asset.number, "approved": not asset.approved},
                        },
                    },
                ],
            },
        ],
    }
