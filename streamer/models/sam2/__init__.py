"""SAM 2 and its kin by transformers' classes: SAM 2.1, EdgeTAM, SAM 3's tracker, and SAM-HQ."""
