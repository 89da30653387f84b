#include "tests/actors/admin/admin_stage.hpp"

#include "actors/admin/routes.hpp"

#include <algorithm>

namespace troupe {

namespace {

using script_pointer = std::shared_ptr<inventory_script>;

template <class Yes, class Question>
auto keeping(script_pointer s, Yes yes) {
  return [s, yes](const Question& q) {
    s->questions[typeid(Question)] = q;
    using value = std::decay_t<decltype(yes(*s, q))>;
    return s->no ? answer<value>(*s->no) : answer<value>(yes(*s, q));
  };
}

template <class Question, class Yes>
auto on(const script_pointer& s, Yes yes) {
  return keeping<Yes, Question>(s, yes);
}

job_ticket ticket(inventory_script& s) {
  return {s.job};
}

new_credential made(inventory_script& s) {
  return {s.credential, secret{"sk-troupe-shown-once"}};
}

caf::behavior scripted_inventory(caf::event_based_actor*, script_pointer s) {
  using script = inventory_script;
  return {
      on<get_settings>(s, [](script& x, const auto&) { return x.settings; }),
      on<change_settings>(s, [](script& x, const auto&) { return x.changed; }),
      on<get_settings_history>(s, [](script& x, const auto&) { return x.history; }),
      on<diff_settings>(s, [](script& x, const auto&) { return x.diff; }),
      on<restore_settings>(s, [](script& x, const auto&) { return x.changed; }),
      on<list_keys>(s, [](script& x, const auto&) { return x.page; }),
      on<get_key>(s, [](script& x, const auto&) { return x.key; }),
      on<add_one_key>(s, [](script& x, const auto&) { return x.key; }),
      on<edit_key>(s, [](script& x, const auto&) { return x.key; }),
      on<delete_key>(s, [](script&, const auto&) { return nothing{}; }),
      on<order_key>(s, [](script& x, const auto&) { return x.key; }),
      on<import_keys>(s, [](script& x, const auto&) { return ticket(x); }),
      on<change_keys>(s, [](script& x, const auto&) { return ticket(x); }),
      on<reveal_key>(s,
                     [](script& x, const auto&) {
                       return revealed_key{secret{x.revealed}, "first", secret{x.proxy}};
                     }),
      on<report_check>(s,
                       [](script& x, const report_check& q) {
                         x.checked.push_back(q.id);
                         return x.key;
                       }),
      on<list_upstreams>(s, [](script& x, const auto&) { return x.upstreams; }),
      on<list_credentials>(
          s, [](script& x, const auto&) { return std::vector<credential_view>{x.credential}; }),
      on<add_credential>(s, [](script& x, const auto&) { return made(x); }),
      on<edit_credential>(s, [](script& x, const auto&) { return x.credential; }),
      on<revoke_credential>(s, [](script&, const auto&) { return nothing{}; }),
      on<renew_credential>(s, [](script& x, const auto&) { return made(x); }),
      on<list_audit>(s, [](script& x, const auto&) { return x.audit; }),
      on<back_up>(s, [](script& x, const auto&) { return ticket(x); }),
      on<restore_from>(s, [](script& x, const auto&) { return ticket(x); }),
      on<rotate_secrets>(s, [](script& x, const auto&) { return ticket(x); }),
  };
}

caf::behavior scripted_pool(caf::event_based_actor*, script_pointer s) {
  return {[](list_briefs_atom) {
            key_brief ready;
            return std::vector<key_brief>{ready};
          },
          [s](pool_view_atom) { return s->pool; }};
}

caf::behavior scripted_storage(caf::event_based_actor*) {
  return {[](status_atom) { return storage_status{}; }};
}

/// A body that is there at once.
class fake_response final : public http::client_response {
public:
  fake_response(int status, std::string body, int& running)
      : status_(status), body_(std::move(body)), running_(running) {}
  ~fake_response() override { --running_; }

  int status() const override { return status_; }
  const http::headers& fields() const override { return fields_; }
  http::task<result<std::string_view>> read() override {
    const std::string_view all = given_ ? std::string_view{} : std::string_view{body_};
    given_ = true;
    co_return all;
  }

private:
  int status_;
  std::string body_;
  int& running_;
  http::headers fields_;
  bool given_ = false;
};

/// Waits for one turn of the loop.
struct next_turn {
  http::event_loop& loop;

  explicit next_turn(http::event_loop& l) : loop(l) {}
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    loop.post([](void* h) { std::coroutine_handle<>::from_address(h).resume(); },
              waiting.address());
  }
  void await_resume() const {}
};

/// Found at the loop's next turn, as what another actor has to be asked for.
http::task<std::optional<explained_request>>
explain_later(const std::vector<explained_request>& all, http::event_loop& loop, std::string id) {
  next_turn turn(loop);
  co_await turn;
  const auto at = std::ranges::find(all, id, &explained_request::request_id);
  if (at == all.end())
    co_return std::nullopt;
  co_return *at;
}

} // namespace

fake_exchange::fake_exchange(std::string method, std::string target, std::string sent,
                             std::string peer)
    : method_(std::move(method)),
      target_(std::move(target)),
      body_(std::move(sent)),
      peer_(std::move(peer)) {
  const std::string_view all = target_;
  const auto mark = std::min(all.find('?'), all.size());
  request_.method = method_;
  request_.target = all;
  request_.path = all.substr(0, mark);
  request_.query = all.substr(std::min(mark + 1, all.size()));
  request_.fields = &fields_;
  request_.body = &body_;
  request_.peer = peer_;
}

http::task<bool> fake_exchange::respond(const http::response_head& h, std::string_view bytes) {
  ++answers;
  status = h.status;
  type = h.content_type;
  head = h.fields;
  body = bytes;
  co_return true;
}

