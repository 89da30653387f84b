#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

/// States what cannot be otherwise, in all builds. Never for input, network, disk or time.
#define TROUPE_ASSERT(condition)                                                                   \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      std::fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #condition);         \
      std::abort();                                                                                \
    }                                                                                              \
  } while (false)

namespace troupe {

/// Why an operation failed, for code to switch on. Starts at 1: CAF reads 0 as success.
enum class errc : std::uint8_t {
  invalid_argument = 1, ///< what was asked makes no sense, with any key and at any time
  not_found,
  already_exists,   ///< an address in use, a record that exists
  permission,       ///< the operating system refuses
  corrupt,          ///< stored bytes that cannot be what we wrote
  storage_failed,   ///< disk or database
  no_key_available, ///< no key can serve this request now
  shutting_down,
  cancelled,          ///< the client left, or who asked took it back
  connect_failed,     ///< refused, unreachable, name not resolved
  tls_failed,         ///< handshake or certificate
  upstream_timeout,   ///< connect, first byte, silence or total
  upstream_broken,    ///< reset, truncated, closed early
  upstream_malformed, ///< bytes that are not HTTP, a head over its bound
  storage_full,       ///< the disk has no room; it may have some later
  conflict,           ///< somebody else changed it first: read again, then decide
  proxy_failed        ///< an outgoing proxy, or what it says about the upstream behind it
};

std::string_view to_string(errc code);

/// What went wrong: a code for code, a text for people. The text never holds a secret.
struct failure {
  errc code;
  std::string text;

  failure(errc c, std::string t) : code(c), text(std::move(t)) {}

  friend bool operator==(const failure&, const failure&) = default;
};

/// A `T`, or why there is none. Spelled like `std::expected`, which GCC 12 lacks.
template <class T>
class [[nodiscard]] result {
public:
  result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  result(failure f) : state_(std::in_place_index<1>, std::move(f)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & {
    TROUPE_ASSERT(has_value());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    TROUPE_ASSERT(has_value());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    TROUPE_ASSERT(has_value());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  failure& error() {
    TROUPE_ASSERT(!has_value());
    return *std::get_if<1>(&state_);
  }
  const failure& error() const {
    TROUPE_ASSERT(!has_value());
    return *std::get_if<1>(&state_);
  }

private:
  std::variant<T, failure> state_;
};

/// Success without a value, or a failure.
template <>
class [[nodiscard]] result<void> {
public:
  result() : error_(errc::invalid_argument, {}), ok_(true) {}
  result(failure f) : error_(std::move(f)), ok_(false) {}

  bool has_value() const { return ok_; }
  explicit operator bool() const { return ok_; }
  const failure& error() const {
    TROUPE_ASSERT(!ok_);
    return error_;
  }

private:
  failure error_;
  bool ok_;
};

} // namespace troupe
