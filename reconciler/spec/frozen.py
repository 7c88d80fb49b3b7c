"""What every section of a spec and every backend's options have in common."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Immutable; unknown keys are refused. A display name of digits alone is text all the same."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        serialize_by_alias=True,  # as the YAML has it: `copy`
        coerce_numbers_to_str=True,
        hide_input_in_errors=True,  # an input may be a password in the wrong place
    )
