// Embed the JPEG files of a folder with a model that mmreid_ext exported: see README.md.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "engine.hpp"
#include "error.hpp"
#include "jpeg.hpp"
#include "options.hpp"
#include "output.hpp"
#include "prepare.hpp"

namespace fs = std::filesystem;
using namespace reid;

namespace {

bool looks_like_picture(const std::string& name) {
    static const std::vector<std::string> suffixes{".jpg", ".jpeg", ".png",  ".bmp",  ".tif", ".tiff",
                                                   ".ppm", ".webp", ".avif", ".heic", ".heif"};
    std::string suffix = fs::path(name).extension().string();
    std::transform(suffix.begin(), suffix.end(), suffix.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return name[0] != '.' && std::find(suffixes.begin(), suffixes.end(), suffix) != suffixes.end();
}

// The pictures of a folder, not of its subfolders, by name; or the one file.
std::vector<fs::path> list_pictures(const fs::path& place) {
    if (!fs::exists(place)) {
        throw Error("there is no " + place.string());
    }
    if (!fs::is_directory(place)) {
        return {place};
    }
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(place)) {
        if (looks_like_picture(entry.path().filename().string())) {
            paths.push_back(entry.path());
        }
    }
    if (paths.empty()) {
        throw Error(place.string() + " holds no picture; subfolders aren't searched");
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

Floats prepare(const fs::path& path, const ModelInfo& info) {
    const std::string name = path.filename().string();
    if (name.find('\n') != std::string::npos) {
        throw Error("its name has a line break, which names.txt can't hold");
    }
    std::string warning;
    const Bytes picture = read_jpeg(path, warning);
    if (!warning.empty()) {
        std::cerr << "Warning: " << path.string() << " is damaged: " << warning << '\n';
    }
    return apply_steps(as_floats(picture), info);
}

void embed_batch(Engine& engine, std::vector<Floats>& pictures, std::vector<std::string>& names,
                 Output& output) {
    const std::vector<float> rows = engine.embed(pictures);
    const std::size_t size = static_cast<std::size_t>(engine.info().size);
    for (std::size_t i = 0; i < names.size(); ++i) {
        const float* row = rows.data() + i * size;
        if (!std::all_of(row, row + size, [](float value) { return std::isfinite(value); })) {
            throw Error("the embedding of " + names[i] + " isn't finite: the model is broken");
        }
        output.add(names[i], row);
    }
    pictures.clear();
    names.clear();
}

struct Counts {
    std::size_t embedded = 0;
    std::size_t skipped = 0;
};

Counts embed_all(Engine& engine, const Options& options, Output& output) {
    const std::size_t batch = static_cast<std::size_t>(
        engine.fixed_batch() != 0 ? engine.fixed_batch() : options.batch);
    std::vector<Floats> pictures;
    std::vector<std::string> names;
    Counts counts;
    for (const fs::path& path : list_pictures(options.pictures)) {
        try {
            pictures.push_back(prepare(path, engine.info()));
        } catch (const Error& error) {
            const std::string message = path.string() + ": " + error.what();
            if (!options.skip) {
                throw Error(message + ". Remove the file, or leave such files out with --skip");
            }
            std::cerr << "Skipped " << message << '\n';
            ++counts.skipped;
            continue;
        }
        names.push_back(path.filename().string());
        ++counts.embedded;
        if (names.size() == batch) {
            embed_batch(engine, pictures, names, output);
        }
    }
    if (!names.empty()) {
        embed_batch(engine, pictures, names, output);
    }
    return counts;
}

Engine open_model(const Options& options) {
    try {
        return Engine(options.model, options.device, options.threads);
    } catch (const Error& error) {
        throw Error(options.model.string() + ": " + error.what());
    }
}

void run(const Options& options) {
    Engine engine = open_model(options);
    Output output(options.out, static_cast<std::size_t>(engine.info().size), engine.record());
    const Counts counts = embed_all(engine, options, output);
    if (counts.embedded == 0) {
        throw Error("none of the pictures can be read");
    }
    output.finish();
    std::cout << counts.embedded << " pictures embedded, " << engine.info().size << " numbers each, "
              << counts.skipped << " skipped; " << (options.out / "embeddings.npy").string() << '\n';
}

}  // namespace

int main(int count, char** arguments) {
    try {
        const Options options = read_options({arguments + 1, arguments + count});
        if (options.help) {
            std::cout << usage;
            return 0;
        }
        run(options);
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "Error: " << error.what() << '\n';
        return 1;
    }
}
