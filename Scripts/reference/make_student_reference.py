#!/usr/bin/env python3
"""Writes a small student as diffusers and PEFT save one, and what their pipeline makes of noise in four steps with it.

usage: make_student_reference.py [FIXTURES_FOLDER]

The model is `models/sd35-medium` of make_small_models.py. Alpha is not the rank and some maps are adapted that students of
ours leave alone, so that reading other programs' adapters is tried too. `student/sampled.safetensors` holds noise and
encodings, `expected.latents` of the pipeline with the student, and `expected.bare`, of the pipeline without it.
Needs torch, diffusers, transformers, peft, safetensors and numpy.
"""
import pathlib
import sys

import numpy as np
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel, StableDiffusion3Pipeline
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file

STEPS = 4
SHIFT = 3.0
TARGETS = [
    "to_q", "to_k", "to_out.0", "add_v_proj", "net.2", "norm1.linear", "norm1_context.linear", "linear_1", "proj_out",
]


def pipeline(network):
    parts = ("vae", "text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2", "text_encoder_3", "tokenizer_3")
    made = StableDiffusion3Pipeline(
        transformer=network, scheduler=FlowMatchEulerDiscreteScheduler(shift=SHIFT), **dict.fromkeys(parts)
    )
    made.set_progress_bar_config(disable=True)
    return made


def latents(pipe, inputs):
    side = [extent * pipe.vae_scale_factor for extent in inputs["noise"].shape[2:]]
    with torch.no_grad():
        return pipe(
            prompt_embeds=inputs["prompt_embeds"],
            pooled_prompt_embeds=inputs["pooled_prompt_embeds"],
            latents=inputs["noise"],
            height=side[0],
            width=side[1],
            num_inference_steps=STEPS,
            sigmas=np.linspace(1, 1 / STEPS, STEPS),
            guidance_scale=1.0,
            output_type="latent",
        ).images


def main():
    here = pathlib.Path(__file__).resolve()
    fixtures = pathlib.Path(sys.argv[1]) if len(sys.argv) == 2 else here.parents[2] / "Tests" / "Fixtures"
    model = fixtures / "models" / "sd35-medium"
    folder = model / "student"
    torch.manual_seed(0)

    def load():
        return SD3Transformer2DModel.from_pretrained(model / "transformer", torch_dtype=torch.float32).eval()

    network = load()
    config = network.config
    network.add_adapter(LoraConfig(r=2, lora_alpha=5, init_lora_weights=False, target_modules=TARGETS))
    settings = network.peft_config["default"].to_dict()
    settings["target_modules"] = sorted(settings["target_modules"])
    StableDiffusion3Pipeline.save_lora_weights(
        folder,
        transformer_lora_layers=get_peft_model_state_dict(network),
        transformer_lora_adapter_metadata=settings,
    )
    inputs = {
        "noise": torch.randn(2, config.in_channels, 6, 10),
        "prompt_embeds": torch.randn(2, 5, config.joint_attention_dim),
        "pooled_prompt_embeds": torch.randn(2, config.pooled_projection_dim),
    }
    pipe = pipeline(load())
    bare = latents(pipe, inputs)
    pipe.load_lora_weights(folder)
    expected = latents(pipe, inputs)
    save_file(inputs | {"expected.bare": bare, "expected.latents": expected}, folder / "sampled.safetensors")
    print(f"the student moves latents by {(expected - bare).abs().max():.3g}")


if __name__ == "__main__":
    main()
