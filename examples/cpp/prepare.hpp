// From a decoded picture to the numbers that the network takes.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "error.hpp"
#include "model_info.hpp"
#include "picture.hpp"
#include "resize.hpp"

namespace reid {

inline Floats center_crop(const Floats& source, int height, int width) {
    const int tall = std::min(height, source.height), wide = std::min(width, source.width);
    // As Python rounds: a half goes to the even number.
    const int top = static_cast<int>(std::nearbyint((source.height - tall) / 2.0));
    const int left = static_cast<int>(std::nearbyint((source.width - wide) / 2.0));
    Floats result(tall, wide);
    for (int row = 0; row < tall; ++row) {
        std::copy_n(source.at(top + row, left), static_cast<std::size_t>(wide) * 3, result.at(row, 0));
    }
    return result;
}

inline Floats resize_edge(const Floats& source, const Step& step) {
    const long long rows = source.height, columns = source.width;
    const bool wide = columns > rows;
    const bool by_width = step.edge == "width" || (step.edge == "short" && !wide) ||
                          (step.edge == "long" && wide);
    const long long other = by_width ? rows * step.size / columns : columns * step.size / rows;
    if (other < 1 || static_cast<double>(other) * step.size > max_pixels) {
        throw Error("it is too long and narrow for the model's step resize_edge");
    }
    const int length = static_cast<int>(other);
    return by_width ? resize(source, length, step.size, step.filter)
                    : resize(source, step.size, length, step.filter);
}

// Apply the steps. Picture: RGB in 0..255, and so is the result. Returns height x width of the input.
inline Floats apply_steps(Floats picture, const ModelInfo& info) {
    for (const Step& step : info.steps) {
        switch (step.type) {
            case Step::Type::resize:
                picture = resize(picture, step.height, step.width, step.filter);
                break;
            case Step::Type::resize_edge:
                picture = resize_edge(picture, step);
                break;
            case Step::Type::center_crop:
                picture = center_crop(picture, step.height, step.width);
                break;
        }
    }
    if (picture.height != info.height || picture.width != info.width) {
        throw Error("after the steps of the model it has " + std::to_string(picture.height) + " x " +
                    std::to_string(picture.width) + " pixels (height x width), must have " +
                    std::to_string(info.height) + " x " + std::to_string(info.width));
    }
    return picture;
}

// Write a picture as the network's input uint8 takes it: rows of RGB bytes.
inline void fill_bytes(const Floats& picture, unsigned char* target) {
    for (const float value : picture.pixels) {
        *target++ = static_cast<unsigned char>(std::nearbyint(value));
    }
}

// Write a picture as one plane per channel: normalized, or between 0 and 1.
inline void fill_planes(const Floats& picture, const ModelInfo& info, float* target) {
    const std::size_t plane = static_cast<std::size_t>(picture.height) * picture.width;
    for (std::size_t channel = 0; channel < 3; ++channel) {
        const float* from = picture.pixels.data() + (info.bgr ? 2 - channel : channel);
        const bool unit = info.kind == InputKind::rgb01;
        const float mean = unit ? 0.0f : info.mean[channel], std = unit ? 255.0f : info.std[channel];
        for (std::size_t i = 0; i < plane; ++i) {
            *target++ = (from[3 * i] - mean) / std;
        }
    }
}

}  // namespace reid
