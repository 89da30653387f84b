#include "sandbox/request_reader.hpp"

#include <charconv>

namespace sandbox {

namespace {

std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t'))
    s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t'))
    s.remove_suffix(1);
  return s;
}

template <class Int>
bool read_whole(std::string_view s, Int& out, int base) {
  const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), out, base);
  return ec == std::errc{} && end == s.data() + s.size() && !s.empty();
}

} // namespace

void request_reader::clear() {
  request_.headers.clear();
  scanned_ = head_bytes_ = body_bytes_ = consumed_ = chunk_at_ = 0;
  chunked_body_.clear();
  chunked_ = told_to_continue_ = wants_continue_ = false;
}

request_reader::state request_reader::bad(int status) {
  bad_status_ = status;
  return state::bad;
}

request_reader::state request_reader::advance(std::string_view input) {
  if (head_bytes_ == 0) {
    if (const auto s = read_head(input); s != state::ready)
      return s;
  } else {
    const bool keep = request_.keep_alive;    // learnt from the head's fields
    parse_head(input.substr(0, head_bytes_)); // the input may have moved
    request_.keep_alive = keep;
  }
  if (chunked_)
    return read_chunks(input);
  if (input.size() < head_bytes_ + body_bytes_) {
    if (!wants_continue_ || told_to_continue_)
      return state::need_more;
    told_to_continue_ = true;
    return state::continue_wanted;
  }
  request_.body = input.substr(head_bytes_, body_bytes_);
  consumed_ = head_bytes_ + body_bytes_;
  return state::ready;
}

request_reader::state request_reader::read_head(std::string_view input) {
  const auto from = scanned_ < 3 ? 0 : scanned_ - 3;
  const auto end = input.find("\r\n\r\n", from);
  if (end == std::string_view::npos) {
    scanned_ = input.size();
    return input.size() > limits_.head_bytes_max ? bad(431) : state::need_more;
  }
  if (end + 4 > limits_.head_bytes_max)
    return bad(431);
  head_bytes_ = end + 4;
  if (!parse_head(input.substr(0, head_bytes_)))
    return bad(400);
  if (!learn_framing())
    return bad(bad_status_);
  chunk_at_ = head_bytes_;
  return state::ready;
}

bool request_reader::parse_head(std::string_view head) {
  request_.headers.clear();
  const auto line_end = head.find("\r\n");
  const auto line = head.substr(0, line_end);
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || last == first || first == 0)
    return false;
  request_.method = line.substr(0, first);
  auto target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0")
    return false;
  request_.http_1_0 = version == "HTTP/1.0";
  request_.keep_alive = !request_.http_1_0;
  const auto mark = target.find('?');
  request_.path = target.substr(0, mark);
  request_.query = mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
  auto rest = head.substr(line_end + 2);
  while (rest.size() > 2) {
    const auto end = rest.find("\r\n");
    const auto field = rest.substr(0, end);
    const auto colon = field.find(':');
    if (colon == std::string_view::npos || colon == 0)
      return false;
    request_.headers.push_back({field.substr(0, colon), trim(field.substr(colon + 1))});
    rest.remove_prefix(end + 2);
  }
  return true;
}

bool request_reader::learn_framing() {
  bool has_length = false;
  bad_status_ = 400;
  for (const auto& h : request_.headers) {
    if (same_word(h.name, "content-length")) {
      if (has_length || !read_whole(h.value, body_bytes_, 10))
        return false;
      has_length = true;
    } else if (same_word(h.name, "transfer-encoding")) {
      if (!same_word(h.value, "chunked"))
        return false;
      chunked_ = true;
    } else if (same_word(h.name, "connection")) {
      if (same_word(h.value, "close"))
        request_.keep_alive = false;
      else if (same_word(h.value, "keep-alive"))
        request_.keep_alive = true;
    } else if (same_word(h.name, "expect")) {
      wants_continue_ = same_word(h.value, "100-continue");
    }
  }
  if (has_length && chunked_)
    return false;
  if (body_bytes_ > limits_.body_bytes_max) {
    bad_status_ = 413;
    return false;
  }
  return true;
}

request_reader::state request_reader::read_chunks(std::string_view input) {
  for (;;) {
    const auto line_end = input.find("\r\n", chunk_at_);
    if (line_end == std::string_view::npos)
      break;
    auto line = input.substr(chunk_at_, line_end - chunk_at_);
    line = trim(line.substr(0, line.find(';')));
    std::size_t size = 0;
    if (!read_whole(line, size, 16))
      return bad(400);
    if (size == 0) {
      const auto end = input.find("\r\n\r\n", line_end); // also skips trailers
      if (end == std::string_view::npos)
        break;
      request_.body = chunked_body_;
      consumed_ = end + 4;
      return state::ready;
    }
    if (size > limits_.body_bytes_max - chunked_body_.size())
      return bad(413);
    if (input.size() < line_end + 2 + size + 2)
      break;
    if (input.substr(line_end + 2 + size, 2) != "\r\n")
      return bad(400);
    chunked_body_.append(input.substr(line_end + 2, size));
    chunk_at_ = line_end + 2 + size + 2;
  }
  if (wants_continue_ && !told_to_continue_) {
    told_to_continue_ = true;
    return state::continue_wanted;
  }
  return state::need_more;
}

} // namespace sandbox
