#!/usr/bin/env python3
"""Writes small random text encoders and compact tokenizers with references by transformers.

usage: make_small_text_models.py SD3_TOKENIZERS TEXT_FILE [FIXTURES_FOLDER]

SD3_TOKENIZERS holds Stable Diffusion 3's tokenizer_1, tokenizer_2 and tokenizer_3 (the Python package diffsynth 1.1.9 has
them in tokenizer_configs/stable_diffusion_3); TEXT_FILE holds lines of real text in many scripts. What is written is the
model folder `Tests/Fixtures/text`:

- text_encoder (CLIP, quick GELU, old end token 2, fp32), text_encoder_2 (CLIP, GELU, the end token by its number,
  bf16, in shards), text_encoder_3 (T5 1.1, fp16, in shards), and their references, made by make_reference.py;
- tokenizer (vocab.json, merges.txt), tokenizer_2 (tokenizer.json), both with CLIP's first merges; tokenizer_3
  (tokenizer.json) and tokenizer_3_spiece (spiece.model) with T5's first pieces and its whole character map;
- *.jsonl: a few hundred lines and their tokens;
- pipeline.safetensors: prompts as diffusers' pipeline encodes them, with T5 and without.

Needs torch, diffusers, transformers, safetensors, sentencepiece and protobuf.
"""
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1")
import torch
from diffusers import StableDiffusion3Pipeline
from safetensors.torch import save_file
from transformers import (
    AutoTokenizer,
    CLIPTextConfig,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5TokenizerFast,
)

MERGES = 400
PIECES = 1000
LENGTH = 20
PROMPTS = ["", "a photo of a red cube", "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich!", "blurry, 低品質"]
# Text that a tokenizer may get wrong.
HARD_LINES = [
    "", " ", "\t", "\n \r\n", "a", "  leading and trailing  ", "Don't  WE'LL\t'tis ''s 'S", "3.14 ½ ２ Ⅷ ٣",
    "naïve cafe\u0301 ΑΣ İ ẞ ǅ ŉ", "猫とcat ねこ ネコ ﾈｺ", "👩\u200d👧 ❤\ufe0f 🏳\ufe0f\u200d🌈 👍🏽 🇩🇪", "hi!!! <|endoftext|>!! <|ENDOFTEXT|>!!",
    "<|startoftext|> <|STARTOFTEXT|>a<|endoftext|", "<pad></s><unk> <extra_id_0>x<extra_id_99> <extra_id_100>",
    "▁a▁▁b ▁", "\u00a0\u2003\u3000\u200b\u200c\u200d\ufeff|", "ﬁ ﬀ ﬃ ﬁ\u0301 ㎏ ① ℡ ™ ª º", "e\u0301\u0323 q\u0307\u0323 \u0344 \u0f73\u0f71 \u0f75\u0f73",
    "\u0958 \u0929 \u09dc क्षि நி ᄀ\u1161\u11a8 각", "x\U00010d24\u20d3 x\u1ac0\u0301\u0334 x\u2de7\U00010f84", "\u088fa \ua7cea \U00016ea0b \U0001e6c0",
    "\x00\x01\x0b\x0c\x0e\x1f\x7f\x85\x9f", "\ufffd \ufffe \uffff \U0010ffff \ue000 \U000e0041", "....!!!???——…·•", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "https://example.com/a_b?c=d&e=%20#f", "C:\\Program Files\\x", "x²+y³≤∑∞ √2 αβγ", "ЁлкА Їжак Ђурђевак", "مَرْحَبًا بِالعَالَم ـــ ١٢٣", "שָׁלוֹם עוֹלָם",
    "สวัสดีชาวโลก", "ສະບາຍດີ", "မင်္ဂလာပါ", "ជំរាបសួរ", "გამარჯობა", "Բարեւ", "ሰላም", "ᏣᎳᎩ", "ᠮᠣᠩᠭᠣᠯ", "ꓡꓲꓢꓴ", "𐐀𐐨 𝒜𝓃𝒹 𝟘𝟙",
]


def randomize(network, seed):
    """Matrices N(0, 1 / inputs), norms around one, biases around zero."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            values = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() == 1:
                values = 0.2 * values + (1 if "norm" in name and name.endswith("weight") else 0)
            elif "embed" not in name and "shared" not in name and "bias" not in name:
                values /= parameter.shape[1] ** 0.5
            parameter.copy_(values)
    return network.eval()


def clip_tokenizer(source, target):
    """CLIP's tokenizer with its first merges only, numbered anew."""
    target.mkdir(parents=True, exist_ok=True)
    numbers = json.loads((source / "vocab.json").read_text())
    vocabulary = sorted(numbers, key=numbers.get)
    merges = (source / "merges.txt").read_text().split("\n")[: MERGES + 1]
    kept = vocabulary[:512] + ["".join(line.split()) for line in merges[1:]] + vocabulary[-2:]
    (target / "merges.txt").write_text("\n".join(merges) + "\n")
    (target / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(kept)}, ensure_ascii=False))
    config = json.loads((source / "tokenizer_config.json").read_text())
    numbers = {token: str(i) for i, token in enumerate(kept)}
    config["added_tokens_decoder"] = {
        numbers[token["content"]]: token for token in config["added_tokens_decoder"].values()
    }
    config["model_max_length"] = LENGTH
    (target / "tokenizer_config.json").write_text(json.dumps(config, indent=1))


