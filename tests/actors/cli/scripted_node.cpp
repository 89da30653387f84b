#include "tests/actors/cli/scripted_node.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <fstream>
#include <sstream>

namespace troupe {

namespace {

class silent_log final : public log_sink {
public:
  bool wants(log_area, log_level) const override { return false; }
  void write(log_area, log_level, std::string_view, std::string_view) override {}
};

struct canned {
  int status;
  std::string body, fields;
};

/// 2026-11-25T08:00:00Z
constexpr wall_time test_now{std::chrono::milliseconds{1'795'593'600'000}};

} // namespace

struct scripted_node::parts final : http::server_handler {
  http::task<void> serve(http::exchange& x) override;
  std::pair<http::response_head, std::string> refuse(const http::refusal& r) override {
    return {http::response_head{r.status, "text/plain"}, std::string{r.reason}};
  }

  canned take(const std::string& line) {
    const std::lock_guard guard{mutex};
    auto& foreseen = answers[line];
    if (foreseen.empty())
      return {500,
              R"({"error":{"code":"storage_failed","message":"nobody foresaw )" + line
                  + R"(","request_id":"r1"}})",
              {}};
    auto next = foreseen.front();
    if (foreseen.size() > 1)
      foreseen.pop_front();
    return next;
  }

  void start(std::unique_ptr<http::server>& into, http::server_options options) {
    auto started = http::server::start(std::move(options), log, {&loop}, {this});
    ASSERT_TRUE(started) << started.error().text;
    into = std::move(*started);
  }

  mutable std::mutex mutex;
  std::map<std::string, std::deque<canned>> answers;
  std::vector<seen_call> calls;
  silent_log log;
  http::event_loop loop;
  std::thread thread;
  std::unique_ptr<http::server> web, socket;
};

http::task<void> scripted_node::parts::serve(http::exchange& x) {
  const auto& r = x.req();
  seen_call call;
  call.line = std::string{r.method} + ' ' + std::string{r.target};
  call.body = *r.body;
  call.authorization = r.fields->get("authorization");
  call.content_type = r.fields->get("content-type");
  call.if_match = r.fields->get("if-match");
  const auto reply = take(call.line);
  {
    const std::lock_guard guard{mutex};
    calls.push_back(std::move(call));
  }
  http::response_head head{reply.status, reply.body.empty() ? "" : "application/json"};
  head.fields = reply.fields;
  co_await x.respond(head, reply.body);
}

scripted_node::scripted_node() : parts_(std::make_unique<parts>()) {
  parts_->thread = std::thread{[p = parts_.get()] { p->loop.run(); }};
  http::server_options options;
  options.port = 0;
  parts_->start(parts_->web, std::move(options));
}

scripted_node::~scripted_node() {
  for (auto* s : {&parts_->web, &parts_->socket})
    if (*s) {
      (*s)->stop();
      s->reset();
    }
  parts_->loop.stop();
  parts_->thread.join();
  parts_->loop.drop_handlers();
}

void scripted_node::listen_at(const std::string& path) {
  http::server_options options;
  options.unix_path = path;
  parts_->start(parts_->socket, std::move(options));
}

void scripted_node::answer(const std::string& line, int status, std::string body,
                           std::string fields) {
  const std::lock_guard guard{parts_->mutex};
  parts_->answers[line].push_back({status, std::move(body), std::move(fields)});
}

std::vector<seen_call> scripted_node::calls() const {
  const std::lock_guard guard{parts_->mutex};
  return parts_->calls;
}

std::vector<std::string> scripted_node::lines() const {
  std::vector<std::string> out;
  for (const auto& call : calls())
    out.push_back(call.line);
  return out;
}

std::uint16_t scripted_node::port() const {
  return parts_->web->port();
}

commanded::commanded() {
  environment = {{"TROUPE_ADMIN_URL", "http://127.0.0.1:" + std::to_string(node.port())},
                 {"TROUPE_ADMIN_CREDENTIAL", "sk-admin-0123456789"}};
}

int commanded::operator()(const std::string& words) {
  std::istringstream in{words};
  std::vector<std::string> arguments;
  for (std::string word; in >> word;)
    arguments.push_back(word);
  return run(arguments);
}

int commanded::run(const std::vector<std::string>& arguments) {
  std::ostringstream o, e;
  cli_surroundings around{environment, read_config_file, o, e};
  around.terminal = terminal;
  around.directory = files.path();
  around.read_input = [this](std::size_t) -> result<std::string> { return input; };
  around.read_line = [this, &e](const std::string& prompt,
                                bool hidden) -> std::optional<std::string> {
    e << prompt;
    typed_hidden.push_back(hidden);
    if (typed.empty())
      return std::nullopt;
    auto line = typed.front();
    typed.erase(typed.begin());
    return line;
  };
  around.now = [] { return test_now; };
  waits.clear();
  around.wait = [this](duration span) { waits.push_back(span); };
  around.watch_interrupts = [this] {
    return [this] { return static_cast<int>(waits.size()) >= interrupt_after_waits; };
  };
  const auto never = [](const config_sources&, const loaded_settings&) {
    ADD_FAILURE() << "a node was started";
    return 0;
  };
  code = run_cli(arguments, around, never);
  out = o.str();
  err = e.str();
  return code;
}

std::string commanded::file(const std::string& name, const std::string& content) {
  const auto path = files.path() + '/' + name;
  std::ofstream{path} << content;
  return path;
}

std::string key_json(const std::string& id, const std::string& more) {
  const std::vector<std::string> usual{
      R"("revision":3)",
      R"("name":"main")",
      R"("upstream":"gemini")",
      R"("kind":null)",
      R"("domain":null)",
      R"("groups":["a","b"])",
      R"("tags":["paid"])",
      R"("weight":1)",
      R"("tier":0)",
      R"("limits":{"rpm":10,"models":{"gemini-2.5-pro":{"rpm":5}}})",
      R"("proxy":null)",
      R"("note":"")",
      R"("enabled":true)",
      R"("origin":{"layer":"database","source":""})",
      R"("served":true)",
      R"("created":"2026-11-24T08:00:00.000Z")",
      R"("changed":"2026-11-25T07:57:00.000Z")",
      R"("state":"ready")",
      R"("reason":null)",
      R"("since":null)",
      R"("until":null)",
      R"("strikes":0)",
      R"("in_flight":0)",
      R"("restarts":0)",
      R"("last_used":"2026-11-25T07:59:48.000Z")",
      R"("last_error_at":null)",
      R"("last_error":null)",
      R"("models":[])",
      R"("counts":{"granted":1234,"ok":1200,"location":0})",
      R"("tokens":{"prompt":5})"};
  auto out = R"({"id":")" + id + '"';
  for (const auto& member : usual)
    if (more.find(member.substr(0, member.find(':') + 1)) == std::string::npos)
      out += ',' + member;
  return out + (more.empty() ? "" : ',' + more) + '}';
}

std::string job_json(const std::string& state, int finished, int total, const std::string& report,
                     const std::string& error) {
  return R"({"job":{"id":"7","kind":"keys.bulk","who":"ops","state":")" + state + R"(","done":)"
         + std::to_string(finished) + R"(,"total":)" + std::to_string(total)
         + R"(,"started":"2026-11-25T08:00:00.000Z","ended":null,"report":)" + report
         + R"(,"error":)" + error + "}}";
}

} // namespace troupe
