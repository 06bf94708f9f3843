from pathlib import Path

from ..record_checks import main

JUNIT = """<?xml version="1.0"?>
<testsuites><testsuite name="pytest" errors="1" failures="1" skipped="2" tests="5" time="90.0"
timestamp="2026-01-31T12:34:56.789">
<testcase classname="tests.core.test_store" name="test_a" time="30" />
<testcase classname="tests.core.test_store" name="test_b" time="30"><failure message="no">trace</failure></testcase>
<testcase classname="tests.cli.test_x" name="test_c" time="6"><error message="no">trace</error></testcase>
<testcase classname="tests.cli.test_x" name="test_d" time="0"><skipped message="needs macOS" /></testcase>
<testcase classname="tests.cli.test_x" name="test_e" time="0"><skipped message="needs macOS" /></testcase>
</testsuite></testsuites>
"""
SLOW = """<?xml version="1.0"?>
<testsuites><testsuite name="pytest" errors="0" failures="0" skipped="0" tests="1" time="60.0"
timestamp="2026-01-31T12:36:26.789"><testcase classname="tests.export.test_sweep" name="test_f" time="60">
<properties><property name="kills" value="24" /></properties></testcase></testsuite>
</testsuites>
"""


def test_the_page_names_what_failed_and_what_was_not_run(tmp_path: Path) -> None:
    (tmp_path / "quick.xml").write_text(JUNIT)
    (tmp_path / "slow.xml").write_text(SLOW)
    main([tmp_path / "quick.xml", tmp_path / "slow.xml"], tmp_path / "checks.md")
    page = (tmp_path / "checks.md").read_text()
    assert "| begun | 2026-01-31 12:34 |" in page
    assert "| verdict | 2 failed |" in page
    assert "| tests | 6, of them 2 not run |" in page
    assert "| time | 2.5 min |" in page
    assert "- `tests.core.test_store::test_b`" in page
    assert "- `tests.cli.test_x::test_c`" in page
    assert "- 2 for: needs macOS" in page
    assert "| tests.export.test_sweep | 1.0 |" in page
    assert "- kills: 24, in `tests.export.test_sweep::test_f`" in page
    assert page.index("tests.core.test_store | 1.0") < page.index("tests.cli.test_x | 0.1")
