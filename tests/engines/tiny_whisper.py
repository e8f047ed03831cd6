"""A Whisper of random weights that CTranslate2 and faster-whisper load like any other: written with numpy alone."""

import json
from pathlib import Path

import numpy as np
from ctranslate2.specs import whisper_spec
from ctranslate2.specs.model_spec import LayerSpec
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

WIDTH, HEADS, MELS, FRAMES, MAX_TOKENS = 32, 2, 80, 1500, 448
LETTERS = [*"abcdefghijklmnopqrstuvwxyz", "-", "'", " "]
SPECIAL = [
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
    "<|0.00|>",
]
VOCABULARY = ["<unk>", *LETTERS, *SPECIAL]


def write_tiny_whisper(folder: Path, seed: int = 0) -> Path:
    """An English-only model (so small a vocabulary says so) that answers any sound with letters."""
    folder.mkdir()
    random = np.random.default_rng(seed)
    spec = whisper_spec.WhisperSpec(1, HEADS, 1, HEADS)
    _fill(spec, random)
    spec.register_vocabulary(VOCABULARY)
    spec.config.suppress_ids = [VOCABULARY.index(" ")]
    # As in every Whisper, a text does not begin with its end.
    spec.config.suppress_ids_begin = [VOCABULARY.index(" "), VOCABULARY.index("<|endoftext|>")]
    spec.config.lang_ids = []
    spec.config.alignment_heads = [(0, 0)]
    spec.validate()
    spec.optimize()
    spec.save(str(folder))
    _tokenizer().save(str(folder / "tokenizer.json"))
    (folder / "preprocessor_config.json").write_text(json.dumps({"feature_size": MELS}))
    return folder


def _fill(spec: LayerSpec, random: np.random.Generator) -> None:
    shapes = {
        "encoder/conv1/weight": (WIDTH, MELS, 3),
        "encoder/conv2/weight": (WIDTH, WIDTH, 3),
        "decoder/embeddings/weight": (len(VOCABULARY), WIDTH),
        "decoder/projection/weight": (len(VOCABULARY), WIDTH),
    }

    def shape_of(name: str) -> tuple[int, ...]:
        if name in shapes:
            return shapes[name]
        if name.endswith(("gamma", "beta")) or "/conv" in name:
            return (WIDTH,)
        wide = WIDTH * 4
        if "linear_0/weight" in name:
            rows = WIDTH if "/attention/" in name else wide if "/ffn/" in name else WIDTH * 3
            return (rows, WIDTH)
        if "/attention/linear_1/weight" in name:
            return (WIDTH * 2, WIDTH)
        return (WIDTH, wide) if "/ffn/" in name else (WIDTH, WIDTH)

    def visit(layer: LayerSpec, prefix: str) -> None:
        for name, value in list(vars(layer).items()):
            path = f"{prefix}{name}"
            for index, each in enumerate(value if isinstance(value, list) else []):
                visit(each, f"{path}_{index}/")
            if isinstance(value, LayerSpec):
                visit(value, f"{path}/")
            elif value is None and not name.startswith("_"):
                setattr(layer, name, _weights(path, shape_of(path), random))

    for layer, length in ((spec.encoder, FRAMES), (spec.decoder, MAX_TOKENS)):
        layer.position_encodings.encodings = random.normal(0, 0.1, (length, WIDTH)).astype(np.float32)
    # Silence shall say nothing, or it outweighs the second of sound in a window of thirty.
    spec.encoder.position_encodings.encodings[:] = 0
    visit(spec.encoder, "encoder/")
    visit(spec.decoder, "decoder/")


def _weights(path: str, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    if path.endswith("gamma"):
        return np.ones(shape, np.float32)
    if path.endswith(("beta", "bias")):
        return np.zeros(shape, np.float32)
    # What was heard has to weigh more than what was said last, or every sound gives the same letters.
    loudness = 4.0 if "/attention/linear" in path else 0.3 if "embeddings" in path else 1.0
    return random.normal(0, loudness, shape).astype(np.float32)


def _tokenizer() -> Tokenizer:
    ids = {token: number for number, token in enumerate(VOCABULARY)}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    return tokenizer
