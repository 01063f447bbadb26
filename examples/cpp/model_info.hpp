// What an exported model says about itself: its input, its preprocessing, its embedding.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "error.hpp"
#include "json.hpp"
#include "resize.hpp"

namespace reid {

constexpr int kLargestSide = 4096;
constexpr int kLargestEmbedding = 65535;
constexpr std::size_t kMostSteps = 8;  // as Embedder: a hostile file could take minutes a picture

// One change of a picture before the network.
struct Step {
    enum class Type { resize, resize_edge, center_crop };
    Type type = Type::resize;
    int height = 0;  // resize and center_crop
    int width = 0;
    std::string edge;  // resize_edge: short, long, width or height
    int size = 0;      // resize_edge: the edge's new length
    Filter filter = Filter::bilinear;
};

enum class InputKind { normalized, rgb01, uint8 };

struct ModelInfo {
    InputKind kind = InputKind::normalized;
    int height = 0;
    int width = 0;
    bool bgr = false;                      // only a normalized input may be
    std::array<float, 3> mean{0, 0, 0};    // in 0..255, only of a normalized input
    std::array<float, 3> std{1, 1, 1};
    std::vector<Step> steps;
    int size = 0;  // of an embedding
    std::string weights;
};

inline Step read_step(const json::Value& value) {
    const std::string what = "a step of input.steps";
    const std::string& type = value.at("type", what).as_text(what + ", type");
    Step step;
    if (type == "resize_edge") {
        step.type = Step::Type::resize_edge;
        step.size = value.at("size", type).as_size("resize_edge.size", kLargestSide);
        step.edge = value.at("edge", type).as_text("resize_edge.edge");
        if (step.edge != "short" && step.edge != "long" && step.edge != "width" && step.edge != "height") {
            throw Error("resize_edge.edge must be short, long, width or height");
        }
    } else if (type == "resize" || type == "center_crop") {
        step.type = type == "resize" ? Step::Type::resize : Step::Type::center_crop;
        step.height = value.at("height", type).as_size(type + ".height", kLargestSide);
        step.width = value.at("width", type).as_size(type + ".width", kLargestSide);
    } else {
        throw Error("this program has no step \"" + type +
                    "\", only resize, resize_edge and center_crop; Python's Embedder may have it");
    }
    if (step.type != Step::Type::center_crop) {
        step.filter = filter_of(value.at("interpolation", type).as_text(type + ".interpolation"));
        const json::Value* backend = value.find("backend");
        if (backend != nullptr && backend->as_text(type + ".backend") != "cv2") {
            throw Error("this program has no resizing by \"" + backend->text + "\", only by cv2's rules");
        }
    }
    return step;
}

inline std::array<float, 3> read_colours(const json::Value& value, const std::string& what) {
    const std::vector<json::Value>& list = value.as_list(what);
    if (list.size() != 3 && list.size() != 1) {  // one counts for all three
        throw Error(what + " must have three numbers");
    }
    std::array<float, 3> result{};
    for (std::size_t i = 0; i < 3; ++i) {
        result[i] = static_cast<float>(list[list.size() == 1 ? 0 : i].as_number(what));
    }
    return result;
}

inline void read_normalization(const json::Value& input, ModelInfo& info) {
    const std::string& order = input.at("channel_order", "input").as_text("input.channel_order");
    if (order != "RGB" && order != "BGR") {
        throw Error("input.channel_order must be RGB or BGR");
    }
    if (info.kind != InputKind::normalized) {
        return;  // RGB goes in, and the network does the rest
    }
    info.bgr = order == "BGR";
    const json::Value &mean = input.at("mean", "input"), &std = input.at("std", "input");
    if (!mean.is_null()) {
        info.mean = read_colours(mean, "input.mean");
    }
    if (!std.is_null()) {
        info.std = read_colours(std, "input.std");
    }
    for (const float value : info.std) {
        if (!(value > 0)) {
            throw Error("input.std must be positive");
        }
    }
}

inline InputKind read_kind(const std::string& name) {
    if (name == "normalized") return InputKind::normalized;
    if (name == "rgb01") return InputKind::rgb01;
    if (name == "uint8") return InputKind::uint8;
    throw Error("input.kind \"" + name + "\" is none of normalized, rgb01 and uint8");
}

inline ModelInfo read_model_info(const std::string& text) {
    const json::Value record = json::parse(text);
    if (record.at("format", "it").as_number("format") != 1) {
        throw Error("its format is not 1; use the program of the version that wrote the file");
    }
    const json::Value& input = record.at("input", "it");
    ModelInfo info;
    info.kind = read_kind(input.at("kind", "input").as_text("input.kind"));
    info.height = input.at("height", "input").as_size("input.height", kLargestSide);
    info.width = input.at("width", "input").as_size("input.width", kLargestSide);
    read_normalization(input, info);
    for (const json::Value& step : input.at("steps", "input").as_list("input.steps")) {
        info.steps.push_back(read_step(step));
    }
    if (info.steps.size() > kMostSteps) {
        throw Error("input.steps has more than " + std::to_string(kMostSteps) + " steps");
    }
    const json::Value& embedding = record.at("embedding", "it");
    info.size = embedding.at("size", "embedding").as_size("embedding.size", kLargestEmbedding);
    if (!embedding.at("l2_normalized", "embedding").as_boolean("embedding.l2_normalized")) {
        throw Error("embedding.l2_normalized must be true");
    }
    const json::Value& model = record.at("model", "it");
    const json::Value* weights = model.find("weights");
    info.weights = weights != nullptr && !weights->is_null() ? weights->as_text("model.weights") : "";
    return info;
}

}  // namespace reid
