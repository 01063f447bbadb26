// Decode a JPEG file to upright RGB with libjpeg-turbo: the same pixels as OpenCV's in Python.
#pragma once

#include <cstdio>  // jpeglib.h needs it before

#include <jpeglib.h>

#include <jerror.h>

#include <csetjmp>
#include <cstring>
#include <string>
#include <vector>

#include "error.hpp"
#include "exif.hpp"
#include "picture.hpp"

namespace reid {

// libjpeg reports errors by a function that must not return. The methods that call libjpeg jump
// out of it; they hold no object with a destructor, so that the jump loses nothing.
class JpegDecoder {
public:
    explicit JpegDecoder(const std::vector<unsigned char>& file) : file_(file) {
        info_.err = jpeg_std_error(&errors_);
        info_.client_data = this;
        errors_.error_exit = [](j_common_ptr info) {
            auto* self = static_cast<JpegDecoder*>(info->client_data);
            info->err->format_message(info, self->message_);
            std::longjmp(self->jump_, 1);
        };
        errors_.emit_message = [](j_common_ptr info, int level) {
            if (level < 0) {
                static_cast<JpegDecoder*>(info->client_data)->warn(info);
            }
        };
    }
    JpegDecoder(const JpegDecoder&) = delete;
    JpegDecoder& operator=(const JpegDecoder&) = delete;
    ~JpegDecoder() { jpeg_destroy_decompress(&info_); }

    // Warning: set to libjpeg's words about damage that it could pass over; empty otherwise.
    Bytes decode(std::string& warning) {
        if (!read_header()) {
            throw Error(std::string("no JPEG picture: ") + message_);
        }
        const double size = static_cast<double>(info_.image_width) * info_.image_height;
        if (size > max_pixels) {
            throw Error(std::to_string(info_.image_width) + " x " + std::to_string(info_.image_height) +
                        " pixels are more than 100 million; shrink the picture");
        }
        const int orientation = find_orientation();
        const bool four = info_.num_components == 4;
        info_.out_color_space = four ? JCS_CMYK : JCS_RGB;
        Bytes picture(static_cast<int>(info_.image_height), static_cast<int>(info_.image_width));
        std::vector<unsigned char> row(four ? std::size_t(info_.image_width) * 4 : 0);
        if (!read_rows(picture, row.data())) {
            throw Error(std::string("the picture is damaged: ") + message_);
        }
        if (data_missing_) {
            throw Error("the file is cut off or damaged: part of the picture is missing");
        }
        warning = message_;
        return upright(std::move(picture), orientation);
    }

private:
    const std::vector<unsigned char>& file_;
    jpeg_decompress_struct info_{};
    jpeg_error_mgr errors_{};
    std::jmp_buf jump_{};
    char message_[JMSG_LENGTH_MAX] = "";
    bool data_missing_ = false;

    void warn(j_common_ptr info) {
        const int code = info->err->msg_code;
        data_missing_ = data_missing_ || code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER;
        if (info->err->num_warnings++ == 0) {
            info->err->format_message(info, message_);
        }
    }
    bool read_header() {
        if (setjmp(jump_)) {
            return false;
        }
        jpeg_create_decompress(&info_);
        jpeg_mem_src(&info_, const_cast<unsigned char*>(file_.data()),
                     static_cast<unsigned long>(file_.size()));
        jpeg_save_markers(&info_, JPEG_APP0 + 1, 0xFFFF);  // EXIF
        return jpeg_read_header(&info_, TRUE) == JPEG_HEADER_OK;
    }
    bool read_rows(Bytes& picture, unsigned char* row) {
        if (setjmp(jump_)) {
            return false;
        }
        jpeg_start_decompress(&info_);
        while (info_.output_scanline < info_.output_height) {
            unsigned char* target = picture.at(static_cast<int>(info_.output_scanline), 0);
            unsigned char* into = row == nullptr ? target : row;
            jpeg_read_scanlines(&info_, &into, 1);
            if (row != nullptr) {
                cmyk_to_rgb(row, target, picture.width);
            }
        }
        return jpeg_finish_decompress(&info_) != 0;
    }
    // As OpenCV does: the four inks are stored inverted, as Adobe's programs write them.
    static void cmyk_to_rgb(const unsigned char* inks, unsigned char* rgb, int width) {
        for (int i = 0; i < width; ++i, inks += 4, rgb += 3) {
            for (int channel = 0; channel < 3; ++channel) {
                const int black = inks[3];
                rgb[channel] = static_cast<unsigned char>(black - ((255 - inks[channel]) * black >> 8));
            }
        }
    }
    int find_orientation() const {
        for (auto* marker = info_.marker_list; marker != nullptr; marker = marker->next) {
            if (marker->data_length > 6 && std::memcmp(marker->data, "Exif\0\0", 6) == 0) {
                return ExifReader(marker->data + 6, marker->data_length - 6).orientation();
            }
        }
        return 1;
    }
};

// Decode a file. Warning: see JpegDecoder.
inline Bytes read_jpeg(const std::filesystem::path& path, std::string& warning) {
    const std::vector<unsigned char> file = read_bytes(path);
    if (file.empty()) {
        throw Error("the file is empty");
    }
    if (file.size() < 2 || file[0] != 0xFF || file[1] != 0xD8) {
        throw Error("not a JPEG file; convert the picture to JPEG");
    }
    return JpegDecoder(file).decode(warning);
}

}  // namespace reid
