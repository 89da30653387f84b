#include "http/detail/request_parser.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <limits>
#include <optional>

namespace troupe::http::detail {

namespace beast_http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

namespace {

std::string_view plain(string_view text) {
  return {text.data(), text.size()};
}

/// Whether the request line ends in ` HTTP/` digit `.` digit: a version, if not one of ours.
bool names_a_version(std::string_view head) {
  const auto line = head.substr(0, head.find('\r'));
  if (line.size() < 9)
    return false;
  const auto version = line.substr(line.size() - 9);
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return version.starts_with(" HTTP/") && digit(version[6]) && version[7] == '.'
         && digit(version[8]);
}

verdict verdict_of(const error_code& code, std::string_view head) {
  if (code == beast_http::error::bad_version)
    return names_a_version(head) ? verdict{505, "HTTP version not supported"}
                                 : verdict{400, "malformed request line"};
  if (code == beast_http::error::bad_method || code == beast_http::error::bad_target)
    return {400, "malformed request line"};
  if (code == beast_http::error::header_limit)
    return {431, "header fields too large"};
  if (code == beast_http::error::body_limit)
    return {413, "body too large"};
  if (code == beast_http::error::bad_content_length
      || code == beast_http::error::multiple_content_length)
    return {400, "bad content-length"};
  if (code == beast_http::error::bad_transfer_encoding)
    return {400, "bad transfer-encoding"};
  if (code == beast_http::error::bad_chunk || code == beast_http::error::bad_chunk_extension)
    return {400, "malformed chunk"};
  return {400, "malformed header field"};
}

} // namespace

/// Stores fields without Beast's own container: one node less to allocate for each.
class request_parser::parser final : public beast_http::basic_parser<true> {
public:
  explicit parser(request_message& into) : into_(into) {}

  int minor_version() const { return minor_version_; }

private:
  void on_request_impl(beast_http::verb, string_view method, string_view target, int version,
                       error_code&) override {
    into_.line.assign(method.data(), method.size());
    into_.line.append(target.data(), target.size());
    const std::string_view line = into_.line;
    into_.method = line.substr(0, method.size());
    into_.whole_target = line.substr(method.size());
    minor_version_ = version - 10;
  }

  void on_field_impl(beast_http::field, string_view name, string_view value, error_code&) override {
    if (!head_done_) // trailer fields are nobody's business (RFC 9110, 6.5.1)
      into_.fields.add(plain(name), plain(value));
  }

  void on_header_impl(error_code&) override { head_done_ = true; }

  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override {
    into_.body.append(body.data(), body.size());
    return body.size();
  }

  std::size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  void on_finish_impl(error_code&) override {}

  request_message& into_;
  int minor_version_ = 1;
  bool head_done_ = false;
};

struct request_parser::storage {
  std::optional<parser> current; ///< Beast's parsers serve one message each
};

request_parser::request_parser(request_message& into, parser_limits limits)
    : into_(into), limits_(limits), storage_(std::make_unique<storage>()) {}

request_parser::~request_parser() = default;

verdict request_parser::parse_head(std::string_view head) {
  into_.line.clear();
  into_.method = into_.whole_target = {};
  into_.target = {};
  into_.fields.clear();
  into_.frame = {};
  auto& p = storage_->current.emplace(into_);
  // Counted by the connection while the head arrives; here only in Beast's own type.
  p.header_limit(std::numeric_limits<std::uint32_t>::max());
  p.body_limit(limits_.body_bytes_max);
  error_code error;
  p.put(boost::asio::const_buffer{head.data(), head.size()}, error);
  if (error == beast_http::error::body_limit)
    error = {}; // judged below, after what is graver
  into_.minor_version = p.minor_version();
  if (error)
    return verdict_of(error, head);
  const auto parts = split_target(into_.method, into_.whole_target);
  if (!parts)
    return into_.method == "CONNECT" ? verdict{501, "CONNECT is not supported"}
                                     : verdict{400, "bad request target"};
  into_.target = *parts;
  const auto refused = read_framing(into_.fields, into_.minor_version, into_.frame);
  if (refused.refused())
    return refused;
  if (into_.frame.content_length.value_or(0) > limits_.body_bytes_max)
    return {413, "body too large"};
  return {};
}

verdict request_parser::parse_chunks(std::string_view bytes, std::size_t& used) {
  auto& p = *storage_->current;
  used = 0;
  while (used < bytes.size() && !p.is_done()) {
    error_code error;
    used += p.put(boost::asio::const_buffer{bytes.data() + used, bytes.size() - used}, error);
    if (error == beast_http::error::need_more)
      return {};
    if (error)
      return verdict_of(error, {});
  }
  return {};
}

bool request_parser::chunks_done() const {
  return storage_->current->is_done();
}

} // namespace troupe::http::detail
