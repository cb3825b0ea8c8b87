"""Security headers of every answer. A page that scans asks for the camera with `allow_camera()`."""

from flask import Flask, Response, g, request

POLICY = (
    "default-src 'none'; script-src 'self'{wasm}; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
DEVICES = "camera={camera}, microphone=(), geolocation=(), payment=(), usb=()"
FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def allow_camera() -> None:
    """Called by the view of a page that scans: this answer may use the camera and run WebAssembly."""
    g.camera = True


def secure(response: Response) -> Response:
    """Set the headers. Pages are not stored by browsers unless the view says otherwise."""
    camera = g.get("camera", False)
    response.headers.update(FIXED)
    response.headers["Content-Security-Policy"] = POLICY.format(wasm=" 'wasm-unsafe-eval'" if camera else "")
    response.headers["Permissions-Policy"] = DEVICES.format(camera="(self)" if camera else "()")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "private, no-store")
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return response


def register(app: Flask) -> None:
    """Send the headers with every answer of an application, errors included."""
    app.after_request(secure)
