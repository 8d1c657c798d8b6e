"""What OpenCV takes for the same work: `bench-opencv.py stylization|nothing CLIP FRAMES`."""
import sys

import cv2

what, path, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
cv2.setNumThreads(2)
video = cv2.VideoCapture(path)
for _ in range(count):
    ok, frame = video.read()
    if ok and what == "stylization":
        cv2.stylization(frame, sigma_s=60, sigma_r=0.45)
