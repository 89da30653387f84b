#include "tests/http/server_stage.hpp"

#include <gtest/gtest.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <filesystem>

namespace troupe::http {
namespace {

using namespace std::chrono_literals;

/// A directory with a new self-signed certificate and its key.
struct tls_material {
  std::filesystem::path directory;
  tls_files files;

  tls_material() {
    auto name = (std::filesystem::temp_directory_path() / "troupe-tls-XXXXXX").string();
    directory = ::mkdtemp(name.data());
    files.certificate_chain = directory / "chain.pem";
    files.private_key = directory / "key.pem";
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3'600);
    X509_set_pubkey(certificate, key);
    auto* subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(certificate, subject);
    X509_sign(certificate, key, EVP_sha256());
    std::FILE* out = std::fopen(files.private_key.c_str(), "w");
    PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(out);
    out = std::fopen(files.certificate_chain.c_str(), "w");
    PEM_write_X509(out, certificate);
    std::fclose(out);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  ~tls_material() { std::filesystem::remove_all(directory); }
};

server_options with(const tls_material& m) {
  server_options o;
  o.tls = m.files;
  return o;
}

class tls_client {
public:
  explicit tls_client(std::uint16_t port, int version_max = 0) : socket_(port) {
    context_ = SSL_CTX_new(TLS_client_method());
    if (version_max != 0) {
      SSL_CTX_set_min_proto_version(context_, 0);
      SSL_CTX_set_max_proto_version(context_, version_max);
      SSL_CTX_set_security_level(context_, 0);
    }
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, socket_.descriptor());
    connected = SSL_connect(ssl_) == 1;
  }
  ~tls_client() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    ERR_clear_error();
  }
  tls_client(const tls_client&) = delete;
  tls_client& operator=(const tls_client&) = delete;

  bool send(std::string_view bytes) {
    return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
           == static_cast<int>(bytes.size());
  }

  /// Until `size` bytes are there, or the end.
  std::string read(std::size_t size) {
    std::string all;
    std::string piece(16'384, '\0');
    while (all.size() < size) {
      const int got = SSL_read(ssl_, piece.data(), static_cast<int>(piece.size()));
      if (got <= 0) {
        clean_end = SSL_get_error(ssl_, got) == SSL_ERROR_ZERO_RETURN;
        break;
      }
      all.append(piece, 0, static_cast<std::size_t>(got));
    }
    return all;
  }

  std::string read_to_end() { return read(SIZE_MAX); }

  bool connected = false;
  bool clean_end = false;

private:
  raw_client socket_;
  SSL_CTX* context_;
  SSL* ssl_;
};

TEST(server_tls, serves_requests_one_after_the_other) {
  const tls_material m;
  stage s{with(m)};
  tls_client c{s.web->port()};
  ASSERT_TRUE(c.connected);
  for (int i = 0; i < 3; ++i) {
    c.send(post("/echo", "hello"));
    std::string all;
    while (all.find("hello") == std::string::npos) {
      const auto more = c.read(1);
      ASSERT_NE(more, "");
      all += more;
    }
  }
}

TEST(server_tls, carries_large_bodies_both_ways) {
  const tls_material m;
  stage s{with(m)};
  tls_client c{s.web->port()};
  std::string body(3'000'000, 'b');
  c.send(post("/echo", body, "connection: close\r\n"));
  const auto all = c.read_to_end();
  EXPECT_TRUE(all.ends_with(body));
  EXPECT_TRUE(c.clean_end);
}

TEST(server_tls, a_cut_answer_has_no_clean_end) {
  const tls_material m;
  stage s{with(m)};
  s.on("/cut", [](exchange& x) -> task<void> {
    const response_head head{200, "text/plain"};
    co_await x.start(head);
    co_await x.write("half");
    x.cut();
  });
  tls_client c{s.web->port()};
  c.send("GET /cut HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(c.read_to_end().ends_with("half"));
  EXPECT_FALSE(c.clean_end);
}

TEST(server_tls, refuses_versions_before_1_2) {
  const tls_material m;
  stage s{with(m)};
  EXPECT_FALSE((tls_client{s.web->port(), TLS1_1_VERSION}.connected));
  EXPECT_TRUE((tls_client{s.web->port(), TLS1_2_VERSION}.connected));
  EXPECT_TRUE((tls_client{s.web->port(), TLS1_3_VERSION}.connected));
}

TEST(server_tls, ends_handshakes_that_stall_or_are_none) {
  const tls_material m;
  auto o = with(m);
  o.header_timeout = 100ms;
  stage s{o};
  raw_client silent{s.web->port()};
  EXPECT_EQ(silent.read_to_end(), "");
  raw_client plain{s.web->port()};
  plain.send(get("/echo"));
  plain.read_to_end(); // perhaps an alert, then the end
  tls_client good{s.web->port()};
  EXPECT_TRUE(good.connected);
}

TEST(server_tls, stop_and_drain_end_open_handshakes_and_idle_sessions) {
  const tls_material m;
  stage s{with(m)};
  raw_client silent{s.web->port()};
  tls_client idle{s.web->port()};
  ASSERT_TRUE(idle.connected);
  s.web->drain();
  EXPECT_TRUE(s.web->wait_drained(patience));
  EXPECT_TRUE(silent.at_end());
}

TEST(server_tls, files_that_do_not_fit_are_named) {
  const tls_material m;
  stage s;
  server_options o = with(m);
  o.port = 0;
  o.tls->private_key = "/nowhere/key.pem";
  auto started = server::start(o, s.log, {s.loop}, {&s.handler});
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, errc::invalid_argument);
  EXPECT_NE(started.error().text.find("/nowhere/key.pem"), std::string::npos);
  const tls_material other;
  o.tls->private_key = other.files.private_key;
  EXPECT_FALSE(server::start(o, s.log, {s.loop}, {&s.handler}));
}

} // namespace
} // namespace troupe::http
