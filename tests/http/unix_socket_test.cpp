#include "http/detail/unix_socket.hpp"
#include "tests/http/client_support.hpp"
#include "tests/http/server_stage.hpp"
#include "tests/support/temporary_directory.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <optional>
#include <thread>

namespace troupe::http {
namespace {

using testing::bench;
using testing::got;

client_request get() {
  client_request r;
  r.method = "GET";
  r.target = "/";
  r.has_body = false;
  return r;
}

server_options at(const std::string& path) {
  server_options o;
  o.unix_path = path;
  return o;
}

origin reached(const std::string& path) {
  origin o;
  o.tls = false;
  o.unix_path = path;
  return o;
}

task<void> peer_of(exchange& x) {
  response_head head(200, "text/plain");
  const std::string who{x.req().peer};
  co_await x.respond(head, who);
}

task<void> echo_body(exchange& x) {
  response_head head(200, "text/plain");
  const auto body = *x.req().body;
  co_await x.respond(head, body);
}

TEST(unix_socket, carries_requests_and_names_the_user_at_the_other_end) {
  temporary_directory where;
  const auto path = where.path() + "/s.sock";
  stage s{at(path)};
  s.on("/who", &peer_of);
  bench b;
  auto r = get();
  r.target = "/who";
  for (int i = 0; i < 3; ++i) {
    const auto g = b.call(reached(path), r);
    ASSERT_FALSE(g.error) << g.error->text;
    EXPECT_EQ(g.body, "local uid " + std::to_string(::getuid()));
  }
  EXPECT_EQ(b.c->counters().connections_made, 1U) << "it is kept alive";
}

task<void> host_of(exchange& x) {
  const response_head head(200, "text/plain");
  const std::string host{x.req().fields->get("host")};
  co_await x.respond(head, host);
}

TEST(unix_socket, is_called_localhost_and_every_file_has_connections_of_its_own) {
  temporary_directory where;
  const auto one = where.path() + "/1.sock";
  const auto two = where.path() + "/2.sock";
  stage first{at(one)};
  stage second{at(two)};
  first.on("/host", &host_of);
  bench b;
  auto r = get();
  r.target = "/host";
  const auto g = b.call(reached(one), r);
  EXPECT_EQ(g.status, 200);
  EXPECT_EQ(g.body, "localhost");
  EXPECT_EQ(b.call(reached(two), r).status, 404);
  EXPECT_EQ(b.c->counters().connections_made, 2U);
}

TEST(unix_socket, carries_large_bodies_both_ways) {
  temporary_directory where;
  const auto path = where.path() + "/s.sock";
  stage s{at(path)};
  s.on("/big", &echo_body);
  bench b;
  const std::string large(8 * 1024 * 1024, 'x');
  client_request r;
  r.target = "/big";
  r.body = large;
  const auto g = b.call(reached(path), r);
  ASSERT_FALSE(g.error) << g.error->text;
  EXPECT_EQ(g.body, large);
}

TEST(unix_socket, is_for_its_owner_alone_whatever_the_umask_and_gone_with_the_server) {
  temporary_directory where;
  const auto path = where.path() + "/s.sock";
  for (const mode_t mask : {0000, 0022, 0777}) {
    const auto before = ::umask(mask);
    auto listening = detail::listen_on_path(path);
    ::umask(before);
    ASSERT_TRUE(listening) << listening.error().text;
    struct stat about {};
    ASSERT_EQ(::stat(path.c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 07777, 0600U) << mask;
    listening->file.remove();
    ::close(listening->socket);
  }
  {
    stage s{at(path)};
    EXPECT_EQ(s.web->port(), 0);
    EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  }
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST(unix_socket, replaces_what_an_ended_process_left_and_refuses_a_living_one) {
  temporary_directory where;
  const auto path = where.path() + "/s.sock";
  {
    const auto left = detail::listen_on_path(path);
    ASSERT_TRUE(left) << left.error().text;
    ::close(left->socket); // as `kill -9` does: the file stays
  }
  stage s{at(path)};
  const auto second = server::start(at(path), s.log, {s.loop}, {&s.handler});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, errc::already_exists);
  EXPECT_NE(second.error().text.find(path), std::string::npos) << second.error().text;
  bench b;
  EXPECT_FALSE(b.call(reached(path), get()).error) << "the living one lives on";
}

TEST(unix_socket, never_replaces_a_file_that_is_no_socket) {
  temporary_directory where;
  const auto path = where.path() + "/s.sock";
  std::ofstream{path} << "precious";
  const auto refused = detail::listen_on_path(path);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::already_exists);
  EXPECT_NE(refused.error().text.find(path), std::string::npos) << refused.error().text;
  std::string kept;
  std::ifstream{path} >> kept;
  EXPECT_EQ(kept, "precious");
}

TEST(unix_socket, a_file_that_others_put_in_its_place_stays) {
  temporary_directory where;
  const auto path = where.path() + "/s.sock";
  {
    stage s{at(path)};
    ASSERT_EQ(::unlink(path.c_str()), 0);
    auto others = detail::listen_on_path(path);
    ASSERT_TRUE(others) << others.error().text;
    s.shut_down();
    EXPECT_EQ(::access(path.c_str(), F_OK), 0);
    others->file.remove();
    ::close(others->socket);
  }
  EXPECT_NE(::access(path.c_str(), F_OK), 0) << "but its own maker removes it";
}

TEST(unix_socket, a_directory_that_is_not_there_is_said_with_the_path) {
  temporary_directory where;
  const auto path = where.path() + "/none/s.sock";
  const auto refused = detail::listen_on_path(path);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::not_found);
  EXPECT_NE(refused.error().text.find(path), std::string::npos) << refused.error().text;
  EXPECT_FALSE(detail::listen_on_path(where.path() + "/"));
  EXPECT_FALSE(detail::listen_on_path(where.path() + '/' + std::string(120, 'n')));
}

struct slow_scene {
  gate held;
};

task<void> answer_when_opened(exchange& x, slow_scene& sc) {
  co_await sc.held;
  const response_head head(200, "text/plain");
  co_await x.respond(head, "held");
}

TEST(unix_socket, drain_takes_the_file_away_and_lets_a_running_exchange_end) {
  temporary_directory where;
  const auto path = where.path() + "/s.sock";
  slow_scene sc;
  stage s{at(path)};
  s.on("/slow", &answer_when_opened, sc);
  std::optional<got> slow;
  std::thread caller{[&] {
    bench b;
    auto r = get();
    r.target = "/slow";
    slow = b.call(reached(path), r);
  }};
  EXPECT_TRUE(sc.held.reached.wait());
  s.web->drain();
  EXPECT_FALSE(s.web->wait_drained(std::chrono::milliseconds{1}));
  sc.held.open(*s.loop);
  EXPECT_TRUE(s.web->wait_drained(patience));
  caller.join();
  ASSERT_TRUE(slow);
  EXPECT_EQ(slow->body, "held");
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

/// A request that brings a descriptor of ours: a server that took it would
/// keep the pipe open.
TEST(unix_socket, descriptors_that_a_client_sends_are_dropped) {
  temporary_directory where;
  const auto path = where.path() + "/s.sock";
  stage s{at(path)};
  const auto address = detail::unix_address::of(path);
  ASSERT_TRUE(address);
  const int client = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval limit{20, 0};
  ::setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ASSERT_EQ(::connect(client, address->data(), address->size()), 0);
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK), 0);
  auto text = http::get("/echo");
  iovec piece{text.data(), text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  auto* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &pipe[1], sizeof(int));
  ASSERT_EQ(::sendmsg(client, &message, MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  std::array<char, 4096> answer{};
  ASSERT_GT(::recv(client, answer.data(), answer.size(), 0), 0); // so it has read the message
  ::close(pipe[1]);
  char byte = 0;
  EXPECT_EQ(::read(pipe[0], &byte, 1), 0) << "nobody else holds the end that writes";
  ::close(pipe[0]);
  ::close(client);
}

TEST(unix_socket, a_path_longer_than_the_kernel_takes_works_all_the_same) {
  temporary_directory where;
  const auto directory = where.path() + '/' + std::string(120, 'd');
  ASSERT_EQ(::mkdir(directory.c_str(), 0700), 0);
  const auto path = directory + "/s.sock";
  stage s{at(path)};
  s.on("/who", &peer_of);
  bench b;
  auto r = get();
  r.target = "/who";
  EXPECT_EQ(b.call(reached(path), r).status, 200);
  s.shut_down();
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
  const auto nobody = b.call(reached(path), r);
  ASSERT_TRUE(nobody.error);
  EXPECT_EQ(nobody.error->code, errc::connect_failed);
}

TEST(unix_socket, nobody_there_is_said_with_the_path) {
  temporary_directory where;
  const auto path = where.path() + "/none.sock";
  bench b;
  const auto g = b.call(reached(path), get());
  ASSERT_TRUE(g.error);
  EXPECT_EQ(g.error->code, errc::connect_failed);
  EXPECT_NE(g.error->text.find(path), std::string::npos) << g.error->text;
}

} // namespace
} // namespace troupe::http
