"""Makes the bundle that Claude Desktop installs: `make bundle`.

It holds the sources and no dependency; the host's uv installs those from pyproject.toml.
"""

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

ROOT = Path(__file__).parents[1]
BUNDLE = ROOT / "dist" / "bitrix24-chat-mcp.mcpb"
_TREES, _FILES = ("server", "prompts"), ("pyproject.toml", "README.md", "LICENSE")


def main() -> None:
    """Write the bundle and say where it is."""
    BUNDLE.parent.mkdir(exist_ok=True)
    pack(BUNDLE)
    print(BUNDLE.relative_to(ROOT))


def pack(bundle: Path) -> None:
    """Write the bundle; the same sources make the same bytes."""
    with ZipFile(bundle, "w", ZIP_DEFLATED) as archive:
        for name, file in contents().items():
            archive.writestr(ZipInfo(name, (2026, 1, 1, 0, 0, 0)), file.read_bytes(), ZIP_DEFLATED)


def contents() -> dict[str, Path]:
    """Return what goes in, by its name there."""
    files = [ROOT / name for name in _FILES]
    for tree in _TREES:
        files += sorted(file for file in (ROOT / tree).rglob("*") if file.is_file() and _is_source(file))
    return {"manifest.json": ROOT / "release" / "manifest.json"} | {
        file.relative_to(ROOT).as_posix(): file for file in files
    }


def _is_source(file: Path) -> bool:
    kinds = {".py", ".md", ".json", ".html", ".css", ".typed"}
    return file.suffix in kinds and "__pycache__" not in file.parts


if __name__ == "__main__":
    main()
