#!/usr/bin/env python3
"""Writes reference inputs and outputs of a diffusers model folder, one file a component, for `flowsteer verify-model`.

Components with weights get `<component>.safetensors`: inputs are named as diffusers and transformers name their
arguments, outputs `expected.*`, gradients `expected.grad.<input>` and `expected.grad.param.<parameter>`. Tokenizers
get `<tokenizer>.jsonl`, a line `{"text", "input_ids"}` each. Any seed but 0 makes the picture two patches narrower
than high, unless --size says otherwise. Everything runs in fp32. Needs torch, diffusers, transformers and safetensors.
"""
import argparse
import json
import pathlib

import torch
from diffusers import AutoencoderKL, SD3Transformer2DModel
from safetensors.torch import save_file
from transformers import AutoTokenizer, CLIPTextModelWithProjection, T5EncoderModel

# Parameters whose gradients are kept: all of the first block, and one of every layer outside the blocks.
KEPT_PARAMETERS = (
    "transformer_blocks.0.",
    "pos_embed.proj",
    "context_embedder",
    "norm_out",
    "proj_out",
    "time_text_embed.timestep_embedder.linear_1",
)
LARGEST_KEPT_PARAMETER = 200_000

# What tokenizers are tried on where --lines names no file.
LINES = (
    "a photo of a red cube",
    "  An ASTRONAUT riding a horse,   on mars -- 4k!!  ",
    "naïve café, Ærø & Łódź: 12,345.67 €",
    "Кошка на крыше; 屋根の上の猫; قطة على السطح",
    "it's the dogs' toy, isn't it? we'll see",
    "🐱‍👤 ✨ two\ttabs",
    "",
)


def load(kind, folder):
    return kind.from_pretrained(folder, torch_dtype=torch.float32).eval()


def transformer_reference(network, random, narrow, size, all_gradients):
    """One batch forward, the mean squared error against a random target, and its gradients."""
    config = network.config
    height = config.sample_size
    width = height - 2 * config.patch_size if narrow else height
    height, width = size or (height, width)
    hidden_states = random(3, config.in_channels, height, width)
    context = random(3, 11, config.joint_attention_dim)
    pooled = random(3, config.pooled_projection_dim)
    tensors = {
        "hidden_states": hidden_states,
        "encoder_hidden_states": context,
        "pooled_projections": pooled,
        "timestep": torch.tensor([1000.0, 640.5, 3.25]),
    }
    inputs = {
        name: tensors[name].clone().requires_grad_(True)
        for name in ("hidden_states", "encoder_hidden_states", "pooled_projections")
    }
    sample = network(*inputs.values(), tensors["timestep"], return_dict=False)[0]
    target = random(*sample.shape)
    loss = torch.nn.functional.mse_loss(sample, target)
    loss.backward()
    tensors |= {
        "expected.sample": sample.detach(),
        "target": target,
        "expected.loss": loss.detach().reshape(1),
    }
    tensors |= {f"expected.grad.{name}": value.grad for name, value in inputs.items()}
    for name, parameter in network.named_parameters():
        kept = any(part in name for part in KEPT_PARAMETERS) and parameter.numel() < LARGEST_KEPT_PARAMETER
        if (kept or all_gradients) and parameter.grad is not None:
            tensors[f"expected.grad.param.{name}"] = parameter.grad
    return tensors


def clip_reference(encoder, generator):
    """Four random prompts; the last word of each stands at another place, the last fills the whole length."""
    config = encoder.config
    length = config.max_position_embeddings
    ids = torch.randint(0, config.vocab_size - 2, (4, length), generator=generator)
    ids[:, 0] = config.bos_token_id
    for row, end in enumerate((2, 5, 9, length - 1)):
        ids[row, min(end, length - 1) :] = config.eos_token_id
    with torch.no_grad():
        output = encoder(ids, output_hidden_states=True)
    return {
        "input_ids": ids,
        "expected.penultimate_hidden_state": output.hidden_states[-2],
        "expected.text_embeds": output.text_embeds,
    }


def t5_reference(encoder, generator):
    """Two random prompts, the second one padded."""
    ids = torch.randint(3, encoder.config.vocab_size, (2, 13), generator=generator)
    ids[:, -1] = 1
    ids[1, 7:] = 0
    ids[1, 6] = 1
    with torch.no_grad():
        return {"input_ids": ids, "expected.last_hidden_state": encoder(ids)[0]}


def autoencoder_reference(autoencoder, random, size):
    """Scaled latents to a picture, and another picture to the scaled mean of its latents."""
    config = autoencoder.config
    shift = config.shift_factor or 0.0
    latents = random(2, config.latent_channels, *(size or (8, 6)))
    with torch.no_grad():
        decoded = autoencoder.decode(latents / config.scaling_factor + shift, return_dict=False)[0]
        image = random(2, config.in_channels, *decoded.shape[2:]).clamp(-1, 1)
        mean = autoencoder.encode(image).latent_dist.mean
    return {
        "latents": latents,
        "expected.image": decoded,
        "image": image,
        "expected.latents": (mean - shift) * config.scaling_factor,
    }


def tokenizer_reference(tokenizer, lines):
    """A JSON line for each text: no padding, no truncation, special tokens included."""
    rows = [{"text": line, "input_ids": tokenizer(line, truncation=False).input_ids} for line in lines]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def extent(text):
    height, width = text.split("x")
    return int(height), int(width)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path, help="a model folder as diffusers writes it")
    parser.add_argument("out", type=pathlib.Path, help="the folder for the references")
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument("--component", action="append", help="only this one; may be repeated; default: all")
    parser.add_argument("--size", type=extent, metavar="HxW", help="of latents")
    parser.add_argument("--all-gradients", action="store_true", help="of every parameter of the transformer")
    parser.add_argument("--lines", type=pathlib.Path, help="texts for tokenizers, one a line")
    return parser.parse_args()


def main():
    options = arguments()
    model, out = options.model, options.out
    out.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(options.seed)

    def random(*shape):
        return torch.randn(*shape, generator=generator)

    def wanted(name):
        return (model / name).is_dir() and (options.component is None or name in options.component)

    def write(name, tensors):
        save_file({key: value.contiguous() for key, value in tensors.items()}, out / f"{name}.safetensors")
        print(f"{out / name}.safetensors: {len(tensors)} tensors")

    # One stream of random numbers runs through all components, in this order.
    if wanted("transformer"):
        network = load(SD3Transformer2DModel, model / "transformer")
        narrow = options.seed != 0
        write(
            "transformer", transformer_reference(network, random, narrow, options.size, options.all_gradients)
        )
    for name in ("text_encoder", "text_encoder_2"):
        if wanted(name):
            write(name, clip_reference(load(CLIPTextModelWithProjection, model / name), generator))
    if wanted("text_encoder_3"):
        write("text_encoder_3", t5_reference(load(T5EncoderModel, model / "text_encoder_3"), generator))
    if wanted("vae"):
        write("vae", autoencoder_reference(load(AutoencoderKL, model / "vae"), random, options.size))
    lines = options.lines.read_text(encoding="utf-8").splitlines() if options.lines else LINES
    for name in ("tokenizer", "tokenizer_2", "tokenizer_3"):
        if wanted(name):
            rows = tokenizer_reference(AutoTokenizer.from_pretrained(model / name), lines)
            (out / f"{name}.jsonl").write_text(rows, encoding="utf-8")
            print(f"{out / name}.jsonl: {len(lines)} lines")


if __name__ == "__main__":
    main()
