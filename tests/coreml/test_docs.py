"""The runtime's page says what the registry says."""

from __future__ import annotations

from pathlib import Path

from tinyml.coreml.tools.coverage import markdown_table, op_table

PAGE = Path(__file__).parents[2] / "docs" / "reference-runtime.md"


def test_the_op_table_is_current() -> None:
    table = PAGE.read_text().partition("<!-- ops:begin -->\n")[2].partition("<!-- ops:end -->")[0]
    assert table == markdown_table(op_table()), "write the output of `tinyml ops --markdown` between the two marks"


def test_the_page_names_functions_that_exist() -> None:
    from tinyml import coreml

    text = PAGE.read_text()
    for name in ("ReferenceModel", "linux_predict", "to_torch"):
        assert name in text
        assert name in coreml.__all__
    for name in ("predict_batch", "trace", "make_state", "logits_name"):
        assert name in text
        assert hasattr(coreml.ReferenceModel, name)
