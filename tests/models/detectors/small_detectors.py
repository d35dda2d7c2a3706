"""Folders with detectors of transformers' real classes: small, with random weights and a vocabulary of some words."""

from __future__ import annotations

import json
from pathlib import Path

from transformers import (
    BertTokenizer,
    CLIPSegConfig,
    CLIPSegForImageSegmentation,
    CLIPSegProcessor,
    CLIPTokenizer,
    DetrImageProcessor,
    GroundingDinoConfig,
    GroundingDinoForObjectDetection,
    GroundingDinoImageProcessor,
    GroundingDinoProcessor,
    MMGroundingDinoConfig,
    MMGroundingDinoForObjectDetection,
    OmDetTurboConfig,
    OmDetTurboForObjectDetection,
    OmDetTurboProcessor,
    Owlv2Config,
    Owlv2ForObjectDetection,
    Owlv2ImageProcessor,
    Owlv2Processor,
    Sam3Config,
    Sam3ImageProcessor,
    Sam3Model,
    Sam3Processor,
    SwinConfig,
    ViTImageProcessor,
)

WORDS = ("a", "photo", "of", "red", "ball", "person", "dog", ".", ",", "detect")
TEXT = {"hidden_size": 32, "intermediate_size": 37, "num_hidden_layers": 1, "num_attention_heads": 4}


def save(folder: Path, model, processor) -> Path:
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def bert_tokenizer(folder: Path) -> BertTokenizer:
    path = folder / "vocab.txt"
    path.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]))
    return BertTokenizer(str(path))


def clip_tokenizer(folder: Path, length: int = 48) -> CLIPTokenizer:
    letters = [*"abcdefghijklmnopqrstuvwxyz.,"]
    entries = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary, merges = folder / "vocab.json", folder / "merges.txt"
    vocabulary.write_text(json.dumps({entry: place for place, entry in enumerate(entries)}))
    merges.write_text("#version: 0.2\n")
    return CLIPTokenizer(str(vocabulary), str(merges), model_max_length=length)


def clip_text(tokenizer: CLIPTokenizer) -> dict:
    special = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    return {**TEXT, **special, "vocab_size": len(tokenizer), "max_position_embeddings": 48, "pad_token_id": 0}


def grounding_dino(folder: Path, multimodal: bool = False) -> Path:
    config, network = (
        (MMGroundingDinoConfig, MMGroundingDinoForObjectDetection)
        if multimodal
        else (GroundingDinoConfig, GroundingDinoForObjectDetection)
    )
    tokenizer = bert_tokenizer(folder)
    backbone = SwinConfig(
        window_size=7, embed_dim=12, depths=[1, 1, 1, 1], num_heads=[1, 1, 1, 1], image_size=64,
        out_features=["stage2", "stage3", "stage4"], out_indices=[2, 3, 4],
    )  # fmt: skip
    sizes = dict.fromkeys(("d_model", "encoder_ffn_dim", "decoder_ffn_dim", "num_queries"), 32)
    model = network(
        config(
            backbone_config=backbone, text_config={"model_type": "bert", **TEXT, "vocab_size": len(tokenizer)},
            encoder_layers=1, decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=4, **sizes,
        )
    )  # fmt: skip
    images = GroundingDinoImageProcessor(size={"shortest_edge": 64, "longest_edge": 96})
    return save(folder, model, GroundingDinoProcessor(images, tokenizer))


def mm_grounding_dino(folder: Path) -> Path:
    return grounding_dino(folder, multimodal=True)


def owlv2(folder: Path) -> Path:
    tokenizer = clip_tokenizer(folder)
    vision = {**TEXT, "image_size": 64, "patch_size": 16}
    model = Owlv2ForObjectDetection(
        Owlv2Config(text_config=clip_text(tokenizer), vision_config=vision, projection_dim=32)
    )
    images = Owlv2ImageProcessor(size={"height": 64, "width": 64})
    return save(folder, model, Owlv2Processor(images, tokenizer))


def clipseg(folder: Path) -> Path:
    tokenizer = clip_tokenizer(folder)
    vision = {**TEXT, "num_hidden_layers": 2, "image_size": 64, "patch_size": 16}
    model = CLIPSegForImageSegmentation(
        CLIPSegConfig(
            text_config=clip_text(tokenizer), vision_config=vision, projection_dim=16, reduce_dim=16,
            extract_layers=[0, 1], decoder_num_attention_heads=4, decoder_intermediate_size=32, conditional_layer=0,
        )
    )  # fmt: skip
    images = ViTImageProcessor(size={"height": 64, "width": 64})
    return save(folder, model, CLIPSegProcessor(images, tokenizer))


def omdet_turbo(folder: Path) -> Path:
    tokenizer = clip_tokenizer(folder, length=77)
    backbone = SwinConfig(
        window_size=7, embed_dim=12, depths=[1, 1, 1, 1], num_heads=[1, 1, 1, 1], image_size=64,
        out_features=["stage2", "stage3", "stage4"], out_indices=[2, 3, 4],
    )  # fmt: skip
    words = dict.fromkeys(("text_projection_in_dim", "text_projection_out_dim", "class_embed_dim"), 32)
    sizes = {
        "encoder_hidden_dim": 16, "encoder_dim_feedforward": 32, "encoder_attention_heads": 2,
        "decoder_hidden_dim": 16, "decoder_dim_feedforward": 32, "decoder_num_heads": 2, "decoder_num_layers": 1,
        "num_queries": 16, "task_encoder_hidden_dim": 32, "vision_features_channels": [16, 16, 16],
    }  # fmt: skip
    text = {
        **clip_text(tokenizer),
        "max_position_embeddings": 77,
        "model_type": "clip_text_model",
        "projection_dim": 32,
    }
    config = OmDetTurboConfig(
        backbone_config=backbone, text_config=text, image_size=64, encoder_in_channels=[24, 48, 96],
        apply_layernorm_after_vision_backbone=False, **words, **sizes,
    )  # fmt: skip
    images = DetrImageProcessor(size={"height": 64, "width": 64}, do_pad=False)
    return save(folder, OmDetTurboForObjectDetection(config), OmDetTurboProcessor(images, tokenizer))


def sam3(folder: Path) -> Path:
    tokenizer = clip_tokenizer(folder, length=32)
    part = {"hidden_size": 32, "intermediate_size": 32, "num_attention_heads": 2}
    backbone = {**part, "num_hidden_layers": 1, "image_size": 112, "pretrain_image_size": 56, "window_size": 4}
    config = Sam3Config(
        vision_config={
            "backbone_config": {"model_type": "sam3_vit_model", "global_attn_indexes": [0], **backbone},
            "fpn_hidden_size": 32, "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
        },
        text_config={**clip_text(tokenizer), "max_position_embeddings": 32, "projection_dim": 32},
        geometry_encoder_config={**part, "num_layers": 1},
        detr_encoder_config={**part, "num_layers": 1},
        detr_decoder_config={**part, "num_layers": 1, "num_queries": 6},
        mask_decoder_config={"hidden_size": 32, "num_attention_heads": 2},
    )  # fmt: skip
    images = Sam3ImageProcessor(size={"height": 112, "width": 112}, mask_size={"height": 32, "width": 32})
    model = Sam3Model(config)
    for parameter in model.mask_decoder.parameters():
        parameter.data *= 10  # as drawn, they give logits near 0, which bfloat16 rounds to no mask at all
    return save(folder, model, Sam3Processor(images, tokenizer))
