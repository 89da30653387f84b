#include "http/detail/client_parser.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include <cstring>

namespace troupe::http::detail {

namespace beast_http = boost::beast::http;

void beast_response_parser::on_response_impl(int code, string_view, int version, error_code&) {
  status = code;
  old = version < 11;
}

void beast_response_parser::on_field_impl(beast_http::field id, string_view name, string_view value,
                                          error_code&) {
  if (!in_head_)
    return;
  const std::string_view text{value.data(), value.size()};
  if (id == beast_http::field::transfer_encoding) {
    coded = true;
    foreign_coding = foreign_coding || !same_name(text, "chunked");
  }
  fields_.add({name.data(), name.size()}, text);
}

void beast_response_parser::on_header_impl(error_code&) {
  in_head_ = false;
}

void beast_response_parser::on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) {}

std::size_t beast_response_parser::on_body_impl(string_view body, error_code&) {
  piece = {body.data(), body.size()};
  return body.size();
}

void beast_response_parser::on_chunk_header_impl(std::uint64_t, string_view, error_code&) {}

std::size_t beast_response_parser::on_chunk_body_impl(std::uint64_t, string_view body,
                                                      error_code&) {
  piece = {body.data(), body.size()};
  return body.size();
}

void beast_response_parser::on_finish_impl(error_code&) {}

response_parser::response_parser(headers& fields, bool head_request, std::size_t head_bytes_max)
    : fields_(fields), head_bytes_max_(head_bytes_max), head_request_(head_request) {
  begin();
}

void response_parser::begin() {
  fields_.clear();
  parser_.emplace(fields_);
  parser_->skip(head_request_);
  parser_->body_limit(boost::none);
  parser_->header_limit(static_cast<std::uint32_t>(head_bytes_max_));
}

response_parser::step response_parser::malformed(std::size_t used, std::string_view why) {
  problem_ = why;
  return {state::malformed, used};
}

std::string_view response_parser::faulty_head() const {
  if (parser_->status < 100)
    return "a status below 100";
  if (parser_->status == 101)
    return "an upgrade that was not asked for";
  if (parser_->foreign_coding)
    return "a transfer coding that was not asked for";
  if (parser_->coded && parser_->old)
    return "a transfer coding in HTTP/1.0";
  return {};
}

response_parser::step response_parser::head(const char* data, std::size_t size) {
  std::size_t used = 0;
  while (used < size) {
    boost::beast::error_code error;
    const auto n = parser_->put(boost::asio::const_buffer{data + used, size - used}, error);
    used += n;
    head_bytes_ += n;
    // Beast forgets what it has consumed, and an interim answer begins anew: the bound is
    // on all of it.
    if (head_bytes_ > head_bytes_max_ || error == beast_http::error::header_limit)
      return malformed(used, "its head is too large");
    if (error == beast_http::error::need_more) {
      if (head_bytes_ + (size - used) >= head_bytes_max_)
        return malformed(used, "its head is too large");
      break;
    }
    if (error)
      return malformed(used, "its head is not HTTP");
    if (!parser_->is_header_done())
      continue;
    if (const auto fault = faulty_head(); !fault.empty())
      return malformed(used, fault);
    if (parser_->status < 200) {
      begin();
      continue;
    }
    status_ = parser_->status;
    has_body_ = !parser_->is_done();
    keeps_alive_ = parser_->keep_alive();
    complete_ = parser_->is_done();
    // A 204 that announces a body all the same may send it: whose bytes would they be?
    if (status_ == 204 && (parser_->coded || parser_->content_length().value_or(0) != 0))
      keeps_alive_ = false;
    return {state::done, used};
  }
  return {state::more, used};
}

response_parser::step response_parser::body(char* data, std::size_t size) {
  if (!problem_.empty())
    return {state::malformed, 0};
  step s{state::more, 0};
  while (!parser_->is_done() && s.used < size) {
    boost::beast::error_code error;
    parser_->piece = {};
    s.used += parser_->put(boost::asio::const_buffer{data + s.used, size - s.used}, error);
    if (const auto piece = parser_->piece; s.body.empty()) {
      s.body = piece;
    } else if (!piece.empty()) {
      const auto offset = static_cast<std::size_t>(s.body.data() - data);
      std::memmove(data + offset + s.body.size(), piece.data(), piece.size());
      s.body = {data + offset, s.body.size() + piece.size()};
    }
    if (error == beast_http::error::need_more)
      break;
    if (error) {
      problem_ = "the chunks of its body are not HTTP";
      // What came before is good and goes out first; the next call tells.
      s.is = s.body.empty() ? state::malformed : state::more;
      return s;
    }
  }
  complete_ = parser_->is_done();
  if (complete_) {
    s.is = state::done;
    keeps_alive_ = parser_->keep_alive() && keeps_alive_;
  }
  return s;
}

bool response_parser::ends_with_input() {
  if (complete_ || !parser_->is_header_done())
    return complete_;
  boost::beast::error_code error;
  parser_->put_eof(error);
  complete_ = !error && parser_->is_done();
  return complete_;
}

} // namespace troupe::http::detail
