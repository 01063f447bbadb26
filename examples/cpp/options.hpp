// The command line.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "error.hpp"

namespace reid {

struct Options {
    std::filesystem::path model;
    std::filesystem::path pictures;
    std::filesystem::path out;
    std::string device = "CPU";
    int batch = 32;
    int threads = 0;
    bool skip = false;
    bool help = false;
};

constexpr const char* usage =
    "reid_embed MODEL PICTURES --out FOLDER [--batch N] [--threads N] [--device NAME] [--skip]\n"
    "\n"
    "Embed JPEG files with a model that mmreid_ext exported.\n"
    "  MODEL          model.onnx or model.xml, written by tools/export.py\n"
    "  PICTURES       a folder, or one JPEG file\n"
    "  --out FOLDER   where embeddings.npy, names.txt and model.json go\n"
    "  --batch N      pictures per call of the network (32)\n"
    "  --threads N    threads of the network (all cores)\n"
    "  --device NAME  OpenVINO's name of the device (CPU)\n"
    "  --skip         leave out what can't be read, instead of stopping there\n";

inline int whole_number(const std::string& text, const std::string& option) {
    const bool digits = !text.empty() && text.size() <= 5 &&
                        text.find_first_not_of("0123456789") == std::string::npos;
    const int value = digits ? std::stoi(text) : 0;
    if (value < 1) {
        throw Error(option + " must be a whole number from 1 to 99999, not \"" + text + "\"");
    }
    return value;
}

inline Options read_options(const std::vector<std::string>& arguments) {
    Options options;
    std::vector<std::string> places;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& name = arguments[i];
        if (name == "--help" || name == "-h") {
            options.help = true;
            return options;
        }
        if (name == "--skip") {
            options.skip = true;
        } else if (name == "--out" || name == "--batch" || name == "--threads" || name == "--device") {
            if (i + 1 == arguments.size()) {
                throw Error(name + " needs a value");
            }
            const std::string& value = arguments[++i];
            if (name == "--out") options.out = value;
            if (name == "--batch") options.batch = whole_number(value, name);
            if (name == "--threads") options.threads = whole_number(value, name);
            if (name == "--device") options.device = value;
        } else if (name.size() > 1 && name[0] == '-') {
            throw Error("unknown option " + name + "; see --help");
        } else {
            places.push_back(name);
        }
    }
    if (places.size() != 2 || options.out.empty()) {
        throw Error("needed are a model, a folder or file of pictures, and --out FOLDER; see --help");
    }
    options.model = places[0];
    options.pictures = places[1];
    return options;
}

}  // namespace reid
