#!/usr/bin/env python3
"""Writes reference inputs and outputs of a diffusers model folder, one safetensors file a component.

usage: make_reference.py MODEL_FOLDER OUT_FOLDER [SEED]

Inputs are named as diffusers and transformers name their arguments, outputs `expected.*`, gradients
`expected.grad.<input>` and `expected.grad.param.<parameter>`. Any seed but 0 makes the picture two patches narrower
than high. Everything runs in fp32. Needs torch, diffusers, transformers and safetensors.
"""
import pathlib
import sys

import torch
from diffusers import AutoencoderKL, SD3Transformer2DModel
from safetensors.torch import save_file
from transformers import CLIPTextModelWithProjection, T5EncoderModel

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


def load(kind, folder):
    return kind.from_pretrained(folder, torch_dtype=torch.float32).eval()


def transformer_reference(network, random, narrow):
    """One batch forward, the mean squared error against a random target, and its gradients."""
    config = network.config
    height = config.sample_size
    width = height - 2 * config.patch_size if narrow else height
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
        if kept and parameter.grad is not None:
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


def autoencoder_reference(autoencoder, random):
    """Scaled latents to a picture, and another picture to the scaled mean of its latents."""
    config = autoencoder.config
    latents = random(2, config.latent_channels, 8, 6)
    with torch.no_grad():
        unscaled = latents / config.scaling_factor + config.shift_factor
        decoded = autoencoder.decode(unscaled, return_dict=False)[0]
        image = random(2, 3, *decoded.shape[2:]).clamp(-1, 1)
        mean = autoencoder.encode(image).latent_dist.mean
    return {
        "latents": latents,
        "expected.image": decoded,
        "image": image,
        "expected.latents": (mean - config.shift_factor) * config.scaling_factor,
    }


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    model, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) == 4 else 0
    out.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(seed)

    def random(*shape):
        return torch.randn(*shape, generator=generator)

    def write(name, tensors):
        save_file({key: value.contiguous() for key, value in tensors.items()}, out / f"{name}.safetensors")
        print(f"{out / name}.safetensors: {len(tensors)} tensors")

    # One stream of random numbers runs through all components, in this order.
    if (model / "transformer").is_dir():
        network = load(SD3Transformer2DModel, model / "transformer")
        write("transformer", transformer_reference(network, random, narrow=seed != 0))
    for name in ("text_encoder", "text_encoder_2"):
        if (model / name).is_dir():
            write(name, clip_reference(load(CLIPTextModelWithProjection, model / name), generator))
    if (model / "text_encoder_3").is_dir():
        write("text_encoder_3", t5_reference(load(T5EncoderModel, model / "text_encoder_3"), generator))
    if (model / "vae").is_dir():
        write("vae", autoencoder_reference(load(AutoencoderKL, model / "vae"), random))


if __name__ == "__main__":
    main()
