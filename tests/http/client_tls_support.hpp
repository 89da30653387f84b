#pragma once

#include "client_support.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>

/// Authorities, certificates and servers for tests over TLS.

namespace troupe::http::testing {

using key_ptr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using cert_ptr = std::unique_ptr<X509, decltype(&X509_free)>;

inline key_ptr new_key() {
  return {EVP_EC_gen("P-256"), &EVP_PKEY_free};
}

inline void add(X509* cert, X509* issuer, int what, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value);
  ASSERT_NE(extension, nullptr);
  X509_add_ext(cert, extension, -1);
  X509_EXTENSION_free(extension);
}

inline cert_ptr new_cert(const char* name, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key,
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
    BIO* wire = BIO_new_socket(p.fd(), BIO_NOCLOSE);
    serve(wire, talk);
  }

  /// Within another TLS connection.
  void serve(SSL* outer, const std::function<void(SSL*)>& talk) {
    BIO* wire = BIO_new(BIO_f_ssl());
    BIO_set_ssl(wire, outer, BIO_NOCLOSE);
    serve(wire, talk);
  }

  void serve(BIO* wire, const std::function<void(SSL*)>& talk) {
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl{SSL_new(context.get()), &SSL_free};
    SSL_set_bio(ssl.get(), wire, wire);
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

  /// Empty: the client closed.
  static std::string read_request(SSL* ssl) {
    std::string all;
    char buffer[16 * 1024];
    std::size_t need = std::string::npos;
    while (all.size() < need) {
      const int n = SSL_read(ssl, buffer, sizeof buffer);
      if (n <= 0)
        return {};
      all.append(buffer, static_cast<std::size_t>(n));
      if (const auto end = all.find("\r\n\r\n"); need == all.npos && end != all.npos) {
        need = end + 4;
        if (const auto field = all.find("content-length: "); field < end)
          need += std::stoul(all.substr(field + 16));
      }
    }
    return all;
  }

  static void write(SSL* ssl, std::string_view text) {
    SSL_write(ssl, text.data(), static_cast<int>(text.size()));
  }

  scripted_server::script always(std::string answer) {
    return [this, answer](peer& p) {
      serve(p, [&](SSL* ssl) {
        while (!read_request(ssl).empty())
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

inline client_options trusting(const authority& ca) {
  client_options options;
  options.ca_file = ca.file;
  return options;
}

} // namespace troupe::http::testing
