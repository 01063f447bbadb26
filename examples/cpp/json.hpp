// Read JSON strictly as RFC 8259 says: for the metadata of an exported model, a few kilobytes.
#pragma once

#include <cstdint>
#include <limits>
#include <locale>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "error.hpp"

namespace reid::json {

class Value {
public:
    enum class Kind { null, boolean, number, text, list, object };

    Kind kind = Kind::null;
    bool boolean = false;
    double number = 0;
    std::string text;
    std::vector<Value> list;
    std::map<std::string, Value> object;

    bool is_null() const { return kind == Kind::null; }

    // A member of an object. What: how messages call the object.
    const Value& at(const std::string& name, const std::string& what) const {
        need(Kind::object, what, "an object");
        const auto found = object.find(name);
        if (found == object.end()) {
            throw Error(what + " has no \"" + name + "\"");
        }
        return found->second;
    }
    const Value* find(const std::string& name) const {
        const auto found = object.find(name);
        return kind == Kind::object && found != object.end() ? &found->second : nullptr;
    }
    const std::string& as_text(const std::string& what) const {
        need(Kind::text, what, "text");
        return text;
    }
    const std::vector<Value>& as_list(const std::string& what) const {
        need(Kind::list, what, "a list");
        return list;
    }
    double as_number(const std::string& what) const {
        need(Kind::number, what, "a number");
        return number;
    }
    bool as_boolean(const std::string& what) const {
        need(Kind::boolean, what, "true or false");
        return boolean;
    }
    int as_size(const std::string& what, int largest) const {
        const double value = as_number(what);
        if (!(value >= 1 && value <= largest) || value != static_cast<int>(value)) {
            throw Error(what + " must be a whole number from 1 to " + std::to_string(largest));
        }
        return static_cast<int>(value);
    }

private:
    void need(Kind wanted, const std::string& what, const char* name) const {
        if (kind != wanted) {
            throw Error(what + " must be " + name);
        }
    }
};

class Reader {
public:
    explicit Reader(const std::string& text) : text_(text) {}

    Value read() {
        Value value = read_value(0);
        skip_space();
        if (at_ != text_.size()) {
            fail("something follows its end");
        }
        return value;
    }

private:
    static constexpr int deepest = 100;

    const std::string& text_;
    std::size_t at_ = 0;

    [[noreturn]] void fail(const std::string& why) const {
        throw Error("no JSON: " + why + ", at character " + std::to_string(at_ + 1));
    }
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    char next() {
        if (at_ >= text_.size()) {
            fail("it is cut off");
        }
        return text_[at_++];
    }
    void expect(char wanted) {
        skip_space();
        if (peek() != wanted) {
            fail(std::string("'") + wanted + "' is missing");
        }
        ++at_;
    }
    bool take(char wanted) {
        skip_space();
        const bool found = peek() == wanted;
        at_ += found;
        return found;
    }
    void skip_space() {
        while (at_ < text_.size() && (peek() == ' ' || peek() == '\n' || peek() == '\r' || peek() == '\t')) {
            ++at_;
        }
    }

    Value read_value(int depth) {
        if (depth > deepest) {
            fail("it is nested too deeply");
        }
        skip_space();
        switch (peek()) {
            case '{': return read_object(depth);
            case '[': return read_list(depth);
            case '"': return read_string_value();
            case 't': return read_word("true", Value::Kind::boolean, true);
            case 'f': return read_word("false", Value::Kind::boolean, false);
            case 'n': return read_word("null", Value::Kind::null, false);
            default: return read_number();
        }
    }
    Value read_word(const std::string& word, Value::Kind kind, bool boolean) {
        if (text_.compare(at_, word.size(), word) != 0) {
            fail("an unknown word");
        }
        at_ += word.size();
        Value value;
        value.kind = kind;
        value.boolean = boolean;
        return value;
    }
    Value read_object(int depth) {
        Value value;
        value.kind = Value::Kind::object;
        expect('{');
        if (take('}')) {
            return value;
        }
        do {
            skip_space();
            std::string name = read_string();
            expect(':');
            if (!value.object.emplace(name, read_value(depth + 1)).second) {
                fail("\"" + name + "\" is there twice");
            }
        } while (take(','));
        expect('}');
        return value;
    }
    Value read_list(int depth) {
        Value value;
        value.kind = Value::Kind::list;
        expect('[');
        if (take(']')) {
            return value;
        }
        do {
            value.list.push_back(read_value(depth + 1));
        } while (take(','));
        expect(']');
        return value;
    }
    Value read_string_value() {
        Value value;
        value.kind = Value::Kind::text;
        value.text = read_string();
        return value;
    }

