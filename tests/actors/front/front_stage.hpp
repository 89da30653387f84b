#pragma once

#include "actors/bridge.hpp"
#include "actors/front/front.hpp"
#include "actors/metrics.hpp"
#include "actors/scheduling.hpp"
#include "http/client.hpp"
#include "storage/store.hpp"
#include "tests/actors/front/scripted_upstream.hpp"
#include "tests/support/temporary_directory.hpp"

#include <caf/actor.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace troupe {

/// Keeps the lines of the security log.
class security_log final : public log_sink {
public:
  bool wants(log_area area, log_level) const override { return area == log_area::security; }
  void write(log_area area, log_level, std::string_view, std::string_view text) override;
  std::vector<std::string> lines() const;

private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

/// Fronts as a node has them, on threads, with pool and keys, behind a port; and a caller.
class front_stage {
public:
  struct answer {
    int status = 0; ///< 0: none came
    std::string body;
    bool whole = false;
  };

  /// `upstreams`: numbers of those that have a key each.
  front_stage(std::shared_ptr<const front_config> first, std::size_t loops,
              const std::vector<std::uint32_t>& upstreams = {1}, limits_of_credentials limits = {});
  ~front_stage();
  front_stage(const front_stage&) = delete;
  front_stage& operator=(const front_stage&) = delete;

  /// One upstream with number 1; the credential `client` with the secret `secret`.
  static std::shared_ptr<front_config> config_for(const scripted_upstream& upstream,
                                                  std::vector<http::credential> clients = {
                                                      http::credential_of("client", "secret")});

  /// From now on, on every loop; when it returns no front takes the old one.
  void use(std::shared_ptr<const front_config> config);

  answer call(std::string_view method, std::string_view target, std::string_view body = {},
              std::string_view secret = "secret");
  answer generate(std::string_view secret = "secret") {
    return call("POST", "/v1beta/models/gemini-2.0-flash:generateContent", "{}", secret);
  }

  /// A call whose first bytes have come; the rest comes by the future.
  std::future<answer> begin_stream(std::string_view secret = "secret");

  /// Calls again and again, `callers` at once, until `end` is true; the answers that were not
  /// whole or had another status than 200.
  std::future<std::uint64_t> call_until(const std::atomic<bool>& end, std::size_t callers,
                                        std::atomic<std::uint64_t>& calls);

  /// What the loops' clients of upstreams have counted, together; after the work that was posted
  /// to the loops before.
  http::client_counters to_upstreams();

  security_log log;
  std::shared_ptr<breaker_board> breakers = std::make_shared<breaker_board>();

private:
  struct loop_parts {
    http::event_loop* loop = nullptr;
    std::unique_ptr<bridge> door;
    front_metrics metrics;
    std::shared_ptr<http::client_tally> tally = std::make_shared<http::client_tally>();
    std::unique_ptr<front> serving;
  };

  http::origin self() const;

  temporary_directory where_;
  no_log quiet_;
  std::atomic<bool> draining_{false};
  std::unique_ptr<storage::store> store_;
  std::unique_ptr<runtime> runtime_;
  caf::actor storage_;
  caf::actor pool_;
  std::vector<std::unique_ptr<loop_parts>> parts_;
  std::unique_ptr<http::server> server_;

  http::event_loop calls_;
  std::thread thread_;
  std::unique_ptr<http::client> caller_;
};

} // namespace troupe
