"""Icons for people: 24 units square, drawn here, so that no host has to fetch anything."""

from urllib.parse import quote

from mcp_types import Icon


def _icon(path: str) -> list[Icon]:
    drawing = (
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='#29619b' "
        f"stroke-width='2'><path d='{path}'/></svg>"
    )
    source = "data:image/svg+xml," + quote(drawing, safe="='/:")  # a space is none in a URI
    return [Icon(src=source, mime_type="image/svg+xml", sizes=["any"])]


CHATS = _icon("M4 5h16v11H9l-5 4z")
PIN = _icon("M9 3h6v7l3 4H6l3-4zm3 11v7")
