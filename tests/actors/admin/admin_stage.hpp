#pragma once

#include "actors/admin/admin_front.hpp"
#include "actors/inventory/job_board.hpp"
#include "actors/scheduling.hpp"
#include "tests/actors/admin/schema_check.hpp"
#include "tests/actors/on_loop.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <any>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <typeindex>
#include <utility>
#include <vector>

namespace troupe {

/// What the inventory is told to answer, and what it was asked. A test touches it only while no
/// request runs.
struct inventory_script {
  std::optional<refused> no; ///< the answer to everything, where it is set
  key_view key;
  key_page page;
  std::vector<upstream_view> upstreams;
  pool_view pool;
  credential_view credential;
  settings_view settings;
  settings_changed changed;
  settings_history history;
  settings_diff diff;
  audit_page audit;
  std::string revealed = "AIzaSyRevealed-0123456789-0123456789abc";
  std::string proxy;                  ///< of the revealed key
  std::uint64_t job = 0;              ///< of the next ticket
  std::vector<std::uint64_t> checked; ///< keys that `report_check` named

  /// The last question of this type.
  template <class Question>
  const Question& last() const {
    return std::any_cast<const Question&>(questions.at(typeid(Question)));
  }
  template <class Question>
  bool was_asked() const {
    return questions.contains(typeid(Question));
  }

  std::map<std::type_index, std::any> questions;
};

/// One request as the front sees it, and what it answered.
class fake_exchange final : public http::exchange {
public:
  fake_exchange(std::string method, std::string target, std::string body, std::string peer);

  void field(std::string_view name, std::string_view value) { fields_.add(name, value); }

  const http::request& req() const override { return request_; }
  std::string_view request_id() const override { return "req-1"; }
  http::task<bool> respond(const http::response_head& head, std::string_view body) override;
  http::task<bool> start(const http::response_head&) override { co_return false; }
  http::task<bool> write(std::string_view) override { co_return false; }
  http::task<bool> finish() override { co_return false; }
  void cut() override {}
  http::cancel_source& gone() override { return gone_; }
  duration age() const override { return {}; }

  int answers = 0;
  int status = 0;
  std::string type;
  std::string head; ///< field lines
  std::string body;

  /// The value of a field of the answer; empty: not there.
  std::string answered(std::string_view name) const;

private:
  std::string method_, target_, body_, peer_;
  http::headers fields_;
  http::request request_;
  http::cancel_source gone_;
};

/// Keeps lines with their area.
class area_log final : public log_sink {
public:
  bool wants(log_area, log_level) const override { return true; }
  void write(log_area area, log_level, std::string_view, std::string_view text) override {
    const std::lock_guard guard{mutex_};
    lines_.emplace_back(area, text);
  }
  std::vector<std::string> of(log_area area) const;

private:
  mutable std::mutex mutex_;
  std::vector<std::pair<log_area, std::string>> lines_;
};

/// An upstream without a socket: answers what it is told.
class fake_client final : public http::client {
public:
  int status = 200;
  std::string answer = "{}";
  std::optional<failure> no;         ///< instead of an answer
  std::function<void(int)> before{}; ///< called with the number of calls that run
  std::vector<std::string> targets, heads, bodies, proxies;
  int running = 0;
  int most = 0; ///< calls that ran at one time

  explicit fake_client(http::event_loop& loop) : loop_(loop) {}

  http::task<result<std::unique_ptr<http::client_response>>>
  send(const http::origin& to, const http::client_request& request,
       http::cancel_source& cancel) override;
  http::client_counters counters() const override { return {}; }
  void stop() override {}

private:
  http::event_loop& loop_;
};

/// An admin front over a scripted inventory, on a loop and actors of its own.
class admin_stage {
public:
  static constexpr std::string_view operator_secret = "sk-operator";
  static constexpr std::string_view viewer_secret = "sk-viewer";

  explicit admin_stage(bool local_trust = false);
  ~admin_stage();

  using fields = std::vector<std::pair<std::string, std::string>>;

  /// A request with the operator's credential; `pattern` is its path in the schema, which the
  /// answer has to keep to.
  std::shared_ptr<fake_exchange> ask(std::string_view method, std::string_view target,
                                     std::string_view body = {}, const fields& more = {});
  /// A request with exactly these fields.
  std::shared_ptr<fake_exchange> ask_as(std::string_view method, std::string_view target,
                                        std::string_view body, const fields& all,
                                        std::string_view peer = "10.0.0.1");

  /// Waits until the job has ended.
  job_view ended(std::uint64_t job);

  inventory_script& script() { return *script_; }
  static std::shared_ptr<admin_access> access();

  area_log log;
  std::atomic<std::int64_t> wall_ms{1'795'593'600'000};
  job_board jobs;
  std::unique_ptr<runtime> system;
  std::unique_ptr<bridge> door;
  std::shared_ptr<fake_client> upstream;
  std::unique_ptr<admin_front> front;
  bool is_ready = true;
  std::vector<std::string> warnings;
  std::vector<breaker_shown> breakers;
  std::vector<explained_request> explained;
  upstream_kind kind = upstream_kind::gemini;

private:
  std::shared_ptr<inventory_script> script_ = std::make_shared<inventory_script>();
  caf::actor inventory_;
  caf::actor pool_;
  caf::actor storage_;
};

/// What is wrong with an answer by docs/api/openapi.json; empty: nothing.
std::string schema_fault(const fake_exchange& x);

} // namespace troupe
