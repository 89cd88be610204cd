#!/usr/bin/env python3
"""Writes small random models of the Stable Diffusion 3 family's architectures, with references of each.

usage: make_small_models.py [FIXTURES_FOLDER]

Every model is a folder of `Tests/Fixtures/models`: components as diffusers writes them, and beside them what
make_reference.py makes of them. All parameters are random, norms and biases too, so that none can be left out unseen.
Needs torch, diffusers, transformers and safetensors.
"""
import pathlib
import subprocess
import sys

import torch
from diffusers import AutoencoderKL, SD3Transformer2DModel
from safetensors.torch import save_file

COMMON = {"patch_size": 2, "in_channels": 4, "out_channels": 4, "joint_attention_dim": 20, "pooled_projection_dim": 12}
TRANSFORMERS = {
    # No norm of queries and keys, one file of fp32.
    "sd3-medium": (
        dict(COMMON, sample_size=8, num_layers=2, num_attention_heads=2, attention_head_dim=8, pos_embed_max_size=12),
        {},
    ),
    # Norms, a second attention in the first blocks; bf16 in shards; an odd position table, cropped unevenly.
    "sd35-medium": (
        dict(
            COMMON, sample_size=10, num_layers=3, num_attention_heads=3, attention_head_dim=8, pos_embed_max_size=9,
            qk_norm="rms_norm", dual_attention_layers=(0, 1),
        ),
        {"dtype": torch.bfloat16, "max_shard_size": "40KB"},
    ),
    # Norms alone, fp16.
    "sd35-large": (
        dict(
            COMMON, sample_size=8, num_layers=3, num_attention_heads=2, attention_head_dim=16, pos_embed_max_size=8,
            qk_norm="rms_norm",
        ),
        {"dtype": torch.float16},
    ),
}
AUTOENCODERS = {
    # Stable Diffusion 3: shift, no convolutions around the latents.
    "sd3-medium": dict(
        latent_channels=4, block_out_channels=(8, 16, 24), norm_num_groups=4, layers_per_block=2, sample_size=32,
        scaling_factor=1.5305, shift_factor=0.0609, use_quant_conv=False, use_post_quant_conv=False,
    ),
    # What older ones have: 1 x 1 convolutions around the latents and no shift; no attention in the middle.
    "sd35-medium": dict(
        latent_channels=3, block_out_channels=(6, 12), norm_num_groups=3, layers_per_block=1, sample_size=16,
        scaling_factor=0.18215, mid_block_add_attention=False,
    ),
}


def randomize(network, seed):
    """Matrices N(0, 1 / inputs), norms around one, biases around zero."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            values = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() > 1:
                values /= parameter[0].numel() ** 0.5
            elif "norm" in name and name.endswith("weight") and "linear" not in name:
                values = 1 + 0.2 * values
            else:
                values *= 0.2
            parameter.copy_(values)
    return network


def autoencoder(config):
    count = len(config["block_out_channels"])
    return AutoencoderKL(
        **config, down_block_types=("DownEncoderBlock2D",) * count, up_block_types=("UpDecoderBlock2D",) * count
    )


def tiled_reference(folder, seed):
    """A picture of several tiles, of which the last ones in each direction are narrow."""
    network = AutoencoderKL.from_pretrained(folder / "vae").eval()
    network.enable_tiling()
    config = network.config
    latents = torch.randn(1, config.latent_channels, 15, 11, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        image = network.decode(latents / config.scaling_factor + config.shift_factor, return_dict=False)[0]
    save_file(
        {
            "latents": latents,
            "tile": torch.tensor([network.tile_latent_min_size]),
            "expected.image": image.contiguous(),
        },
        folder / "vae_tiled.safetensors",
    )


def main():
    here = pathlib.Path(__file__).resolve()
    fixtures = pathlib.Path(sys.argv[1]) if len(sys.argv) == 2 else here.parents[2] / "Tests" / "Fixtures"
    for seed, (name, (config, saving)) in enumerate(TRANSFORMERS.items(), start=1):
        folder = fixtures / "models" / name
        width = config["num_attention_heads"] * config["attention_head_dim"]
        network = randomize(SD3Transformer2DModel(**config, caption_projection_dim=width), seed)
        network.to(saving.get("dtype", torch.float32)).save_pretrained(
            folder / "transformer", max_shard_size=saving.get("max_shard_size", "1GB")
        )
        if name in AUTOENCODERS:
            randomize(autoencoder(AUTOENCODERS[name]), seed).save_pretrained(folder / "vae")
        if name == "sd3-medium":
            tiled_reference(folder, seed)
        for component, options in (("transformer", ["--size", "6x10", "--all-gradients"]), ("vae", [])):
            command = [here.with_name("make_reference.py"), folder, folder, str(seed), "--component", component]
            subprocess.run([sys.executable, *command, *options], check=True)


if __name__ == "__main__":
    main()
