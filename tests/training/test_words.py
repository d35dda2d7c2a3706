"""The heads of the tiny detector learn what photographs show, and views of photographs show the same things."""

from __future__ import annotations

import json

import cv2
import numpy as np
import torch
from pycocotools.mask import area

from streamer.models.protocols import Decoded, Embedding
from streamer.models.tiny.things import WIDTH, ThingHead
from streamer.models.tiny.words import COCO_CLASSES, CocoHeads
from training.label_photos import labels_of
from training.named_photos import load_labelled, load_panoptic
from training.teacher import Teacher, _of_stride
from training.train_things import fit, told_apart
from training.train_words import name_loss, sides_loss
from training.word_views import view_of

SIZE = 60, 80


def thing(y, x, rows, columns):
    mask = np.zeros(SIZE, np.uint8)
    mask[y : y + rows, x : x + columns] = 1
    return mask


def test_masks_of_a_view_stay_on_their_things():
    masks = np.stack([thing(5, 10, 20, 30), thing(35, 50, 15, 15)])
    image = np.full((*SIZE, 3), 127, np.uint8)
    image[masks[0] > 0], image[masks[1] > 0] = (250, 127, 4), (4, 127, 250)
    seen = 0
    for seed in range(40):
        view = view_of(image, masks, np.zeros(SIZE, np.uint8), np.random.default_rng(seed))
        assert view.image_rgb.shape[:2] == view.masks.shape[1:] == view.uncounted.shape
        for mask in view.masks:
            inside = cv2.erode(mask, np.ones((5, 5))) > 0  # a view may be blurred
            seen += inside.any()
            assert (np.ptp(view.image_rgb[inside].astype(int), axis=0) < 12).all() if inside.any() else True
    assert seen > 40


def test_of_a_thing_that_is_hardly_in_view_nothing_is_right_or_wrong():
    rng = np.random.default_rng(0)
    for _ in range(200):
        view = view_of(np.zeros((*SIZE, 3), np.uint8), thing(10, 10, 40, 40)[None], np.zeros(SIZE, np.uint8), rng)
        if view.uncounted.any():
            assert not view.masks.any()
            return
    raise AssertionError("no view cuts the thing")


def test_heads_learn_a_name_and_a_box():
    torch.manual_seed(0)
    heads = CocoHeads()
    maps = torch.randn(1, 112, 8, 8), torch.randn(1, 320, 4, 4), torch.randn(1, 96, 4, 4)
    names = torch.full((1, 8, 8), -1)
    names[:, 2:5, 2:5] = 7
    sides, weights = torch.full((1, 4, 8, 8), 40.0), torch.ones(80)
    optimizer = torch.optim.Adam(heads.parameters(), 3e-3)
    for _ in range(40):
        opinions, found, trust = heads(*maps)
        named = name_loss(opinions[0], names, weights) + name_loss(opinions[1], names, weights)
        loss = named + sides_loss(found, trust, sides, names)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    opinions, found, trust = heads.eval()(*maps)
    inside = names[0] == 7
    assert (opinions.argmax(2)[:, 0, inside] == 7).all()
    assert torch.allclose(found[0, :, inside], torch.tensor(40.0), rtol=0.3)
    assert trust[0, inside].mean() > 0.5


def test_panoptic_files_give_things_and_crowds_and_leave_out_what_is_known(tmp_path):
    folder = tmp_path / "panoptic_segmentation/annotations"
    (folder / "panoptic_val2017").mkdir(parents=True)
    numbers = np.zeros((*SIZE, 3), np.uint8)  # BGR: the number is red + 256 green
    numbers[:10, :, 2], numbers[20:30, :, 1], numbers[40:, :, 2] = 3, 1, 9
    segments = [
        {"id": 3, "category_id": 18, "iscrowd": 0},
        {"id": 256, "category_id": 1, "iscrowd": 1},
        {"id": 9, "category_id": 100, "iscrowd": 0},
    ]
    categories = [{"id": 1, "isthing": 1}, {"id": 18, "isthing": 1}, {"id": 100, "isthing": 0}]
    annotations = [{"file_name": f"{name}.png", "segments_info": segments} for name in ("new", "old")]
    for name in ("new", "old"):
        cv2.imwrite(str(folder / f"panoptic_val2017/{name}.png"), numbers)
    (folder / "panoptic_val2017.json").write_text(json.dumps({"categories": categories, "annotations": annotations}))
    (photo,) = load_panoptic(tmp_path, {"old.jpg"})
    assert photo.path == tmp_path / "images/val2017/new.jpg"
    assert photo.names == [1]
    assert [place for place, _ in photo.crowds] == [0]
    assert not load_panoptic(tmp_path / "absent", ())


