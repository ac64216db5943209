from __future__ import annotations

import html

import pytest
from markdown_it import MarkdownIt

from model_monitor.markdown import escaped, table


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Age", "Age"),
        ("<script>", r"\<script\>"),
        ("[a](http://b)", r"\[a\]\(http\:\/\/b\)"),
        ("a | b", r"a \| b"),
        ("`x` *y* _z_", r"\`x\` \*y\* \_z\_"),
        ("one\n\n# two\r\n\x1b[0m", r"one \# two \[0m"),
        ("Größe 大", "Größe 大"),
        (3, "3"),
        ("x" * 500, "x" * 299 + "…"),
    ],
)
def test_nothing_in_a_text_is_markup(text: object, shown: str) -> None:
    assert escaped(text) == shown


@pytest.mark.parametrize(
    "text",
    ["<img src=x onerror=alert(1)>", "[a](javascript:b)", "http://a.b www.c.d e@f.g", "a|b", "&lt;", "~~x~~ # y"],
)
def test_a_renderer_shows_the_text(text: str) -> None:
    rendered = MarkdownIt("gfm-like", {"linkify": False}).render(escaped(text))
    assert html.unescape(rendered) == f"<p>{text}</p>\n"


def test_a_table() -> None:
    assert table(["", "old"], [["AUC", "0\\.9"]]) == "|  | old |\n| --- | --- |\n| AUC | 0\\.9 |"
