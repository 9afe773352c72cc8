"""The JSON Schema that editors use to complete and check lesson files while they are written."""

from __future__ import annotations

import json
from typing import Any, Literal

from lessons.schema import Lesson, SetInfo

SCHEMA_FOLDER = ".schema"
"""Hidden, so that it never goes into a pack."""


def json_schema(kind: Literal["lesson", "set"]) -> dict[str, Any]:
    """The schema of `lessons/*.yaml` or of `set.yaml`."""
    model = Lesson if kind == "lesson" else SetInfo
    schema = model.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = f"Linguist {kind}"
    definitions = schema.get("$defs", {})
    if "Accepted" in definitions:
        # A validator turns a bare string into an answer, which pydantic cannot know when it writes the schema.
        definitions["Answer"] = {
            "anyOf": [{"type": "string", "minLength": 1}, {"$ref": "#/$defs/Accepted"}],
            "description": "One right answer: a text, or a text with its dialect and a note.",
        }
        for definition in definitions.values():
            accept = definition.get("properties", {}).get("accept")
            if accept:
                accept["items"] = {"$ref": "#/$defs/Answer"}
    return schema


def json_schema_text(kind: Literal["lesson", "set"]) -> str:
    """The same as a file's text."""
    return json.dumps(json_schema(kind), indent=1, ensure_ascii=False) + "\n"
