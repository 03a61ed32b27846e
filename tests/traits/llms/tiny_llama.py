"""Writes a tiny language model in GGUF, for a server written by others: `python tiny_llama.py model.gguf`.

It needs the packages numpy and gguf. The model knows single bytes and has no memory: every byte has a fixed random
chance, and closing quotes and brackets are likely, so that texts end. What it says is noise; that an answer has the
wanted shape is the server's doing.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

WIDTH, INNER, HEADS, CONTEXT = 64, 128, 2, 8192


def main(path: str) -> None:
    import gguf

    rng = np.random.default_rng(0)
    writer: Any = gguf.GGUFWriter(path, "llama")
    tokens = [b"<unk>", b"<s>", b"</s>", *(f"<0x{byte:02X}>".encode() for byte in range(256))]
    kinds = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL, *[gguf.TokenType.BYTE] * 256]
    writer.add_name("tiny")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_chat_template("{% for message in messages %}{{ message['content'] }}\n{% endfor %}")
    # one embedding for all tokens and blocks that add nothing: the last state is constant, and the output rows are
    # the logits
    state = np.ones(WIDTH, dtype=np.float32)
    logits = rng.normal(size=len(tokens)).astype(np.float32)
    logits[3 + np.frombuffer(b'"}] ,:0123', dtype=np.uint8)] += 4
    logits[3 + 128 :] -= 20  # bytes that are no letter alone
    rows = np.outer(logits, state / WIDTH)
    zero = {
        name: np.zeros(shape, dtype=np.float32)
        for name, shape in {
            "attn_q": (WIDTH, WIDTH), "attn_k": (WIDTH, WIDTH), "attn_v": (WIDTH, WIDTH),
            "attn_output": (WIDTH, WIDTH), "ffn_gate": (INNER, WIDTH), "ffn_up": (INNER, WIDTH),
            "ffn_down": (WIDTH, INNER),
        }.items()
    }  # fmt: skip
    writer.add_tensor("token_embd.weight", np.tile(state, (len(tokens), 1)))
    writer.add_tensor("output_norm.weight", state)
    writer.add_tensor("output.weight", rows.astype(np.float32))
    writer.add_tensor("blk.0.attn_norm.weight", state)
    writer.add_tensor("blk.0.ffn_norm.weight", state)
    for name, values in zero.items():
        writer.add_tensor(f"blk.0.{name}.weight", values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main(sys.argv[1])
