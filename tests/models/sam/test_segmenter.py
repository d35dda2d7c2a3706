from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from segment_anything import SamPredictor
from segment_anything.utils.transforms import ResizeLongestSide

from streamer.data.prompt import Prompt
from streamer.models.automatic import Candidate
from streamer.models.protocols import Decoded, Embedding
from streamer.models.sam import automatic
from streamer.models.sam.segmenter import SamSegmenter
from streamer.models.tiny.sam import build_sam
from tests.small_models import SQUARE_PX, small_sam

CPU = torch.device("cpu")
SIZE = (140, 90)
LOW_RES = np.random.default_rng(1).normal(size=(SQUARE_PX // 4, SQUARE_PX // 4)).astype(np.float32)
PROMPTS = {
    "one click": Prompt(point_coords=[(10, 20)]),
    "clicks of both kinds": Prompt(point_coords=[(10, 20), (50, 60), (70, 80)], point_labels=[1, 0, 1]),
    "box": Prompt(box=[5, 6, 80, 70]),
    "box and clicks": Prompt(point_coords=[(30, 30), (9, 9)], point_labels=[1, 0], box=[5, 6, 80, 70]),
    "mask": Prompt(mask_input=LOW_RES),
    "everything": Prompt(point_coords=[(30, 30)], box=[5, 6, 80, 70], mask_input=-LOW_RES),
    "many clicks": Prompt(point_coords=[(x, x / 2) for x in range(0, 140, 10)]),
}


def make_image(size: tuple[int, int] = SIZE, seed: int = 0) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 1.5)


@pytest.fixture(scope="module")
def upstream() -> SamPredictor:
    predictor = SamPredictor(small_sam())
    predictor.set_image(make_image())
    return predictor


@pytest.fixture(scope="module")
def segmenter() -> SamSegmenter:
    return SamSegmenter(small_sam(), "small", CPU, "float32")


@pytest.fixture(scope="module")
def embedding(upstream: SamPredictor) -> Embedding:
    return Embedding(upstream.features, SIZE)


def upstream_answer(upstream: SamPredictor, prompt: Prompt, multimask: bool = True) -> tuple[NDArray, NDArray, NDArray]:
    has_points = len(prompt.point_coords) > 0
    return upstream.predict(
        point_coords=prompt.point_coords if has_points else None,
        point_labels=prompt.point_labels if has_points else None,
        box=prompt.box,
        mask_input=None if prompt.mask_input is None else prompt.mask_input[None],
        multimask_output=multimask,
        return_logits=True,
    )


@pytest.mark.parametrize("size", [(140, 90), (90, 140), (256, 256), (300, 299), (700, 400), (31, 17)])
def test_encode_is_what_upstream_encodes(segmenter: SamSegmenter, size: tuple[int, int]) -> None:
    image = make_image(size)
    predictor = SamPredictor(small_sam())
    predictor.set_image(image)
    encoded = segmenter.encode(image)
    assert encoded.image_size == size
    error = (encoded.features - predictor.features).norm() / predictor.features.norm()
    # The rest is rounding in the resize to uint8, by one or two levels in few pixels.
    assert error < 0.02


@pytest.mark.parametrize("size", [(256, 144), (144, 256)])
def test_encode_without_resize_differs_by_rounding_only(segmenter: SamSegmenter, size: tuple[int, int]) -> None:
    predictor = SamPredictor(small_sam())
    predictor.set_image(make_image(size))
    torch.testing.assert_close(segmenter.encode(make_image(size)).features, predictor.features, rtol=1e-4, atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(width=st.integers(8, 900), height=st.integers(8, 900), seed=st.integers(0, 99))
def test_resize_stays_within_two_levels_of_pillow(width: int, height: int, seed: int) -> None:
    image = make_image((width, height), seed)
    sam = small_sam_cached()
    theirs = ResizeLongestSide(SQUARE_PX).apply_image(image).astype(np.float32)
    rows, columns = theirs.shape[:2]
    square = sam._preprocess(image)[0]
    ours = (square * sam._std + sam._mean)[:, :rows, :columns].permute(1, 2, 0).numpy()
    assert np.abs(ours - theirs).max() < 2.01
    assert np.abs(ours - theirs).mean() < 0.25
    assert not square[:, rows:].any()
    assert not square[:, :, columns:].any()


_SMALL: list[SamSegmenter] = []


def small_sam_cached() -> SamSegmenter:
    if not _SMALL:
        _SMALL.append(SamSegmenter(small_sam(), "small", CPU, "float32"))
    return _SMALL[0]


@pytest.mark.parametrize("name", PROMPTS)
@pytest.mark.parametrize("multimask", [True, False])
def test_decode_is_what_upstream_decodes(
    segmenter: SamSegmenter, upstream: SamPredictor, embedding: Embedding, name: str, multimask: bool
) -> None:
    _, scores, logits = upstream_answer(upstream, PROMPTS[name], multimask)
    decoded = segmenter.decode(embedding, [PROMPTS[name]], multimask)
    assert logits.std() > 0.1
    np.testing.assert_allclose(decoded.logits[0], logits, atol=1e-3 * logits.std())
    np.testing.assert_allclose(decoded.scores[0], scores, rtol=1e-3, atol=1e-3)


@torch.inference_mode()
@pytest.mark.parametrize("size", [(11, 16), (16, 9)])
@pytest.mark.parametrize("name", PROMPTS)
def test_a_part_of_the_square_is_decoded_as_upstream_would(
    segmenter: SamSegmenter, embedding: Embedding, name: str, size: tuple[int, int]
) -> None:
    prompt, (rows, columns), sam = PROMPTS[name], size, small_sam()
    resize = ResizeLongestSide(SQUARE_PX)
    points = resize.apply_coords(prompt.point_coords, SIZE[::-1]), prompt.point_labels
    part = embedding.features[..., :rows, :columns]
    mask = None if prompt.mask_input is None else torch.from_numpy(prompt.mask_input)[None, None]
    sparse, dense = sam.prompt_encoder(
        points=tuple(torch.from_numpy(each)[None] for each in points) if len(prompt.point_coords) else None,
        boxes=None if prompt.box is None else torch.from_numpy(resize.apply_boxes(prompt.box[None], SIZE[::-1])),
        masks=mask,
    )
    logits, scores = sam.mask_decoder(
        image_embeddings=part,
        image_pe=sam.prompt_encoder.get_dense_pe()[..., :rows, :columns],
        sparse_prompt_embeddings=sparse,
        dense_prompt_embeddings=dense[..., :rows, :columns],
        multimask_output=True,
    )
    cut = None if prompt.mask_input is None else prompt.mask_input[: 4 * rows, : 4 * columns]
    asked = Prompt(prompt.point_coords, prompt.point_labels, prompt.box, mask_input=cut)
    decoded = segmenter.decode(Embedding(part, SIZE), [asked])
    assert decoded.logits.shape == (1, 3, 4 * rows, 4 * columns)
    np.testing.assert_allclose(decoded.logits[0], logits[0], atol=1e-3 * float(logits.std()))
    np.testing.assert_allclose(decoded.scores[0], scores[0], rtol=1e-3, atol=1e-3)


def test_mixed_prompts_in_one_batch_get_the_answers_they_get_alone(
    segmenter: SamSegmenter, embedding: Embedding
) -> None:
    prompts = list(PROMPTS.values())
    together = segmenter.decode(embedding, prompts)
    for index, prompt in enumerate(prompts):
        alone = segmenter.decode(embedding, [prompt])
        np.testing.assert_allclose(together.logits[index], alone.logits[0], atol=1e-4 * alone.logits.std())
        np.testing.assert_allclose(together.scores[index], alone.scores[0], rtol=1e-4, atol=1e-4)


def test_prompts_change_the_answer(segmenter: SamSegmenter, embedding: Embedding) -> None:
    decoded = segmenter.decode(embedding, list(PROMPTS.values()))
    for first in range(len(PROMPTS)):
        for second in range(first):
            assert np.abs(decoded.logits[first] - decoded.logits[second]).max() > 0.01 * decoded.logits.std()


def test_no_prompts_are_no_answers(segmenter: SamSegmenter, embedding: Embedding) -> None:
    assert segmenter.decode(embedding, []).logits.shape == (0, 3, 64, 64)
    assert segmenter.decode(embedding, [], multimask_output=False).scores.shape == (0, 1)


@pytest.mark.parametrize("size", [(140, 90), (90, 140), (1280, 720), (257, 255), (60, 61)])
def test_upscale_is_upstreams_postprocessing(segmenter: SamSegmenter, size: tuple[int, int]) -> None:
    logits = np.random.default_rng(3).normal(scale=9, size=(2, 64, 64)).astype(np.float32)
    rows, columns = ResizeLongestSide.get_preprocess_shape(size[1], size[0], SQUARE_PX)
    truth = small_sam().postprocess_masks(torch.from_numpy(logits)[None], (rows, columns), (size[1], size[0]))[0]
    np.testing.assert_allclose(segmenter.upscale(logits, size), truth.numpy(), atol=2e-3)


@settings(max_examples=25, deadline=None)
@given(width=st.integers(60, 900), height=st.integers(60, 900), x=st.floats(0.2, 0.6), y=st.floats(0.2, 0.6))
def test_a_mask_survives_the_way_to_logits_and_back(width: int, height: int, x: float, y: float) -> None:
    segmenter = small_sam_cached()
    mask = np.zeros((height, width), bool)
    mask[int(y * height) : int((y + 0.35) * height), int(x * width) : int((x + 0.35) * width)] = True
    logits = segmenter.mask_input(mask, (width, height))
    assert logits.shape == (64, 64)
    assert np.isfinite(logits).all()
    back = segmenter.upscale(logits[None], (width, height))[0] > 0
    assert (back & mask).sum() / (back | mask).sum() > 0.6


def test_a_mask_on_a_grid_of_nearly_its_images_ratio_fits_the_image(convolving: SamSegmenter) -> None:
    size, grid = (224, 140), (53, 34)  # 128x80 pixels are looked at, but 128x82, so 128x96, were the grid the image
    embedding = convolving.encode(make_image(size))
    mask_input = convolving.mask_input(np.ones(grid[::-1], bool), size)
    assert convolving.decode(embedding, [Prompt(mask_input=mask_input)]).logits.shape[-2:] == mask_input.shape


def test_soft_masks_become_soft_logits(segmenter: SamSegmenter) -> None:
    logits = segmenter.mask_input(np.full((256, 256), 0.75, np.float32), (256, 256))
    np.testing.assert_allclose(logits, np.log(3), rtol=1e-4)


def test_features_are_cut_to_the_image(segmenter: SamSegmenter, embedding: Embedding) -> None:
    features = segmenter.features(embedding)
    assert features.shape == (11, 16, 32)
    np.testing.assert_array_equal(features, embedding.features[0, :, :11].permute(1, 2, 0).numpy())


def test_encode_and_decode_in_several_threads(segmenter: SamSegmenter, embedding: Embedding) -> None:
    prompts = list(PROMPTS.values())
    truth, encoded = segmenter.decode(embedding, prompts), segmenter.encode(make_image())

    def decode() -> bool:
        return bool(np.allclose(segmenter.decode(embedding, prompts).logits, truth.logits, atol=1e-4))

    def encode() -> bool:
        return torch.allclose(segmenter.encode(make_image()).features, encoded.features, atol=1e-5)

    with ThreadPoolExecutor(3) as pool:
        agreed = [pool.submit(work) for work in (decode, encode, decode) * 5]
    assert all(each.result() for each in agreed)


def test_a_batch_of_images_is_encoded_like_each_alone(segmenter: SamSegmenter) -> None:
    images = [make_image((140, 90)), make_image((90, 140), 1)]
    for encoded, image in zip(segmenter.encode_batch(images), images, strict=True):
        alone = segmenter.encode(image)
        assert encoded.image_size == alone.image_size
        torch.testing.assert_close(encoded.features, alone.features, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def convolving() -> SamSegmenter:
    torch.manual_seed(0)
    return SamSegmenter(build_sam(128), "tiny", CPU, "float32")


@pytest.mark.parametrize(
    ("size", "grid"), [((140, 90), (6, 8)), ((90, 140), (8, 6)), ((128, 128), (8, 8)), ((999, 9), (2, 8))]
)
def test_an_encoder_that_convolves_looks_at_no_padding(
    convolving: SamSegmenter, size: tuple[int, int], grid: tuple[int, int]
) -> None:
    embedding = convolving.encode(make_image(size))
    low_res = tuple(4 * side for side in grid)
    assert embedding.features.shape[-2:] == grid
    mask_input = convolving.mask_input(np.ones(size[::-1], bool), size)
    assert mask_input.shape == low_res
    prompts = [Prompt(box=[1, 1, size[0] - 1, size[1] - 1]), Prompt(point_coords=[(3, 4)], mask_input=mask_input)]
    decoded = convolving.decode(embedding, prompts)
    assert decoded.logits.shape == (2, 3, *low_res)
    assert convolving.decode(embedding, []).logits.shape == (0, 3, *low_res)
    assert convolving.upscale(decoded.logits[0], size).shape == (3, *size[::-1])
    columns, rows = (max(1, round(side * 128 / max(size))) for side in size)
    assert convolving.features(embedding).shape == (-(-rows // 16), -(-columns // 16), 128)
    assert all(found.mask.shape == size[::-1] for found in convolving.find(embedding, 2))


def test_without_padding_it_is_upstreams_model(convolving: SamSegmenter) -> None:
    torch.manual_seed(0)
    predictor = SamPredictor(build_sam(128))
    predictor.set_image(make_image((128, 128)))
    embedding = convolving.encode(make_image((128, 128)))
    torch.testing.assert_close(embedding.features, predictor.features, rtol=1e-4, atol=1e-4)
    prompt = Prompt(point_coords=[(30, 40), (9, 8)], point_labels=[1, 0], box=[10, 12, 90, 70])
    _, scores, logits = upstream_answer(predictor, prompt)
    decoded = convolving.decode(embedding, [prompt])
    np.testing.assert_allclose(decoded.logits[0], logits, atol=1e-3 * logits.std())
    np.testing.assert_allclose(decoded.scores[0], scores, rtol=1e-3, atol=1e-3)


def test_a_batch_of_unlike_shapes_is_encoded_like_each_alone(convolving: SamSegmenter) -> None:
    images = [make_image((140, 90)), make_image((90, 140), 1)]
    for encoded, image in zip(convolving.encode_batch(images), images, strict=True):
        assert torch.equal(encoded.features, convolving.encode(image).features)


def test_bfloat16_hardly_changes_the_masks(upstream: SamPredictor) -> None:
    exact, rough = (SamSegmenter(small_sam(), "small", CPU, precision) for precision in ("float32", "bfloat16"))
    prompts = [PROMPTS["box"], PROMPTS["one click"]]
    masks = [each.decode(each.encode(make_image()), prompts).logits > 0 for each in (exact, rough)]
    assert (masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum() > 0.95


class Blobs:
    """A segmenter for the generator: three discs with sharp logits; a click elsewhere finds the background."""

    name = "blobs"
    DISCS = (((16, 10), 8), ((44, 20), 6), ((30, 30), 3))

    def __init__(self) -> None:
        self.batches = 0

    def decode(self, embedding: Embedding, prompts: list[Prompt], multimask_output: bool = True):
        self.batches += 1
        y, x = np.mgrid[:64, :64]
        logits = []
        for prompt in prompts:
            px, py = prompt.point_coords[0] * 64 / SQUARE_PX
            inside = [np.hypot(x - cx, y - cy) < radius for (cx, cy), radius in self.DISCS]
            hit = [
                mask
                for mask, ((cx, cy), radius) in zip(inside, self.DISCS, strict=True)
                if np.hypot(px - cx, py - cy) < radius
            ]
            whole = hit[0] if hit else ~np.any(inside, axis=0)
            logits.append([np.where(whole, 20.0, -20.0)] * 3)
        return Decoded(np.array(logits, np.float32), np.full((len(prompts), 3), 0.9, np.float32))

    def upscale(self, logits: NDArray[np.float32], image_size: tuple[int, int]) -> NDArray[np.float32]:
        return np.array([cv2.resize(each, (256, 256)) for each in logits])


def test_find_keeps_the_largest_objects_once_and_no_background() -> None:
    blobs = Blobs()
    embedding = Embedding(torch.zeros(1, 4, 16, 16), (256, 256))
    found = automatic.find(blobs, embedding, (64, 64), limit=5)  # type: ignore[arg-type]
    areas = [each.mask.mean() * 64**2 for each in found]
    assert len(found) >= 2
    np.testing.assert_allclose(areas[:2], [np.pi * 64, np.pi * 36], rtol=0.15)
    assert all(each.mask.mean() < 0.1 for each in found)
    assert found[0].score == pytest.approx(0.9)
    assert len(automatic.find(blobs, embedding, (64, 64), limit=1)) == 1  # type: ignore[arg-type]


def test_find_rather_takes_what_is_known_to_be_a_thing() -> None:
    embedding = Embedding(torch.zeros(1, 4, 16, 16), (256, 256))
    things = np.full((16, 16), 0.1, np.float32)
    things[:8, 8:] = 0.9  # where the second of the discs is
    found = automatic.find(Blobs(), embedding, (64, 64), limit=5, things=things)  # type: ignore[arg-type]
    assert [each.mask.mean() * 64**2 for each in found] == [pytest.approx(np.pi * 36, rel=0.15)]


def region(x: int, y: int, side: int = 16, iou: float = 0.8) -> automatic.Region:
    mask = np.zeros((48, 64), bool)
    mask[y : y + side, x : x + side] = True
    logits = np.where(mask, 20, -20).astype(np.float32)
    return automatic.Region(mask, Candidate(logits, (x, y, x + side, y + side), iou, 0.9, (x, y)))


def test_what_is_whole_comes_before_what_the_frame_cuts_off() -> None:
    whole, at_a_side = region(20, 20), region(0, 20)
    assert automatic._worthiest([at_a_side, whole], limit=2) == [whole, at_a_side]


def test_what_is_worth_far_less_than_the_best_is_left_out() -> None:
    sure, unsure = region(8, 8), region(40, 8, iou=0.3)
    assert automatic._worthiest([unsure, sure], limit=5) == [sure]
    assert automatic._worthiest([unsure], limit=5) == [unsure], "it is the best one where there is no other"


def test_find_does_not_encode_again(segmenter: SamSegmenter, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = segmenter.encode(make_image())
    monkeypatch.setattr(segmenter, "_encoder", None)
    assert isinstance(segmenter.find(encoded, 3), list)


def test_taking_a_sam_over_leaves_others_alone() -> None:
    sam = small_sam()
    other = copy.deepcopy(sam)
    truth = SamPredictor(other)
    truth.set_image(make_image())
    SamSegmenter(sam, "small", CPU, "bfloat16")
    again = SamPredictor(other)
    again.set_image(make_image())
    assert torch.equal(truth.features, again.features)
