"""Paths of the folder tree. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from flux.content.folders.rows import Folder


def normalised(path: str) -> str:
    """`/blog/articles` and `blog.articles` are the same path."""
    return path.strip("/").replace("/", ".")


def tree_order(folders: Sequence[Folder]) -> list[Folder]:
    """Parents before children, siblings by creation."""
    below: dict[str, list[Folder]] = {}
    for folder in sorted(folders, key=lambda one: (one.created_at, one.key)):
        below.setdefault(folder.parent, []).append(folder)
    present = {folder.key for folder in folders}
    roots = [folder for folder in folders if folder.parent not in present]
    ordered: list[Folder] = []

    def visit(folder: Folder) -> None:
        ordered.append(folder)
        for child in below.get(folder.key, ()):
            visit(child)

    for root in sorted(roots, key=lambda one: (one.created_at, one.key)):
        visit(root)
    return ordered


def chain(folders: Sequence[Folder], folder: Folder) -> list[Folder]:
    """From the root down to the folder."""
    by_key = {one.key: one for one in folders}
    found = [folder]
    while (parent := by_key.get(found[0].parent)) is not None:
        found.insert(0, parent)
    return found


def related(folders: Sequence[Folder], folder: Folder, mode: str) -> list[Folder]:
    """`ancestors` and `descendants` leave the folder itself out; `siblings` keep it."""
    if mode == "children":
        return tree_order([one for one in folders if one.parent == folder.key])
    if mode == "siblings":
        return tree_order([one for one in folders if one.parent == folder.parent])
    if mode == "ancestors":
        return chain(folders, folder)[:-1]
    return [one for one in tree_order(folders) if one.key != folder.key and folder in chain(folders, one)]
