"""Turn everything that is followed on one photo or frame into points in space, one colored PLY for each object.

    uv run python examples/06_point_cloud.py                 # the rendered scene, to recordings/points/
    uv run python examples/06_point_cloud.py photo.jpg 1.4 5 # a photo from 1.4 m above flat ground, looking down by 5°

The bundled depth model is relative; the camera's height and pitch make it meters where the ground is in view.
"""

import sys
from pathlib import Path
from typing import Any

import streamer
from streamer.sinks.points import to_ply


def main(source: str, height_m: float, pitch_deg: float, folder: Path) -> None:
    options: dict[str, Any] = {"seed": 0, "frame_count": 1} if source == "scene" else {}
    folder.mkdir(parents=True, exist_ok=True)
    config = streamer.Config.model_validate({"camera": {"height_m": height_m, "pitch_deg": pitch_deg}})
    with streamer.load(config) as engine:
        for result in engine.run(source, **options):
            for track in result.tracks:
                cloud = streamer.point_cloud(result, track)  # streamer.unproject gives the (N, 3) array alone
                (folder / f"object-{track.id}.ply").write_bytes(to_ply(cloud))
                print(f"object {track.id}: {len(cloud)} points, nearest {cloud.points_m[:, 2].min():.2f} m")
            break


if __name__ == "__main__":
    source, height_m, pitch_deg = sys.argv[1:4] if len(sys.argv) > 3 else ("scene", "1.5", "5.7")
    main(source, float(height_m), float(pitch_deg), Path("recordings/points"))
