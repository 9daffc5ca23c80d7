"""Turns a notebook with outputs into the HTML of a deck: a section for each heading, of blocks that are paged later."""

from __future__ import annotations

import ast
import html
import re

import nbformat
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

MOST_CODE = 8
"""Lines of code that a slide shows; longer code is folded behind its number of lines. More leaves less room."""
MOST_WITH_PICTURE = 3
"""The same for code that draws a picture, which is what the slide is about."""


def markdown() -> MarkdownIt:
    """The renderer of text cells; formulas are left to MathJax."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    wrap = {"inline": r"\({}\)", "block": r"\[{}\]"}
    return parser.use(
        dollarmath_plugin,
        double_inline=True,
        renderer=lambda text, options: html.escape(wrap["block" if options["display_mode"] else "inline"].format(text)),
    )


def only_prepares(source: str) -> bool:
    """Whether code imports, sets the style of pictures, or checks by assertions, and shows nothing."""
    try:
        body = ast.parse(source).body
    except SyntaxError:  # a line for IPython, not for Python
        return False
    if any(isinstance(node, ast.Assert) for node in ast.walk(ast.Module(body, []))):
        return True
    settings = ("plt.rcParams", "import ", "from ")
    return all(
        isinstance(node, (ast.Import, ast.ImportFrom))
        or ast.unparse(node).startswith(settings)
        or (isinstance(node, ast.Assign) and isinstance(node.value, (ast.Constant, ast.Tuple)))
        for node in body
    )


def shown_outputs(outputs: list[nbformat.NotebookNode]) -> list[str]:
    """Pictures, and text where there is none, as HTML blocks."""
    blocks = []
    for output in outputs:
        data = output.get("data", {})
        if "image/png" in data:
            picture = data["image/png"].replace("\n", "")
            blocks.append(f'<img src="data:image/png;base64,{picture}" alt="picture drawn by the code">')
            continue
        text = output.get("text", "") or data.get("text/plain", "")
        if text and not text.startswith(("<Figure", "<matplotlib")):
            blocks.append(f'<pre class="output">{html.escape(text.rstrip())}</pre>')
    return blocks


def is_hidden(cell: nbformat.NotebookNode) -> bool:
    """Whether the notebook itself folds a cell's code, by a tag or by what JupyterLab writes."""
    tags = cell.metadata.get("tags", [])
    return bool(cell.metadata.get("jupyter", {}).get("source_hidden")) or any(tag[:4] == "hide" for tag in tags)


def code_blocks(cell: nbformat.NotebookNode) -> list[str]:
    """A code cell: its code, folded where it is long, and its outputs."""
    shown = shown_outputs(cell.outputs)
    lines = len(cell.source.splitlines())
    if only_prepares(cell.source):
        return shown
    code = highlight(cell.source, PythonLexer(), HtmlFormatter(cssclass="code"))
    most = MOST_WITH_PICTURE if any(block.startswith("<img") for block in shown) else MOST_CODE
    if lines > most or is_hidden(cell):
        code = f"<details class='folded'><summary>code, {lines} lines</summary>{code}</details>"
    return [code, *shown]


def sections(notebook: nbformat.NotebookNode) -> list[str]:
    """The HTML of each slide before paging: a heading and what follows it up to the next.

    A section that would show nothing but its heading is left out, except the first, which is the title.
    """
    parser = markdown()
    found: list[list[str]] = [[]]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            found[-1] += code_blocks(cell)
            continue
        tokens = parser.parse(cell.source)
        starts = [k for k, token in enumerate(tokens) if token.type == "heading_open" and token.tag in ("h1", "h2")]
        edges = [0, *starts, len(tokens)]
        for k, (start, end) in enumerate(zip(edges, edges[1:], strict=False)):
            if k > 0:
                found.append([])
            part = parser.renderer.render(tokens[start:end], parser.options, {})
            # A formula and the mark that follows it stay on one line.
            part = re.sub(
                r'(<span class="math inline">[^<]*</span>[.,;:?!)]+)', r'<span class="together">\1</span>', part
            )
            if part.strip():
                found[-1].append(part)
    found = [blocks for blocks in found if blocks]
    return ["\n".join(blocks) for k, blocks in enumerate(found) if k == 0 or len(blocks) > 1 or "<p>" in blocks[0]]


def deck(notebook: nbformat.NotebookNode, title: str) -> str:
    """The whole page of a deck; it needs reveal.js, MathJax, paging.js and slides.css beside it."""
    slides = "\n".join(f"<section>\n{section}\n</section>" for section in sections(notebook))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<link rel="stylesheet" href="assets/reset.css">
<link rel="stylesheet" href="assets/reveal.css">
<link rel="stylesheet" href="assets/slides.css">
<style>{HtmlFormatter(style="default").get_style_defs(".code")}</style>
</head>
<body>
<div class="reveal"><div class="slides">
{slides}
</div></div>
<script src="assets/reveal.js"></script>
<script>window.MathJax = {{ startup: {{ typeset: true }}, options: {{ enableMenu: false }} }};</script>
<script src="assets/tex-svg-full.js"></script>
<script src="assets/paging.js"></script>
</body>
</html>
"""
