#pragma once

#include "actors/front/attempts.hpp"
#include "http/core/router.hpp"
#include "http/server.hpp"
#include "protocol/gemini/native.hpp"

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace troupe {

/// Serves one loop's client requests: checks the credential, finds the surface, translates,
/// and lets `attempts` do the call. Owned by the node; runs on its loop.
class front final : public http::server_handler {
public:
  front(attempts::parts parts, std::shared_ptr<const serving> with,
        const std::atomic<bool>& draining);

  /// From the next request on. On its loop.
  void replace(std::shared_ptr<const serving> with);
  const serving& current() const { return *serving_; }

  http::task<void> serve(http::exchange& x) override;
  int refusal_of(const http::request& head) override;
  std::pair<http::response_head, std::string> refuse(const http::refusal& r) override;

private:
  struct model_cache {
    time_point fetched{};
    std::vector<std::string> offered;
    known_models known;
    std::uint64_t edition = 0; ///< of the configuration that it was filled under
    bool filled = false;
  };

  /// What one exchange needs on its way.
  struct visit {
    http::exchange& x;
    const serving& with;
    const http::credential* who = nullptr;
    std::string fields{};        ///< header lines that every answer carries
    std::string forward_path{};  ///< at an upstream of the client's own protocol
    std::string_view response{}; ///< that the path names
    std::string model_asked{};
    std::string model{}; ///< of the last target that was tried
    call_notes notes{};
  };
  /// A way to serve a visit through one target, which may be tried before others.
  using way = http::task<call_summary> (front::*)(visit&, const model_target&, bool last);

  http::task<call_summary> dispatch(visit& v, const http::route& where);
  http::task<call_summary> over_targets(visit& v, std::vector<model_target> targets, surface speaks,
                                        way how);
  http::task<call_summary> chat(visit& v);
  http::task<call_summary> chat_at(visit& v, const model_target& to, bool last);
  http::task<call_summary> native(visit& v);
  http::task<call_summary> native_at(visit& v, const model_target& to, bool last);
  http::task<call_summary> forward(visit& v, std::span<const upstream_kind> kinds, surface speaks);
  http::task<call_summary> forward_at(visit& v, const model_target& to, bool last);
  http::task<call_summary> response_at(visit& v, const model_target& to, bool last);
  http::task<call_summary> list_models(visit& v);
  http::task<call_summary> get_model(visit& v, std::string_view id);
  http::task<call_summary> preflight(visit& v);
  http::task<call_summary> tell(visit& v, client_error error, surface speaks);
  http::task<void> tell_rest(visit& v, call_summary& end, surface speaks);

  /// The key that made what the request names, 0 for any; or why it cannot be served.
  /// @param body  of the upstream's request, in which names may stand
  std::variant<std::uint64_t, client_error> owner_of(const visit& v, const gemini::native_call& to,
                                                     std::string_view body) const;
  std::uint64_t key_of(const visit& v, std::string_view resource) const;

  /// Fills in what every call has: which keys, whose quota, how long it may wait.
  void complete(upstream_call& call, const visit& v, const model_target& to, bool last) const;
  void explain(const visit& v, surface speaks, const call_summary& end);

  /// Fills the cache if it is empty or old. The error is that of an empty cache.
  http::task<std::optional<client_error>> refresh_models(visit& v);
  http::task<std::optional<client_error>> fetch_gemini_models(visit& v, const model_target& from,
                                                              std::vector<std::string>& ids);

  /// The credential that may be used now, or what its holder is told.
  std::variant<const http::credential*, client_error> admit(const http::request& r,
                                                            const serving& with) const;
  void note_refusal(const http::request& r, std::string_view id);
  static std::optional<client_error> refuse_model(const visit& v, std::string_view model);
  static std::string cors_fields(const http::request& r, const serving& with);
  const known_models& models(const serving& with) const;
  request_context context(const serving& with, const model_target& to) const;
  void account(const http::exchange& x, surface speaks, const call_summary& end);

  attempts::parts p_;
  attempts attempts_;
  std::uint64_t next_id_;
  const std::atomic<bool>& draining_;
  std::shared_ptr<const serving> serving_;
  model_cache models_;
  time_point refusal_told_{}; ///< when a wrong credential was last a line of the log
  std::uint64_t refusals_untold_ = 0;
};

} // namespace troupe
