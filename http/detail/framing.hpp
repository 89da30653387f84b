#pragma once

#include "http/headers.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe::http::detail {

/// Why a request is refused before anyone serves it: a status, and a fixed text for people.
struct verdict {
  int status = 0; ///< 0: not refused
  std::string_view reason;

  constexpr verdict() = default;
  constexpr verdict(int s, std::string_view r) : status(s), reason(r) {}
  constexpr bool refused() const { return status != 0; }

  friend bool operator==(const verdict&, const verdict&) = default;
};

/// What the head says about the body and the connection (RFC 9112, sections 6 and 9).
struct framing {
  bool chunked = false;
  std::optional<std::uint64_t> content_length;
  bool keep_alive = true;
  bool expects_continue = false;
};

/// Reads `fields` of a request of HTTP/1.`minor_version` into `out`. Strict where leniency
/// would let two readers see different requests: one length at most, digits only; no length
/// beside an encoding; `chunked` alone; exactly one `host`. Body encodings other than
/// identity get 415, unknown transfer codings 501, unknown expectations 417.
verdict read_framing(const headers& fields, int minor_version, framing& out);

/// The part of a request target that routes are matched with.
struct target_parts {
  std::string_view target; ///< path and query
  std::string_view path;
  std::string_view query; ///< without `?`
};

/// Reduces the absolute form to path and query. Nothing for what is neither that, nor
/// origin form, nor `*` with OPTIONS (RFC 9112, section 3.2).
std::optional<target_parts> split_target(std::string_view method, std::string_view target);

} // namespace troupe::http::detail
