"""MobileNetV2 with PyTorch alone, its weights named as in an early torchvision; an oracle."""

from torch import nn

STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1))
STAGES += ((6, 160, 3, 2), (6, 320, 1, 1))  # expansion, channels, blocks, stride


def rounded(channels):
    """To a multiple of eight, at most a tenth less."""
    near = max(8, int(channels + 4) // 8 * 8)
    return near + 8 if near < 0.9 * channels else near


def unit(inputs, outputs, kernel, stride=1, groups=1, relu=True):
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(outputs), *([nn.ReLU6()] if relu else [])]


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride, expansion):
        super().__init__()
        hidden = inputs * expansion
        widen = unit(inputs, hidden, 1) if expansion > 1 else []
        depthwise = unit(hidden, hidden, 3, stride, hidden)
        self.conv = nn.Sequential(*widen, *depthwise, *unit(hidden, outputs, 1, relu=False))
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.conv(x) if self.shortcut else self.conv(x)


class EarlyMobileNetV2(nn.Module):
    """The maps after the last 1 x 1 convolution."""

    def __init__(self, width=1.0):
        super().__init__()
        channels = rounded(32 * width)
        parts = [nn.Sequential(*unit(3, channels, 3, 2))]
        for expansion, outputs, blocks, stride in STAGES:
            for number in range(blocks):
                inputs, channels = channels, rounded(outputs * width)
                parts.append(Block(inputs, channels, stride if number == 0 else 1, expansion))
        last = rounded(1280 * max(1.0, width))
        self.features = nn.Sequential(*parts, nn.Sequential(*unit(channels, last, 1)))

    def forward(self, x):
        return self.features(x)
