#pragma once

#include "actors/bridge.hpp"
#include "actors/front/answers.hpp"
#include "actors/front/serving.hpp"
#include "actors/messages.hpp"
#include "actors/metrics.hpp"
#include "http/exchange.hpp"
#include "protocol/gemini/classify.hpp"

#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe {

/// What to ask an upstream for, with any key.
struct upstream_call {
  surface speaks = surface::openai;
  std::string_view method = "POST";
  std::string path;                      ///< below the upstream's base, with query
  std::string_view body;                 ///< lives as long as the call
  std::string header_lines;              ///< without the key
  std::string model;                     ///< whose quota it uses
  std::span<const std::string> groups{}; ///< only keys of these; empty: any. Live as long
};

/// Makes the object that translates one attempt's answer; exactly one of the two is used.
class answer_maker {
public:
  virtual ~answer_maker() = default;
  virtual bool streams() const = 0;
  virtual std::unique_ptr<whole_answer> whole() = 0;
  virtual std::unique_ptr<stream_answer> stream() = 0;
};

/// What an exchange tells about itself once it is over, for its log line.
struct call_summary {
  int status = 0; ///< as the client saw it
  std::uint32_t attempts = 0;
  std::uint64_t key = 0; ///< of the last attempt
  bool gone = false;     ///< the client left
  bool visible = false;  ///< it saw bytes of an upstream's answer
  bool cut = false;      ///< the stream began and could not be ended
};

/// Serves a call through leased keys: asks the pool, sends, passes the answer on, settles;
/// tries another key while the client has seen nothing and it can help. Owned by one front,
/// on its loop.
class attempts {
public:
  struct parts {
    http::event_loop& loop;
    bridge& actors;
    caf::actor pool;
    front_metrics& metrics;
    log_sink& log;
    std::uint64_t seed = 0; ///< random: jitter of backoffs, ids that the upstream does not give
  };

  explicit attempts(parts p) : p_(std::move(p)), random_(p_.seed) {}

  /// Answers `x` in every case. `fields`: header lines that the answer carries (CORS). `with`
  /// lives until the task ends.
  http::task<call_summary> serve(http::exchange& x, const serving& with, const upstream_call& call,
                                 answer_maker& answers, std::string_view fields);

  /// The same without a client to answer: the upstream's whole body, or why there is none.
  http::task<std::variant<std::string, client_error>>
  fetch(const serving& with, const upstream_call& call, http::cancel_source& cancel);

  static http::task<bool> refuse(http::exchange& x, const client_error& error, surface speaks,
                                 std::string_view fields = {});

private:
  struct attempt_end;
  struct lease_or_error;
  struct client_side;

  http::task<lease_or_error> acquire(const upstream_call& call, std::vector<std::uint64_t>& tried,
                                     std::optional<client_error>& last,
                                     http::cancel_source& cancel);
  http::task<attempt_end> attempt(client_side& side, const upstream_call& call,
                                  const acquire_reply& lease, std::size_t upstream);
  http::task<attempt_end> take_whole(client_side& side, const upstream_call& call,
                                     http::client_response& from);
  http::task<attempt_end> pass_stream(client_side& side, const upstream_call& call,
                                      http::client_response& from);
  http::task<attempt_end> take_error(const upstream_call& call, http::client_response& from);
  http::task<std::optional<client_error>> run(client_side& side, const upstream_call& call,
                                              call_summary& summary);
  gemini::verdict judge(const upstream_call& call, int status, std::string_view body,
                        const http::headers* fields) const;
  void settle(const upstream_call& call, const acquire_reply& lease, const attempt_end& end);
  void log_failure(const client_side& side, const acquire_reply& lease, const attempt_end& end);
  static void give_back(bridge& actors, acquire_reply late);

  parts p_;
  std::minstd_rand random_;
};

} // namespace troupe
