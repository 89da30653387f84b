#pragma once

#include "actors/front/attempts.hpp"
#include "http/core/router.hpp"
#include "http/server.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// Serves one loop's client requests: checks the credential, finds the surface, translates,
/// and lets `attempts` do the call. Owned by the node; runs on its loop.
class front final : public http::server_handler {
public:
  front(attempts::parts parts, const std::atomic<bool>& draining);

  http::task<void> serve(http::exchange& x) override;
  bool admits(const http::request& head) override;
  std::pair<http::response_head, std::string> refuse(const http::refusal& r) override;

private:
  struct model_cache {
    time_point fetched{};
    std::vector<std::string> offered;
    known_models known;
    bool filled = false;
  };

  http::task<call_summary> dispatch(http::exchange& x, const http::route& where,
                                    std::string_view fields);
  http::task<call_summary> chat(http::exchange& x, std::string_view fields);
  http::task<call_summary> native(http::exchange& x, std::string_view fields);
  http::task<call_summary> list_models(http::exchange& x, std::string_view fields);
  http::task<call_summary> get_model(http::exchange& x, std::string_view id,
                                     std::string_view fields);
  http::task<call_summary> preflight(http::exchange& x, std::string_view fields);
  http::task<call_summary> tell(http::exchange& x, client_error error, surface speaks,
                                std::string_view fields);

  /// Fills the cache if it is empty or old. The error is that of an empty cache.
  http::task<std::optional<client_error>> refresh_models(http::cancel_source& cancel);

  bool admitted(const http::request& r) const;
  std::string cors_fields(const http::request& r) const;
  const known_models& models() const;
  request_context context() const;
  void account(const http::exchange& x, surface speaks, const call_summary& end);

  attempts::parts p_;
  attempts attempts_;
  std::uint64_t next_id_;
  const std::atomic<bool>& draining_;
  model_cache models_;
};

} // namespace troupe
