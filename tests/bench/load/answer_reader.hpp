#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::load {

/// Reads one HTTP answer after another from bytes cut anywhere; counts what is in them.
/// Only as strict as a load generator must be: a wrong length shows as an error.
class answer_reader {
public:
  enum class state : std::uint8_t {
    head,
    body,
    chunk_size,
    chunk_data,
    chunk_end,
    trailer,
    done,
    broken
  };

  /// Takes bytes up to the end of one answer; returns how many it took.
  std::size_t feed(std::string_view bytes);

  bool done() const { return state_ == state::done; }
  bool broken() const { return state_ == state::broken; }
  bool begun() const { return begun_; }
  int status() const { return status_; }
  bool keep_alive() const { return keep_alive_; }
  std::uint64_t events() const { return events_; } ///< `data:` lines of this answer
  std::uint64_t body_bytes() const { return body_bytes_; }
  bool saw_done() const { return saw_done_; } ///< `data: [DONE]`

  /// Ready for the next answer.
  void next();

private:
  std::size_t feed_head(std::string_view bytes);
  std::size_t feed_chunk_size(std::string_view bytes);
  void parse_head();
  void look_at(std::string_view body);

  state state_ = state::head;
  std::string head_;
  std::string tail_; ///< the last bytes of the body so far, for what a cut divides
  std::uint64_t left_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t body_bytes_ = 0;
  int status_ = 0;
  bool keep_alive_ = true;
  bool begun_ = false;
  bool saw_done_ = false;
};

} // namespace troupe::load
