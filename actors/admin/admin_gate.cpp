#include "actors/admin/admin_gate.hpp"

#include "http/credentials.hpp"

#include <fmt/format.h>

#include <utility>

namespace troupe {

namespace {

/// Whole seconds, rounded up.
std::int64_t seconds(duration span) {
  return std::chrono::ceil<std::chrono::seconds>(span).count();
}

} // namespace

admin_reply unauthorized() {
  auto no = admin_error("unauthorized",
                        "This needs an admin credential: send it as 'Authorization: Bearer ...'.");
  no.field("www-authenticate", "Bearer realm=\"troupe admin\"");
  return no;
}

admin_gate::visitor admin_gate::enter(const http::request& r, std::string_view request_id) {
  visitor v;
  if (local_trust_) {
    v.name = "local";
    v.role = storage::role::operator_;
    return v;
  }
  if (const auto wait = guard_.wait(r.peer, clocks_.now()); wait > duration::zero()) {
    v.no = admin_error("too_many_failures",
                       "Too many failed logins came from this address; try again later.");
    v.no->field("retry-after", std::to_string(seconds(wait)));
    return v;
  }
  const auto presented = http::presented_credential(r);
  if (presented.empty()) {
    // Nothing was tried, so nothing is counted: a probe without a credential guesses nothing.
    v.no = turn_away(r, request_id, "without a credential");
    return v;
  }
  const auto* known = access_ ? access_->set.find(presented) : nullptr;
  if (known == nullptr) {
    guard_.failed(r.peer, clocks_.now());
    v.no = turn_away(r, request_id, "with a credential that is not known or was revoked");
    return v;
  }
  const auto role = static_cast<storage::role>(known->tag);
  if (known->expires_at_ms != 0
      && known->expires_at_ms <= clocks_.wall().time_since_epoch().count()) {
    v.no = turn_away(r, request_id, "with the expired credential '" + known->name + "'");
    return v;
  }
  if (role != storage::role::operator_ && role != storage::role::viewer) {
    v.no = turn_away(r, request_id, "with a credential of another port");
    return v;
  }
  guard_.succeeded(r.peer);
  v.name = known->name;
  v.role = role;
  return v;
}

admin_reply admin_gate::turn_away(const http::request& r, std::string_view request_id,
                                  std::string_view what) {
  log_.write(log_area::security, log_level::warning, request_id,
             fmt::format("admin login failed: {} {} from {}, {}", r.method, r.path, r.peer, what));
  return unauthorized();
}

} // namespace troupe
