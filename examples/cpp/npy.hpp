// Write rows of float32 as NumPy's .npy file, row by row: the number of rows is known at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "error.hpp"

namespace reid {

class NpyWriter {
public:
    NpyWriter(const std::filesystem::path& path, std::size_t columns)
        : path_(path), columns_(columns), file_(path, std::ios::binary | std::ios::trunc) {
        const std::uint16_t one = 1;
        unsigned char first = 0;
        std::memcpy(&first, &one, 1);
        if (first != 1) {
            throw Error("this machine stores numbers big end first; the .npy writer doesn't");
        }
        write_header();
    }
    void add(const float* row) {
        file_.write(reinterpret_cast<const char*>(row),
                    static_cast<std::streamsize>(columns_ * sizeof(float)));
        ++rows_;
        check();
    }
    void finish() {
        file_.seekp(0);
        write_header();
        file_.close();
        check();
    }

private:
    static constexpr std::size_t header_size = 128;  // a multiple of 64, as NumPy's format asks

    std::filesystem::path path_;
    std::size_t columns_;
    std::size_t rows_ = 0;
    std::ofstream file_;

    void write_header() {
        std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (" +
                           std::to_string(rows_) + ", " + std::to_string(columns_) + "), }";
        constexpr std::size_t before = 10;  // magic, version and the length of the text
        text.resize(header_size - before - 1, ' ');
        text += '\n';
        const char start[before + 1] = "\x93NUMPY\x01\x00\x76\x00";  // 0x76 = 128 - 10
        file_.write(start, before);
        file_.write(text.data(), static_cast<std::streamsize>(text.size()));
        check();
    }
    void check() const {
        if (!file_) {
            throw Error(path_.string() + " can't be written: is the disk full?");
        }
    }
};

}  // namespace reid
