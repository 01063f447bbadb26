// One kind of error for everything that a user can put right: a sentence that names the place.
#pragma once

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace reid {

struct Error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// The bytes of a regular file. A pipe is refused: opening it would wait for a writer for ever.
inline std::vector<unsigned char> read_bytes(const std::filesystem::path& path) {
    std::error_code failed;
    if (!std::filesystem::is_regular_file(path, failed)) {
        throw Error(std::filesystem::exists(path, failed) ? "not a regular file" : "no such file");
    }
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        throw Error("the file can't be opened");
    }
    file.seekg(0, std::ios::end);
    const auto size = static_cast<std::streamoff>(file.tellg());
    std::vector<unsigned char> bytes(size > 0 ? static_cast<std::size_t>(size) : 0);
    file.seekg(0);
    if (!bytes.empty() && !file.read(reinterpret_cast<char*>(bytes.data()), size)) {
        throw Error("the file can't be read");
    }
    return bytes;
}

}  // namespace reid
