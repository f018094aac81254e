"""`/`: where everything is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from flux import __version__
from flux.kernel.wire import Call, Plane, Raw, Routes
from flux.operator.pages.frame import page

routes = Routes(tag="pages")


@dataclass(frozen=True, slots=True)
class Welcome:
    """What the welcome page tells about."""

    planes: Callable[[], list[Plane]]
    sandbox: bool


@routes.get("/")
async def welcome(call: Call) -> Raw:
    """The welcome page: the planes and everything beside them."""
    told = call.use(Welcome)
    planes = "".join(_plane(plane) for plane in told.planes() if plane.mount)
    return page(
        "Flux",
        _BODY.format(version=escape(__version__), planes=planes, sandbox=_SANDBOX if told.sandbox else ""),
    )


def _plane(plane: Plane) -> str:
    name, title = escape(plane.name), escape(plane.title or plane.name)
    return (
        f'<li><code class="path">{escape(plane.mount)}</code> <span>{title}</span>'
        f'<span class="links"><a href="/openapi/{name}.json">OpenAPI</a> <a href="/errors?plane={name}">errors</a></span></li>\n'
    )


_SANDBOX = """<p class="note"><strong>Sandbox.</strong> This is a test instance: failures can be simulated, the clock can
be moved, and mails go to the outbox under <code>/sandbox</code>.</p>
"""
_BODY = """<main class="welcome">
<h1>Flux</h1>
<p class="lead">One backend with three APIs over one error contract. This instance is up; version {version}.</p>
{sandbox}<h2>Planes</h2>
<ul class="doors">
{planes}</ul>
<h2>Beside them</h2>
<ul class="doors">
<li><a class="path" href="/errors">/errors</a> <span>Every error code: cause, cure, routes, proof</span></li>
<li><a class="path" href="/errors.json">/errors.json</a> <span>The same for programs</span></li>
<li><a class="path" href="/health">/health</a> <span>Does the process run?</span></li>
<li><a class="path" href="/ready">/ready</a> <span>Can it serve? Each check with its outcome</span></li>
<li><a class="path" href="/metrics">/metrics</a> <span>Counts and durations for Prometheus</span></li>
</ul>
</main>"""