def t5_tokenizer(source, folder, spiece_folder):
    """T5's tokenizer with its first pieces only, in both layouts."""
    from sentencepiece import sentencepiece_model_pb2

    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString((source / "spiece.model").read_bytes())
    del model.pieces[PIECES:]
    spiece_folder.mkdir(parents=True, exist_ok=True)
    (spiece_folder / "spiece.model").write_bytes(model.SerializeToString())
    config = {"tokenizer_class": "T5Tokenizer", "extra_ids": 100, "model_max_length": 512}
    config |= {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    (spiece_folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1))
    T5TokenizerFast.from_pretrained(spiece_folder).save_pretrained(folder)
    compact(folder)


def compact(folder):
    """A tokenizer.json without white space."""
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()), ensure_ascii=False, separators=(",", ":")))


def lines(text_file, count):
    """Hard lines, and some of the file's, of every length and script."""
    text = [line for line in pathlib.Path(text_file).read_text(encoding="utf-8").split("\n") if 0 < len(line) < 60]
    return HARD_LINES + random.Random(0).sample(text, count)


def pipeline_reference(folder):
    """Context and pooled vectors of prompts and of a negative prompt, by the pipeline."""
    class Transformer(torch.nn.Module):
        config = type("Config", (), {"joint_attention_dim": 40, "sample_size": 8, "patch_size": 2})

    encoders = [CLIPTextModelWithProjection.from_pretrained(folder / f"text_encoder{s}", torch_dtype=torch.float32) for s in ("", "_2")]
    t5 = T5EncoderModel.from_pretrained(folder / "text_encoder_3", torch_dtype=torch.float32)
    tokenizers = [AutoTokenizer.from_pretrained(folder / f"tokenizer{s}") for s in ("", "_2", "_3")]
    pipeline = StableDiffusion3Pipeline.__new__(StableDiffusion3Pipeline)
    pipeline.__dict__ |= {"_internal_dict": {}}
    object.__setattr__(pipeline, "text_encoder", encoders[0])
    object.__setattr__(pipeline, "text_encoder_2", encoders[1])
    object.__setattr__(pipeline, "tokenizer", tokenizers[0])
    object.__setattr__(pipeline, "tokenizer_2", tokenizers[1])
    object.__setattr__(pipeline, "tokenizer_3", tokenizers[2])
    object.__setattr__(pipeline, "transformer", Transformer())
    object.__setattr__(pipeline, "tokenizer_max_length", tokenizers[0].model_max_length)
    tensors = {}
    for name, encoder in (("with_t5", t5), ("without_t5", None)):
        object.__setattr__(pipeline, "text_encoder_3", encoder)
        with torch.no_grad():
            context, negative, pooled, negative_pooled = pipeline.encode_prompt(
                PROMPTS[:3], None, None, device=torch.device("cpu"), negative_prompt=[PROMPTS[3]] * 3, max_sequence_length=24
            )
        tensors |= {
            f"expected.{name}.context": torch.cat([context, negative[:1]]),
            f"expected.{name}.pooled": torch.cat([pooled, negative_pooled[:1]]),
        }
    save_file({name: value.float().contiguous() for name, value in tensors.items()}, folder / "pipeline.safetensors")


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    here = pathlib.Path(__file__).resolve()
    source = pathlib.Path(sys.argv[1])
    fixtures = pathlib.Path(sys.argv[3]) if len(sys.argv) == 4 else here.parents[2] / "Tests" / "Fixtures"
    folder = fixtures / "text"
    shutil.rmtree(folder, ignore_errors=True)
    clip_tokenizer(source / "tokenizer_1", folder / "tokenizer")
    clip_tokenizer(source / "tokenizer_2", folder / "scratch")
    CLIPTokenizer.from_pretrained(folder / "scratch").save_pretrained(folder / "tokenizer_2")
    shutil.rmtree(folder / "scratch")
    compact(folder / "tokenizer_2")
    t5_tokenizer(source / "tokenizer_3", folder / "tokenizer_3", folder / "tokenizer_3_spiece")
    text = lines(sys.argv[2], 260)
    for name in ("tokenizer", "tokenizer_2", "tokenizer_3"):
        tokens = AutoTokenizer.from_pretrained(folder / name)(text).input_ids
        with open(folder / f"{name}.jsonl", "w", encoding="utf-8") as out:
            for line, ids in zip(text, tokens):
                out.write(json.dumps({"text": line, "input_ids": ids}, ensure_ascii=False, separators=(",", ":")) + "\n")

    clip = dict(vocab_size=512 + MERGES + 2, max_position_embeddings=LENGTH, bos_token_id=512 + MERGES)
    randomize(
        CLIPTextModelWithProjection(
            CLIPTextConfig(
                **clip, hidden_size=12, intermediate_size=20, projection_dim=8, num_hidden_layers=3, num_attention_heads=3,
                hidden_act="quick_gelu", eos_token_id=2,
            )
        ),
        1,
    ).save_pretrained(folder / "text_encoder")
    randomize(
        CLIPTextModelWithProjection(
            CLIPTextConfig(
                **clip, hidden_size=20, intermediate_size=24, projection_dim=10, num_hidden_layers=2, num_attention_heads=5,
                hidden_act="gelu", eos_token_id=513 + MERGES,
            )
        ),
        2,
    ).to(torch.bfloat16).save_pretrained(folder / "text_encoder_2", max_shard_size="24KB")
    randomize(
        T5EncoderModel(
            T5Config(
                vocab_size=PIECES + 128, d_model=40, d_kv=6, num_heads=3, d_ff=28, num_layers=3,
                relative_attention_num_buckets=14, relative_attention_max_distance=18, feed_forward_proj="gated-gelu",
            )
        ),
        3,
    ).to(torch.float16).save_pretrained(folder / "text_encoder_3", max_shard_size="64KB")
    subprocess.run([sys.executable, here.with_name("make_reference.py"), folder, folder], check=True)
    pipeline_reference(folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {size} bytes")


if __name__ == "__main__":
    main()
