#!/usr/bin/env python3
"""The same work as `flowsteer benchmark`, done by diffusers' Stable Diffusion 3 transformer in PyTorch on the CPU.

usage: peer_benchmark.py TASK SHAPE VARIANT [--threads N] [--batch N] [--steps N]

TASK is forward, train-lora, train-full or rollout; SHAPE is emoji, tiny, small or sd3-block; VARIANT is `eager-` or
`compile-` followed by fp32, bf16 (weights and all) or autocast. It says {"ready": true} once warm, then makes one run for
every line of its input and says its milliseconds, and at the end of input its memory: the protocol of `flowsteer
benchmark … --turns`. Before that it says {"loaded": true}, and {"warmUp": milliseconds} after each run to get warm.
"""
import argparse
import contextlib
import json
import os
import resource
import sys
import time

WARM_UPS = 2
# Seconds of a run beside which getting warm does not matter; the first run of a compiled model also compiles.
LONG = 5
RANK = 16
VARIANTS = [f"{mode}-{kind}" for mode in ("eager", "compile") for kind in ("fp32", "bf16", "autocast")]
TARGETS = ["to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out"]
GUIDANCE = 3.0
SHIFT = 3.0

# Keyword arguments of SD3Transformer2DModel, batch and text tokens.
NETWORKS = {
    "emoji": (
        dict(
            sample_size=32, patch_size=4, in_channels=3, out_channels=3, num_layers=6, attention_head_dim=32,
            num_attention_heads=5, joint_attention_dim=128, caption_projection_dim=160,
            pooled_projection_dim=128, pos_embed_max_size=8, qk_norm="rms_norm",
        ),
        32,
        16,
    ),
    "tiny": (
        dict(
            sample_size=16, patch_size=2, in_channels=4, out_channels=4, num_layers=6, attention_head_dim=32,
            num_attention_heads=6, joint_attention_dim=192, caption_projection_dim=192,
            pooled_projection_dim=192, pos_embed_max_size=16,
        ),
        16,
        16,
    ),
    "small": (
        dict(
            sample_size=32, patch_size=2, in_channels=16, out_channels=16, num_layers=12, attention_head_dim=64,
            num_attention_heads=6, joint_attention_dim=768, caption_projection_dim=384,
            pooled_projection_dim=768, pos_embed_max_size=32,
        ),
        8,
        77,
    ),
}
# Width, heads, picture tokens, text tokens.
BLOCK = (1536, 24, 1024, 154)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=["forward", "train-lora", "train-full", "rollout"])
    parser.add_argument("shape", choices=[*NETWORKS, "sd3-block"])
    parser.add_argument("variant", choices=VARIANTS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--steps", type=int, default=32)
    return parser.parse_args()


class Network:
    """The whole transformer with its inputs."""

    def __init__(self, torch, shape, batch, dtype):
        from diffusers import SD3Transformer2DModel

        settings, default_batch, text_tokens = NETWORKS[shape]
        self.batch = batch or default_batch
        self.module = SD3Transformer2DModel(**settings)
        latents = (self.batch, settings["in_channels"], settings["sample_size"], settings["sample_size"])
        self.latents = torch.randn(latents, dtype=dtype)
        self.target = torch.randn(latents)
        self.context = torch.randn(self.batch, text_tokens, settings["joint_attention_dim"], dtype=dtype)
        self.pooled = torch.randn(self.batch, settings["pooled_projection_dim"], dtype=dtype)
        self.times = torch.rand(self.batch) * 1000

    def add_adapters(self, configuration):
        self.module.requires_grad_(False)
        self.module.add_adapter(configuration)

    def forward(self, module):
        return module(
            hidden_states=self.latents,
            encoder_hidden_states=self.context,
            pooled_projections=self.pooled,
            timestep=self.times,
            return_dict=False,
        )[0]

    def loss(self, module):
        return (self.forward(module).float() - self.target).square().mean()


class Block:
    """One joint block of Stable Diffusion 3 Medium with its inputs; the loss is the mean square of both outputs."""

    def __init__(self, torch, batch, dtype):
        from diffusers.models.attention import JointTransformerBlock

        width, heads, picture, text = BLOCK
        self.batch = batch or 1
        self.module = JointTransformerBlock(dim=width, num_attention_heads=heads, attention_head_dim=width // heads)
        self.inputs = (
            torch.randn(self.batch, picture, width, dtype=dtype),
            torch.randn(self.batch, text, width, dtype=dtype),
            torch.randn(self.batch, width, dtype=dtype),
        )

    def add_adapters(self, configuration):
        from peft import inject_adapter_in_model

        self.module.requires_grad_(False)
        self.module = inject_adapter_in_model(configuration, self.module)

    def forward(self, module):
        return module(*self.inputs)

    def loss(self, module):
        text, picture = self.forward(module)
        return text.float().square().mean() + picture.float().square().mean()


def rollout(torch, network, module, steps):
    """Guided Euler steps along the rectified schedule, both halves of guidance in one forward."""
    times = [1 - index / steps for index in range(steps + 1)]
    sigmas = [SHIFT * time / (1 + (SHIFT - 1) * time) for time in times]
    context = torch.cat([network.context, network.context[:1].expand_as(network.context)])
    pooled = torch.cat([network.pooled, network.pooled[:1].expand_as(network.pooled)])

    def run():
        latents = network.latents.float()
        for sigma, following in zip(sigmas, sigmas[1:]):
            velocity = module(
                hidden_states=torch.cat([latents, latents]).to(network.latents.dtype),
                encoder_hidden_states=context,
                pooled_projections=pooled,
                timestep=torch.full((2 * network.batch,), 1000 * sigma),
                return_dict=False,
            )[0].float()
            conditional, unconditional = velocity.chunk(2)
            guided = unconditional + GUIDANCE * (conditional - unconditional)
            latents = latents + (following - sigma) * guided
        return latents

    return run


def prepared(torch, options):
    """The model in memory, and a function that does the task once."""
    mode, precision = options.variant.split("-")
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    subject = (
        Block(torch, options.batch, dtype)
        if options.shape == "sd3-block"
        else Network(torch, options.shape, options.batch, dtype)
    )
    if options.task == "train-lora":
        from peft import LoraConfig

        subject.add_adapters(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=TARGETS))
    subject.module.to(dtype).train(options.task.startswith("train"))
    module = torch.compile(subject.module, dynamic=False) if mode == "compile" else subject.module
    cast = contextlib.nullcontext
    if precision == "autocast":
        cast = lambda: torch.autocast("cpu", dtype=torch.bfloat16)

    if options.task.startswith("train"):
        trained = [parameter for parameter in subject.module.parameters() if parameter.requires_grad]
        optimizer = torch.optim.AdamW(trained, lr=1e-5, fused=True)

        def run():
            optimizer.zero_grad(set_to_none=True)
            with cast():
                loss = subject.loss(module)
            loss.backward()
            optimizer.step()

    else:
        once = (
            rollout(torch, subject, module, options.steps)
            if options.task == "rollout"
            else lambda: subject.forward(module)
        )

        def run():
            with torch.no_grad(), cast():
                once()

    return subject.module, run


def timed(run):
    start = time.perf_counter()
    run()
    return 1000 * (time.perf_counter() - start)


def say(answer):
    print(json.dumps(answer), flush=True)


def main():
    options = arguments()
    if options.task == "rollout" and options.shape == "sd3-block":
        sys.exit("a rollout needs a whole network, not sd3-block")
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    import torch

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    module, run = prepared(torch, options)
    say({"loaded": True})
    for _ in range(WARM_UPS):
        milliseconds = timed(run)
        say({"warmUp": milliseconds})
        if milliseconds > 1000 * LONG and options.variant.startswith("eager"):
            break
    say({"ready": True})
    for _ in sys.stdin:
        say({"milliseconds": timed(run)})
    tensors = [*module.parameters(), *module.buffers()]
    say(
        {
            "peakMemoryBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10,
            "weightBytes": sum(tensor.numel() * tensor.element_size() for tensor in tensors),
        }
    )


if __name__ == "__main__":
    main()