std::string fake_exchange::answered(std::string_view name) const {
  const auto at = head.find(std::string{name} + ": ");
  if (at == std::string::npos)
    return {};
  const auto begin = at + name.size() + 2;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

std::vector<std::string> area_log::of(log_area area) const {
  const std::lock_guard guard{mutex_};
  std::vector<std::string> texts;
  for (const auto& [of, text] : lines_)
    if (of == area)
      texts.push_back(text);
  return texts;
}

http::task<result<std::unique_ptr<http::client_response>>>
fake_client::send(const http::origin&, const http::client_request& request,
                  http::cancel_source& cancel) {
  targets.emplace_back(std::string{request.method} + ' ' + std::string{request.target});
  heads.emplace_back(request.header_lines);
  bodies.emplace_back(request.body);
  proxies.emplace_back(request.proxy);
  most = std::max(most, ++running);
  if (before)
    before(static_cast<int>(targets.size()));
  next_turn turn(loop_);
  co_await turn;
  if (cancel.cancelled()) {
    --running;
    co_return failure(errc::cancelled, "cancelled");
  }
  if (no) {
    --running;
    co_return *no;
  }
  std::unique_ptr<http::client_response> made =
      std::make_unique<fake_response>(status, answer, running);
  co_return std::move(made);
}

std::shared_ptr<admin_access> admin_stage::access() {
  auto a = std::make_shared<admin_access>();
  const auto made = [](const char* name, std::string_view characters, storage::role role) {
    auto c = http::credential_of(name, characters);
    c.tag = static_cast<std::uint32_t>(role);
    return c;
  };
  auto expired = made("gone", "sk-expired", storage::role::operator_);
  expired.expires_at_ms = 1'795'593'600'000;
  a->set = http::credential_set({made("boss", operator_secret, storage::role::operator_),
                                 made("looker", viewer_secret, storage::role::viewer), expired,
                                 made("caller", "sk-client", storage::role::client)});
  return a;
}

admin_stage::admin_stage(bool local_trust)
    : jobs([this] { return wall_time{std::chrono::milliseconds{wall_ms.load()}}; }) {
  auto started = runtime::start(scheduler_kind::asio, 1);
  TROUPE_ASSERT(started.has_value());
  system = *std::move(started);
  auto& loop = *system->loops().front();
  door = std::make_unique<bridge>(loop, system->system(), log);
  upstream = std::make_shared<fake_client>(loop);
  inventory_ = system->system().spawn(scripted_inventory, script_);
  pool_ = system->system().spawn(scripted_pool, script_);
  storage_ = system->system().spawn(scripted_storage);
  node_view view;
  view.ready = [this] { return is_ready; };
  view.not_ready = [] { return std::string{"it is stopping"}; };
  view.facts = [] { return metrics_facts{}; };
  view.warnings = [this] { return warnings; };
  const auto find = [this](const std::string& name) -> std::optional<upstream_reach> {
    if (name != "first")
      return std::nullopt;
    upstream_reach reach;
    reach.client = upstream;
    reach.target.name = name;
    reach.target.kind = kind;
    reach.target.base_path = "/base";
    reach.target.header_lines = "x-more: 1\r\n";
    return reach;
  };
  const auto wall = [this] { return wall_time{std::chrono::milliseconds{wall_ms.load()}}; };
  front_words words;
  words.breakers = [this] { return breakers; };
  words.explain = [this, &loop](std::string id) {
    return explain_later(explained, loop, std::move(id));
  };
  front = std::make_unique<admin_front>(admin_parts{loop, *door, pool_, storage_, inventory_, jobs,
                                                    find, std::move(view), std::move(words),
                                                    access(), local_trust, wall, log});
}

admin_stage::~admin_stage() {
  call_on(*system->loops().front(), [this] { front->stop(); });
  for (auto* actor : {&inventory_, &pool_, &storage_})
    caf::anon_send_exit(*actor, caf::exit_reason::user_shutdown);
  door->stop();
  system->stop();
  front.reset();
  door.reset();
}

std::shared_ptr<fake_exchange> admin_stage::ask_as(std::string_view method, std::string_view target,
                                                   std::string_view body, const fields& all,
                                                   std::string_view peer) {
  auto x = std::make_shared<fake_exchange>(std::string{method}, std::string{target},
                                           std::string{body}, std::string{peer});
  for (const auto& [name, value] : all)
    x->field(name, value);
  on_loop(*system->loops().front(), front->serve(*x));
  return x;
}

std::shared_ptr<fake_exchange> admin_stage::ask(std::string_view method, std::string_view target,
                                                std::string_view body, const fields& more) {
  fields all{{"authorization", "Bearer " + std::string{operator_secret}}, {"host", "node:8081"}};
  if (!body.empty())
    all.emplace_back("content-type", "application/json");
  all.insert(all.end(), more.begin(), more.end());
  return ask_as(method, target, body, all);
}

job_view admin_stage::ended(std::uint64_t job) {
  // Each turn of the loop is a step of the job; a job that does not end is a failure of the test.
  for (int turn = 0; turn < 1'000'000; ++turn) {
    const auto view = jobs.find(job);
    if (view && view->state != job_state::running)
      return *view;
    call_on(*system->loops().front(), [] {});
  }
  return {};
}

std::string schema_fault(const fake_exchange& x) {
  static const api_schema schema;
  const auto found = match_admin(x.req().path);
  for (const auto& row : admin_rows())
    if (row.what == found.what
        && (found.id != 0 || !found.text.empty() || row.pattern == x.req().path))
      return schema.fault_of_answer(row.pattern, x.req().method, x.status, x.body);
  return schema.fault_of("Error", x.body);
}

} // namespace troupe
