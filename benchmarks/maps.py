"""How a map of 50,000 points is drawn and moved, in headless Chromium.

``python -m benchmarks.maps``; needs Chromium and Playwright. The background is that of the
project many times over, each copy shifted a little. Where there is no graphics card, WebGL is
computed by the processor, which is what the figure then tells of.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from benchmarks.timing import Row
from glass_core.models.space.registry import load_space
from glass_core.settings import Settings
from glass_core.space.background import BACKGROUND_FILE, Background, open_background
from tests.tools.dashboard import CHROMIUM, FLAGS, Server

POINTS = 50_000
ROUNDS = 3
PAINT_S, FRAMES = 3.0, 30.0
"""What is wanted: seconds to the first paint, frames a second while it is moved."""
_WEBGL = ("--use-gl=swiftshader", "--enable-webgl", "--ignore-gpu-blocklist")
_PAN = """async () => {
  const plot = document.querySelector('.glass-figure');
  const box = plot.querySelector('.nsewdrag').getBoundingClientRect();
  const x = box.x + box.width / 2, y = box.y + box.height / 2;
  const fire = (type, dx) => (type === 'mousedown' ? plot.querySelector('.nsewdrag') : document)
    .dispatchEvent(new MouseEvent(type, {bubbles: true, clientX: x + dx, clientY: y, button: 0}));
  fire('mousedown', 0);
  let frames = 0;
  const began = performance.now();
  while (performance.now() - began < 3000) {
    fire('mousemove', 100 * Math.sin(frames / 20));
    await new Promise(requestAnimationFrame);
    frames += 1;
  }
  const speed = 1000 * frames / (performance.now() - began);
  const drawn = new Promise((done) => plot.once('plotly_relayout', done));
  const released = performance.now();
  fire('mouseup', 0);
  await drawn;
  await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return [speed, (performance.now() - released) / 1000];
}"""


def run() -> Iterator[Row]:
    """First paint of the page, and frames a second while the map is moved."""
    from playwright.sync_api import sync_playwright

    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        assets = large_assets(Path(folder) / "assets")
        environment = {"GLASS_ASSETS": str(assets)}
        flags = [*(f for f in FLAGS if "webgl" not in f and "gpu" not in f), *_WEBGL]
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        with Server(Path(folder), environment) as server:
            paints, moving = [], []
            for _ in range(ROUNDS + 1):
                page = chromium.new_page(viewport={"width": 1440, "height": 1000})
                began = time.perf_counter()
                page.goto(f"{server.address}/map")
                page.wait_for_function(
                    "document.querySelector('.glass-figure')?._fullLayout?._plots?.xy"
                    "?._scene?.visibleBatch || document.querySelector('.glass-figure canvas')"
                )
                paints.append(time.perf_counter() - began)
                page.wait_for_timeout(3000)
                shown = page.evaluate(
                    "document.querySelector('.glass-figure')._fullData"
                    ".reduce((n, trace) => n + trace.x.length, 0)"
                )
                moving.append(page.evaluate(_PAN))
                page.close()
        chromium.close()
    what = f"map of {shown:,} points"
    yield (f"{what}: first paint, cold server", f"{paints[0]:.2f} s", "", "", f"{PAINT_S:.0f} s")
    yield (f"{what}: first paint", f"{np.median(paints[1:]):.2f} s", "", "", f"{PAINT_S:.0f} s")
    speed, redrawn = np.median(np.array(moving), axis=0)
    yield (f"{what}: while moved", f"{speed:.0f} frames/s", "", "", f"{FRAMES:.0f}")
    yield (f"{what}: drawn where it is let go", f"{redrawn:.2f} s", "", "", "")


def large_assets(folder: Path) -> Path:
    """Assets whose map has `POINTS` points."""
    settings = Settings.from_environment()
    folder.mkdir(parents=True)
    for path in settings.assets.iterdir():
        if path.name != "spaces":
            os.symlink(path.resolve(), folder / path.name)
    shutil.copytree(settings.assets / "spaces", folder / "spaces")
    space = load_space(settings).info
    small = open_background(settings, space)
    rng, copies = np.random.default_rng(0), -(-POINTS // len(small))
    tables, vectors = [], []
    for number in range(copies):
        table = small.table.copy()
        table["id"] = table["id"] + f"_{number}"
        for name in ("x_tsne", "y_tsne", "x_pca", "y_pca"):
            table[name] += rng.normal(scale=0.02 * table[name].std(), size=len(table))
        tables.append(table)
        vectors.append(small.vectors)
    made = Background(
        pd.concat(tables, ignore_index=True)[:POINTS],
        np.concatenate(vectors)[:POINTS],
        small.space,
        small.origin,
    )
    made.write(folder / "spaces" / space.name / BACKGROUND_FILE)
    json.loads((folder / "spaces" / space.name / "card.json").read_text())
    return folder


def main() -> None:
    """Run and print the rows."""
    table = Table("what", "this", "beside", "ratio", "target")
    for row in run():
        table.add_row(*row)
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
