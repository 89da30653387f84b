#pragma once

#include "http/client.hpp"
#include "protocol/base/result.hpp"
#include "protocol/base/secret.hpp"

#include <memory>
#include <string>

namespace troupe::cli {

struct api_request {
  std::string method = "GET";
  std::string target; ///< path and query, from `/admin/v1` on
  std::string body = {};
  std::string content_type = "application/json"; ///< of a body
  std::string if_match = {};                     ///< a revision, or `*`; empty: none
};

struct api_answer {
  int status = 0;
  std::string body;
  std::string retry_after;
};

/// Calls one node, a call after the other, on the calling thread.
class api_link {
public:
  virtual ~api_link() = default;

  /// The answer, whatever it says. Fails as `http::client` does, and with `upstream_malformed`
  /// for a body above `answer_bytes_max`.
  virtual result<api_answer> call(const api_request& request) = 0;
};

constexpr std::size_t answer_bytes_max = std::size_t{64} * 1024 * 1024;

struct link_options {
  http::origin to;
  std::string base_path; ///< in front of each target
  secret credential;     ///< empty: none is shown
  std::string ca_file;   ///< empty: the system's
  duration timeout = std::chrono::seconds{30};
};

std::unique_ptr<api_link> open_link(link_options options);

} // namespace troupe::cli
