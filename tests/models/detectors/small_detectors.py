"""Folders with detectors of transformers' real classes: small, with random weights and a vocabulary of some words."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from transformers import (
    BertTokenizer,
    CLIPSegConfig,
    CLIPSegForImageSegmentation,
    CLIPSegProcessor,
    CLIPTokenizer,
    GroundingDinoConfig,
    GroundingDinoForObjectDetection,
    GroundingDinoImageProcessor,
    GroundingDinoProcessor,
    MMGroundingDinoConfig,
    MMGroundingDinoForObjectDetection,
    Owlv2Config,
    Owlv2ForObjectDetection,
    Owlv2ImageProcessor,
    Owlv2Processor,
    SwinConfig,
    ViTImageProcessor,
)

WORDS = ("a", "photo", "of", "red", "ball", "person", "dog", ".", ",", "detect")
TEXT = {"hidden_size": 32, "intermediate_size": 37, "num_hidden_layers": 1, "num_attention_heads": 4}


def save(folder: Path, model, processor) -> Path:
    torch.manual_seed(0)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def bert_tokenizer(folder: Path) -> BertTokenizer:
    path = folder / "vocab.txt"
    path.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]))
    return BertTokenizer(str(path))


def clip_tokenizer(folder: Path) -> CLIPTokenizer:
    letters = [*"abcdefghijklmnopqrstuvwxyz.,"]
    entries = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary, merges = folder / "vocab.json", folder / "merges.txt"
    vocabulary.write_text(json.dumps({entry: place for place, entry in enumerate(entries)}))
    merges.write_text("#version: 0.2\n")
    return CLIPTokenizer(str(vocabulary), str(merges), model_max_length=48)


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
