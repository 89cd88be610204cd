#!/usr/bin/env python3
"""Writes reference outputs of the shipped teacher: token ids, text encodings, guided solutions from given noise.

usage: make_teacher_reference.py TEACHER_FOLDER OUT_FILE.safetensors PROMPTS.txt [SEED]

PROMPTS.txt holds one prompt a line; the empty prompt, which guidance needs, is appended to `input_ids`. Everything
runs in fp32 on one thread, with guidance 3. Needs torch, diffusers, transformers, safetensors and numpy.
"""
import pathlib
import sys

import numpy as np
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel
from safetensors.torch import save_file
from transformers import CLIPTextModelWithProjection, CLIPTokenizer

GUIDANCE = 3.0
SHIFT = 3.0


def rectified(step_count):
    """Sigmas sampled over the whole interval and shifted once."""
    scheduler = FlowMatchEulerDiscreteScheduler(shift=SHIFT)
    scheduler.set_timesteps(sigmas=np.linspace(1, 1 / step_count, step_count))
    return scheduler.sigmas.double().numpy()


def stock(step_count):
    """The scheduler's own sigmas, shifted twice."""
    scheduler = FlowMatchEulerDiscreteScheduler(shift=SHIFT)
    scheduler.set_timesteps(step_count)
    return scheduler.sigmas.double().numpy()


class Teacher:
    """The velocity model with the encodings of its prompts; the last encoding is the empty prompt's."""

    def __init__(self, folder, prompts):
        tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
        encoders = [
            CLIPTextModelWithProjection.from_pretrained(folder / name, torch_dtype=torch.float32).eval()
            for name in ("text_encoder", "text_encoder_2")
        ]
        self.network = SD3Transformer2DModel.from_pretrained(
            folder / "transformer", torch_dtype=torch.float32
        ).eval()
        self.input_ids = tokenizer(
            prompts + [""],
            padding="max_length",
            max_length=encoders[0].config.max_position_embeddings,
            truncation=True,
            return_tensors="pt",
        ).input_ids
        outputs = [encoder(self.input_ids, output_hidden_states=True) for encoder in encoders]
        self.context = torch.cat([output.hidden_states[-2] for output in outputs], -1)
        self.pooled = torch.cat([output.text_embeds for output in outputs], -1)

    def guided_velocity(self, latents, sigma):
        count = len(latents)
        # Conditional and unconditional halves go through the network as one batch.
        context = torch.cat([self.context[:count], self.context[count:].expand(count, -1, -1)])
        pooled = torch.cat([self.pooled[:count], self.pooled[count:].expand(count, -1)])
        timestep = torch.full((2 * count,), sigma * 1000)
        velocity = self.network(torch.cat([latents, latents]), context, pooled, timestep, return_dict=False)[0]
        conditional, unconditional = velocity.chunk(2)
        return unconditional + GUIDANCE * (conditional - unconditional)

    def states(self, noise, sigmas):
        """Every state of the Euler solution, the noise first."""
        states = [noise]
        for sigma, following in zip(sigmas[:-1], sigmas[1:]):
            velocity = self.guided_velocity(states[-1], float(sigma))
            states.append(states[-1] + float(following - sigma) * velocity)
        return states


def main():
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    folder, out = pathlib.Path(sys.argv[1]), sys.argv[2]
    prompts = pathlib.Path(sys.argv[3]).read_text().splitlines()
    seed = int(sys.argv[4]) if len(sys.argv) == 5 else 0
    torch.set_num_threads(1)
    with torch.no_grad():
        teacher = Teacher(folder, prompts)
        config = teacher.network.config
        noise = torch.randn(
            len(prompts),
            config.in_channels,
            config.sample_size,
            config.sample_size,
            generator=torch.Generator().manual_seed(seed),
        )
        fine = teacher.states(noise, rectified(32))
        tensors = {
            "input_ids": teacher.input_ids,
            "expected.context": teacher.context,
            "expected.pooled": teacher.pooled,
            "noise": noise,
            "expected.rectified32": fine[-1],
            "expected.rectified32.boundaries": torch.stack(fine[::8]),
            "expected.rectified28": teacher.states(noise, rectified(28))[-1],
            "expected.rectified4": teacher.states(noise, rectified(4))[-1],
            "expected.stock4": teacher.states(noise, stock(4))[-1],
        }
    save_file({name: value.contiguous() for name, value in tensors.items()}, out)
    for name in ("expected.rectified4", "expected.stock4"):
        distance = (tensors[name] - fine[-1]).pow(2).mean((1, 2, 3)).sqrt()
        interval = 1.96 * distance.std().item() / len(prompts) ** 0.5
        print(f"{name}: distance to 32 steps {distance.mean().item():.4f} ± {interval:.4f}")


if __name__ == "__main__":
    main()
