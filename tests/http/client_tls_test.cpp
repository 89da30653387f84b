#include "client_support.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>

namespace troupe::http::testing {
namespace {

using key_ptr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using cert_ptr = std::unique_ptr<X509, decltype(&X509_free)>;

key_ptr new_key() {
  return {EVP_EC_gen("P-256"), &EVP_PKEY_free};
}

void add(X509* cert, X509* issuer, int what, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value);
  ASSERT_NE(extension, nullptr);
  X509_add_ext(cert, extension, -1);
  X509_EXTENSION_free(extension);
}

cert_ptr new_cert(const char* name, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key,
                  const char* alternative_names) {
  static long serial = 1;
  cert_ptr cert{X509_new(), &X509_free};
  X509_set_version(cert.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), 3600);
  X509_set_pubkey(cert.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509* by = issuer != nullptr ? issuer : cert.get();
  X509_set_issuer_name(cert.get(), X509_get_subject_name(by));
  if (issuer == nullptr)
    add(cert.get(), by, NID_basic_constraints, "critical,CA:TRUE");
  else
    add(cert.get(), by, NID_subject_alt_name, alternative_names);
  X509_sign(cert.get(), issuer_key, EVP_sha256());
  return cert;
}

/// An authority whose certificate is in a file, and what it issues.
struct authority {
  key_ptr key = new_key();
  cert_ptr cert = new_cert("test authority", key.get(), nullptr, key.get(), nullptr);
  std::string file;

  authority() {
    static std::atomic<int> number{0};
    file = (std::filesystem::temp_directory_path()
            / ("troupe_ca_" + std::to_string(getpid()) + "_" + std::to_string(number++) + ".pem"))
               .string();
    std::FILE* out = std::fopen(file.c_str(), "w");
    PEM_write_X509(out, cert.get());
    std::fclose(out);
  }
  ~authority() { std::filesystem::remove(file); }
};

struct tls_server_side {
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context{SSL_CTX_new(TLS_server_method()),
                                                            &SSL_CTX_free};
  std::atomic<int> handshakes{0};
  std::atomic<int> resumed{0};
  std::mutex mutex;
  std::string server_name; ///< that the client showed last
  std::string protocol;    ///< that ALPN chose last

  tls_server_side(authority& ca, const char* names, int version = 0) {
    const auto key = new_key();
    const auto cert = new_cert("test server", key.get(), ca.cert.get(), ca.key.get(), names);
    SSL_CTX_use_certificate(context.get(), cert.get());
    SSL_CTX_use_PrivateKey(context.get(), key.get());
    SSL_CTX_set_session_id_context(context.get(), reinterpret_cast<const unsigned char*>("t"), 1);
    if (version != 0)
      SSL_CTX_set_max_proto_version(context.get(), version);
    SSL_CTX_set_alpn_select_cb(
        context.get(),
        [](SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
           unsigned int, void*) {
          *out = in + 1;
          *size = in[0];
          return SSL_TLSEXT_ERR_OK;
        },
        nullptr);
  }

  /// Shakes hands, then runs `talk`.
  void serve(peer& p, const std::function<void(SSL*)>& talk) {
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl{SSL_new(context.get()), &SSL_free};
    SSL_set_fd(ssl.get(), p.fd());
    if (SSL_accept(ssl.get()) != 1) {
      ERR_clear_error();
      return;
    }
    {
      const std::lock_guard lock{mutex};
      const char* name = SSL_get_servername(ssl.get(), TLSEXT_NAMETYPE_host_name);
      server_name = name != nullptr ? name : "";
      const unsigned char* chosen = nullptr;
      unsigned int size = 0;
      SSL_get0_alpn_selected(ssl.get(), &chosen, &size);
      protocol.assign(reinterpret_cast<const char*>(chosen), size);
    }
    handshakes.fetch_add(1);
    if (SSL_session_reused(ssl.get()) == 1)
      resumed.fetch_add(1);
    talk(ssl.get());
    ERR_clear_error();
  }

  static bool read_request(SSL* ssl) {
    std::string all;
    char buffer[16 * 1024];
    std::size_t need = std::string::npos;
    while (all.size() < need) {
      const int n = SSL_read(ssl, buffer, sizeof buffer);
      if (n <= 0)
        return false;
      all.append(buffer, static_cast<std::size_t>(n));
      if (const auto end = all.find("\r\n\r\n"); need == all.npos && end != all.npos)
        need = end + 4 + std::stoul(all.substr(all.find("content-length: ") + 16));
    }
    return true;
  }

  static void write(SSL* ssl, std::string_view text) {
    SSL_write(ssl, text.data(), static_cast<int>(text.size()));
  }

