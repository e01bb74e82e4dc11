"""The exam's `serving: cost:`: what a server and its users are like, for bills and for the break-even with an API."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from ..exam_types import Count, Name, Section, Usd
from ..yaml_file import mistake

_EITHER_WAY = ("users", "queries_per_user_day")


class CostSpec(Section):
    """Nothing of it is guessed: a bill is written for users who are declared, a break-even for an API that is named.

    ``usd_per_gpu_hour`` and ``gpus`` are of candidates that declare no price of their own and whose tokens have none.
    """

    usd_per_gpu_hour: Usd | None = None
    gpus: Count = 1
    utilisation: Annotated[float, Field(strict=True, gt=0, le=1)] = 1.0
    users: Count | None = None
    queries_per_user_day: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)] | None = None
    fixed_usd_month: Usd = 0.0
    api: Name | None = None

    @model_validator(mode="after")
    def _together(self) -> CostSpec:
        if (self.users is None) != (self.queries_per_user_day is None):
            given, lacking = _EITHER_WAY if self.users is not None else _EITHER_WAY[::-1]
            raise mistake(f"needs {lacking} beside it: a bill is users × queries a day", given)
        if self.users is None and self.fixed_usd_month:
            raise mistake(
                f"{self.fixed_usd_month!r} has no effect without a bill: write users and queries_per_user_day, "
                "or remove it",
                "fixed_usd_month",
            )
        if self.usd_per_gpu_hour is None and "gpus" in self.model_fields_set:
            raise mistake(f"{self.gpus!r} has no effect without usd_per_gpu_hour; write both, or remove it", "gpus")
        return self
