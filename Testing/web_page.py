"""What a browser would find in a page."""

from __future__ import annotations

from html.parser import HTMLParser


class WebPage(HTMLParser):
    """A page's tags, the addresses it loads and its visible text.

    Example:
        >>> WebPage('<p>One &lt;word&gt;</p><img src="data:,x">').text
        'One <word>'
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self._texts: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.text = " ".join(" ".join(self._texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open.append(tag)
        self.tags.append(tag)
        self.addresses += [
            value or "" for name, value in attrs if name in ("src", "href", "action", "srcset")
        ]

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self._texts.append(data)
