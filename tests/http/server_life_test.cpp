#include "tests/http/server_stage.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace troupe::http {
namespace {

using namespace std::chrono_literals;

struct held_scene {
  gate held;
  signal ended;
  bool cancelled = false;
};

task<void> answer_when_opened(exchange& x, held_scene& sc) {
  co_await sc.held;
  const response_head head{200, "text/plain"};
  co_await x.respond(head, "held");
  sc.ended.raise();
}

TEST(server_life, a_second_server_on_the_port_fails_and_names_it) {
  stage s;
  server_options o;
  o.port = s.web->port();
  auto second = server::start(o, s.log, {s.loop}, {&s.handler});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, errc::already_exists);
  EXPECT_NE(second.error().text.find("127.0.0.1:" + std::to_string(s.web->port())),
            std::string::npos);
}

TEST(server_life, an_address_that_is_not_ours_is_refused_by_name) {
  stage s;
  server_options o;
  o.address = "192.0.2.1"; // set aside for documentation, on no machine
  o.port = 0;
  auto elsewhere = server::start(o, s.log, {s.loop}, {&s.handler});
  ASSERT_FALSE(elsewhere);
  EXPECT_EQ(elsewhere.error().code, errc::invalid_argument);
  EXPECT_NE(elsewhere.error().text.find("192.0.2.1:0"), std::string::npos);
  o.address = "no such address";
  EXPECT_FALSE(server::start(o, s.log, {s.loop}, {&s.handler}));
}

TEST(server_life, the_port_is_free_again_after_the_end) {
  std::uint16_t port = 0;
  {
    stage s;
    port = s.web->port();
    raw_client c{port};
    c.send(get("/echo"));
    EXPECT_EQ(c.read_answer().status, 200);
  }
  event_loop loop;
  std::thread thread{[&] { loop.run(); }};
  scripted_handler handler;
  quiet_log log;
  server_options o;
  o.port = port;
  auto again = server::start(o, log, {&loop}, {&handler});
  EXPECT_TRUE(again.has_value());
  if (again)
    (*again).reset();
  loop.stop();
  thread.join();
}

struct census {
  std::mutex mutex;
  std::vector<std::thread::id> seen;
};

task<void> note_thread(exchange& x, census& c) {
  {
    const std::lock_guard lock{c.mutex};
    c.seen.push_back(std::this_thread::get_id());
  }
  const response_head head{200, "text/plain"};
  co_await x.respond(head, "");
}

TEST(server_life, connections_are_dealt_to_the_loops_in_turn) {
  census c;
  stage s{{}, 3};
  s.on("/where", &note_thread, c);
  for (int i = 0; i < 6; ++i) {
    raw_client client{s.web->port()};
    client.send(get("/where"));
    EXPECT_EQ(client.read_answer().status, 200);
  }
  const std::lock_guard lock{c.mutex};
  ASSERT_EQ(c.seen.size(), 6U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(c.seen[i], c.seen[i + 3]);
    EXPECT_NE(c.seen[i], c.seen[(i + 1) % 3]);
  }
}

TEST(server_life, drain_closes_idle_connections_and_takes_no_new_ones) {
  stage s;
  raw_client idle{s.web->port()};
  idle.send(get("/echo"));
  EXPECT_EQ(idle.read_answer().status, 200);
  s.web->drain();
  EXPECT_TRUE(idle.at_end());
  EXPECT_TRUE(s.web->wait_drained(patience));
  raw_client late{s.web->port()};
  EXPECT_FALSE(late.send(get("/echo")) && late.read_answer().status != 0);
}

TEST(server_life, drain_lets_running_exchanges_finish_and_says_close) {
  held_scene sc;
  stage s;
  s.on("/hold", &answer_when_opened, sc);
  raw_client c{s.web->port()};
  c.send(get("/hold") + get("/echo"));
  ASSERT_TRUE(sc.held.reached.wait());
  s.web->drain();
  EXPECT_FALSE(s.web->wait_drained(0ms));
  // The word goes to the listener first and from there to the connections: two turns of the loop.
  for (int turn = 0; turn < 2; ++turn) {
    signal turned;
    s.loop->post([&turned] { turned.raise(); });
    ASSERT_TRUE(turned.wait());
  }
  sc.held.open(*s.loop);
  const auto a = c.read_answer();
  EXPECT_EQ(a.body, "held");
  EXPECT_EQ(a.field("connection"), "close");
  EXPECT_TRUE(c.at_end()); // the pipelined request is not served: it may be sent elsewhere
  c.close();
  EXPECT_TRUE(s.web->wait_drained(patience));
  EXPECT_EQ(s.web->counters().requests, 1U);
}

TEST(server_life, drain_lets_a_request_that_is_arriving_arrive) {
  stage s;
  raw_client c{s.web->port()};
  c.send(get("/echo"));
  EXPECT_EQ(c.read_answer().status, 200);
  c.send("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n");
  EXPECT_EQ(c.read_answer().status, 100); // so the server knows of the request
  s.web->drain();
  c.send("hello");
  const auto a = c.read_answer();
  EXPECT_EQ(a.body, "POST /echo  hello");
  EXPECT_EQ(a.field("connection"), "close");
  EXPECT_TRUE(s.web->wait_drained(patience));
}

