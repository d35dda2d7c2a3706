"""Every model that has a name here: what it is for, what it weighs, whose licence it has, and where it lies.

A model of transformers' classes that is not named here works as well, by its name on Hugging Face or by a folder. Sizes
are those of the weights that are downloaded; of Hugging Face's, where nothing else is known, four bytes a parameter.
"""

from __future__ import annotations

from dataclasses import dataclass

APACHE, MIT, CC_BY_NC = "Apache-2.0", "MIT", "CC-BY-NC-4.0"
SAM_FOLDER = "https://dl.fbaipublicfiles.com/segment_anything"
SAM2_FOLDER = "https://dl.fbaipublicfiles.com/segment_anything_2/092824"
MOBILE_SAM_FOLDER = "https://github.com/ChaoningZhang/MobileSAM/raw/master/weights"

SEGMENTER, DEPTH, DETECTOR = "segmenter", "depth", "detector"


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """An official checkpoint that lies on a server of its own.

    Attributes:
        name: Of the file, here and there.
        folder: The address that it lies under.
        sha256: Its checksum, 64 hexadecimal digits.
    """

    name: str
    folder: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One model, as people are told of it.

    Attributes:
        kind: `SEGMENTER`, `DEPTH` or `DETECTOR`.
        size_bytes: Of its weights [bytes].
        licence: Of its weights.
        good_for: In a few words.
        file: Where its weights lie; None where Hugging Face has them under the model's name.
        gated: Whether Hugging Face gives them only to who is logged in and has accepted the licence.
        tracks: Name of the `tracking.method` that it can follow objects with by its own memory; empty where it cannot.
    """

    kind: str
    size_bytes: int
    licence: str
    good_for: str
    file: WeightsFile | None = None
    gated: bool = False
    tracks: str = ""


def _sam(size_bytes: int, good_for: str, name: str, sha256: str) -> ModelCard:
    return ModelCard(SEGMENTER, size_bytes, APACHE, good_for, WeightsFile(name, SAM_FOLDER, sha256))


def _sam2(size_bytes: int, good_for: str, name: str, sha256: str) -> ModelCard:
    return ModelCard(SEGMENTER, size_bytes, APACHE, good_for, WeightsFile(name, SAM2_FOLDER, sha256), tracks="sam2")


def _video(size_bytes: int, tracks: str, good_for: str) -> ModelCard:
    return ModelCard(SEGMENTER, size_bytes, APACHE, good_for, tracks=tracks)


CATALOG: dict[str, ModelCard] = {
    "vit_b": _sam(
        375_042_383,
        "SAM, the smallest",
        "sam_vit_b_01ec64.pth",
        "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
    ),
    "vit_l": _sam(
        1_249_524_607,
        "SAM, in between",
        "sam_vit_l_0b3195.pth",
        "3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622",
    ),
    "vit_h": _sam(
        2_564_550_879,
        "SAM, the strongest",
        "sam_vit_h_4b8939.pth",
        "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e",
    ),
    "vit_t": ModelCard(
        SEGMENTER,
        40_728_226,
        APACHE,
        "MobileSAM: SAM on a CPU",
        WeightsFile(
            "mobile_sam.pt", MOBILE_SAM_FOLDER, "6dbb90523a35330fedd7f1d3dfc66f995213d81b29a5ca8108dbcdd4e37d6c2f"
        ),
    ),
    "facebook/sam2.1-hiera-tiny": _video(155_900_000, "sam2", "video, on a CPU with patience"),
    "facebook/sam2.1-hiera-small": _video(184_300_000, "sam2", "video, on a GPU"),
    "facebook/sam2.1-hiera-base-plus": _video(323_500_000, "sam2", "video, on a GPU"),
    "facebook/sam2.1-hiera-large": _video(897_900_000, "sam2", "video, the strongest SAM 2"),
    "sam2.1_hiera_tiny.pt": _sam2(
        156_008_466,
        "the same, Meta's own file",
        "sam2.1_hiera_tiny.pt",
        "7402e0d864fa82708a20fbd15bc84245c2f26dff0eb43a4b5b93452deb34be69",
    ),
    "sam2.1_hiera_small.pt": _sam2(
        184_416_285,
        "the same, Meta's own file",
        "sam2.1_hiera_small.pt",
        "6d1aa6f30de5c92224f8172114de081d104bbd23dd9dc5c58996f0cad5dc4d38",
    ),
    "sam2.1_hiera_base_plus.pt": _sam2(
        323_606_802,
        "the same, Meta's own file",
        "sam2.1_hiera_base_plus.pt",
        "a2345aede8715ab1d5d31b4a509fb160c5a4af1970f199d9054ccfb746c004c5",
    ),
    "sam2.1_hiera_large.pt": _sam2(
        898_083_611,
        "the same, Meta's own file",
        "sam2.1_hiera_large.pt",
        "2647878d5dfa5098f2f8649825738a9345572bae2d4350a2468587ece47dd318",
    ),
    "yonigozlan/EdgeTAM-hf": _video(55_700_000, "edgetam", "video, the lightest"),
    "facebook/sam3": ModelCard(
        SEGMENTER, 3_440_000_000, "SAM License", "video, on a large GPU", gated=True, tracks="sam3"
    ),
    "syscv-community/sam-hq-vit-base": ModelCard(SEGMENTER, 379_000_000, APACHE, "thin things, sharp outlines"),
    "IDEA-Research/grounding-dino-tiny": ModelCard(DETECTOR, 689_000_000, APACHE, "boxes for any words"),
    "openmmlab-community/mm_grounding_dino_tiny_o365v1_goldg_v3det": ModelCard(
        DETECTOR, 691_000_000, APACHE, "boxes for any words, trained on more"
    ),
    "google/owlv2-base-patch16-ensemble": ModelCard(DETECTOR, 620_000_000, APACHE, "boxes, many words at once"),
    "omlab/omdet-turbo-swin-tiny-hf": ModelCard(DETECTOR, 461_000_000, APACHE, "boxes, the quickest"),
    "CIDAS/clipseg-rd64-refined": ModelCard(DETECTOR, 603_000_000, APACHE, "rough masks for any words"),
    "Intel/dpt-hybrid-midas": ModelCard(DEPTH, 490_000_000, APACHE, "relative, a balance"),
    "Intel/dpt-large": ModelCard(DEPTH, 1_370_000_000, APACHE, "relative, strong"),
    "depth-anything/Depth-Anything-V2-Small-hf": ModelCard(DEPTH, 99_200_000, APACHE, "relative, sharp, on a CPU"),
    "depth-anything/Depth-Anything-V2-Base-hf": ModelCard(DEPTH, 390_000_000, CC_BY_NC, "relative, sharp, on a GPU"),
    "depth-anything/Depth-Anything-V2-Large-hf": ModelCard(DEPTH, 1_340_000_000, CC_BY_NC, "relative, the sharpest"),
    "depth-anything/Depth-Anything-V2-Metric-Indoor-Small-hf": ModelCard(
        DEPTH, 99_200_000, APACHE, "meters, indoors, to 20 m"
    ),
    "depth-anything/Depth-Anything-V2-Metric-Outdoor-Small-hf": ModelCard(
        DEPTH, 99_200_000, APACHE, "meters, on roads, to 80 m"
    ),
    "apple/DepthPro-hf": ModelCard(DEPTH, 3_810_000_000, "Apple AMLR", "meters, any camera, sharp, slow"),
    "Intel/zoedepth-nyu-kitti": ModelCard(DEPTH, 1_380_000_000, MIT, "meters, indoors and on roads"),
    "vinvino02/glpn-nyu": ModelCard(DEPTH, 245_000_000, APACHE, "meters, indoors"),
    "vinvino02/glpn-kitti": ModelCard(DEPTH, 245_000_000, APACHE, "meters, on roads"),
}


def file_models() -> dict[str, WeightsFile]:
    """The models whose weights lie on a server of their own, by name."""
    return {name: card.file for name, card in CATALOG.items() if card.file is not None}


def names_of(kind: str) -> list[str]:
    """The models of one kind."""
    return [name for name, card in CATALOG.items() if card.kind == kind]


def official_name(name: str) -> str:
    """The name of a model that may have been called by its checkpoint's file name, ``sam_vit_b_01ec64.pth``."""
    return next((known for known, file in file_models().items() if file.name == name), name)
