"""What a fake camera sees: a picture held before it, as the file that Chromium plays instead of a camera."""

from __future__ import annotations

import subprocess
from pathlib import Path

from PIL import Image

from tests.campaigns.servers import ROOT

FRAME = (1280, 720)


def show(picture: Path | None, video: Path) -> None:
    """Write the video: the picture in the middle of a grey frame, or nothing but the frame."""
    frame = Image.new("RGB", FRAME, (120, 124, 118))
    if picture is not None:
        held = Image.open(picture).convert("RGB")
        held.thumbnail((FRAME[1] * 3 // 5, FRAME[1] * 3 // 5))
        frame.paste(held, ((FRAME[0] - held.width) // 2, (FRAME[1] - held.height) // 2))
    still, made = video.with_suffix(".png"), video.with_suffix(".new.mjpeg")
    frame.save(still)
    subprocess.run(
        ["ffmpeg", "-y", "-loglevel", "error", "-loop", "1", "-framerate", "10", "-i", still, "-t", "2",
         "-pix_fmt", "yuvj420p", "-q:v", "3", made],
        check=True, cwd=ROOT,
    )  # fmt: skip
    made.replace(video)


def arguments(video: Path) -> tuple[str, ...]:
    """How Chromium is told to take the video for its camera, and to allow it."""
    return (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={video}",
    )
