"""The heads of the tiny detector learn what photographs show, and views of photographs show the same things."""

from __future__ import annotations

import json

import cv2
import numpy as np
import torch

from streamer.models.tiny.words import CocoHeads
from training.named_photos import load_panoptic
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