  scripted_server::script always(std::string answer) {
    return [this, answer](peer& p) {
      serve(p, [&](SSL* ssl) {
        while (read_request(ssl))
          write(ssl, answer);
      });
    };
  }

  /// One answer, then a proper farewell.
  scripted_server::script once(std::string answer) {
    return [this, answer](peer& p) {
      serve(p, [&](SSL* ssl) {
        read_request(ssl);
        write(ssl, answer);
        SSL_shutdown(ssl);
      });
      p.closed_by_client();
    };
  }
};

client_options trusting(const authority& ca) {
  client_options options;
  options.ca_file = ca.file;
  return options;
}

TEST(client_tls, a_name_that_the_certificate_holds_is_served_and_shown) {
  authority ca;
  tls_server_side side{ca, "DNS:localhost"};
  scripted_server s{side.always(with_length("ok"))};
  bench b{trusting(ca)};
  for (int i = 0; i < 3; ++i) {
    const auto g = b.call(s.at("localhost", true));
    ASSERT_FALSE(g.error) << g.error->text;
    EXPECT_EQ(g.body, "ok");
  }
  EXPECT_EQ(s.accepted(), 1);
  const std::lock_guard lock{side.mutex};
  EXPECT_EQ(side.server_name, "localhost");
  EXPECT_EQ(side.protocol, "http/1.1");
}

TEST(client_tls, an_address_is_checked_but_not_shown_as_a_name) {
  authority ca;
  tls_server_side side{ca, "IP:127.0.0.1"};
  scripted_server s{side.always(with_length("ok"))};
  bench b{trusting(ca)};
  const auto g = b.call(s.at("127.0.0.1", true));
  ASSERT_FALSE(g.error) << g.error->text;
  const std::lock_guard lock{side.mutex};
  EXPECT_EQ(side.server_name, "");
}

TEST(client_tls, an_unknown_authority_is_refused) {
  authority ca;
  authority other;
  tls_server_side side{ca, "DNS:localhost"};
  scripted_server s{side.always(with_length("ok"))};
  bench b{trusting(other)};
  const auto g = b.call(s.at("localhost", true));
  EXPECT_EQ(g.code(), errc::tls_failed);
  EXPECT_NE(g.error->text.find("localhost:" + std::to_string(s.port())), std::string::npos);
  EXPECT_NE(g.error->text.find("certificate"), std::string::npos) << g.error->text;
  EXPECT_EQ(b.c->counters().connections_open, 0U);
}

TEST(client_tls, a_certificate_for_another_name_or_address_is_refused) {
  authority ca;
  tls_server_side names{ca, "DNS:example.com,DNS:*.example.com"};
  scripted_server s{names.always(with_length("ok"))};
  bench b{trusting(ca)};
  auto g = b.call(s.at("localhost", true));
  EXPECT_EQ(g.code(), errc::tls_failed);
  EXPECT_NE(g.error->text.find("mismatch"), std::string::npos) << g.error->text;
  tls_server_side only_name{ca, "DNS:localhost"};
  scripted_server t{only_name.always(with_length("ok"))};
  g = b.call(t.at("127.0.0.1", true));
  EXPECT_EQ(g.code(), errc::tls_failed);
}

TEST(client_tls, verification_can_be_turned_off) {
  authority ca;
  tls_server_side side{ca, "DNS:example.com"};
  scripted_server s{side.always(with_length("ok"))};
  client_options options;
  options.verify = false;
  bench b{options};
  EXPECT_EQ(b.call(s.at("127.0.0.1", true)).body, "ok");
}

TEST(client_tls, an_upstream_without_tls_fails_the_handshake) {
  scripted_server s{[](peer& p) {
    p.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    p.closed_by_client();
  }};
  bench b;
  EXPECT_EQ(b.call(s.at("127.0.0.1", true)).code(), errc::tls_failed);
  scripted_server closes{[](peer&) {}};
  EXPECT_EQ(b.call(closes.at("127.0.0.1", true)).code(), errc::tls_failed);
}

TEST(client_tls, an_authority_file_that_is_missing_fails_every_call_with_its_name) {
  client_options options;
  options.ca_file = "/nonexistent/ca.pem";
  bench b{options};
  scripted_server s{[](peer& p) { p.closed_by_client(); }};
  const auto g = b.call(s.at("127.0.0.1", true));
  EXPECT_EQ(g.code(), errc::tls_failed);
  EXPECT_NE(g.error->text.find("/nonexistent/ca.pem"), std::string::npos) << g.error->text;
}

void second_connection_resumes(int version) {
  authority ca;
  tls_server_side side{ca, "DNS:localhost", version};
  scripted_server s{side.once(with_length("ok", "connection: close\r\n"))};
  bench b{trusting(ca)};
  for (int i = 0; i < 4; ++i) {
    const auto g = b.call(s.at("localhost", true));
    ASSERT_FALSE(g.error) << g.error->text;
  }
  EXPECT_EQ(side.handshakes.load(), 4);
  EXPECT_EQ(side.resumed.load(), 3);
}

TEST(client_tls, later_connections_resume_with_tls_1_3) {
  second_connection_resumes(TLS1_3_VERSION);
}

TEST(client_tls, later_connections_resume_with_tls_1_2) {
  second_connection_resumes(TLS1_2_VERSION);
}

TEST(client_tls, a_session_of_one_origin_is_not_shown_to_another) {
  authority ca;
  tls_server_side side{ca, "DNS:localhost,IP:127.0.0.1"};
  scripted_server s{side.once(with_length("ok", "connection: close\r\n"))};
  bench b{trusting(ca)};
  ASSERT_FALSE(b.call(s.at("localhost", true)).error);
  ASSERT_FALSE(b.call(s.at("127.0.0.1", true)).error);
  EXPECT_EQ(side.resumed.load(), 0);
}

TEST(client_tls, large_bodies_pass_both_ways_unchanged) {
  authority ca;
  tls_server_side side{ca, "DNS:localhost"};
  std::string large;
  for (int i = 0; large.size() < 3'000'000; ++i)
    large += std::to_string(i * 7919) + ',';
  scripted_server s{side.always(with_length(large))};
  bench b{trusting(ca)};
  client_request r;
  r.body = large;
  for (int i = 0; i < 2; ++i) {
    const auto g = b.call(s.at("localhost", true), r);
    ASSERT_FALSE(g.error) << g.error->text;
    EXPECT_TRUE(g.body == large);
  }
  EXPECT_EQ(s.accepted(), 1);
}

TEST(client_tls, a_body_that_ends_with_the_connection_needs_the_farewell) {
  authority ca;
  tls_server_side side{ca, "DNS:localhost"};
  bench b{trusting(ca)};
  {
    scripted_server s{side.once("HTTP/1.1 200 OK\r\n\r\nhello")};
    const auto g = b.call(s.at("localhost", true));
    EXPECT_FALSE(g.error);
    EXPECT_EQ(g.body, "hello");
  }
  {
    // Anybody on the way can close a TCP connection: without the farewell it is cut.
    scripted_server s{[&](peer& p) {
      side.serve(p, [](SSL* ssl) {
        tls_server_side::read_request(ssl);
        tls_server_side::write(ssl, "HTTP/1.1 200 OK\r\n\r\nhello");
      });
    }};
    const auto g = b.call(s.at("localhost", true));
    EXPECT_EQ(g.body, "hello");
    EXPECT_EQ(g.code(), errc::upstream_broken);
  }
}

TEST(client_tls, an_idle_connection_survives_tickets_and_ends_with_the_farewell) {
  authority ca;
  tls_server_side side{ca, "DNS:localhost"};
  scripted_server s{[&](peer& p) {
    side.serve(p, [&p](SSL* ssl) {
      tls_server_side::read_request(ssl);
      tls_server_side::write(ssl, with_length("one"));
      p.read_wake();
      SSL_new_session_ticket(ssl); // bytes on an idle connection that are no answer
      SSL_do_handshake(ssl);
      tls_server_side::read_request(ssl);
      tls_server_side::write(ssl, with_length("two"));
      p.read_wake();
      SSL_shutdown(ssl);
      p.closed_by_client();
    });
  }};
  bench b{trusting(ca)};
  EXPECT_EQ(b.call(s.at("localhost", true)).body, "one");
  b.wake();
  EXPECT_EQ(b.call(s.at("localhost", true)).body, "two");
  EXPECT_EQ(s.accepted(), 1);
  EXPECT_EQ(b.c->counters().connections_idle, 1U);
  b.wake();
  b.until([](const client_counters& c) { return c.connections_open == 0; });
  EXPECT_EQ(b.c->counters().connections_idle, 0U);
}

TEST(client_tls, a_stale_connection_is_replaced_once) {
  authority ca;
  tls_server_side side{ca, "DNS:localhost"};
  scripted_server s{{[&](peer& p) {
                       side.serve(p, [](SSL* ssl) {
                         tls_server_side::read_request(ssl);
                         tls_server_side::write(ssl, with_length("ok"));
                         tls_server_side::read_request(ssl);
                       });
                     },
                     side.always(with_length("ok"))}};
  bench b{trusting(ca)};
  EXPECT_EQ(b.call(s.at("localhost", true)).body, "ok");
  EXPECT_EQ(b.call(s.at("localhost", true)).body, "ok");
  EXPECT_EQ(b.c->counters().stale_retries, 1U);
}

} // namespace
} // namespace troupe::http::testing
