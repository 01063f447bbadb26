// The three files of a run. They appear together at its end, or not at all.
#pragma once

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "error.hpp"
#include "npy.hpp"

namespace reid {

class Output {
public:
    Output(const std::filesystem::path& folder, std::size_t columns, const std::string& record)
        : folder_(make(folder)), rows_(hidden("embeddings.npy"), columns), names_(hidden("names.txt")) {
        std::ofstream model(hidden("model.json"));
        model << record << '\n';
        check(model.flush(), "model.json");
    }
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;
    ~Output() {
        for (const char* name : files) {
            std::error_code ignored;  // moved already, or a run that failed
            std::filesystem::remove(hidden(name), ignored);
        }
    }

    void add(const std::string& name, const float* row) {
        rows_.add(row);
        names_ << name << '\n';
        check(names_, "names.txt");
    }
    void finish() {
        rows_.finish();
        names_.close();
        check(names_, "names.txt");
        for (const char* name : files) {
            std::filesystem::rename(hidden(name), folder_ / name);
        }
    }

private:
    static constexpr std::array<const char*, 3> files{"model.json", "names.txt", "embeddings.npy"};

    std::filesystem::path folder_;
    NpyWriter rows_;
    std::ofstream names_;

    static std::filesystem::path make(const std::filesystem::path& folder) {
        std::error_code failed;
        std::filesystem::create_directories(folder, failed);
        if (!std::filesystem::is_directory(folder)) {
            throw Error(folder.string() + " can't be made: " + failed.message());
        }
        return folder;
    }
    std::filesystem::path hidden(const std::string& name) const { return folder_ / ("." + name + ".part"); }
    void check(const std::ostream& file, const std::string& name) const {
        if (!file) {
            throw Error((folder_ / name).string() + " can't be written");
        }
    }
};

}  // namespace reid
