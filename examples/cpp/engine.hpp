// The exported network in OpenVINO: checked against what it says about itself, run in float32.
#pragma once

#include <openvino/openvino.hpp>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "error.hpp"
#include "model_info.hpp"
#include "prepare.hpp"

namespace reid {

// OpenVINO's messages have many lines, most of them places in its own source: the last one tells.
inline std::string last_line(const std::string& text) {
    const auto end = text.find_last_not_of(" \n\r\t");
    if (end == std::string::npos) {
        return "it doesn't say why";
    }
    const auto start = text.find_last_of('\n', end);
    return text.substr(start == std::string::npos ? 0 : start + 1, end - (start == std::string::npos ? -1 : start));
}

class Engine {
public:
    Engine(const std::filesystem::path& file, const std::string& device, int threads) {
        if (!std::filesystem::is_regular_file(file)) {
            throw Error("no such file");
        }
        if (file.extension() != ".onnx" && file.extension() != ".xml") {
            throw Error("a model's name must end in .onnx or .xml");
        }
        try {
            const std::shared_ptr<ov::Model> model = core_.read_model(file.string());
            text_ = find_record(*model);
            info_ = read_model_info(text_);
            check(*model);
            compile(model, device, threads);
        } catch (const ov::Exception& error) {
            throw Error("OpenVINO can't use it on " + device + ": " + last_line(error.what()));
        }
    }

    const ModelInfo& info() const { return info_; }
    const std::string& record() const { return text_; }
    int fixed_batch() const { return fixed_batch_; }  // 0: any

    // Embed pictures that have the network's size. Returns rows x info().size numbers.
    std::vector<float> embed(const std::vector<Floats>& pictures) {
        const std::size_t rows = fixed_batch_ != 0 ? static_cast<std::size_t>(fixed_batch_) : pictures.size();
        const std::size_t h = static_cast<std::size_t>(info_.height), w = static_cast<std::size_t>(info_.width);
        const bool bytes = info_.kind == InputKind::uint8;
        ov::Tensor input(bytes ? ov::element::u8 : ov::element::f32,
                         bytes ? ov::Shape{rows, h, w, 3} : ov::Shape{rows, 3, h, w});
        std::memset(input.data(), 0, input.get_byte_size());  // rows that fill a fixed batch up
        for (std::size_t i = 0; i < pictures.size(); ++i) {
            if (bytes) {
                fill_bytes(pictures[i], input.data<unsigned char>() + i * h * w * 3);
            } else {
                fill_planes(pictures[i], info_, input.data<float>() + i * h * w * 3);
            }
        }
        request_.set_input_tensor(input);
        request_.infer();
        const ov::Tensor output = request_.get_output_tensor();
        const std::size_t size = static_cast<std::size_t>(info_.size);
        if (output.get_shape() != ov::Shape{rows, size}) {
            throw Error("the network returned another shape than its record says");
        }
        const float* values = output.data<const float>();
        return {values, values + pictures.size() * size};
    }

private:
    ov::Core core_;
    ov::InferRequest request_;
    ModelInfo info_;
    std::string text_;
    int fixed_batch_ = 0;

    static std::string find_record(const ov::Model& model) {
        if (model.has_rt_info("framework", "mmreid_ext")) {
            return model.get_rt_info<std::string>("framework", "mmreid_ext");
        }
        throw Error("it doesn't say how to use it (no record \"mmreid_ext\"); export the checkpoint with tools/export.py");
    }
    // The network must take and return what its record says. OpenVINO would convert types silently.
    void check(const ov::Model& model) {
        if (model.inputs().size() != 1 || model.outputs().size() != 1) {
            throw Error("the network must have one input and one output");
        }
        const bool bytes = info_.kind == InputKind::uint8;
        const ov::PartialShape shape = model.input().get_partial_shape();
        const auto h = info_.height, w = info_.width;
        const ov::PartialShape wanted =
            bytes ? ov::PartialShape{-1, h, w, 3} : ov::PartialShape{-1, 3, h, w};
        if (model.input().get_element_type() != (bytes ? ov::element::u8 : ov::element::f32) ||
            !wanted.compatible(shape)) {
            throw Error("the network's input is " + model.input().get_element_type().to_string() + " " +
                        shape.to_string() + ", its record says otherwise");
        }
        if (model.output().get_element_type() != ov::element::f32) {
            throw Error("the network's output must be float32");
        }
        fixed_batch_ = shape[0].is_static() ? static_cast<int>(shape[0].get_length()) : 0;
    }
    // On CPUs that have bfloat16 OpenVINO uses it unless told otherwise: embeddings would differ by 6e-3.
    void compile(const std::shared_ptr<ov::Model>& model, const std::string& device, int threads) {
        ov::AnyMap settings{ov::hint::inference_precision(ov::element::f32)};
        if (device == "CPU" && threads > 0) {
            settings.insert(ov::inference_num_threads(threads));
        }
        ov::CompiledModel compiled = core_.compile_model(model, device, settings);
        if (compiled.get_property(ov::hint::inference_precision) != ov::element::f32) {
            throw Error("OpenVINO doesn't compute in float32 on " + device);
        }
        request_ = compiled.create_infer_request();
    }
};

}  // namespace reid
