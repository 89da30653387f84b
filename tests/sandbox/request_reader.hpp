#pragma once

#include "sandbox/exchange.hpp"

#include <cstdint>
#include <optional>

namespace sandbox {

struct reader_limits {
  std::size_t head_bytes_max = 64 * 1024;
  std::size_t body_bytes_max = 64 * 1024 * 1024;
};

/// Reads requests out of a connection's input. A plain value, owned by its
/// connection.
///
/// The input always begins with the first byte of the current request, and may
/// move in memory between calls: nothing that points into it is kept before the
/// request is complete.
class request_reader {
public:
  enum class state {
    need_more,
    continue_wanted, ///< as `need_more`, and the client waits for "100 Continue"
    ready,
    bad,
  };

  explicit request_reader(reader_limits limits) : limits_(limits) {}

  state advance(std::string_view input);

  /// After `ready`: views into the input of that call and into this reader.
  request& current() { return request_; }
  /// After `ready`: the bytes that belong to the request.
  std::size_t consumed() const { return consumed_; }
  /// After `bad`: what to answer before closing.
  int bad_status() const { return bad_status_; }

  /// Makes ready for the next request.
  void clear();

private:
  state bad(int status);
  state read_head(std::string_view input);
  bool parse_head(std::string_view head);
  bool learn_framing();
  state read_chunks(std::string_view input);

  reader_limits limits_;
  request request_;
  std::size_t scanned_ = 0; ///< input without the end of the head
  std::size_t head_bytes_ = 0;
  std::size_t body_bytes_ = 0;
  std::size_t consumed_ = 0;
  std::size_t chunk_at_ = 0;
  std::string chunked_body_;
  bool chunked_ = false;
  bool told_to_continue_ = false;
  bool wants_continue_ = false;
  int bad_status_ = 400;
};

} // namespace sandbox
