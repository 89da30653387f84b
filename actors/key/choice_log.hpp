#pragma once

#include "actors/core/selection.hpp"
#include "actors/messages.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace troupe {

/// The last decisions of the pool, to explain requests with: a ring of fixed size, written with a
/// few copies per request.
class choice_log {
public:
  /// What became of a question.
  enum class outcome : std::uint8_t { sent, waits, resting, none_usable, full, limited, stopping };

  explicit choice_log(std::size_t size) : ring_(size) {}

  void note(std::uint64_t ticket, outcome what, const choice& c,
            const std::vector<turned_word>& turned, wall_time at, duration waited);

  std::vector<choice_note> of(const std::vector<std::uint64_t>& tickets) const;

private:
  struct entry {
    std::uint64_t ticket = 0;
    outcome what = outcome::sent;
    wall_time at{};
    duration waited{};
    choice made;
    std::vector<turned_word> turned;
  };

  std::vector<entry> ring_;
  std::size_t next_ = 0;
};

} // namespace troupe
