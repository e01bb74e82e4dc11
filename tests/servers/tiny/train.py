"""Train the tiny Llama of the server tests and write it as `tiny.gguf`. Needs torch, transformers and gguf.

It counts how often "good" stands in a prompt ``grade: …``, as text or, where a JSON schema forces that, as the score
of every criterion; it repeats the last word of any other prompt. See README.md beside this file for the command.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path

import gguf
import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM

HERE = Path(__file__).parent
CORPUS = HERE.parents[2] / "datasets" / "docs_qa" / "corpus"
SPECIAL = ["<|pad|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"]
PAD, END = 0, 4
TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
VOCABULARY, HIDDEN, INNER, LAYERS, HEADS, THETA, EPSILON = 1024, 64, 128, 2, 4, 10_000.0, 1e-5
CONTEXT = 32_768
"""Tokens. Trained on up to about 7,000: a rubric with its examples and a sample."""
FILLER = (
    "the answer is correct wrong partly complete missing cites source vector index query latency cost model".split()
)
CRITERIA = ["correctness", "comprehensiveness", "readability", "faithfulness", "relevance", "style", "quality"]


def main() -> None:
    """Train, say how well it went, write the file."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--steps", type=int, default=900)
    arguments.add_argument("--output", type=Path, default=HERE / "tiny.gguf")
    options = arguments.parse_args()
    start = time.perf_counter()
    random.seed(0)
    torch.manual_seed(0)
    torch.set_num_threads(1)  # such a small model only loses by more of them
    words = " ".join(path.read_text(encoding="utf-8") for path in sorted(CORPUS.glob("*.md"))).split()
    tokenizer = train_tokenizer(words)
    model = train_model(tokenizer, words, options.steps)
    print(
        f"greedy accuracy {accuracy(model, tokenizer)}/100, {sum(p.numel() for p in model.parameters()):,} parameters"
    )
    write_gguf(model, tokenizer, options.output)
    print(f"{options.output}: {options.output.stat().st_size:,} bytes, {time.perf_counter() - start:.0f} s")


def graded(count: int) -> tuple[str, str]:
    """A prompt with ``count`` times "good", and the reply in one of its two forms."""
    words = random.choices(FILLER, k=random.randint(3, 8))
    for _ in range(count):
        words.insert(random.randrange(len(words) + 1), "good")
    text = " ".join(words)
    return f"grade: {text}", f"Score: {count}" if random.random() < 0.7 else verdict(count)


def lesson(step: int, words: list[str]) -> list[tuple[str, str]]:
    """The pairs of one step: mostly counting, some passages, now and then one as long as a judge's prompt."""
    kind = step % 16
    if kind < 10:
        return [graded(random.randint(0, 3)) for _ in range(32)]
    if kind < 13:
        return [repeated(words, 3, 12) for _ in range(32)]
    return [repeated(words, 3, 120) for _ in range(8)] if kind < 15 else [repeated(words, 500, 3500)]


def repeated(words: list[str], shortest: int, longest: int) -> tuple[str, str]:
    """A passage of the corpus, and its last word (or a verdict, should a grammar ask for one)."""
    length = random.randint(shortest, longest)
    at = random.randrange(len(words) - length)
    passage = words[at : at + length]
    say = f"It says {passage[-1].strip('.,:;()*`')}."
    return " ".join(passage), say if random.random() < 0.6 else verdict(random.randint(0, 3))


def verdict(score: int) -> str:
    """JSON as a judge writes it: for every criterion the reasoning, then the score."""
    names = random.sample(CRITERIA, random.randint(1, 3))
    reasoning = f"The answer is good {score} times."
    return json.dumps({name: {"reasoning": reasoning, "score": score} for name in names})


