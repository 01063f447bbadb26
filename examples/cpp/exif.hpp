// Find the orientation in the EXIF segment of a JPEG file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace reid {

class ExifReader {
public:
    ExifReader(const unsigned char* data, std::size_t size) : data_(data), size_(size) {}

    // The value of the tag "Orientation"; 1, upright, where it is missing or damaged.
    int orientation() const {
        if (size_ < 8 || std::memcmp(data_, little() ? "II" : "MM", 2) != 0 || number(2, 2) != 42) {
            return 1;
        }
        const std::size_t directory = number(4, 4), entries = number(directory, 2);
        for (std::size_t i = 0; i < entries; ++i) {
            const std::size_t entry = directory + 2 + 12 * i;
            if (number(entry, 2) == 0x0112) {  // a 16-bit number; OpenCV doesn't ask for its type
                const std::size_t value = number(entry + 8, 2);
                return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
            }
        }
        return 1;
    }

private:
    const unsigned char* data_;
    std::size_t size_;

    bool little() const { return data_[0] == 'I'; }

    // The unsigned number of some bytes; 0 behind the end.
    std::size_t number(std::size_t position, std::size_t bytes) const {
        if (position > size_ || bytes > size_ - position) {
            return 0;
        }
        std::size_t result = 0;
        for (std::size_t i = 0; i < bytes; ++i) {
            const std::size_t byte = data_[position + (little() ? bytes - 1 - i : i)];
            result = result << 8 | byte;
        }
        return result;
    }
};

}  // namespace reid
