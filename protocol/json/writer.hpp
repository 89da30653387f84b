#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace simdjson::dom {
class element;
}

/// Writes JSON straight to the end of a buffer: no tree, no copy of what is written. Commas
/// are set here; that every key gets a value and every bracket its partner is the caller's
/// promise. Text is UTF-8 and stays so: only `"`, `\`, control characters and the two line
/// separators that end a line in JavaScript (U+2028, U+2029) are escaped.

namespace troupe::json {

/// Appends `text` escaped, without quotes around it.
void append_escaped(std::string& out, std::string_view text);

/// Appends `text` as a JSON string.
void append_string(std::string& out, std::string_view text);

/// Appends the shortest decimal that reads back as `number`; 1.0 stays `1.0`, so that a float
/// never turns into an integer. What JSON cannot say (infinity, NaN) becomes `null`.
void append_double(std::string& out, double number);

void append_integer(std::string& out, std::int64_t number);
void append_integer(std::string& out, std::uint64_t number);

/// Appends `value` as compact JSON, keys in their order.
void append_element(std::string& out, const simdjson::dom::element& value);

/// A key of ours, made ready when we compile: checked to need no escapes, in quotes, with the
/// comma before it and the colon after it.
class plain_key {
public:
  consteval plain_key(const char* name) {
    text_[size_++] = ',';
    text_[size_++] = '"';
    for (; *name != '\0'; ++name) {
      if (*name == '"' || *name == '\\' || static_cast<unsigned char>(*name) < 0x20)
        throw "this key needs escapes: use foreign_key";
      text_[size_++] = *name;
    }
    text_[size_++] = '"';
    text_[size_++] = ':';
  }

  constexpr std::string_view with_comma() const { return {text_.data(), size_}; }
  constexpr std::string_view without_comma() const { return {text_.data() + 1, size_ - 1U}; }

private:
  std::array<char, 40> text_{};
  std::uint8_t size_ = 0;
};

/// Writes one JSON value, from the outside in. Owned by one thread; `out` must outlive it.
class writer {
public:
  explicit writer(std::string& out) : out_(out) {}

  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }

  void key(const plain_key& name) {
    out_ += comma_ ? name.with_comma() : name.without_comma();
    comma_ = false;
  }

  /// A key that came from somebody else.
  void foreign_key(std::string_view name) {
    separate();
    append_string(out_, name);
    out_ += ':';
    comma_ = false;
  }

  void string(std::string_view text) {
    separate();
    append_string(out_, text);
  }
  template <std::signed_integral T>
  void integer(T number) {
    separate();
    append_integer(out_, std::int64_t{number});
  }
  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) void integer(T number) {
    separate();
    append_integer(out_, std::uint64_t{number});
  }
  void number(double value) {
    separate();
    append_double(out_, value);
  }
  void boolean(bool value) { raw(value ? "true" : "false"); }
  void null() { raw("null"); }

  /// A value that is JSON already.
  void raw(std::string_view text) {
    separate();
    out_ += text;
  }

  /// A value of a parsed document, compact, with its keys in order.
  void element(const simdjson::dom::element& value) {
    separate();
    append_element(out_, value);
  }

  /// `key` with a string, the most frequent member.
  void member(const plain_key& name, std::string_view text) {
    key(name);
    string(text);
  }

  void boolean_member(const plain_key& name, bool value) {
    key(name);
    boolean(value);
  }

  /// Several brackets and keys at once: `text` ends where the first value or key inside is due.
  void open(std::string_view text) {
    separate();
    out_ += text;
    comma_ = false;
  }

  /// Several closing brackets at once.
  void close(std::string_view brackets) {
    out_ += brackets;
    comma_ = true;
  }

  /// One string written in pieces.
  void begin_string() {
    separate();
    out_ += '"';
  }
  void string_piece(std::string_view text) { append_escaped(out_, text); }
  void end_string() { out_ += '"'; }

  /// Where writing stands, to take back what was written since.
  struct checkpoint {
    std::size_t size;
    bool comma;
  };
  checkpoint save() const { return {out_.size(), comma_}; }
  void restore(checkpoint at) {
    out_.resize(at.size);
    comma_ = at.comma;
  }

  /// The buffer, for one who appends a value by himself after `separate`.
  std::string& buffer() { return out_; }

  /// Sets the comma that is due before a next value or key, if one is.
  void separate() {
    if (comma_)
      out_ += ',';
    comma_ = true;
  }

private:
  void open(char bracket) {
    separate();
    out_ += bracket;
    comma_ = false;
  }
  void close(char bracket) {
    out_ += bracket;
    comma_ = true;
  }

  std::string& out_;
  bool comma_ = false;
};

} // namespace troupe::json
