#pragma once

#include "actors/admin/pool_routes.hpp"
#include "actors/front/breaker_board.hpp"
#include "actors/front/explain_board.hpp"

#include <caf/actor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace troupe {

/// What the fronts of a node note, and what is needed to read it. Everything is called on the first
/// loop.
struct front_boards {
  std::shared_ptr<breaker_board> breakers;
  std::shared_ptr<explain_board> explained;
  http::event_loop& loop;                            ///< the first
  bridge& actors;                                    ///< of that loop
  caf::actor pool;                                   ///< knows what it chose
  std::function<std::string(std::uint32_t)> name_of; ///< of an upstream; empty: it is gone
  std::function<wall_time()> wall;
};

/// The boards as the admin side asks for them. Lives no longer than what `boards` refers to.
front_words words_of(front_boards boards);

} // namespace troupe
