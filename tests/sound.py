"""Listens to a page: what its sound really is, not what it was asked to play.

`LISTEN` goes into a page before its own scripts. It puts an analyser before the loudspeaker, and writes
down when sound began and when there was silence.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from lab import WAIT_MS
from numpy.typing import NDArray
from playwright.sync_api import Page

LISTEN = """
(() => {
  const connect = AudioNode.prototype.connect;
  const sound = window.sound = { loud: [], quiet: null, peak: 0, analysers: [], marks: {} };
  AudioNode.prototype.connect = function (target, ...rest) {
    if (target === this.context.destination && !(this instanceof AnalyserNode)) {
      const analyser = this.context.createAnalyser();
      analyser.fftSize = 256;
      connect.call(this, analyser);
      sound.analysers.push(analyser);
    }
    return connect.call(this, target, ...rest);
  };
  const samples = new Float32Array(256);
  sound.level = () => Math.max(0, ...sound.analysers.map(analyser => {
    analyser.getFloatTimeDomainData(samples);
    return Math.max(...samples.map(Math.abs));
  }));
  let was = false;
  let since = 0;
  let silent = 0;
  // A pause within speech is no silence: 400 ms without sound are, from their first moment. Nor is it one
  // when a page that stood still looked into one pause, and much later into the next.
  const look = () => {
    const now = performance.now();
    const is = sound.level() > 0.01;
    if (is) {
      since = 0;
      silent = 0;
      sound.peak = Math.max(sound.peak, sound.level());
      if (!was) { sound.loud.push(now); was = true; sound.quiet = null; }
    } else if (was) {
      since = since || now;
      silent += 1;
      if (now - since > 400 && silent > 20) { was = false; sound.quiet = since; }
    }
  };
  setInterval(look, 4);
  const start = AudioBufferSourceNode.prototype.start;
  AudioBufferSourceNode.prototype.start = function (...args) {
    sound.marks.scheduled = sound.marks.scheduled ?? performance.now();
    sound.seconds = (sound.seconds ?? 0) + (this.buffer ? this.buffer.duration : 0);
    return start.apply(this, args);
  };
  sound.forget = () => Object.assign(sound, { loud: [], quiet: null, peak: 0, marks: {}, seconds: 0 });
})();
"""


def listen(page: Page) -> None:
    """Listen to a page that has not been opened yet."""
    page.add_init_script(LISTEN)


def wait_loud(page: Page, timeout_ms: float = WAIT_MS) -> float:
    """Wait until something is heard; returns since when, in the page's milliseconds."""
    page.wait_for_function("() => window.sound.loud.length > 0", timeout=timeout_ms, polling=5)
    return float(page.evaluate("window.sound.loud[0]"))


def wait_quiet(page: Page, timeout_ms: float = WAIT_MS) -> float:
    """Wait until nothing is heard any more; returns since when, in the page's milliseconds."""
    since = page.wait_for_function("() => window.sound.quiet", timeout=timeout_ms, polling=5)
    return float(since.json_value())  # asked once more, it may be loud again


def forget(page: Page) -> None:
    """Begin anew."""
    page.evaluate("window.sound.forget()")


def figures(page: Page) -> dict[str, Any]:
    """Return what was heard so far."""
    return dict(page.evaluate("({ loud: sound.loud, quiet: sound.quiet, peak: sound.peak, ...sound.marks })"))


ROOM = """
(() => {
  const room = window.room = { cut: 0, spoken: null, over: false };
  const stop = AudioBufferSourceNode.prototype.stop;
  AudioBufferSourceNode.prototype.stop = function (...args) {
    room.cut++;
    return stop.apply(this, args);
  };
  navigator.mediaDevices.getUserMedia = async () => {
    const context = new AudioContext();
    const air = context.createMediaStreamDestination();
    const analyser = context.createAnalyser();
    analyser.fftSize = 256;
    const samples = new Float32Array(256);
    room.say = (bytes, rate) => {
      const pcm = new Int16Array(Uint8Array.from(atob(bytes), each => each.charCodeAt(0)).buffer);
      const buffer = context.createBuffer(1, pcm.length, rate);
      buffer.copyToChannel(Float32Array.from(pcm, each => each / 32768), 0);
      const source = context.createBufferSource();
      source.buffer = buffer;
      source.connect(air);
      source.connect(analyser);
      room.spoken = null;
      room.over = false;
      source.onended = () => { room.over = true; };
      source.start();
      const timer = setInterval(() => {
        analyser.getFloatTimeDomainData(samples);
        if (Math.max(...samples.map(Math.abs)) > 0.05) {
          room.spoken ??= performance.now();
          clearInterval(timer);
        }
      }, 4);
    };
    return air.stream;
  };
})();
"""
"""Makes a room around a page's microphone, in which `room.say(pcm, rate)` is somebody. `room.cut` counts the
pieces of sound that were ended before their end, `room.spoken` says when the last voice was first heard, and
`room.over` whether it has ended: a noise may be over before anybody has looked."""


def say(page: Page, samples: NDArray[np.int16], rate_hz: int) -> None:
    """Have somebody say something in the room of a page."""
    page.evaluate(
        "([pcm, rate]) => window.room.say(pcm, rate)", [base64.b64encode(samples.tobytes()).decode(), rate_hz]
    )
