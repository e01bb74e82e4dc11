"""What a rented GPU hour costs per query, from how long a query takes at the parallelism at which it was measured."""

from __future__ import annotations


def cost_per_query(usd_per_gpu_hour: float, gpus: int, boot_s: float, generation_s: float, parallel: float) -> float:
    """USD of one query: (USD per GPU hour × ``gpus`` / 3600) × (``boot_s`` + ``generation_s``) / ``parallel``.

    ``boot_s`` is the prefill of one request (TTFT), ``generation_s`` the rest of it, both in seconds and measured with
    ``parallel`` requests in flight, since both grow with it.
    """
    return usd_per_gpu_hour * gpus / 3600 * (boot_s + generation_s) / parallel
