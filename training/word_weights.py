"""The tiny detector put together: ImageNet's backbone and classifier, the trained head, and thresholds."""

from __future__ import annotations

from typing import Any

import timm
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from streamer.models.detectors.vocabulary import vocabulary
from streamer.models.detectors.words import to_pixels
from streamer.models.tiny.backbone import BACKBONE
from streamer.models.tiny.words import COCO_CLASSES, IMAGENET_RANK, ImageNetHead, TinyWords
from training.named_photos import NamedPhoto
from training.photos import read_image
from training.pretrained import load_pretrained
from training.word_features import Sample, frozen_backbone

ABSENT_SHARE = 0.82
"""Of photographs without a thing, in which its threshold finds nothing; at least 0.8 is asked for."""
MIN_PROBABILITY = 0.2
"""Below which ImageNet's classifier is never believed."""


@torch.inference_mode()
def assembled(heads: nn.Module, imagenet: ImageNetHead, samples: list[Sample], validation: list[Sample]) -> TinyWords:
    """The whole model; ``samples`` set the thresholds of ImageNet's words, ``validation`` those of COCO's names."""
    words = TinyWords(len(vocabulary()))
    words.backbone.load_state_dict(frozen_backbone().state_dict())
    words.coco_heads.load_state_dict(heads.state_dict())
    words.imagenet_head.load_state_dict(imagenet.state_dict())
    maps = [sample.stride32[None].float() for sample in samples[:: max(1, len(samples) // 200)]]
    words.coco_thresholds.copy_(coco_thresholds(heads, validation))
    words.word_thresholds.copy_(word_thresholds(words.imagenet_head, maps))
    return words.eval()


def pretrained_imagenet_head(photos: list[NamedPhoto]) -> ImageNetHead:
    """ImageNet's classifier, its rank chosen on these photographs."""
    head, backbone = ImageNetHead(), frozen_backbone()
    some = photos[:: max(1, len(photos) // 200)]
    with torch.inference_mode():
        fill_imagenet_head(head, [backbone(to_pixels(read_image(photo.path))[0])[1] for photo in some])
    return head.eval().requires_grad_(False)


def fill_imagenet_head(head: ImageNetHead, maps: list[Tensor]) -> None:
    """The pretrained classifier, its matrix reduced where these ``(1, 320, h, w)`` maps do not need it."""
    classifier: Any = timm.create_model(BACKBONE, pretrained=False)
    load_pretrained(classifier)
    expand: nn.Conv2d = fuse_conv_bn_eval(classifier.eval().conv_head, classifier.bn2)
    head.expand.load_state_dict(expand.state_dict())
    features = torch.cat([nn.functional.relu6(expand(one)).flatten(2)[0].T[::7] for one in maps])
    matrix, bias = classifier.classifier.weight, classifier.classifier.bias
    # The best of rank R on these features: project what the matrix makes of them onto its main directions.
    logits = (features - features.mean(0)) @ matrix.T
    _, _, directions = torch.linalg.svd(logits.T @ logits / len(logits))
    main = directions[:IMAGENET_RANK].T  # (1000, R)
    head.reduce.weight.copy_((main.T @ matrix)[..., None, None])
    head.classify.weight.copy_(main[..., None, None])
    offset = matrix @ features.mean(0)
    assert head.classify.bias is not None
    head.classify.bias.copy_(bias + offset - main @ (main.T @ offset))


def inputs_of(sample: Sample) -> tuple[Tensor, Tensor, Tensor]:
    """What the heads are given of one sample."""
    return sample.stride16[None].float(), sample.stride32[None].float(), sample.known[None].float()


def coco_thresholds(heads: nn.Module, validation: list[Sample]) -> Tensor:
    """``(80,)``: the logit that the surest cell of so many photographs without the thing stays below."""
    levels, there = [], []
    for sample in validation:
        levels.append(heads(*inputs_of(sample))[0].mean(0)[0].flatten(1).amax(1))
        named = sample.names[sample.names >= 0].long()
        there.append(torch.bincount(named, minlength=COCO_CLASSES) > 0)
    level, present = torch.stack(levels), torch.stack(there)
    return torch.stack([level[~present[:, name], name].quantile(ABSENT_SHARE) for name in range(COCO_CLASSES)])


def word_thresholds(head: ImageNetHead, maps: list[Tensor]) -> Tensor:
    """``(W,)``: the same for what ImageNet's classifier says of each word, as log-probability."""
    chances = [head(one)[0].flatten(1).softmax(0) for one in maps]  # (1000, cells) each
    thresholds = []
    for meaning in vocabulary().values():
        chosen = list(meaning.imagenet)
        surest = torch.stack([one[chosen].sum(0).amax() for one in chances]) if chosen else torch.ones(1)
        thresholds.append(surest.quantile(ABSENT_SHARE).clamp(min=MIN_PROBABILITY).log())
    return torch.stack(thresholds)
