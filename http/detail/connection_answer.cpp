#include "http/core/answer_text.hpp"
#include "http/detail/connection.hpp"

#include <sys/uio.h>

#include <array>
#include <charconv>
#include <cstring>
#include <utility>

namespace troupe::http::detail {

namespace {

/// Smaller pieces are copied behind the head: cheaper for the kernel than another piece.
constexpr std::size_t copied_bytes_max = 2 * 1024;
constexpr std::size_t text_bytes_kept = 16 * 1024;

void append_number(std::string& out, std::size_t value, int base) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, base).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

} // namespace

void connection::append_head(const response_head& head, body_form form, std::size_t body_bytes) {
  form_ = form;
  text_.append("HTTP/1.1 ");
  append_number(text_, static_cast<std::size_t>(head.status), 10);
  text_.push_back(' ');
  text_.append(status_text(head.status));
  text_.append("\r\n");
  text_.append(part_.common_fields());
  text_.append(id_.data(), id_.size());
  text_.append("\r\n");
  if (!head.content_type.empty()) {
    text_.append("content-type: ");
    text_.append(head.content_type);
    text_.append("\r\n");
  }
  text_.append(head.fields);
  if (form == body_form::length) {
    text_.append("content-length: ");
    append_number(text_, body_bytes, 10);
    text_.append("\r\n");
  } else if (form == body_form::chunks) {
    text_.append("transfer-encoding: chunked\r\n");
  }
  keep_alive_ = keep_alive_ && form != body_form::to_the_end && !part_.draining();
  if (!keep_alive_)
    text_.append("connection: close\r\n");
  else if (message_.minor_version == 0)
    text_.append("connection: keep-alive\r\n");
  text_.append("\r\n");
}

task<bool> connection::respond(const response_head& head, std::string_view body) {
  if (!may_answer())
    co_return false;
  TROUPE_ASSERT(answer_ == answer::none);
  answer_ = answer::finished;
  append_head(head, never_has_body(head.status) ? body_form::none : body_form::length, body.size());
  if (form_ == body_form::length && !is_head_request()) {
    if (body.size() <= copied_bytes_max)
      text_.append(body);
    else
      body_ = body;
  }
  for (auto now = push(); now != progress::sent; now = push()) {
    if (now == progress::broken)
      co_return false;
    wait_until_writable();
    co_await writing_;
  }
  co_return true;
}

task<bool> connection::start(const response_head& head) {
  if (!may_answer())
    co_return false;
  TROUPE_ASSERT(answer_ == answer::none);
  answer_ = answer::streaming;
  const auto form = never_has_body(head.status)  ? body_form::none
                    : message_.minor_version > 0 ? body_form::chunks
                                                 : body_form::to_the_end;
  append_head(head, form, 0);
  if (is_head_request())
    form_ = body_form::none;
  flush_head_soon();
  co_return true;
}

task<bool> connection::write(std::string_view bytes) {
  if (!may_answer())
    co_return false;
  TROUPE_ASSERT(answer_ == answer::streaming);
  if (form_ == body_form::none || bytes.empty())
    bytes = {};
  else if (form_ == body_form::chunks) {
    append_number(text_, bytes.size(), 16);
    text_.append("\r\n");
  }
  if (bytes.size() <= copied_bytes_max) {
    text_.append(bytes);
    if (form_ == body_form::chunks && !bytes.empty())
      text_.append("\r\n");
  } else {
    body_ = bytes;
    if (form_ == body_form::chunks)
      tail_ = "\r\n";
  }
  for (auto now = push(); now != progress::sent; now = push()) {
    if (now == progress::broken)
      co_return false;
    wait_until_writable();
    co_await writing_;
  }
  co_return true;
}

task<bool> connection::finish() {
  if (!may_answer())
    co_return false;
  TROUPE_ASSERT(answer_ == answer::streaming);
  if (form_ == body_form::chunks)
    text_.append("0\r\n\r\n");
  for (auto now = push(); now != progress::sent; now = push()) {
    if (now == progress::broken)
      co_return false;
    wait_until_writable();
    co_await writing_;
  }
  answer_ = answer::finished;
  co_return true;
}

/// A chunked body without its last chunk, or TLS without its end, shows that it is not
/// whole; what was sent before still arrives. A plain body that ends with the connection
/// has only the reset to tell.
void connection::cut() {
  if (answer_ == answer::cut)
    return;
  answer_ = answer::cut;
  broken_ = true;
  head_waits_ = false;
  if (form_ == body_form::to_the_end && !stream_.is_tls())
    stream_.close_with_reset();
  else
    stream_.close();
}

/// Sends what the socket takes now, in one system call if it takes all.
connection::progress connection::push() {
  head_waits_ = false;
  for (;;) {
    std::array<iovec, 3> pieces;
    std::size_t count = 0;
    const auto add = [&](std::string_view bytes) {
      if (!bytes.empty())
        pieces[count++] = {const_cast<char*>(bytes.data()), bytes.size()};
    };
    const auto text = std::string_view{text_}.substr(text_sent_);
    add(text);
    add(body_);
    add(tail_);
    if (count == 0)
      break;
    const auto sent = stream_.try_write(pieces.data(), count);
    if (sent.what == stream::status::blocked)
      return progress::blocked;
    if (sent.what != stream::status::ok) {
      broken_ = true;
      return progress::broken;
    }
    auto left = sent.bytes;
    const auto from_text = std::min(left, text.size());
    text_sent_ += from_text;
    left -= from_text;
    const auto from_body = std::min(left, body_.size());
    body_.remove_prefix(from_body);
    left -= from_body;
    tail_.remove_prefix(left);
  }
  text_.clear();
  text_sent_ = 0;
  if (text_.capacity() > text_bytes_kept)
    text_.shrink_to_fit();
  deadline_.clear();
  return progress::sent;
}

void connection::wait_until_writable() {
  set_deadline(part_.options().write_timeout);
  stream_.wait_writable(writing_);
}

/// Most handlers write right after `start`, and head and first bytes then leave together.
/// If none does before this turn is over, the head leaves alone.
void connection::flush_head_soon() {
  head_waits_ = true;
  part_.loop().post(
      [](void* self) {
        auto& c = *static_cast<connection*>(self);
        // If the socket takes no more the next write waits, with its time limit.
        if (c.head_waits_ && c.may_answer())
          c.push();
      },
      this);
}

} // namespace troupe::http::detail
