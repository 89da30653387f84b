#pragma once

#include "http/cancel.hpp"
#include "http/headers.hpp"
#include "http/task.hpp"
#include "protocol/base/time.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::http {

/// What a client asked. Views live as long as the exchange.
struct request {
  std::string_view method; ///< as sent, upper case by the standard
  std::string_view target; ///< as sent: path and query
  std::string_view path;   ///< still percent-encoded
  std::string_view query;  ///< without `?`; still percent-encoded
  const headers* fields = nullptr;
  std::string* body = nullptr; ///< whole, unchunked, within `body_bytes_max`; may be moved from
  std::string_view peer;       ///< the client's address, or `local uid N`, for logs
};

/// The head of an answer. `content-length` or `transfer-encoding`, `connection` and `date`
/// are added by the connection.
struct response_head {
  int status = 200;
  std::string_view content_type; ///< empty: none sent
  std::string fields;            ///< further fields, each `name: value\r\n`

  response_head(int s, std::string_view type) : status(s), content_type(type) {}
  void add(std::string_view name, std::string_view value); ///< CR and LF are dropped from both
};

/// One request and its reply, on the loop of its connection. Answer exactly once: either
/// `respond`, or `start`, any number of `write`, and `finish` or `cut`. Every call returns
/// false when the client is gone; nothing more needs to be done then. If the handler
/// returns without an answer, or after `start` without `finish`, the connection is cut.
///
/// `HEAD`, HTTP/1.0 (no chunks: the body ends with the connection) and keep-alive are the
/// connection's business. Writes wait while the client does not take the bytes.
class exchange {
public:
  virtual ~exchange() = default;

  virtual const request& req() const = 0;

  /// Unique in this process and its log; sent as `x-request-id`.
  virtual std::string_view request_id() const = 0;

  virtual task<bool> respond(const response_head& head, std::string_view body) = 0;
  virtual task<bool> start(const response_head& head) = 0;
  virtual task<bool> write(std::string_view bytes) = 0;
  virtual task<bool> finish() = 0;

  /// Ends the connection without a clean end of the body, so that the client can tell that
  /// the answer is not whole.
  virtual void cut() = 0;

  /// Cancelled when the client leaves or the server is forced to stop.
  virtual cancel_source& gone() = 0;

  /// Since the request's first byte arrived: for latency that hides no waiting.
  virtual duration age() const = 0;
};

} // namespace troupe::http
