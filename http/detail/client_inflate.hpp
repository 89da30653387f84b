#pragma once

#include "protocol/base/result.hpp"

#include <zlib.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

namespace troupe::http::detail {

/// Undoes `content-encoding: gzip` or `deflate` piece by piece. Memory is constant: a small
/// body that unpacks to gigabytes comes out in steps that the caller may stop taking.
class inflater {
public:
  enum class format { gzip, deflate };

  /// Bytes that one step gives out at most.
  static constexpr std::size_t step_bytes = 32 * 1024;

  explicit inflater(format f);
  ~inflater();
  inflater(const inflater&) = delete;
  inflater& operator=(const inflater&) = delete;

  /// Only after `next` gave nothing. `packed` stays valid until `next` gives nothing again.
  void feed(std::string_view packed);

  /// The next unpacked bytes, valid until the next call. Empty: it needs to be fed.
  /// Fails with `upstream_malformed`.
  result<std::string_view> next();

  /// The packed stream may end here: it is whole, or it never began.
  bool at_end() const { return at_end_; }

private:
  bool begin(unsigned char first);

  z_stream stream_{};
  std::unique_ptr<char[]> out_;
  format format_;
  bool begun_ = false;
  bool at_end_ = true;
};

/// The format that a `content-encoding` names. `known` is false for codings that are
/// neither these nor none at all.
struct coding {
  bool known;
  std::optional<inflater::format> packed;
};
coding read_coding(std::string_view content_encoding);

} // namespace troupe::http::detail