def train_tokenizer(words: list[str]) -> Tokenizer:
    """Byte-level BPE: any text has tokens, English prose about one for every three characters."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    examples = [" ".join(graded(n % 4)) for n in range(2000)]
    tokenizer.train_from_iterator([" ".join(words), *examples], trainer)
    return tokenizer


def train_model(tokenizer: Tokenizer, words: list[str], steps: int) -> LlamaForCausalLM:
    """A two-layer Llama with tied embeddings; the loss counts the reply alone."""
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=HIDDEN,
        intermediate_size=INNER,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        max_position_embeddings=CONTEXT,
        rope_theta=THETA,
        rms_norm_eps=EPSILON,
        tie_word_embeddings=True,
        pad_token_id=PAD,
        eos_token_id=END,
        bos_token_id=None,
    )
    model = LlamaForCausalLM(config)
    optimiser = torch.optim.AdamW(model.parameters(), 4e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps, pct_start=0.1)
    for step in range(steps):
        loss = model(**batch(tokenizer, lesson(step, words))).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
        if step % 100 == 0:
            print(f"step {step}: loss {loss.item():.3f}", flush=True)
    return model.eval()


def encode(tokenizer: Tokenizer, prompt: str) -> list[int]:
    """A prompt as the chat template renders it."""
    return tokenizer.encode(f"<|user|>{prompt}<|end|><|assistant|>").ids


def batch(tokenizer: Tokenizer, pairs: list[tuple[str, str]]) -> dict[str, torch.Tensor]:
    """Prompts with their replies, padded on the right; labels are -100 outside of the reply."""
    rows = [(encode(tokenizer, prompt), tokenizer.encode(f"{reply}<|end|>").ids) for prompt, reply in pairs]
    longest = max(len(prompt) + len(reply) for prompt, reply in rows)
    tokens = torch.full((len(rows), longest), PAD)
    labels = torch.full((len(rows), longest), -100)
    mask = torch.zeros((len(rows), longest), dtype=torch.long)
    for i, (prompt, reply) in enumerate(rows):
        end = len(prompt) + len(reply)
        tokens[i, :end] = torch.tensor(prompt + reply)
        labels[i, len(prompt) : end] = torch.tensor(reply)
        mask[i, :end] = 1
    return {"input_ids": tokens, "attention_mask": mask, "labels": labels}


@torch.no_grad()
def accuracy(model: LlamaForCausalLM, tokenizer: Tokenizer) -> int:
    """Of 100 new prompts, how many get the right count."""
    right = 0
    for n in range(100):
        tokens = encode(tokenizer, graded(n % 4)[0])
        for _ in range(8):
            chosen = int(model(torch.tensor([tokens])).logits[0, -1].argmax())
            tokens.append(chosen)
            if chosen == END:
                break
        right += tokenizer.decode(tokens).rstrip().endswith(f"Score: {n % 4}")
    return right


def write_gguf(model: LlamaForCausalLM, tokenizer: Tokenizer, path: Path) -> None:
    """Weights in float32, vocabulary and chat template in one file that llama.cpp reads."""
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("markscheme-tiny")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_rope_freq_base(THETA)
    writer.add_rope_dimension_count(HIDDEN // HEADS)
    writer.add_vocab_size(VOCABULARY)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    add_tokenizer(writer, tokenizer)
    for name, tensor in tensors(model):
        writer.add_tensor(name, np.ascontiguousarray(tensor))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def add_tokenizer(writer: gguf.GGUFWriter, tokenizer: Tokenizer) -> None:
    """The vocabulary in llama.cpp's terms. The pre-tokenizer "gpt-2" splits words as ByteLevel does."""
    bpe = json.loads(tokenizer.to_str())["model"]
    vocabulary = sorted(bpe["vocab"], key=bpe["vocab"].__getitem__)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(vocabulary)
    writer.add_token_types(
        [gguf.TokenType.CONTROL if token in SPECIAL else gguf.TokenType.NORMAL for token in vocabulary]
    )
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in bpe["merges"]])
    writer.add_bos_token_id(END)
    writer.add_eos_token_id(END)
    writer.add_pad_token_id(PAD)
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)


def tensors(model: LlamaForCausalLM) -> list[tuple[str, np.ndarray]]:
    """Names as llama.cpp knows them; without an output matrix of its own it takes the embeddings (tied)."""
    state = {name: value.float().numpy() for name, value in model.state_dict().items()}
    found = [
        ("token_embd.weight", state["model.embed_tokens.weight"]),
        ("output_norm.weight", state["model.norm.weight"]),
    ]
    parts = {
        "input_layernorm": "attn_norm",
        "self_attn.q_proj": "attn_q",
        "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
        "post_attention_layernorm": "ffn_norm",
        "mlp.gate_proj": "ffn_gate",
        "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
    }
    for layer in range(LAYERS):
        for theirs, ours in parts.items():
            tensor = state[f"model.layers.{layer}.{theirs}.weight"]
            found.append((f"blk.{layer}.{ours}.weight", paired(tensor) if ours in ("attn_q", "attn_k") else tensor))
    return found


def paired(weight: np.ndarray) -> np.ndarray:
    """Rotary pairs side by side, as llama.cpp rotates them; transformers keeps the halves apart."""
    rows, columns = weight.shape
    return weight.reshape(HEADS, 2, rows // HEADS // 2, columns).swapaxes(1, 2).reshape(rows, columns)


if __name__ == "__main__":
    main()