    std::string read_string() {
        if (peek() != '"') {
            fail("a name in quotes is missing");
        }
        ++at_;
        std::string result;
        for (char c = next(); c != '"'; c = next()) {
            if (static_cast<unsigned char>(c) < 0x20) {
                fail("a control character inside text");
            }
            if (c == '\\') {
                read_escape(result);
            } else {
                result += c;
            }
        }
        return result;
    }
    void read_escape(std::string& result) {
        static const std::string letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
        const char c = next();
        const auto found = letters.find(c);
        if (found != std::string::npos) {
            result += meanings[found];
            return;
        }
        if (c != 'u') {
            fail("an unknown escape");
        }
        std::uint32_t code = read_hex();
        if (code >= 0xD800 && code < 0xDC00) {
            if (next() != '\\' || next() != 'u') {
                fail("half of a surrogate pair");
            }
            const std::uint32_t low = read_hex();
            if (low < 0xDC00 || low > 0xDFFF) {
                fail("half of a surrogate pair");
            }
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        } else if (code >= 0xDC00 && code < 0xE000) {
            fail("half of a surrogate pair");
        }
        append_utf8(result, code);
    }
    std::uint32_t read_hex() {
        std::uint32_t code = 0;
        for (int i = 0; i < 4; ++i) {
            static const std::string digits = "0123456789abcdef";
            const char c = next();
            const auto digit = digits.find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
            if (digit == std::string::npos) {
                fail("four hexadecimal digits are missing");
            }
            code = code * 16 + static_cast<std::uint32_t>(digit);
        }
        return code;
    }
    static void append_utf8(std::string& result, std::uint32_t code) {
        if (code < 0x80) {
            result += static_cast<char>(code);
            return;
        }
        const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
        static const int first[] = {0, 0xC0, 0xE0, 0xF0};
        result += static_cast<char>(first[more] | static_cast<int>(code >> (6 * more)));
        for (int i = more - 1; i >= 0; --i) {
            result += static_cast<char>(0x80 | ((code >> (6 * i)) & 0x3F));
        }
    }

    Value read_number() {
        const std::size_t start = at_;
        at_ += peek() == '-';
        if (peek() == '0') {
            ++at_;
        } else {
            read_digits();
        }
        if (peek() == '.') {
            ++at_;
            read_digits();
        }
        if (peek() == 'e' || peek() == 'E') {
            ++at_;
            at_ += peek() == '+' || peek() == '-';
            read_digits();
        }
        std::istringstream stream(text_.substr(start, at_ - start));
        stream.imbue(std::locale::classic());  // a point, whatever the user's language
        Value value;
        value.kind = Value::Kind::number;
        if (!(stream >> value.number)) {
            fail("a number out of range");
        }
        return value;
    }
    void read_digits() {
        const std::size_t start = at_;
        while (peek() >= '0' && peek() <= '9') {
            ++at_;
        }
        if (at_ == start) {
            fail(start < text_.size() ? "a value is missing" : "it is cut off");
        }
    }
};

inline Value parse(const std::string& text) { return Reader(text).read(); }

}  // namespace reid::json
