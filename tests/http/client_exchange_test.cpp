#include "client_support.hpp"

#include <zlib.h>

namespace troupe::http::testing {
namespace {

client_request get(std::string_view target = "/") {
  client_request r;
  r.method = "GET";
  r.target = target;
  r.has_body = false;
  return r;
}

std::string gzip(std::string_view text) {
  z_stream z{};
  EXPECT_EQ(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&z, text.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

/// One call to a server that answers with these bytes and closes.
got answer_to(const std::string& bytes, client_request request = get(),
              client_options options = {}) {
  scripted_server s{once(bytes)};
  bench b{std::move(options)};
  return b.call(s.at(), request);
}

TEST(client_exchange, sends_the_request_as_http_1_1_and_adds_what_it_must) {
  std::string seen;
  std::uint16_t port = 0;
  {
    scripted_server s{[&seen](peer& p) {
      seen = p.read_request();
      p.write(with_length("ok"));
    }};
    port = s.port();
    bench b;
    client_request r;
    r.target = "/v1beta/models/m:generateContent?alt=sse";
    r.header_lines = "content-type: application/json\r\nx-goog-api-key: secret\r\n";
    r.body = "{\"a\":1}";
    const auto g = b.call(s.at(), r);
    ASSERT_FALSE(g.error);
    EXPECT_EQ(g.status, 200);
    EXPECT_EQ(g.body, "ok");
  }
  EXPECT_EQ(seen, "POST /v1beta/models/m:generateContent?alt=sse HTTP/1.1\r\n"
                  "host: 127.0.0.1:"
                      + std::to_string(port)
                      + "\r\n"
                        "accept-encoding: identity\r\n"
                        "content-length: 7\r\n"
                        "content-type: application/json\r\n"
                        "x-goog-api-key: secret\r\n"
                        "\r\n"
                        "{\"a\":1}");
}

TEST(client_exchange, a_request_without_a_body_has_no_length_and_an_empty_one_says_zero) {
  std::vector<std::string> seen;
  {
    scripted_server s{[&seen](peer& p) {
      for (int i = 0; i < 2; ++i) {
        seen.push_back(p.read_request());
        p.write(with_length("ok"));
      }
    }};
    bench b;
    b.call(s.at(), get());
    b.call(s.at());
  }
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].find("content-length"), std::string::npos);
  EXPECT_NE(seen[1].find("content-length: 0\r\n"), std::string::npos);
}

TEST(client_exchange, gives_status_and_fields_as_they_came) {
  const auto g = answer_to(with_length("slow down", "Retry-After: 7\r\nX-Two: a\r\nx-two: b\r\n"));
  ASSERT_FALSE(g.error);
  EXPECT_EQ(g.fields.get("retry-after"), "7");
  EXPECT_EQ(g.fields.get("X-TWO"), "a");
  EXPECT_EQ(g.fields.size(), 4U);
}

TEST(client_exchange, every_framing_arrives_whole_even_byte_by_byte) {
  for (const std::string& bytes :
       {with_length("hello world"),
        std::string{"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
                    "6;x=y\r\nhello \r\n5\r\nworld\r\n0\r\nt: u\r\n\r\n"},
        std::string{"HTTP/1.1 200 OK\r\n\r\nhello world"},
        "HTTP/1.1 100 Continue\r\n\r\n" + with_length("hello world")}) {
    scripted_server s{[&bytes](peer& p) {
      p.read_request();
      for (const char c : bytes)
        p.write({&c, 1});
    }};
    bench b;
    const auto g = b.call(s.at());
    EXPECT_FALSE(g.error) << bytes << (g.error ? g.error->text : "");
    EXPECT_EQ(g.body, "hello world") << bytes;
  }
}

TEST(client_exchange, head_and_whole_body_of_one_read_come_as_one_piece) {
  const auto g = answer_to("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
                           "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n");
  EXPECT_EQ(g.body, "abcdef");
  EXPECT_EQ(g.pieces, 1);
}

TEST(client_exchange, large_bodies_pass_both_ways_unchanged) {
  std::string large;
  for (int i = 0; large.size() < 5'000'000; ++i)
    large += std::to_string(i * 7919) + ',';
  scripted_server s{[](peer& p) {
    const auto request = p.read_request();
    p.write(with_length(std::string_view{request}.substr(request.find("\r\n\r\n") + 4)));
  }};
  bench b;
  client_request r;
  r.target = "/";
  r.body = large;
  const auto g = b.call(s.at(), r);
  ASSERT_FALSE(g.error);
  EXPECT_TRUE(g.body == large);
  EXPECT_GT(g.pieces, 100) << "memory is bounded: no piece is the whole";
}

TEST(client_exchange, answers_without_a_body_are_complete_at_once) {
  EXPECT_FALSE(answer_to("HTTP/1.1 204 No Content\r\n\r\n").error);
  EXPECT_FALSE(answer_to("HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n").error);
  auto head = get();
  head.method = "HEAD";
  const auto g = answer_to("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", head);
  EXPECT_FALSE(g.error);
  EXPECT_EQ(g.fields.get("content-length"), "9");
  EXPECT_EQ(g.body, "");
}

TEST(client_exchange, a_cut_body_is_never_a_clean_end) {
  for (const std::string& bytes :
       {std::string{"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello"},
        std::string{"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"},
        std::string{"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhello"},
        std::string{"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"}}) {
    const auto g = answer_to(bytes);
    EXPECT_TRUE(g.head) << bytes;
    EXPECT_EQ(g.body, "hello") << bytes;
    EXPECT_EQ(g.code(), errc::upstream_broken) << bytes;
  }
}

TEST(client_exchange, a_reset_ends_no_body_cleanly) {
  scripted_server s{[](peer& p) {
    p.read_request();
    p.write("HTTP/1.1 200 OK\r\n\r\nhello");
    p.read_wake();
    p.reset();
  }};
  bench b;
  struct script {
    static task<void> run(bench& me, origin to, got& out) {
      cancel_source none;
      const auto request = get();
      auto answer = co_await me.c->send(to, request, none);
      EXPECT_TRUE(answer);
      auto bytes = co_await (*answer)->read();
      EXPECT_TRUE(bytes);
      out.body = *bytes;
      me.wake();
      bytes = co_await (*answer)->read();
      EXPECT_FALSE(bytes);
      out.error = bytes.error();
    }
  };
  got g;
  b.run(script::run(b, s.at(), g));
  EXPECT_EQ(g.body, "hello");
  EXPECT_EQ(g.code(), errc::upstream_broken);
}

TEST(client_exchange, a_reset_that_comes_together_with_bytes_is_noticed_long_before_silence) {
  std::binary_semaphore reset_done{0};
  scripted_server s{[&](peer& p) {
    p.read_request();
    p.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello");
    p.read_wake();
    p.write(" world");
    p.reset();
    reset_done.release();
  }};
  bench b;
  struct script {
    static task<void> run(bench& me, origin to, std::binary_semaphore& done, got& out) {
      cancel_source none;
      const auto request = get();
      auto answer = co_await me.c->send(to, request, none);
      EXPECT_TRUE(answer);
      auto bytes = co_await (*answer)->read();
      EXPECT_EQ(*bytes, "hello");
      me.wake();
      done.acquire(); // the loop looks at the socket when both are there
      bytes = co_await (*answer)->read();
      EXPECT_TRUE(bytes);
      out.body = *bytes;
      bytes = co_await (*answer)->read();
      EXPECT_FALSE(bytes);
      out.error = bytes.error();
    }
  };
  got g;
  b.run(script::run(b, s.at(), reset_done, g));
  EXPECT_EQ(g.body, " world");
  EXPECT_EQ(g.code(), errc::upstream_broken) << "and not a timeout";
}

TEST(client_exchange, closing_before_or_within_the_head_is_broken) {
  EXPECT_EQ(answer_to("").code(), errc::upstream_broken);
  EXPECT_EQ(answer_to("HTTP/1.1 200 OK\r\ncontent-le").code(), errc::upstream_broken);
  EXPECT_EQ(answer_to("HTTP/1.1 100 Continue\r\n\r\n").code(), errc::upstream_broken);
}

TEST(client_exchange, what_is_not_http_is_malformed_and_closes) {
  for (const char* bytes :
       {"SSH-2.0-OpenSSH\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n"}) {
    bool closed = false;
    {
      scripted_server s{[&](peer& p) {
        p.read_request();
        p.write(bytes);
        closed = p.closed_by_client();
      }};
      bench b;
      EXPECT_EQ(b.call(s.at()).code(), errc::upstream_malformed) << bytes;
    }
    EXPECT_TRUE(closed) << bytes;
  }
}

TEST(client_exchange, a_head_over_its_bound_is_malformed) {
  client_options options;
  options.head_bytes_max = 4096;
  const auto large = "HTTP/1.1 200 OK\r\nx: " + std::string(5000, 'a') + "\r\n\r\n";
  EXPECT_EQ(answer_to(large, get(), options).code(), errc::upstream_malformed);
  EXPECT_EQ(answer_to(large.substr(0, 4500), get(), options).code(), errc::upstream_malformed);
  EXPECT_FALSE(
      answer_to(with_length("", "x: " + std::string(3000, 'a') + "\r\n"), get(), options).error);
}

TEST(client_exchange, a_head_may_be_larger_than_one_read) {
  client_options options;
  options.head_bytes_max = 64 * 1024;
  const auto g =
      answer_to(with_length("ok", "x: " + std::string(60'000, 'a') + "\r\n"), get(), options);
  ASSERT_FALSE(g.error) << g.error->text;
  EXPECT_EQ(g.fields.get("x").size(), 60'000U);
  EXPECT_EQ(g.body, "ok");
  EXPECT_EQ(answer_to(with_length("ok", "x: " + std::string(66'000, 'a') + "\r\n"), get(), options)
                .code(),
            errc::upstream_malformed);
}

TEST(client_exchange, an_endless_line_between_chunks_is_malformed) {
  const auto g = answer_to("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;"
                           + std::string(200'000, 'x'));
  EXPECT_EQ(g.code(), errc::upstream_malformed);
}

TEST(client_exchange, gzip_that_was_not_asked_for_is_unpacked) {
  std::string text;
  for (int i = 0; i < 50'000; ++i)
    text += std::to_string(i) + ' ';
  const auto g = answer_to(with_length(gzip(text), "Content-Encoding: gzip\r\nA: b\r\n"));
  ASSERT_FALSE(g.error) << g.error->text;
  EXPECT_TRUE(g.body == text);
  EXPECT_FALSE(g.fields.has("content-encoding")) << "the caller's bytes are not packed";
  EXPECT_FALSE(g.fields.has("content-length"));
  EXPECT_EQ(g.fields.get("a"), "b");
}

TEST(client_exchange, a_gzip_stream_gives_out_what_each_chunk_flushed) {
  z_stream z{};
  ASSERT_EQ(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  const auto part = [&z](std::string_view text, int flush) {
    std::string out(1000, '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    z.avail_in = static_cast<uInt>(text.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = 1000;
    deflate(&z, flush);
    out.resize(1000 - z.avail_out);
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", out.size());
    return size + out + "\r\n";
  };
  const auto first = part("data: 1\n\n", Z_SYNC_FLUSH);
  const auto second = part("data: 2\n\n", Z_FINISH);
  deflateEnd(&z);
  scripted_server s{[&](peer& p) {
    p.read_request();
    p.write("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n"
            + first);
    p.read_wake(); // only after the client has seen the first part
    p.write(second + "0\r\n\r\n");
  }};
  bench b;
  struct script {
    static task<void> run(bench& me, origin to) {
      cancel_source none;
      const auto request = get();
      auto answer = co_await me.c->send(to, request, none);
      EXPECT_TRUE(answer);
      auto bytes = co_await (*answer)->read();
      EXPECT_EQ(*bytes, "data: 1\n\n");
      me.wake();
      bytes = co_await (*answer)->read();
      EXPECT_EQ(*bytes, "data: 2\n\n");
      bytes = co_await (*answer)->read();
      EXPECT_TRUE(bytes);
      EXPECT_TRUE(bytes->empty());
    }
  };
  b.run(script::run(b, s.at()));
}

TEST(client_exchange, packed_bodies_that_end_early_or_are_garbage_fail) {
  const auto packed = gzip("hello hello hello");
  EXPECT_EQ(
      answer_to(with_length(packed.substr(0, packed.size() - 4), "content-encoding: gzip\r\n"))
          .code(),
      errc::upstream_broken);
  EXPECT_EQ(answer_to(with_length("no gzip here", "content-encoding: gzip\r\n")).code(),
            errc::upstream_malformed);
  EXPECT_EQ(answer_to(with_length("x", "content-encoding: br\r\n")).code(),
            errc::upstream_malformed);
  EXPECT_FALSE(answer_to(with_length("x", "content-encoding: identity\r\n")).error);
}

TEST(client_exchange, an_early_refusal_of_a_large_body_is_delivered) {
  scripted_server s{[](peer& p) {
    char some[1000];
    ::recv(p.fd(), some, sizeof some, 0);
    p.write("HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig");
    pollfd closed{p.fd(), POLLRDHUP | POLLHUP, 0}; // reads no more of it
    ::poll(&closed, 1, 20'000);
  }};
  bench b;
  const std::string large(32'000'000, 'x');
  client_request r;
  r.target = "/";
  r.body = large;
  const auto g = b.call(s.at(), r);
  ASSERT_FALSE(g.error) << g.error->text;
  EXPECT_EQ(g.status, 413);
  EXPECT_EQ(g.body, "big");
  EXPECT_EQ(b.c->counters().connections_idle, 0U) << "a request that was not sent whole";
}

TEST(client_exchange, connection_failures_name_host_and_port_only) {
  bench b;
  origin nobody;
  {
    scripted_server s{once("")};
    nobody = s.at();
  }
  client_request r;
  r.target = "/?key=hush";
  r.header_lines = "authorization: Bearer hush\r\n";
  const auto g = b.call(nobody, r);
  EXPECT_EQ(g.code(), errc::connect_failed);
  EXPECT_NE(g.error->text.find("127.0.0.1:" + std::to_string(nobody.port)), std::string::npos)
      << g.error->text;
  EXPECT_EQ(g.error->text.find("hush"), std::string::npos);
}

TEST(client_exchange, host_names_are_resolved_and_every_address_is_tried) {
  // `localhost` is ::1 and 127.0.0.1 on most machines, and the server has only the latter.
  scripted_server s{always(with_length("ok"))};
  bench b;
  const auto g = b.call(s.at("localhost"));
  ASSERT_FALSE(g.error) << g.error->text;
  EXPECT_EQ(g.body, "ok");
}

TEST(client_exchange, a_name_that_cannot_be_resolved_is_a_connect_failure) {
  bench b;
  origin to;
  to.tls = false;
  to.host = "no-such-host.invalid"; // RFC 6761: never resolves
  const auto g = b.call(to);
  EXPECT_EQ(g.code(), errc::connect_failed);
  EXPECT_NE(g.error->text.find("no-such-host.invalid"), std::string::npos);
}

TEST(client_exchange, a_target_that_would_split_the_request_is_refused) {
  bench b;
  origin to;
  to.tls = false;
  to.host = "127.0.0.1";
  to.port = 1;
  for (const char* target : {"", "/a b", "/a\r\nx: y", "/a\nb", "/\x7f"}) {
    got g;
    cancel_source none;
    client_request r;
    r.target = target;
    b.run(bench::fetch(*b.c, to, r, none, g));
    EXPECT_EQ(g.code(), errc::invalid_argument) << target;
  }
}

TEST(client_exchange, nothing_is_read_while_nobody_asks) {
  // The upstream can push only what kernel buffers hold until the caller reads.
  std::atomic<bool> all_written{false};
  const std::string large(64'000'000, 'x');
  scripted_server s{[&](peer& p) {
    p.read_request();
    p.write(with_length(large));
    all_written = true;
  }};
  bench b;
  struct script {
    static task<void> run(bench& me, origin to, std::atomic<bool>& written, std::size_t& total) {
      cancel_source none;
      const auto request = get();
      auto answer = co_await me.c->send(to, request, none);
      EXPECT_TRUE(answer);
      // Turns of the loop in which a greedy client would read.
      for (int i = 0; i < 20; ++i)
        co_await me.loop.sleep(1ms);
      EXPECT_FALSE(written.load());
      while (true) {
        const auto bytes = co_await (*answer)->read();
        EXPECT_TRUE(bytes);
        if (!bytes || bytes->empty())
          break;
        total += bytes->size();
      }
    }
  };
  std::size_t total = 0;
  b.run(script::run(b, s.at(), all_written, total));
  EXPECT_EQ(total, large.size());
}

} // namespace
} // namespace troupe::http::testing
