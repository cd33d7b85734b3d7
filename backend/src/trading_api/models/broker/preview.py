"""The preview of an order (TradingView's OrderPreviewResult): texts for a dialog, in sections."""

from pydantic import BaseModel, ConfigDict, Field


class PreviewRow(BaseModel):
    """One line: a name and its value, as people read it."""

    model_config = ConfigDict(frozen=True)

    title: str = Field(examples=["Margin"])
    value: str = Field(examples=["1,871.50 USD"])


class PreviewSection(BaseModel):
    """Lines that belong together."""

    model_config = ConfigDict(frozen=True)

    header: str | None = None
    rows: list[PreviewRow]


class OrderPreview(BaseModel):
    """What placing the order would do."""

    model_config = ConfigDict(frozen=True)

    sections: list[PreviewSection]
    confirmId: str = Field(description="Names this preview.")  # noqa: N815 - TradingView's spelling
    warnings: list[str]
    errors: list[str] = Field(description="Reasons for which the order would be rejected.")
