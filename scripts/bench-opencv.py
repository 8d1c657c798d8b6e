"""What OpenCV makes of the same frames.

`bench-opencv.py stylization|nothing CLIP FRAMES` works through the first frames of a clip.
`bench-opencv.py flow DIR` prints, for each scene that the flow example left in DIR, the end-point
error in px and the CPU milliseconds of DIS at its "fast" setting.
"""
import sys
import time

import cv2


def frames(what, path, count):
    cv2.setNumThreads(2)
    video = cv2.VideoCapture(path)
    for _ in range(count):
        ok, frame = video.read()
        if ok and what == "stylization":
            cv2.stylization(frame, sigma_s=60, sigma_r=0.45)


def flow(folder):
    import numpy

    cv2.setNumThreads(1)
    for scene in ("warp", "occlusion"):
        def read(part, kind=numpy.uint8):
            return numpy.fromfile(f"{folder}/{scene}-{part}", kind)

        a, b = (read(part).reshape(720, 1280) for part in ("a.gray", "b.gray"))
        truth = read("truth.f32", numpy.float32).reshape(720, 1280, 2)
        seen = read("seen.gray").reshape(720, 1280) > 0
        dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        best = float("inf")
        for _ in range(10):
            start = time.thread_time()
            found = dis.calc(a, b, None)
            best = min(best, time.thread_time() - start)
        error = numpy.linalg.norm(found - truth, axis=2)[seen].mean()
        print(f"{scene}: EPE {error:.3f} px, {1000 * best:.1f} ms (OpenCV DIS fast)")


if sys.argv[1] == "flow":
    flow(sys.argv[2])
else:
    frames(sys.argv[1], sys.argv[2], int(sys.argv[3]))
