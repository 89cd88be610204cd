#!/usr/bin/env python3
"""Draws one picture of the shipped teacher with transformers and diffusers, as `flowsteer sample` does.

usage: peer_sample.py TEACHER_FOLDER PROMPT OUT.png [fp32|bf16] [STEPS] [THREADS]

The model works on pixels, so diffusers' pipeline, which wants a VAE, is not used.
"""
import os
import pathlib
import sys

os.environ.update(CUDA_VISIBLE_DEVICES="", HF_HUB_OFFLINE="1")
import numpy as np
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel
from PIL import Image
from transformers import CLIPTextModelWithProjection, CLIPTokenizer


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    folder, prompt, out = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    precision, steps, threads = (sys.argv[4:] + ["fp32", "4", "2"][len(sys.argv) - 4 :])[:3]
    torch.set_num_threads(int(threads))
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
    with torch.no_grad():
        tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
        outputs = []
        for name in ("text_encoder", "text_encoder_2"):
            encoder = CLIPTextModelWithProjection.from_pretrained(folder / name, torch_dtype=dtype).eval()
            tokens = tokenizer(
                [prompt],
                padding="max_length",
                max_length=encoder.config.max_position_embeddings,
                truncation=True,
                return_tensors="pt",
            ).input_ids
            outputs.append(encoder(tokens, output_hidden_states=True))
        context = torch.cat([output.hidden_states[-2] for output in outputs], -1)
        pooled = torch.cat([output.text_embeds for output in outputs], -1)

        network = SD3Transformer2DModel.from_pretrained(folder / "transformer", torch_dtype=dtype).eval()
        scheduler = FlowMatchEulerDiscreteScheduler.from_pretrained(folder / "scheduler")
        scheduler.set_timesteps(sigmas=np.linspace(1, 1 / int(steps), int(steps)))
        side = network.config.sample_size
        latents = torch.randn(
            1, network.config.in_channels, side, side, generator=torch.Generator().manual_seed(0)
        )
        for time in scheduler.timesteps:
            velocity = network(latents.to(dtype), context, pooled, time.expand(1), return_dict=False)[0]
            latents = scheduler.step(velocity.float(), time, latents, return_dict=False)[0]
    pixels = ((latents[0].clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(out)


if __name__ == "__main__":
    main()
