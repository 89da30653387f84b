#include "http/detail/unix_socket.hpp"
#include "tests/http/client_support.hpp"
#include "tests/http/server_stage.hpp"
#include "tests/support/temporary_directory.hpp"

#include <sys/stat.h>
#include <unistd.h>

namespace troupe::http {
namespace {

using testing::bench;

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

TEST(unix_socket, is_for_its_owner_alone_and_gone_with_the_server) {
  temporary_directory where;
  const auto path = where.path() + "/s.sock";
  {
    stage s{at(path)};
    struct stat about {};
    ASSERT_EQ(::stat(path.c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777, 0600U);
  }
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST(unix_socket, replaces_what_an_ended_process_left_and_refuses_a_living_one) {
  temporary_directory where;
  const auto path = where.path() + "/s.sock";
  {
    const auto left = detail::listen_on_path(path);
    ASSERT_TRUE(left) << left.error().text;
    ::close(*left); // as `kill -9` does: the file stays
  }
  stage s{at(path)};
  const auto second = detail::listen_on_path(path);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, errc::already_exists);
  EXPECT_NE(second.error().text.find(path), std::string::npos);
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
