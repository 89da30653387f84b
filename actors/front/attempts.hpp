#pragma once

#include "actors/bridge.hpp"
#include "actors/front/answers.hpp"
#include "actors/front/breaker_board.hpp"
#include "actors/front/explain_board.hpp"
#include "actors/front/resource_book.hpp"
#include "actors/front/serving.hpp"
#include "actors/key/pool_gauges.hpp"
#include "actors/messages.hpp"
#include "actors/metrics.hpp"
#include "http/exchange.hpp"
#include "protocol/gemini/classify.hpp"
#include "protocol/upstream/demand.hpp"

#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe {

/// What to ask an upstream for, with any key. What the views and spans show lives as long.
struct upstream_call {
  surface speaks = surface::openai;
  upstream_kind kind = upstream_kind::gemini; ///< of all the upstreams that may be called
  std::string_view method = "POST";
  std::string path; ///< below the upstream's base, with query
  std::string_view body;
  std::string header_lines; ///< without the key
  std::string model;        ///< whose quota it uses
  // Which keys may serve it, as in `acquire_request`.
  std::span<const std::uint32_t> upstreams{};
  std::span<const std::string> groups{};
  std::span<const std::string> model_groups{};
  std::uint64_t pinned = 0;
  std::uint64_t affinity = 0;
  std::uint64_t credential = 0;
  upstream::token_demand demand{};
  duration wait_max{};     ///< in the waiting room, at most
  bool heartbeats = false; ///< the client bears comments while it waits
};

/// Makes the object that translates one attempt's answer; exactly one of the two is used.
class answer_maker {
public:
  virtual ~answer_maker() = default;
  virtual bool streams() const = 0;
  virtual std::unique_ptr<whole_answer> whole() = 0;
  virtual std::unique_ptr<stream_answer> stream() = 0;
  /// The client got an answer of the last object made; it was `key`'s. What it names (a cached
  /// content, a response) belongs to that key.
  virtual void served_by(std::uint64_t /*key*/) {}
};

/// What an exchange tells about itself once it is over, for its log line.
struct call_summary {
  int status = 0; ///< as the client saw it
  std::uint32_t attempts = 0;
  std::uint64_t key = 0;  ///< of the last attempt
  bool gone = false;      ///< the client left
  bool visible = false;   ///< it saw bytes of an upstream's answer
  bool cut = false;       ///< the stream began and could not be ended
  bool begun = false;     ///< the head of a stream has gone out, although nothing of an answer has
  bool forwarded = false; ///< an upstream of the client's own protocol: `error` may have its words
  /// What the client has to be told: nothing of an answer was seen, and it was not told yet.
  std::optional<client_error> error;

  call_summary() = default;
};

/// What is remembered of a request, to explain it.
struct call_notes {
  std::vector<std::uint64_t> tickets;
  std::vector<explained_attempt> attempts;
  std::uint64_t credential_ticket = 0; ///< counted against the credential's limits; 0: not
  bool sent = false;                   ///< some attempt reached an upstream
  bool reported = false;
  token_usage usage; ///< of the attempts together
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
    std::shared_ptr<breaker_board> breakers = std::make_shared<breaker_board>();
    std::shared_ptr<explain_board> explained = std::make_shared<explain_board>();
    std::shared_ptr<const pool_gauges> gauges = nullptr; ///< none: every call is estimated
    std::shared_ptr<resource_book> resources = std::make_shared<resource_book>(caf::actor{});
  };

  explicit attempts(parts p) : p_(std::move(p)), random_(p_.seed), next_ticket_(p_.seed | 1) {}

  /// Answers `x`, unless the summary has an error that remains to be told. `fields`: header
  /// lines that the answer carries (CORS). `with` and `notes` live until the task ends.
  http::task<call_summary> serve(http::exchange& x, const serving& with, const upstream_call& call,
                                 answer_maker& answers, std::string_view fields, call_notes& notes);

  /// The same without a client to answer: the upstream's whole body, or why there is none.
  http::task<std::variant<std::string, client_error>>
  fetch(const serving& with, const upstream_call& call, http::cancel_source& cancel);

  /// The end of a request that may have counted against its credential's limits.
  void settle_credential(std::uint64_t credential, const call_notes& notes);

  /// @param forwarded  as in `call_summary`
  static http::task<bool> refuse(http::exchange& x, const client_error& error, surface speaks,
                                 std::string_view fields = {}, bool forwarded = false);

private:
  struct attempt_end;
  struct lease_or_error;
  struct client_side;
  struct bytes_watch;
  struct course;
  struct heart;

  acquire_request question_of(const upstream_call& call, const course& so_far,
                              const call_notes& notes);
  http::task<lease_or_error> acquire(client_side& side, const upstream_call& call, course& so_far);
  http::task<result<acquire_reply>> ask(client_side& side, acquire_request& question);
  http::task<result<acquire_reply>> ask_with_heartbeats(client_side& side,
                                                        const acquire_request& question);
  http::task<result<acquire_reply>> ask_once(client_side& side, const upstream_call& call,
                                             const course& so_far);
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
  void settle(client_side& side, const upstream_call& call, const acquire_reply& lease,
              attempt_end& end);
  void note_attempt(client_side& side, const upstream_call& call, const acquire_reply& lease,
                    std::size_t upstream, const attempt_end& end);
  bool may_go_on(const client_side& side, course& so_far, const attempt_end& end, duration& wait);
  void log_failure(const client_side& side, const acquire_reply& lease, const attempt_end& end);
  double jitter() { return std::uniform_real_distribution<double>{}(random_); }
  void tell_well(client_side& side, const upstream_call& call);
  static void give_back(bridge& actors, const acquire_reply& lease);
  static void came_late(bridge& actors, acquire_reply late);
  http::task<void> pause(client_side& side, duration wait);
  static http::task<void> beat(std::shared_ptr<heart> state);

  parts p_;
  std::minstd_rand random_;
  std::uint64_t next_ticket_;
};

} // namespace troupe
