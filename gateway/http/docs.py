"""/docs: Swagger UI, with assets from an installed package, so that it works offline."""

import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

_ASSETS = "/docs/assets"
_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
#: Swagger UI sets styles on elements, and has its icons as data URLs.
_POLICY = (
    "default-src 'none'; script-src 'self' {script}; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; font-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def add_docs(app: FastAPI) -> None:
    """Serve Swagger UI for the app's OpenAPI document."""
    resources = str(files("fastapi_swagger") / "resources")

    async def show_docs(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "")
        page = get_swagger_ui_html(
            openapi_url=root + (app.openapi_url or ""),
            title=f"{app.title}: API",
            swagger_js_url=f"{root}{_ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{root}{_ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{root}{_ASSETS}/favicon-32x32.png",
        )
        page.headers["Content-Security-Policy"] = _allow_scripts(bytes(page.body))
        return page

    app.add_route("/docs", show_docs, include_in_schema=False)
    app.mount(_ASSETS, StaticFiles(directory=resources), name="docs-assets")


def _allow_scripts(page: bytes) -> str:
    """Return the policy that allows the page's inline scripts, by their hashes."""
    digests = [b64encode(sha256(found).digest()).decode() for found in _INLINE_SCRIPT.findall(page)]
    return _POLICY.format(script=" ".join(f"'sha256-{digest}'" for digest in digests))
