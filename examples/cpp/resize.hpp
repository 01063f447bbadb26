// Resize in float32 as cv2.resize does: pixel centres at halves, borders repeated, no antialiasing.
//
// In Python: cv2.resize(image.astype(numpy.float32), (width, height), interpolation=...).clip(0, 255).
// Resizing of 8-bit pixels would round, and the embeddings would differ by up to 6e-3.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "error.hpp"
#include "picture.hpp"

namespace reid {

enum class Filter { nearest, bilinear, bicubic, lanczos };

inline Filter filter_of(const std::string& name) {
    if (name == "nearest") return Filter::nearest;
    if (name == "bilinear") return Filter::bilinear;
    if (name == "bicubic") return Filter::bicubic;
    if (name == "lanczos") return Filter::lanczos;
    throw Error("this program has no interpolation \"" + name +
                "\", only nearest, bilinear, bicubic and lanczos");
}

// Which source pixels the target pixels of one row or column are made of, and by which weights.
struct Taps {
    std::size_t count = 1;  // per target pixel
    std::vector<int> index;
    std::vector<float> weight;
};

// Weights of 4 pixels for a place between the second and the third. Part: its distance from the second.
inline void cubic_weights(float part, float* w) {
    constexpr float a = -0.75f;
    const float x = part + 1, y = part, z = 1 - part;
    w[0] = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
    w[1] = ((a + 2) * y - (a + 3)) * y * y + 1;
    w[2] = ((a + 2) * z - (a + 3)) * z * z + 1;
    w[3] = 1 - w[0] - w[1] - w[2];
}

// Weights of 8 pixels for a place between the fourth and the fifth: sinc(t) sinc(t / 4), of sum 1.
inline void lanczos_weights(float part, float* w) {
    constexpr double quarter_pi = 0.78539816339744830962;
    if (part < 1e-6f) {
        std::fill_n(w, 8, 0.0f);
        w[3] = 1;
        return;
    }
    double sum = 0, weights[8];
    for (int i = 0; i < 8; ++i) {
        const double t = static_cast<double>(part) + 3 - i;  // |sin(pi t)| is alike for all eight
        weights[i] = (i % 2 == 0 ? 1 : -1) * std::sin(quarter_pi * t) / (t * t);
        sum += weights[i];
    }
    for (int i = 0; i < 8; ++i) {
        w[i] = static_cast<float>(weights[i] / sum);
    }
}

inline Taps make_taps(int source, int target, Filter filter) {
    Taps taps;
    taps.count = filter == Filter::nearest ? 1 : filter == Filter::bilinear ? 2 : filter == Filter::bicubic ? 4 : 8;
    taps.weight.resize(static_cast<std::size_t>(target) * taps.count, 1.0f);
    const double scale = static_cast<double>(source) / target;
    for (int i = 0; i < target; ++i) {
        float* weight = taps.weight.data() + static_cast<std::size_t>(i) * taps.count;
        const float place = static_cast<float>((i + 0.5) * scale - 0.5);
        const int left = static_cast<int>(std::floor(place));
        const float part = place - static_cast<float>(left);
        int first = left - static_cast<int>(taps.count) / 2 + 1;
        if (filter == Filter::nearest) {
            first = static_cast<int>(std::floor(i * scale));
        } else if (filter == Filter::bilinear) {
            weight[0] = 1 - part;
            weight[1] = part;
        } else if (filter == Filter::bicubic) {
            cubic_weights(part, weight);
        } else {
            lanczos_weights(part, weight);
        }
        for (int k = 0; k < static_cast<int>(taps.count); ++k) {
            taps.index.push_back(std::clamp(first + k, 0, source - 1));  // the border goes on
        }
    }
    return taps;
}

inline Floats resize_width(const Floats& source, int width, Filter filter) {
    const Taps taps = make_taps(source.width, width, filter);
    Floats result(source.height, width);
    for (int row = 0; row < source.height; ++row) {
        const float* from = source.at(row, 0);
        const int* index = taps.index.data();
        const float* weight = taps.weight.data();
        for (float* to = result.at(row, 0); to != result.at(row, 0) + 3 * width; to += 3) {
            float sum[3] = {0, 0, 0};
            for (std::size_t k = 0; k < taps.count; ++k, ++index, ++weight) {
                for (int c = 0; c < 3; ++c) {
                    sum[c] += *weight * from[3 * *index + c];
                }
            }
            std::copy_n(sum, 3, to);
        }
    }
    return result;
}

inline Floats resize_height(const Floats& source, int height, Filter filter) {
    const Taps taps = make_taps(source.height, height, filter);
    Floats result(height, source.width);
    std::size_t tap = 0;
    for (int row = 0; row < height; ++row) {
        float* to = result.at(row, 0);
        for (std::size_t k = 0; k < taps.count; ++k, ++tap) {
            const float weight = taps.weight[tap];
            const float* from = source.at(taps.index[tap], 0);
            for (int i = 0; i < source.width * 3; ++i) {
                to[i] += weight * from[i];
            }
        }
    }
    return result;
}

inline Floats resize(const Floats& source, int height, int width, Filter filter) {
    if (source.height == height && source.width == width) {
        return source;
    }
    Floats result = resize_height(resize_width(source, width, filter), height, filter);
    for (float& value : result.pixels) {
        value = std::clamp(value, 0.0f, 255.0f);  // bicubic and Lanczos overshoot at edges
    }
    return result;
}

}  // namespace reid
