#include "sandbox/answer.hpp"

#include <algorithm>

namespace sandbox {

namespace {

constexpr std::string_view filler =
    "the sandbox speaks and speaks so that there is something to carry from here to there ";

bool is_inside_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

class repeated : public event_source {
public:
  repeated(std::string event, std::uint64_t times, std::string last, std::uint64_t output_tokens)
      : event_(std::move(event)),
        left_(times),
        last_(std::move(last)),
        output_tokens_(output_tokens) {}
  std::uint64_t output_tokens() const override { return output_tokens_; }
  bool next(std::string& out) override {
    if (done_)
      return false;
    if (left_ > 1) {
      --left_;
      out += event_;
    } else {
      out += last_;
      done_ = true;
    }
    return true;
  }
  std::string error_event(const fault& given) const override {
    auto f = given;
    f.raw.clear();
    return "data: " + openai_error(f) + "\r\n\r\n";
  }

private:
  std::string event_;
  std::uint64_t left_;
  std::string last_;
  std::uint64_t output_tokens_;
  bool done_ = false;
};

} // namespace

std::unique_ptr<event_source> repeat(std::string event, std::uint64_t times, std::string last,
                                     std::uint64_t output_tokens) {
  return std::make_unique<repeated>(std::move(event), times, std::move(last), output_tokens);
}

text_plan::text_plan(std::string text, std::uint64_t events, std::uint64_t event_bytes)
    : text_(std::move(text)), pieces_(events), piece_bytes_(event_bytes) {
  if (pieces_ == 0)
    pieces_ = piece_bytes_ > 0 ? 8 : std::clamp<std::uint64_t>(text_.size() / 16, 2, 32);
}

std::size_t text_plan::boundary(std::uint64_t i) const {
  auto at = static_cast<std::size_t>(text_.size() * i / pieces_);
  while (at > 0 && at < text_.size() && is_inside_character(text_[at]))
    --at;
  return at;
}

std::string text_plan::piece(std::uint64_t i) const {
  if (piece_bytes_ == 0) {
    const auto from = boundary(i);
    return text_.substr(from, boundary(i + 1) - from);
  }
  std::string s;
  s.reserve(piece_bytes_);
  auto at = static_cast<std::size_t>(i * piece_bytes_ % filler.size());
  while (s.size() < piece_bytes_) {
    s += filler.substr(at, piece_bytes_ - s.size());
    at = 0;
  }
  return s;
}

std::string text_plan::whole() const {
  return first(pieces_);
}

std::string text_plan::first(std::uint64_t pieces) const {
  pieces = std::min(pieces, pieces_);
  if (piece_bytes_ == 0)
    return text_.substr(0, boundary(pieces));
  std::string s;
  for (std::uint64_t i = 0; i < pieces; ++i)
    s += piece(i);
  return s;
}

std::uint64_t tokens_of(std::string_view text) {
  return (text.size() + bytes_per_token - 1) / bytes_per_token;
}

std::string beginning_of(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes)
    return std::string{text};
  while (bytes > 0 && is_inside_character(text[bytes]))
    --bytes;
  return std::string{text.substr(0, bytes)};
}

} // namespace sandbox
