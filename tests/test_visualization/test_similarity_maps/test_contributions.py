"""Contributions of places, against answers that are known."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers.small_vit import vit

from mmreid_ext.errors import UserError
from mmreid_ext.visualization.similarity_maps import similarity_maps


def test_a_linear_network_by_hand(linear_network, pair):
    """The sum over pixels of pixel @ weights @ unit vector, one pixel at a time."""
    first, second = (image[:, :, :4, :3].float() for image in pair)
    found = similarity_maps(linear_network, first, second)
    filters = linear_network.backbone.weight.detach().double().numpy()[:, :, 0, 0]
    weight, bias = (v.detach().double().numpy() for v in linear_network.head.parameters())
    images = [image[0].double().numpy() for image in (first, second)]
    z = [weight @ (filters @ image.reshape(3, -1)).mean(1) + bias for image in images]
    lengths = [np.linalg.norm(one) for one in z]
    maps = (found.first, found.second)
    for one, other in ((0, 1), (1, 0)):
        unit = z[other] / lengths[other]
        expected = np.zeros((4, 3))
        for row in range(4):
            for column in range(3):
                pixel = weight @ (filters @ images[one][:, row, column]) / 12
                expected[row, column] = pixel @ unit / lengths[one]
        np.testing.assert_allclose(maps[one], expected, atol=1e-6)  # computed in float32
        assert found.rests[one] == pytest.approx(bias @ unit / lengths[one], abs=1e-6)
    assert found.similarity == pytest.approx(z[0] @ z[1] / lengths[0] / lengths[1], abs=1e-6)


def test_what_one_pixel_shows_stands_at_that_pixel(linear_network):
    image = torch.zeros(1, 3, 4, 3)
    image[0, :, 2, 1] = torch.tensor([1.0, -2.0, 3.0])
    with torch.no_grad():
        linear_network.head.linear.bias.zero_()
    found = similarity_maps(linear_network, image)
    expected = np.zeros((4, 3))
    expected[2, 1] = 1
    np.testing.assert_allclose(found.first, expected, atol=1e-6)
    assert found.rests == pytest.approx((0, 0), abs=1e-6)


def test_what_no_place_adds_is_the_embedding_of_nothing(resnet, pair):
    """BNNeck is affine: places and the embedding of an empty map sum up to the similarity."""
    found = similarity_maps(resnet, *pair)
    assert found.first.shape == (2, 1) == found.second.shape
    with torch.no_grad():
        z = [resnet.head(resnet.pool(image)).embeddings for image in pair]
        nothing = resnet.head(torch.zeros(1, 16, dtype=torch.float64)).embeddings
        similarity = float((F.normalize(z[0]) * F.normalize(z[1])).sum())
        rest = float((nothing * F.normalize(z[1])).sum() / z[0].norm())
    assert found.similarity == pytest.approx(similarity, abs=1e-6)
    assert found.rests[0] == pytest.approx(rest, abs=1e-6)
    assert abs(rest) > 0.01, "else the test is about nothing"


def test_an_earlier_layer_is_the_derivative_along_its_map(resnet, pair):
    found = similarity_maps(resnet, *pair, layer="backbone.layer1")
    assert found.first.shape == (4, 2)
    step, values = 1e-5, []
    with torch.no_grad():
        z = [resnet.head(resnet.pool(image)).embeddings for image in pair]
        for factor in (1 - step, 1 + step):
            handle = resnet.backbone.layer1.register_forward_hook(
                lambda module, args, output, factor=factor: factor * output
            )
            scaled = resnet.head(resnet.pool(pair[0])).embeddings
            handle.remove()
            values.append(float((scaled * F.normalize(z[1])).sum() / z[0].norm()))
    # Embeddings are float32 from the head on, in the map but not in the difference.
    assert found.first.sum() == pytest.approx((values[1] - values[0]) / (2 * step), abs=1e-5)


def test_tokens_of_a_transformer_lie_as_its_patches():
    model = vit()
    generator = torch.Generator().manual_seed(3)
    images = [torch.randn(1, 3, 64, 32, generator=generator) for _ in range(2)]
    found = similarity_maps(model, *images)
    assert found.first.shape == (8, 4) and np.ptp(found.first) > 0
    with torch.no_grad():
        similarity = float((model.embed(images[0]) * model.embed(images[1])).sum())
    assert found.similarity == pytest.approx(similarity, abs=1e-5)


def test_a_network_is_as_before(resnet, pair):
    before = {name: value.clone() for name, value in resnet.state_dict().items()}
    similarity_maps(resnet, *pair)
    assert all(torch.equal(before[name], value) for name, value in resnet.state_dict().items())
    assert not resnet.neck._forward_pre_hooks and pair[0].grad is None
    assert all(weight.grad is None for weight in resnet.parameters())


def test_what_cannot_be_traced_is_one_line(resnet, pair, linear_network):
    with pytest.raises(UserError, match="layer='backbone.leyer1' .did you mean 'backbone.layer1'"):
        similarity_maps(resnet, *pair, layer="backbone.leyer1")
    with pytest.raises(UserError, match=r"puts out \(1, 16\), must be a map"):
        similarity_maps(resnet, *pair, layer="neck")
    with pytest.raises(UserError, match="ran 0 times for an image"):
        similarity_maps(resnet, *pair, layer="head.losses.ce")
    linear_network.head.embed = lambda feats: -F.normalize(linear_network.head.linear(feats))
    with pytest.raises(UserError, match="AffineHead.embed isn't the normalised"):
        similarity_maps(linear_network, pair[0].float())
