#include "http/detail/client_tls.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>

namespace troupe::http::detail {

namespace {

int remember_session(SSL* ssl, SSL_SESSION* session) {
  auto* sessions = static_cast<tls_sessions*>(SSL_get_app_data(ssl));
  if (sessions == nullptr)
    return 0;
  sessions->remember(tls_sessions::session{session});
  return 1; // the reference is ours now
}

failure cannot_set_up(std::string_view what) {
  ERR_clear_error();
  return {errc::tls_failed, "TLS cannot be set up: " + std::string{what}};
}

} // namespace

bool is_address(const std::string& host) {
  unsigned char bytes[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), bytes) == 1
         || inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

void tls_sessions::remember(session s) {
  if (kept_.size() == sessions_max)
    kept_.erase(kept_.begin());
  kept_.push_back(std::move(s));
}

tls_sessions::session tls_sessions::take() {
  if (kept_.empty())
    return nullptr;
  if (SSL_SESSION_get_protocol_version(kept_.back().get()) >= TLS1_3_VERSION) {
    auto newest = std::move(kept_.back());
    kept_.pop_back();
    return newest;
  }
  SSL_SESSION_up_ref(kept_.back().get());
  return session{kept_.back().get()};
}

result<std::unique_ptr<tls_context>> tls_context::make(const std::string& ca_file, bool verify) {
  std::unique_ptr<SSL_CTX, ssl_deleter> context{SSL_CTX_new(TLS_client_method())};
  if (!context)
    return cannot_set_up("no memory");
  auto* ctx = context.get();
  SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(ctx, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  const bool trusts = ca_file.empty()
                          ? SSL_CTX_set_default_verify_paths(ctx) == 1
                          : SSL_CTX_load_verify_locations(ctx, ca_file.c_str(), nullptr) == 1;
  if (verify && !trusts)
    return cannot_set_up("no certificates can be read from "
                         + (ca_file.empty() ? "the system's store" : ca_file));
  static constexpr unsigned char only_http_1_1[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  if (SSL_CTX_set_alpn_protos(ctx, only_http_1_1, sizeof only_http_1_1) != 0)
    return cannot_set_up("no memory");
  // Sessions are kept per origin by us: OpenSSL's own store does not know origins.
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(ctx, &remember_session);
  return std::unique_ptr<tls_context>{new tls_context{std::move(context), verify}};
}

tls_stream::tls_stream(const tls_context& context, const std::string& host, tls_sessions& sessions,
                       std::unique_ptr<tls_stream> under)
    : under_(std::move(under)),
      ssl_(SSL_new(context.native())),
      from_wire_(BIO_new(BIO_s_mem())),
      to_wire_(BIO_new(BIO_s_mem())) {
  TROUPE_ASSERT(ssl_ != nullptr);
  TROUPE_ASSERT(from_wire_ != nullptr);
  TROUPE_ASSERT(to_wire_ != nullptr);
  auto* ssl = ssl_.get();
  SSL_set_bio(ssl, from_wire_, to_wire_);
  SSL_set_connect_state(ssl);
  SSL_set_app_data(ssl, &sessions);
  const bool address = is_address(host);
  if (!address)
    TROUPE_ASSERT(SSL_set_tlsext_host_name(ssl, host.c_str()) == 1);
  if (context.verifies()) {
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    // A check that could not be set up must not pass for one that succeeds.
    if (address)
      TROUPE_ASSERT(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1);
    else
      TROUPE_ASSERT(SSL_set1_host(ssl, host.c_str()) == 1);
  }
  if (const auto session = sessions.take())
    SSL_set_session(ssl, session.get());
}

tls_stream::~tls_stream() {
  // Otherwise OpenSSL takes the closing for a fault and spoils the session for resumption.
  SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

tls_stream::progress tls_stream::shake_hands() {
  ERR_clear_error();
  const int outcome = SSL_do_handshake(ssl_.get());
  if (outcome == 1)
    return progress::done;
  if (SSL_get_error(ssl_.get(), outcome) == SSL_ERROR_WANT_READ)
    return progress::wants_input;
  last_error_ = ERR_peek_last_error();
  ERR_clear_error();
  return progress::failed;
}

std::string tls_stream::problem() const {
  const long verdict = SSL_get_verify_result(ssl_.get());
  if (verdict != X509_V_OK && (SSL_get_verify_mode(ssl_.get()) & SSL_VERIFY_PEER) != 0)
    return X509_verify_cert_error_string(verdict);
  const char* reason = ERR_reason_error_string(last_error_);
  return reason != nullptr ? reason : "the handshake did not succeed";
}

void tls_stream::feed(std::string_view wire) {
  if (under_ == nullptr) {
    feed_own(wire);
    return;
  }
  under_->feed(wire);
  char passed[4096];
  while (true) {
    const auto piece = under_->decrypt(passed, sizeof passed);
    switch (piece.is) {
    case plain::state::bytes:
      feed_own({passed, piece.bytes});
      break;
    case plain::state::wants_input:
      return;
    case plain::state::closed:
    case plain::state::failed:
      BIO_set_mem_eof_return(from_wire_, 0); // to this one the wire has ended
      return;
    }
  }
}

void tls_stream::feed_own(std::string_view wire) {
  const int written = BIO_write(from_wire_, wire.data(), static_cast<int>(wire.size()));
  TROUPE_ASSERT(written == static_cast<int>(wire.size()));
}

tls_stream::plain tls_stream::decrypt(char* out, std::size_t size) {
  ERR_clear_error();
  std::size_t bytes = 0;
  const int outcome = SSL_read_ex(ssl_.get(), out, size, &bytes);
  if (outcome == 1)
    return {plain::state::bytes, bytes};
  const int error = SSL_get_error(ssl_.get(), outcome);
  ERR_clear_error();
  if (error == SSL_ERROR_WANT_READ)
    return {plain::state::wants_input};
  return {error == SSL_ERROR_ZERO_RETURN ? plain::state::closed : plain::state::failed};
}

bool tls_stream::encrypt(std::string_view text) {
  if (text.empty())
    return true;
  ERR_clear_error();
  std::size_t written = 0;
  const int outcome = SSL_write_ex(ssl_.get(), text.data(), text.size(), &written);
  ERR_clear_error();
  return outcome == 1 && written == text.size();
}

bool tls_stream::has_wire() const {
  return BIO_ctrl_pending(to_wire_) > 0 || (under_ != nullptr && under_->has_wire());
}

bool tls_stream::take_wire(std::string& out) {
  out.resize(BIO_ctrl_pending(to_wire_));
  if (!out.empty()) {
    const int read = BIO_read(to_wire_, out.data(), static_cast<int>(out.size()));
    TROUPE_ASSERT(read == static_cast<int>(out.size()));
  }
  if (under_ == nullptr)
    return true;
  const bool passed = under_->encrypt(out);
  const bool taken = under_->take_wire(out);
  return passed && taken;
}

} // namespace troupe::http::detail
