#pragma once

#include "actors/admin/admin_reply.hpp"
#include "actors/admin/key_document.hpp"
#include "actors/bridge.hpp"
#include "actors/front/front_config.hpp"
#include "actors/inventory/inventory_messages.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace troupe {

/// How an upstream is reached from the admin loop.
struct upstream_reach {
  std::shared_ptr<http::client> client;
  upstream_target target;
};

/// The upstream of this name; nothing if it is not configured (any more). On the loop.
using find_upstream = std::function<std::optional<upstream_reach>(const std::string& name)>;

/// Finds out whether a key is good, by the cheapest call that its upstream has. Runs on one loop;
/// only here are a key's characters seen outside of requests.
class key_checker {
public:
  using clock = std::function<wall_time()>;

  key_checker(bridge& actors, caf::actor inventory, find_upstream find, http::event_loop& loop,
              clock wall)
      : actors_(actors),
        inventory_(std::move(inventory)),
        find_(std::move(find)),
        loop_(loop),
        wall_(std::move(wall)) {}

  struct outcome {
    std::optional<admin_reply> no; ///< why there was no check
    check_end end;
    key_view key;

    outcome() {}
    explicit outcome(admin_reply why) : no(std::move(why)) {}
  };

  /// For an operator: tells the inventory how it ended, as if a request had ended so. Cancelling
  /// ends the call; the key is none the wiser then.
  http::task<outcome> check(std::uint64_t id, asker by, http::cancel_source& cancel);

  struct probed {
    std::optional<admin_reply> no; ///< why nothing was found out
    check_end end;
    settlement report; ///< what it means for the key; `lease` is not set

    probed() {}
    explicit probed(admin_reply why) : no(std::move(why)) {}
  };

  /// Finds out, and tells nobody.
  http::task<probed> probe(std::uint64_t id, http::cancel_source& cancel);

private:
  struct called;
  http::task<called> call(const upstream_reach& reach, const revealed_key& key,
                          http::cancel_source& cancel);

  bridge& actors_;
  caf::actor inventory_;
  find_upstream find_;
  http::event_loop& loop_;
  clock wall_;
};

} // namespace troupe
