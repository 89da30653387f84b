#pragma once

#include "protocol/base/result.hpp"
#include "protocol/client_error.hpp"
#include "protocol/translation_options.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// The Gemini-native surface (docs/protocol/mapping.md section 8): bodies pass byte for byte;
/// a scan without a tree reads what affinity, quota and truth need.

namespace troupe::gemini {

enum class method : std::uint8_t {
  list_models,
  get_model,
  generate_content,
  stream_generate_content,
  count_tokens,
  create_cache,
  get_cache,
  update_cache,
  delete_cache,
};

/// With which the upstream is called; what comes as HEAD goes as GET.
std::string_view http_method_of(method what);

/// Whether it is about cached contents, which Vertex does not have in express mode.
bool concerns_caches(method what);

struct native_call {
  method what = method::generate_content;
  std::string model_asked; ///< as in the path, or in the body of `create_cache`; may be empty
  std::string model;       ///< upstream, after N1 to N3; of a cache that is there: empty
  std::string resource;    ///< `cachedContents/ID` that the path names: only its key can serve this
  std::string path;        ///< upstream: below the host, with query, without `key`
  bool sse = false;        ///< the answer is SSE (`alt=sse`); else a stream is one JSON array
  std::string body; ///< only if a model's name changed it; else the client's bytes go as they are
  bool body_changed = false;
};

/// Matches `/v1beta/...` and `/gemini/v1beta/...`. Gives `fault::unknown_path`,
/// `fault::wrong_method`, `fault::invalid_json` (a suffix needs to change a body that is not
/// an object, or a cache's model cannot be read) or `fault::invalid_request` (a cache without a
/// model). Caches cannot be listed: each key would tell only its own.
std::variant<native_call, client_error> route_native(std::string_view method, std::string_view path,
                                                     std::string_view query, std::string_view body,
                                                     const translation_options& options,
                                                     const request_context& context);

/// True for a client header that is passed on to a native upstream: not hop-by-hop, `host`,
/// `content-length`, `accept-encoding`, cookies, or any form of credential.
bool forwards_header(std::string_view name);

/// Names (`files/ID`, `cachedContents/ID`) that pin the request to the key that made them.
std::vector<std::string> pinned_resources(std::string_view request_body);

/// What an answer to `create_cache`, `get_cache` or `update_cache` tells.
struct cache_told {
  std::string name; ///< `cachedContents/ID`; empty: the answer is no cached content
  std::int64_t expires_at_ms = 0;
};

/// The end is the answer's `expireTime`, else its `ttl` from `now_ms` on, else an hour, which is
/// the upstream's default.
cache_told cache_facts(std::string_view answer_body, std::int64_t now_ms);

/// What one answer, or one event of a stream, tells. Scanned, not parsed to a tree.
struct answer_scan {
  bool well_formed = false; ///< the bytes are one JSON value
  bool is_error = false;    ///< top-level `error`
  int error_status = 0;     ///< `error.code`
  bool has_candidates = false;
  bool blocked = false;  ///< promptFeedback.blockReason
  bool finished = false; ///< some candidate has a finishReason
  token_usage usage;
};

answer_scan scan_answer(std::string_view json);

/// Splits the body of a stream without `alt=sse` (one JSON array, delivered in pieces) into
/// its elements, so that each can be scanned and a cut be noticed. Bounded memory: one element.
/// Elements are objects; what is inside them is not looked at, `scan_answer` does that.
class array_splitter {
public:
  explicit array_splitter(std::size_t element_bytes_max) : element_bytes_max_(element_bytes_max) {}

  /// Appends each completed element to `elements` (valid until the next feed). False, now and
  /// from then on: the bytes are not such an array, or an element is over its bound.
  bool feed(std::string_view bytes, std::vector<std::string_view>& elements);

  bool complete() const; ///< the closing `]` was seen

private:
  enum class place : std::uint8_t {
    before,
    first,
    element,
    after_element,
    after_comma,
    closed,
    bad
  };

  bool step_outside(char c);
  void step_inside(char c);

  std::size_t element_bytes_max_;
  std::string buffer_;            ///< the open element, and those of the last feed before it
  std::size_t scanned_ = 0;       ///< of `buffer_`
  std::size_t element_begin_ = 0; ///< in `buffer_`
  std::size_t depth_ = 0;
  place at_ = place::before;
  bool in_string_ = false;
  bool escaped_ = false;
};

} // namespace troupe::gemini
