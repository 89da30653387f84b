#include "answer_reader.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::load {

namespace {

constexpr std::size_t head_bytes_max = 64 * 1024;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

std::string_view field(std::string_view head, std::string_view name) {
  for (auto at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    const auto line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() > name.size() && line[name.size()] == ':'
        && std::equal(name.begin(), name.end(), line.begin(),
                      [](char a, char b) { return a == lower(b); })) {
      auto value = line.substr(name.size() + 1);
      while (value.starts_with(' '))
        value.remove_prefix(1);
      return value;
    }
  }
  return {};
}

} // namespace

void answer_reader::next() {
  *this = answer_reader{};
}

std::size_t answer_reader::feed(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && !done() && !broken()) {
    begun_ = true;
    const auto rest = bytes.substr(used);
    switch (state_) {
    case state::head:
      used += feed_head(rest);
      break;
    case state::body:
    case state::chunk_data: {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest.size()));
      look_at(rest.substr(0, n));
      used += n;
      left_ -= n;
      if (left_ == 0)
        state_ = state_ == state::body ? state::done : state::chunk_end;
      break;
    }
    case state::chunk_size:
      used += feed_chunk_size(rest);
      break;
    case state::chunk_end:
      ++used;
      if (rest[0] == '\n')
        state_ = state::chunk_size;
      break;
    case state::trailer: // no trailers are expected: the empty line ends the answer
      ++used;
      if (rest[0] == '\n')
        state_ = state::done;
      break;
    case state::done:
    case state::broken:
      break;
    }
  }
  return used;
}

std::size_t answer_reader::feed_head(std::string_view bytes) {
  const auto before = head_.size();
  head_ += bytes;
  const auto end = head_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
  if (end == std::string::npos) {
    if (head_.size() > head_bytes_max)
      state_ = state::broken;
    return bytes.size();
  }
  head_.resize(end + 2);
  parse_head();
  return end + 4 - before;
}

void answer_reader::parse_head() {
  status_ = 0;
  if (head_.size() > 12 && head_.starts_with("HTTP/1."))
    std::from_chars(head_.data() + 9, head_.data() + 12, status_);
  keep_alive_ = !field(head_, "connection").starts_with("close");
  if (field(head_, "transfer-encoding").starts_with("chunked")) {
    state_ = state::chunk_size;
    head_.clear();
    return;
  }
  const auto length = field(head_, "content-length");
  left_ = 0;
  if (status_ == 0 || (length.empty() && status_ != 204)) {
    state_ = state::broken;
    return;
  }
  std::from_chars(length.data(), length.data() + length.size(), left_);
  state_ = left_ == 0 ? state::done : state::body;
}

std::size_t answer_reader::feed_chunk_size(std::string_view bytes) {
  const auto end = bytes.find('\n');
  head_ += bytes.substr(0, end);
  if (end == std::string_view::npos)
    return bytes.size();
  left_ = 0;
  const auto [stop, code] = std::from_chars(head_.data(), head_.data() + head_.size(), left_, 16);
  if (code != std::errc{} || stop == head_.data())
    state_ = state::broken;
  else
    state_ = left_ == 0 ? state::trailer : state::chunk_data;
  head_.clear();
  return end + 1;
}

void answer_reader::look_at(std::string_view body) {
  body_bytes_ += body.size();
  const auto old = tail_.size();
  tail_ += body;
  for (auto at = tail_.find("data:"); at != std::string::npos; at = tail_.find("data:", at + 5))
    if (at + 5 > old)
      ++events_;
  if (tail_.find("data: [DONE]") != std::string::npos)
    saw_done_ = true;
  constexpr std::size_t kept = 16;
  if (tail_.size() > kept)
    tail_.erase(0, tail_.size() - kept);
}

} // namespace troupe::load
