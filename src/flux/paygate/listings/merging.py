"""RFC 7396: a merge patch laid on a listing's writable form. Pure; unchanged members keep their exact JSON text."""

from __future__ import annotations

from typing import Any

import msgspec

from flux.paygate.bodies import Members


def merged(current: dict[str, Any], patch: Members) -> Members:
    result: Members = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in current.items()}
    for name, raw in patch.items():
        text = bytes(raw)
        if text == b"null":
            result.pop(name, None)
        elif text[:1] == b"{" and isinstance(current.get(name), dict):
            result[name] = msgspec.Raw(msgspec.json.encode(_merge(current[name], msgspec.json.decode(text))))
        else:
            result[name] = raw
    return result


def _merge(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _merge(result.get(name), value)
    return result
