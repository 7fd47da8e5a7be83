"""Conversion of a video against the bare pose model, and memory over a video's length.

The bare model sees the same frames in the same mode with the same threads: MediaPipe's detector with the library's
options, fed by a plain decoding loop, its results thrown away. The whole conversion (`convert_videos`) tracks, cleans,
places, differentiates, writes Parquet, JSON and the overlay. Both run in this process, in turns; nothing is cached.

Memory is the largest resident set of a fresh process that converts the demo video repeated to 10 s and to 5 min.

    python benchmarks/speed_convert.py [--rounds 3] [--skip-memory]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av
from _common import data_folder, write_result

from har_virtual import convert_videos
from har_virtual.pose import MediaPipePose
from har_virtual.video import read_frames

SITES = ["left_wrist", "right_ankle", "waist"]
MEMORY_LENGTHS_S = (10.0, 60.0, 300.0)
# A child inherits its parent's ru_maxrss on Linux; VmHWM begins anew with the program.
_CHILD = """
import sys
from pathlib import Path
from har_virtual import convert_videos
convert_videos([sys.argv[1]], sys.argv[2], sites={sites!r}, cache_dir=False)
status = Path("/proc/self/status").read_text()
print(int(status.partition("VmHWM:")[2].split()[0]) / 1024)
"""


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--skip-memory", action="store_true")
    options = parser.parse_args()
    video = data_folder() / "video" / "sports2d_demo.mp4"
    results = {"speed": speed(video, options.rounds)}
    if not options.skip_memory:
        results["memory"] = memory(video)
    protocol = (
        f"{video.name}; bare model and whole conversion in turns, fastest of {options.rounds} rounds each; "
        "memory: peak resident set of a fresh process, MiB"
    )
    print(write_result("speed_convert", protocol, results))
    print(results)


def speed(video: Path, rounds: int) -> dict[str, float]:
    """Milliseconds a frame of the bare model and of the whole conversion, and their ratio."""
    n_frames = sum(1 for _ in read_frames(video))
    bare, whole = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            begin = time.perf_counter()
            for _ in MediaPipePose().detect(read_frames(video)):
                pass
            bare.append(time.perf_counter() - begin)
            begin = time.perf_counter()
            convert_videos([video], Path(folder) / str(number), sites=SITES, cache_dir=False)
            whole.append(time.perf_counter() - begin)
    return {
        "n_frames": n_frames,
        "bare_ms_a_frame": min(bare) / n_frames * 1e3,
        "conversion_ms_a_frame": min(whole) / n_frames * 1e3,
        "ratio": min(whole) / min(bare),
        "bare_rounds_s": bare,
        "conversion_rounds_s": whole,
    }


def memory(video: Path) -> list[dict[str, float]]:
    """Peak memory of a conversion for videos of several lengths."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for length_s in MEMORY_LENGTHS_S:
            repeated = Path(folder) / f"{length_s:g}.mp4"
            repeat(video, repeated, length_s)
            begin = time.perf_counter()
            child = subprocess.run(
                [sys.executable, "-c", _CHILD.format(sites=SITES), repeated, Path(folder) / f"out{length_s:g}"],
                check=True,
                capture_output=True,
                text=True,
            )
            wall_s = time.perf_counter() - begin
            rows.append({"video_s": length_s, "peak_mib": float(child.stdout), "wall_s": wall_s})
            print(rows[-1])
    return rows


def repeat(source: Path, target: Path, length_s: float) -> None:
    """Append copies of a video's packets, without encoding anew, until it is `length_s` long."""
    with av.open(str(target), "w") as out:
        stream, shift = None, 0
        while stream is None or shift * stream.time_base < length_s:
            with av.open(str(source)) as container:
                video = container.streams.video[0]
                stream = stream or out.add_stream_from_template(video)
                for packet in container.demux(video):
                    if packet.dts is None:
                        continue
                    packet.dts, packet.pts, packet.stream = packet.dts + shift, packet.pts + shift, stream
                    out.mux(packet)
                shift += video.duration


if __name__ == "__main__":
    main()
