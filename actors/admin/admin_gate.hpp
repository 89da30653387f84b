#pragma once

#include "actors/admin/admin_reply.hpp"
#include "actors/core/login_guard.hpp"
#include "http/core/credentials.hpp"
#include "http/exchange.hpp"
#include "protocol/base/log.hpp"
#include "storage/core/credential_item.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Who may use the admin port.
struct admin_access {
  http::credential_set set;
};

/// Both clocks, as functions so that tests own time.
struct admin_clocks {
  std::function<time_point()> now; ///< monotonic
  std::function<wall_time()> wall;
};

/// Tells who asks, and keeps out everybody else. Runs on one loop. Every failed login is a line
/// of the security log.
class admin_gate {
public:
  /// `local_trust`: whoever reaches this gate is the operator; it is the node's own socket.
  admin_gate(std::shared_ptr<const admin_access> access, bool local_trust, admin_clocks clocks,
             log_sink& log)
      : access_(std::move(access)),
        local_trust_(local_trust),
        clocks_(std::move(clocks)),
        log_(log) {}

  struct visitor {
    std::optional<admin_reply> no; ///< why he may not come in
    std::string name;
    storage::role role = storage::role::viewer;

    visitor() {}
  };

  visitor enter(const http::request& r, std::string_view request_id);

  /// In force for the next request.
  void replace(std::shared_ptr<const admin_access> access) { access_ = std::move(access); }

private:
  admin_reply turn_away(const http::request& r, std::string_view request_id, std::string_view what);

  std::shared_ptr<const admin_access> access_;
  bool local_trust_;
  admin_clocks clocks_;
  log_sink& log_;
  login_guard guard_;
};

/// 401, with the field that tells how to log in.
admin_reply unauthorized();

} // namespace troupe
