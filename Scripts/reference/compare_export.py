#!/usr/bin/env python3
"""Compares an exported student in unmodified diffusers with the latents that `flowsteer sample` made of it.

usage: compare_export.py MODEL_FOLDER EXPORT_FOLDER SAMPLED.safetensors [STEPS]

  flowsteer checkpoint export runs/mine --out student --merged --precision fp32
  flowsteer sample --model MODEL --student student --prompt 'a cat' --out pictures --save-latents sampled.safetensors
  compare_export.py MODEL student sampled.safetensors

The pipeline gets the noise and the encodings that SAMPLED holds, and the line of the model card: sigmas
linspace(1, 1/N, N), guidance 1. Every way to apply the student that is there must end at the same latents:
load_lora_weights of the adapters; ComfyUI's file, whose updates are taken back through diffusers' own conversion of
Stability AI's layout; and the transformer, merged or of a full student. Exits with 65 where one is off by more than 1e-3 of the largest latent.
Needs torch, diffusers, peft, transformers, safetensors and numpy.
"""
import os
import pathlib
import sys

os.environ.update(CUDA_VISIBLE_DEVICES="", HF_HUB_OFFLINE="1")
import numpy as np
import torch
from diffusers import SD3Transformer2DModel, StableDiffusion3Pipeline
from diffusers.loaders.single_file_utils import swap_scale_shift
from safetensors.torch import load_file

TOLERANCE = 1e-3
NATIVE = {
    "attn_qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "attn_proj": ("attn.to_out.0",),
    "attn2_qkv": ("attn2.to_q", "attn2.to_k", "attn2.to_v"),
    "attn2_proj": ("attn2.to_out.0",),
    "mlp_fc1": ("ff.net.0.proj",),
    "mlp_fc2": ("ff.net.2",),
    "adaLN_modulation_1": ("norm1.linear",),
}
NATIVE_CONTEXT = {
    "attn_qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "attn_proj": ("attn.to_add_out",),
    "mlp_fc1": ("ff_context.net.0.proj",),
    "mlp_fc2": ("ff_context.net.2",),
    "adaLN_modulation_1": ("norm1_context.linear",),
}
OUTSIDE = {
    "context_embedder": "context_embedder",
    "t_embedder_mlp_0": "time_text_embed.timestep_embedder.linear_1",
    "t_embedder_mlp_2": "time_text_embed.timestep_embedder.linear_2",
    "y_embedder_mlp_0": "time_text_embed.text_embedder.linear_1",
    "y_embedder_mlp_2": "time_text_embed.text_embedder.linear_2",
    "final_layer_adaLN_modulation_1": "norm_out.linear",
    "final_layer_linear": "proj_out",
}


def pipeline(folder, transformer):
    """The whole pipeline; parts the folder does not have stay empty."""
    index = StableDiffusion3Pipeline.load_config(folder)
    missing = {name: None for name in ("vae", "text_encoder_3", "tokenizer_3") if (index.get(name) or [None])[0] is None}
    loaded = StableDiffusion3Pipeline.from_pretrained(
        folder, transformer=transformer, torch_dtype=torch.float32, **missing
    )
    loaded.set_progress_bar_config(disable=True)
    return loaded


def transformer(folder):
    return SD3Transformer2DModel.from_pretrained(folder, torch_dtype=torch.float32).eval()


def add_comfyui(network, path):
    """Adds the updates of ComfyUI's file, scaled by alpha / rank as ComfyUI does."""
    tensors = load_file(path)
    bases = sorted(key.removesuffix(".lora_down.weight") for key in tensors if key.endswith(".lora_down.weight"))
    parameters = dict(network.named_parameters())
    depth = network.config.num_layers
    for base in bases:
        down, up = tensors[base + ".lora_down.weight"], tensors[base + ".lora_up.weight"]
        update = (tensors[base + ".alpha"].item() / down.shape[0]) * (up @ down)
        name = base.removeprefix("lora_unet_")
        if name in OUTSIDE:
            if name == "final_layer_adaLN_modulation_1":
                update = swap_scale_shift(update, dim=None)
            targets, updates = [OUTSIDE[name]], [update]
        else:
            block, part = name.removeprefix("joint_blocks_").split("_", 1)
            side = "context" if part.startswith("context_block_") else "x"
            part = part.removeprefix(f"{side}_block_")
            names = (NATIVE_CONTEXT if side == "context" else NATIVE)[part]
            if side == "context" and part == "adaLN_modulation_1" and int(block) == depth - 1:
                update = swap_scale_shift(update, dim=None)
            targets = [f"transformer_blocks.{block}.{target}" for target in names]
            updates = update.chunk(len(targets))
        for target, value in zip(targets, updates):
            parameters[target + ".weight"].data += value
    return network


def latents(pipe, sampled, steps):
    with torch.no_grad():
        return pipe(
            prompt_embeds=sampled["prompt_embeds"],
            pooled_prompt_embeds=sampled["pooled_prompt_embeds"],
            latents=sampled["noise"],
            height=sampled["noise"].shape[2] * pipe.vae_scale_factor,
            width=sampled["noise"].shape[3] * pipe.vae_scale_factor,
            num_inference_steps=steps,
            sigmas=np.linspace(1, 1 / steps, steps),
            guidance_scale=1.0,
            output_type="latent",
        ).images


def main():
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    model, export = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    sampled = load_file(sys.argv[3])
    steps = int(sys.argv[4]) if len(sys.argv) == 5 else 4
    expected = sampled["latents"]

    pipe = pipeline(model, transformer(model / "transformer"))
    bare = latents(pipe, sampled, steps)
    found = {}
    # A full student has no adapters.
    if (export / "pytorch_lora_weights.safetensors").is_file():
        pipe.load_lora_weights(export, weight_name="pytorch_lora_weights.safetensors")
        found["adapters"] = latents(pipe, sampled, steps)
        comfyui = add_comfyui(transformer(model / "transformer"), export / "comfyui_lora.safetensors")
        found["comfyui"] = latents(pipeline(model, comfyui), sampled, steps)
    if (export / "transformer").is_dir():
        pipe = pipeline(model, transformer(export / "transformer"))
        found["merged"] = latents(pipe, sampled, steps)

    magnitude = expected.abs().max()
    effect = ((bare - expected).abs().max() / magnitude).item()
    print(f"without the student: {effect:.3g} of the largest latent away")
    if not found:
        sys.exit(f"{export}: expected pytorch_lora_weights.safetensors, transformer/, or both")
    worst = 0.0
    for name, value in found.items():
        error = ((value - expected).abs().max() / magnitude).item()
        worst = max(worst, error)
        print(f"{name}: {error:.3g}")
    if not worst <= TOLERANCE or effect <= TOLERANCE:
        sys.exit(65)


if __name__ == "__main__":
    main()
