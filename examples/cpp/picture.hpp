// A picture in memory: rows of interleaved RGB, as bytes or as float32 in 0..255.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace reid {

constexpr double max_pixels = 100e6;  // of one picture, as in Python

template <typename Pixel>
struct Picture {
    int height = 0;
    int width = 0;
    std::vector<Pixel> pixels;  // height x width x 3, RGB

    Picture() = default;
    Picture(int rows, int columns)
        : height(rows), width(columns), pixels(static_cast<std::size_t>(rows) * columns * 3) {}

    Pixel* at(int row, int column) {
        return pixels.data() + (static_cast<std::size_t>(row) * width + column) * 3;
    }
    const Pixel* at(int row, int column) const {
        return pixels.data() + (static_cast<std::size_t>(row) * width + column) * 3;
    }
};

using Bytes = Picture<unsigned char>;
using Floats = Picture<float>;

inline Floats as_floats(const Bytes& bytes) {
    Floats result(bytes.height, bytes.width);
    std::copy(bytes.pixels.begin(), bytes.pixels.end(), result.pixels.begin());
    return result;
}

// Turn a picture upright. Orientation: the EXIF value, 1 to 8; 5 to 8 exchange width and height.
inline Bytes upright(Bytes picture, int orientation) {
    if (orientation <= 1 || orientation > 8) {
        return picture;
    }
    const bool swapped = orientation >= 5;
    // Where rows and columns of the stored picture are counted from: its far side or not.
    const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    const int height = picture.height, width = picture.width;
    Bytes result(swapped ? width : height, swapped ? height : width);
    for (int row = 0; row < result.height; ++row) {
        for (int column = 0; column < result.width; ++column) {
            int y = swapped ? column : row, x = swapped ? row : column;
            y = flip_y ? height - 1 - y : y;
            x = flip_x ? width - 1 - x : x;
            std::copy_n(picture.at(y, x), 3, result.at(row, column));
        }
    }
    return result;
}

}  // namespace reid
