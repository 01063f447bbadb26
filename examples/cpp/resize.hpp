// Resize in float32 as cv2.resize does: pixel centres at halves, borders repeated, no antialiasing.
//
// In Python: cv2.resize(image.astype(numpy.float32), (width, height), interpolation=...). Resizing
// of 8-bit pixels would round, and the embeddings would differ by up to 6e-3.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "error.hpp"
#include "picture.hpp"

namespace reid {

enum class Filter { nearest, bilinear, bicubic };

inline Filter filter_of(const std::string& name) {
    if (name == "nearest") return Filter::nearest;
    if (name == "bilinear") return Filter::bilinear;
    if (name == "bicubic") return Filter::bicubic;
    throw Error("this program has no interpolation \"" + name + "\", only nearest, bilinear and bicubic");
}

// Which source pixels one target pixel is made of, and by which weights.
struct Tap {
    std::array<int, 4> index{};
    std::array<float, 4> weight{};
};

inline std::array<float, 4> cubic_weights(float x) {
    constexpr float a = -0.75f;
    std::array<float, 4> w{};
    w[0] = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a;
    w[1] = ((a + 2) * x - (a + 3)) * x * x + 1;
    w[2] = ((a + 2) * (1 - x) - (a + 3)) * (1 - x) * (1 - x) + 1;
    w[3] = 1 - w[0] - w[1] - w[2];
    return w;
}

inline std::vector<Tap> taps(int source, int target, Filter filter) {
    std::vector<Tap> result(static_cast<std::size_t>(target));
    const double scale = static_cast<double>(source) / target;
    for (int i = 0; i < target; ++i) {
        Tap& tap = result[static_cast<std::size_t>(i)];
        if (filter == Filter::nearest) {
            tap.index.fill(std::min(static_cast<int>(std::floor(i * scale)), source - 1));
            tap.weight = {1, 0, 0, 0};
            continue;
        }
        const float place = static_cast<float>((i + 0.5) * scale - 0.5);
        const int first = static_cast<int>(std::floor(place));
        const float part = place - static_cast<float>(first);
        tap.weight = filter == Filter::bicubic ? cubic_weights(part)
                                               : std::array<float, 4>{0, 1 - part, part, 0};
        for (int k = 0; k < 4; ++k) {
            tap.index[static_cast<std::size_t>(k)] = std::clamp(first - 1 + k, 0, source - 1);
        }
    }
    return result;
}

inline float weigh(const Tap& tap, float a, float b, float c, float d) {
    return a * tap.weight[0] + b * tap.weight[1] + c * tap.weight[2] + d * tap.weight[3];
}

inline Floats resize(const Floats& source, int height, int width, Filter filter) {
    if (source.height == height && source.width == width) {
        return source;
    }
    const std::vector<Tap> across = taps(source.width, width, filter);
    const std::vector<Tap> down = taps(source.height, height, filter);
    Floats wide(source.height, width), result(height, width);
    for (int row = 0; row < source.height; ++row) {
        for (int column = 0; column < width; ++column) {
            const Tap& tap = across[static_cast<std::size_t>(column)];
            for (int c = 0; c < 3; ++c) {
                wide.at(row, column)[c] =
                    weigh(tap, source.at(row, tap.index[0])[c], source.at(row, tap.index[1])[c],
                          source.at(row, tap.index[2])[c], source.at(row, tap.index[3])[c]);
            }
        }
    }
    for (int row = 0; row < height; ++row) {
        const Tap& tap = down[static_cast<std::size_t>(row)];
        const float* rows[4];
        for (int k = 0; k < 4; ++k) {
            rows[k] = wide.at(tap.index[static_cast<std::size_t>(k)], 0);
        }
        float* target = result.at(row, 0);
        for (int i = 0; i < width * 3; ++i) {
            target[i] = weigh(tap, rows[0][i], rows[1][i], rows[2][i], rows[3][i]);
        }
    }
    return result;
}

}  // namespace reid
