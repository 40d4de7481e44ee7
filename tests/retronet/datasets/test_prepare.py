"""Preparations against torch, exact fractions and the papers' levels."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from retronet.datasets import load
from retronet.datasets.digits5k import FILE, read_sample
from retronet.datasets.prepare import (
    antialiased16,
    bipolar16,
    bipolar28,
    lenet5_32,
    standard28,
    unit28,
    unit32,
    usps_centred28,
    usps_values,
)


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    noise = np.random.default_rng(1).integers(0, 256, (20, 28, 28), np.uint8)
    extremes = np.stack([np.zeros((28, 28)), np.full((28, 28), 255)]).astype(np.uint8)
    return np.concatenate([read_sample(FILE)[0][::50], noise, extremes])


@pytest.mark.parametrize(("prepare", "antialias"), [(bipolar16, False), (antialiased16, True)])
def test_reductions_agree_with_torch(pixels: np.ndarray, prepare, antialias: bool) -> None:  # noqa: ANN001
    scaled = torch.from_numpy(pixels).to(torch.float64)[:, None] / 127.5 - 1
    expected = torch.nn.functional.interpolate(
        scaled, (16, 16), mode="bilinear", align_corners=False, antialias=antialias
    )

    result = prepare(pixels)

    assert result.dtype == np.float32
    # Half a unit in the last place of numbers up to 1.
    np.testing.assert_allclose(result, expected[:, 0].numpy(), rtol=0, atol=2**-24)


@pytest.mark.parametrize(("prepare", "reach"), [(bipolar16, Fraction(1)), (antialiased16, Fraction(7, 4))])
def test_reductions_are_the_exact_value_rounded_once(pixels: np.ndarray, prepare, reach: Fraction) -> None:  # noqa: ANN001
    def weights(place: int) -> dict[int, Fraction]:
        centre = (place + Fraction(1, 2)) * Fraction(28, 16) - Fraction(1, 2)
        found = {pixel: max(Fraction(0), reach - abs(pixel - centre)) for pixel in range(28)}
        return {pixel: weight / sum(found.values()) for pixel, weight in found.items() if weight}

    result = prepare(pixels)

    for row in (0, 5, 15):
        for column in (0, 8, 15):
            for number in range(0, len(pixels), 7):
                exact = (
                    sum(
                        a * b * int(pixels[number, i, j])
                        for i, a in weights(row).items()
                        for j, b in weights(column).items()
                    )
                    / Fraction(255, 2)
                    - 1
                )
                assert Fraction(float(result[number, row, column])) == Fraction(float(np.float32(exact)))


def test_unit28_is_pixels_over_255(pixels: np.ndarray) -> None:
    np.testing.assert_array_equal(unit28(pixels), (pixels / 255).astype(np.float32))
    assert unit28(pixels).dtype == np.float32


def test_lenet5_input_has_the_papers_levels_and_border(pixels: np.ndarray) -> None:
    result = lenet5_32(pixels)

    assert result.shape == (len(pixels), 32, 32)
    inside = (pixels / 255 - 0.078) / 0.78
    np.testing.assert_allclose(result[:, 2:-2, 2:-2], inside, rtol=1e-7)
    assert result[:, :2].max() == result[:, :, -2:].max() == np.float32(-0.1)
    # PIEEE98 §II.B: background −0.1 and foreground 1.175, to its rounding.
    assert result.max() == pytest.approx(1.175, abs=0.01)


def test_lenet1_picture_lies_in_the_middle_of_its_background(pixels: np.ndarray) -> None:
    result = bipolar28(pixels)

    np.testing.assert_array_equal(result[:, 6:22, 6:22], bipolar16(pixels))
    frame = np.ones((28, 28), bool)
    frame[6:22, 6:22] = False
    assert (result[:, frame] == -1).all()
    places = np.arange(256, dtype=np.int16).reshape(1, 16, 16) * 7
    np.testing.assert_array_equal(usps_centred28(places)[:, 6:22, 6:22], usps_values(places))
    assert (usps_centred28(places)[:, frame] == -1).all()


def test_usps_values_are_the_nearest_to_the_thousandths() -> None:
    places = np.arange(2001, dtype=np.int16)

    expected = [np.float32(f"{(place - 1000) / 1000:.3f}") for place in range(2001)]

    np.testing.assert_array_equal(usps_values(places), np.array(expected))


def test_preparations_reach_the_loaded_set(data_dir: Path) -> None:
    digits = load("usps", "bipolar28", data_dir)

    assert digits.test.images.shape == (2007, 28, 28)
    assert digits.test.provenance.preparation == "bipolar28"
    assert load("digits5k").test.provenance.preparation == "bipolar16"


def test_the_forms_of_pytorch_s_example_are_those_of_torch(pixels: np.ndarray) -> None:
    """ToTensor and Normalize((0.1307,), (0.3081,)), rounded once; Pad(2) before ToTensor."""
    exact = (torch.from_numpy(pixels).to(torch.float64) / 255 - 0.1307) / 0.3081
    np.testing.assert_array_equal(standard28(pixels), exact.to(torch.float32).numpy())
    padded = torch.nn.functional.pad(torch.from_numpy(unit28(pixels)), (2, 2, 2, 2))
    np.testing.assert_array_equal(unit32(pixels), padded.numpy())
