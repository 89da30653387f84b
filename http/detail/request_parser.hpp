#pragma once

#include "http/detail/framing.hpp"
#include "http/headers.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::http::detail {

/// One request as it was read. Reused from request to request, so that its memory is.
struct request_message {
  std::string line; ///< method and target, which the views below look into
  std::string_view method;
  std::string_view whole_target; ///< as sent
  target_parts target;
  int minor_version = 1;
  headers fields;
  framing frame;
  std::string body;
};

struct parser_limits {
  std::size_t header_bytes_max;
  std::size_t body_bytes_max;
};

/// Reads requests with Beast's parser, straight into a `request_message`. Owned by one
/// connection.
class request_parser {
public:
  request_parser(request_message& into, parser_limits limits);
  ~request_parser();
  request_parser(const request_parser&) = delete;
  request_parser& operator=(const request_parser&) = delete;

  /// A whole head, as `head_scan` found it. On a refusal the target is set as far as it was
  /// read.
  verdict parse_head(std::string_view head);

  /// After a head whose frame is chunked: appends what `bytes` bring to the body. `used`
  /// bytes are done with; the rest must be given again with more behind it.
  verdict parse_chunks(std::string_view bytes, std::size_t& used);
  bool chunks_done() const;

private:
  class parser;
  struct storage;

  request_message& into_;
  parser_limits limits_;
  std::unique_ptr<storage> storage_;
};

} // namespace troupe::http::detail
