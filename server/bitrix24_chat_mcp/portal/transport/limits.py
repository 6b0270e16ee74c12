"""The limits that the pipeline keeps; also the table `limits` of the settings."""

from pydantic import BaseModel, ConfigDict, Field

MIB = 1024 * 1024


class Limits(BaseModel):
    """The portal's limits, and the caller's; Bitrix24 documents the defaults for all plans but Enterprise."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rate: float = Field(
        default=2.0, gt=0, le=1000, description="Requests a second that the portal allows; 5 with Enterprise."
    )
    burst: int = Field(
        default=50, ge=1, le=1_000_000, description="Requests it takes at once; 250 with Enterprise."
    )
    deadline: float = Field(
        default=20.0, gt=0, le=600, description="Seconds that one call may take; hosts give up after 60."
    )
    attempts: int = Field(default=4, ge=1, le=10, description="How often a request is tried in all.")
    queue: int = Field(default=200, ge=0, le=100_000, description="Calls that may wait for a portal.")
    cache: float = Field(
        default=3.0,
        ge=0,
        le=60,
        description="Seconds for which a repeated list is not asked anew; 0: never.",
    )
    max_answer_bytes: int = Field(
        default=64 * MIB, ge=MIB, description="The largest answer that is read from the portal."
    )
    moves_to: frozenset[str] = Field(
        default=frozenset(), description="Hosts a portal may move to, beside those of its own domain."
    )
