"""`python -m gateway.dev.reference`: write the generated documents."""

from gateway.dev.pocketbase import ROOT
from gateway.dev.reference.documents import write_documents


def main() -> None:
    """Write each document that has changed, and print its path."""
    for name, text in write_documents().items():
        path = ROOT / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            print(f"{name} was updated.")


if __name__ == "__main__":
    main()
