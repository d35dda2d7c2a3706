"""Changes to a picture and its masks that leave the masks true."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Matrix = NDArray[np.float32]


def crop_matrix(size: tuple[int, int], side_px: int, rng: np.random.Generator) -> tuple[Matrix, tuple[int, int]]:
    """A random crop, scaled so that its longer side is ``side_px``, perhaps flipped.

    Args:
        size: (width, height) of the picture [px].

    Returns:
        The ``(2, 3)`` affine matrix from picture to crop [px], and the (width, height) of the crop [px].
    """
    width, height = size
    if rng.random() < 0.3:
        crop_width, crop_height = float(width), float(height)
    else:
        area = rng.uniform(0.2, 1.0) * width * height
        aspect = (width / height) ** rng.uniform(0, 1) * np.exp(rng.uniform(-0.4, 0.4))
        crop_width, crop_height = min(width, np.sqrt(area * aspect)), min(height, np.sqrt(area / aspect))
    x0, y0 = rng.uniform(0, width - crop_width + 1e-6), rng.uniform(0, height - crop_height + 1e-6)
    scale = side_px / max(crop_width, crop_height)
    out_width, out_height = max(1, round(crop_width * scale)), max(1, round(crop_height * scale))
    matrix = np.array([[scale, 0, -x0 * scale], [0, scale, -y0 * scale]], np.float32)
    if rng.random() < 0.5:
        matrix[0] = -matrix[0]
        matrix[0, 2] += out_width - 1
    return matrix, (out_width, out_height)


def paste_matrix(box: tuple[float, float, float, float], size: tuple[int, int], rng: np.random.Generator) -> Matrix:
    """Put what lies in ``box`` (x0, y0, x1, y1 [px]) somewhere on a picture of (width, height) ``size`` [px]."""
    x0, y0, x1, y1 = box
    longest = max(x1 - x0, y1 - y0, 1.0)
    scale = max(size) * np.exp(rng.uniform(np.log(0.12), np.log(0.7))) / longest
    angle = rng.normal(0, 0.25)
    flip = -1.0 if rng.random() < 0.5 else 1.0
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    linear = np.array([[cos * flip, -sin], [sin * flip, cos]])
    center_in = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    center_out = np.array([rng.uniform(0.05, 0.95) * size[0], rng.uniform(0.05, 0.95) * size[1]])
    return np.column_stack([linear, center_out - linear @ center_in]).astype(np.float32)


def warp_image(image: Image, matrix: Matrix, size: tuple[int, int]) -> Image:
    """Draw ``image`` through ``matrix`` on (width, height) ``size``; averages where it shrinks much."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2].astype(np.float64)))))
    if scale < 0.6:
        image = cv2.GaussianBlur(image, (0, 0), 0.4 / scale).astype(np.uint8)
    return cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)


def warp_mask(mask: Image, matrix: Matrix, size: tuple[int, int]) -> Image:
    """Draw a 0/1 mask through ``matrix``; 0 outside."""
    soft = cv2.warpAffine(mask * np.uint8(255), matrix, size, flags=cv2.INTER_LINEAR)
    return (soft > 127).astype(np.uint8)


def blend(image: Image, pasted: Image, mask: Image, rng: np.random.Generator) -> Image:
    """Lay ``pasted`` over ``image`` where ``mask`` is 1, with a soft edge and now and then a shadow-like gain."""
    alpha = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), rng.uniform(0.4, 1.2))[..., None]
    gain = np.float32(np.exp(rng.normal(0, 0.15)))
    return np.clip(image * (1 - alpha) + pasted * (gain * alpha), 0, 255).astype(np.uint8)


def jitter_color(image: Image, rng: np.random.Generator) -> Image:
    """Change brightness, contrast, gamma, saturation and white balance."""
    pixels = image.astype(np.float32) / 255
    if rng.random() < 0.3:
        pixels = pixels ** np.float32(np.exp(rng.normal(0, 0.3)))
    gray = pixels.mean(axis=2, keepdims=True)
    saturation = 0.0 if rng.random() < 0.05 else np.exp(rng.normal(0, 0.25))
    pixels = gray + (pixels - gray) * np.float32(saturation)
    mean = np.float32(pixels.mean())
    pixels = (pixels - mean) * np.float32(np.exp(rng.normal(0, 0.2))) + mean
    pixels = pixels * np.exp(rng.normal(0, 0.06, 3)).astype(np.float32) + np.float32(rng.normal(0, 0.08))
    return (np.clip(pixels, 0, 1) * 255).astype(np.uint8)


def spoil(image: Image, rng: np.random.Generator) -> Image:
    """Make a picture as poor as a webcam's: blur, motion blur, noise, JPEG; each only now and then."""
    if rng.random() < 0.2:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.5)).astype(np.uint8)
    if rng.random() < 0.15:
        image = _motion_blur(image, rng)
    if rng.random() < 0.2:
        noise = rng.normal(0, rng.uniform(1, 12), (*image.shape[:2], 1 if rng.random() < 0.5 else 3))
        image = np.clip(image + noise.astype(np.float32), 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        quality = int(rng.integers(25, 90))
        _, packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = cv2.imdecode(packed, cv2.IMREAD_COLOR).astype(np.uint8)
    return image


def _motion_blur(image: Image, rng: np.random.Generator) -> Image:
    length = int(rng.integers(3, 8))
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1 / length
    turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), rng.uniform(0, 180), 1.0)
    kernel = cv2.warpAffine(kernel, turn, (length, length))
    return cv2.filter2D(image, -1, kernel / max(float(kernel.sum()), 1e-6)).astype(np.uint8)