def test_a_layer_learns_which_cells_are_of_things():
    rng = np.random.default_rng(0)
    features = torch.from_numpy(rng.normal(2.0, 3.0, (400, WIDTH)).astype(np.float32))
    covered = (features[:, 5] > 2.0).float()
    torch.manual_seed(0)
    head = ThingHead()
    assert fit(head, features, covered) < 0.1
    assert told_apart(head, features, covered) > 0.98
    features[:, 5] = 20.0
    assert (head.chances(features.numpy().reshape(20, 20, WIDTH)) > 0.9).all()


class Shown(Teacher):
    """A teacher whose network saw two things, one of them twice."""

    def __init__(self, boxes, scores):
        self._seen = boxes, scores

    def _cells(self, image_rgb):
        return self._seen


def test_a_teacher_names_each_thing_once():
    boxes = np.array([[0, 0, 20, 20], [1, 0, 21, 20], [40, 40, 60, 60], [0, 1, 20, 20]], float)
    scores = np.zeros((4, COCO_CLASSES))
    scores[0, 7], scores[1, 7], scores[2, 7], scores[3, 9] = 0.9, 0.45, 0.5, 0.3
    found = Shown(boxes, scores).find(np.zeros((80, 80, 3), np.uint8), 0.2)
    assert [(one.name, one.score) for one in found] == [(7, 0.9), (7, 0.5)]
    np.testing.assert_allclose(found[0].box_xyxy, [1 / 3, 0, 20 + 1 / 3, 20])


def test_cells_of_a_stride_are_boxes_around_them():
    answer = np.full((COCO_CLASSES + 4 * 8, 2, 3), -20.0, np.float32)
    answer[12, 1, 2] = 20.0
    answer[COCO_CLASSES + np.arange(4) * 8 + (1, 2, 3, 4), 1, 2] = 20.0
    boxes, scores = _of_stride(answer, 16)
    assert scores.shape == (6, COCO_CLASSES)
    assert scores.argmax() == 5 * COCO_CLASSES + 12
    np.testing.assert_allclose(boxes[5], [32 - 16, 16 - 32, 32 + 48, 16 + 64], atol=1e-3)


def test_what_the_teacher_is_sure_of_is_read_back_as_things_and_the_rest_as_crowds(tmp_path):
    image = np.zeros((40, 60, 3), np.uint8)
    boxes = np.array([[5, 5, 25, 25], [30, 10, 50, 30]], float)
    scores = np.zeros((2, COCO_CLASSES))
    scores[0, 3], scores[1, 4] = 0.8, 0.3
    labels = labels_of(image, Shown(boxes, scores), Boxes())
    (tmp_path / "l.jsonl").write_text(json.dumps({"path": "a.jpg", **labels}) + "\n")
    (photo,) = load_labelled(tmp_path / "l.jsonl")
    assert (photo.path.name, photo.names, [name for name, _ in photo.crowds]) == ("a.jpg", [3], [4])
    assert [int(area(mask)) for mask in (*photo.masks, photo.crowds[0][1])] == [400, 400]
    assert load_labelled(tmp_path / "none.jsonl") == []


class Boxes:
    """A segmenter that outlines whole boxes."""

    def encode(self, image_rgb):
        return Embedding(None, (image_rgb.shape[1], image_rgb.shape[0]))

    def decode(self, embedding, prompts):
        width, height = embedding.image_size
        logits = np.full((len(prompts), 1, height, width), -1.0, np.float32)
        for at, prompt in enumerate(prompts):
            x0, y0, x1, y1 = map(int, prompt.box)
            logits[at, 0, y0:y1, x0:x1] = 1
        return Decoded(logits, np.ones((len(prompts), 1), np.float32))

    def upscale(self, logits, image_size):
        return logits