/// Ends only when it is cancelled, and a turn later, as an actor's answer would make it.
class last_rites {
public:
  last_rites(cancel_source& source, event_loop& loop) : source_(source), loop_(loop) {}

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    waiting_ = waiting;
    listener_.join(source_);
  }
  void await_resume() const noexcept {}

private:
  static void cancelled(void* p) {
    auto& self = *static_cast<last_rites*>(p);
    self.loop_.post([](void* q) { static_cast<last_rites*>(q)->waiting_.resume(); }, p);
  }

  cancel_source& source_;
  event_loop& loop_;
  std::coroutine_handle<> waiting_;
  cancel_listener listener_{&cancelled, this};
};

struct running_scene {
  event_loop* loop = nullptr;
  signal reached;
  int running = 0;
  int ended = 0;
};

task<void> run_until_cancelled(exchange& x, running_scene& sc) {
  if (++sc.running == 10)
    sc.reached.raise();
  last_rites until{x.gone(), *sc.loop};
  co_await until;
  const response_head head{200, "text/plain"};
  EXPECT_FALSE(co_await x.respond(head, "too late"));
  ++sc.ended;
}

TEST(server_life, stop_cancels_running_handlers_and_waits_for_their_end) {
  running_scene sc;
  stage s;
  sc.loop = s.loop;
  s.on("/run", &run_until_cancelled, sc);
  std::vector<std::unique_ptr<raw_client>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<raw_client>(s.web->port()));
    clients.back()->send(get("/run"));
  }
  raw_client half{s.web->port()};
  half.send("POST /echo HTTP/1.1\r\n");
  raw_client idle{s.web->port()};
  ASSERT_TRUE(sc.reached.wait());
  s.web->drain();
  EXPECT_FALSE(s.web->wait_drained(1ms));
  s.web->stop();
  EXPECT_EQ(sc.ended, 10);
  EXPECT_EQ(s.web->counters().connections_open, 0U);
  EXPECT_TRUE(clients.front()->at_end());
}

TEST(server_life, stop_interrupts_a_handler_that_waits_for_a_slow_reader) {
  running_scene sc;
  stage s;
  sc.loop = s.loop;
  s.on(
      "/flood",
      +[](exchange& x, running_scene& r) -> task<void> {
        const std::string piece(1024 * 1024, 'x');
        const response_head head{200, "text/plain"};
        co_await x.start(head);
        r.reached.raise();
        while (co_await x.write(piece)) {
        }
        ++r.ended;
      },
      sc);
  raw_client c{s.web->port(), 4096};
  c.send(get("/flood"));
  ASSERT_TRUE(sc.reached.wait());
  s.web->stop();
  EXPECT_EQ(sc.ended, 1);
}

TEST(server_life, running_out_of_descriptors_pauses_accepting_and_ends_with_the_shortage) {
  stage s;
  raw_client first{s.web->port()};
  first.send(get("/echo"));
  EXPECT_EQ(first.read_answer().status, 200);
  raw_client waiting{s.web->port()}; // its descriptor exists; the server's side does not yet
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  waiting.send(get("/echo"));
  EXPECT_EQ(waiting.read_answer().status, 200);
  const int probe = ::open("/dev/null", O_RDONLY);
  raw_client* late = nullptr;
  {
    // A client socket made before the shortage, connected during it.
    const rlimit none{static_cast<rlim_t>(probe) + 2, before.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
    late = new raw_client{s.web->port()}; // takes the last descriptor
    late->send(get("/echo"));
    EXPECT_TRUE(s.log.wait_for("new connections wait: Too many open files"));
    ::setrlimit(RLIMIT_NOFILE, &before);
  }
  EXPECT_EQ(late->read_answer().status, 200);
  delete late;
  ::close(probe);
}

TEST(server_life, a_refusal_is_logged_with_its_request_id_and_without_the_request) {
  stage s;
  raw_client c{s.web->port()};
  c.send(get("/echo?key=secret", "content-encoding: gzip\r\nx-api-key: secret\r\n"));
  EXPECT_EQ(c.read_answer().status, 415);
  EXPECT_NE(s.log.text().find("refused a request of 127.0.0.1 with 415"), std::string::npos);
  EXPECT_EQ(s.log.text().find("secret"), std::string::npos);
}

TEST(server_life, many_clients_at_once_on_two_loops_lose_nothing) {
  stage s{{}, 2};
  std::vector<std::thread> crowd;
  for (int t = 0; t < 8; ++t)
    crowd.emplace_back([&s, t] {
      for (int round = 0; round < 5; ++round) {
        raw_client c{s.web->port()};
        for (int i = 0; i < 50; ++i) {
          const auto text = std::to_string(t * 1'000 + i);
          c.send(post("/echo", text));
          ASSERT_EQ(c.read_answer().body, "POST /echo  " + text);
        }
      }
    });
  for (auto& t : crowd)
    t.join();
  EXPECT_EQ(s.web->counters().requests, 2'000U);
}

} // namespace
} // namespace troupe::http
