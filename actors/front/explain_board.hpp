#pragma once

#include "actors/front/explain.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// The last requests of a node, to explain them. Written by every front at the end of a request,
/// read by the admin side; the lock is held for a few moves.
class explain_board {
public:
  explicit explain_board(std::size_t size = 4'096) : ring_(size) {}

  struct record {
    explained_request request;
    std::vector<std::uint64_t> tickets; ///< of its questions to the pool
  };

  void add(record r);
  std::optional<record> find(std::string_view request_id) const;

private:
  mutable std::mutex access_;
  std::vector<record> ring_;
  std::size_t next_ = 0;
};

} // namespace troupe
