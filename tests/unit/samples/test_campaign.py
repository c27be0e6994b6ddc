"""The assets of a campaign: texts and pictures from templates or a model, approval, export, the gallery."""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import campaign as campaigns
import pytest
from campaign import Campaign, gallery, painter_if_configured, poster
from chatkit.widgets import WidgetRoot
from PIL import Image
from pydantic import TypeAdapter

from voice_kernel import Widget

ROOT = TypeAdapter(WidgetRoot)


def test_variants_differ_in_text_and_picture_and_name_product_and_audience() -> None:
    campaign = Campaign()
    made = campaign.make("rye bread", "early risers", "warm", 4)
    assert len({asset.headline for asset in made}) == 4
    assert len({asset.picture for asset in made}) == 4
    assert all("rye bread" in f"{asset.headline} {asset.body}".lower() for asset in made)
    assert any("early risers" in asset.body for asset in made)
    assert [asset.number for asset in made] == [1, 2, 3, 4]


def test_a_poster_has_the_size_of_an_advertisement() -> None:
    assert Image.open(io.BytesIO(poster("Tea", "A very long headline " * 10, ("#000", "#fff")))).size == (
        1200,
        675,
    )


def test_only_what_is_approved_is_exported_and_it_can_be_taken_back(tmp_path: Path) -> None:
    campaign = Campaign()
    campaign.make("tea", "students", "plain", 3)
    with pytest.raises(ValueError, match="Nothing is approved"):
        campaign.export(tmp_path)
    campaign.approve(1)
    campaign.approve(3)
    campaign.approve(1, approved=False)
    written = campaign.export(tmp_path / "out")
    assert [path.suffix for path in written] == [".png", ".md", ".json"]
    (listed,) = json.loads(written[-1].read_text())
    assert listed["number"] == 3
    assert "picture" not in listed
    assert Image.open(written[0]).size == (1200, 675)
    assert written[1].read_text().startswith(f"# {listed['headline']}\n")


def test_a_headline_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    campaign = Campaign()
    campaign.add("tea", "students", "../../etc/passwd \0 ü", "x", author="model")
    campaign.approve(1)
    assert {path.parent for path in campaign.export(tmp_path / "out")} == {tmp_path / "out"}


def test_there_are_no_more_variants_than_a_gallery_holds() -> None:
    campaign = Campaign()
    for _ in range(3):
        campaign.make("tea", "students", count=4)
    with pytest.raises(ValueError, match="12 variants are enough"):
        campaign.make("tea", "students", count=1)
    for asset in campaign.assets:
        campaign.approve(asset.number)
    Widget(gallery(campaign))  # within the size that a widget may have
    with pytest.raises(ValueError, match="no variant 13"):
        campaign.approve(13)
    with pytest.raises(ValueError, match="One to 4"):
        campaign.make("tea", "students", count=5)


def test_the_gallery_is_a_widget_of_chatkit_in_every_state() -> None:
    campaign = Campaign()
    ROOT.validate_python(gallery(campaign))
    campaign.make("tea", "students")
    ROOT.validate_python(gallery(campaign))
    campaign.approve(2)
    ROOT.validate_python(gallery(campaign))


class _Images(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked = asked  # type: ignore[attr-defined]
        picture = base64.b64encode(poster("painted", asked["model"], campaigns.PALETTES[0])).decode()
        body = json.dumps({"created": 1, "data": [{"b64_json": picture}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def images() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Images) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_an_image_model_paints_where_one_is_named(
    images: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.delenv("IMAGE_MODEL", raising=False)
    assert painter_if_configured() is None
    monkeypatch.setenv("IMAGE_MODEL", "painter")
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{images.server_port}/v1")
    campaign = Campaign(painter_if_configured())
    (asset,) = campaign.make("tea", "students", count=1)
    assert asset.painted
    assert images.asked["model"] == "painter"  # type: ignore[attr-defined]
    assert "advertisement for tea, for students" in images.asked["prompt"]  # type: ignore[attr-defined]
    ROOT.validate_python(gallery(campaign))
