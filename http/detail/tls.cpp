#include "http/detail/tls.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

namespace troupe::http::detail {

namespace {

template <auto Free>
struct freer {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};

using context_ptr = std::unique_ptr<SSL_CTX, freer<SSL_CTX_free>>;
using session_ptr = std::unique_ptr<SSL, freer<SSL_free>>;
using method_ptr = std::unique_ptr<BIO_METHOD, freer<BIO_meth_free>>;

int descriptor_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

int socket_write(BIO* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  const auto sent = ::send(descriptor_of(bio), from, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR))
    BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int socket_read(BIO* bio, char* to, int size) {
  BIO_clear_retry_flags(bio);
  const auto got = ::recv(descriptor_of(bio), to, static_cast<std::size_t>(size), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    BIO_set_retry_read(bio);
  return static_cast<int>(got);
}

long socket_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

/// OpenSSL's own socket BIO writes without MSG_NOSIGNAL: a client that left would end the
/// process unless it gave up SIGPIPE for all of its code.
method_ptr make_socket_method() {
  method_ptr method{BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "troupe socket")};
  BIO_meth_set_write(method.get(), &socket_write);
  BIO_meth_set_read(method.get(), &socket_read);
  BIO_meth_set_ctrl(method.get(), &socket_control);
  return method;
}

class session final : public tls_session {
public:
  explicit session(session_ptr ssl) : ssl_(std::move(ssl)) {}

  tls_step handshake() override {
    ERR_clear_error();
    const auto done = SSL_do_handshake(ssl_.get());
    return done == 1 ? tls_step::ok : step_after(done);
  }

  tls_step read(char* to, std::size_t size, std::size_t& got) override {
    ERR_clear_error();
    const auto done = SSL_read_ex(ssl_.get(), to, size, &got);
    return done == 1 ? tls_step::ok : step_after(done);
  }

  tls_step write(const char* from, std::size_t size, std::size_t& sent) override {
    ERR_clear_error();
    const auto done = SSL_write_ex(ssl_.get(), from, size, &sent);
    return done == 1 ? tls_step::ok : step_after(done);
  }

  void send_end() override {
    ERR_clear_error();
    if (SSL_is_init_finished(ssl_.get()) == 1 && !failed_)
      SSL_shutdown(ssl_.get());
  }

private:
  tls_step step_after(int done) {
    switch (SSL_get_error(ssl_.get(), done)) {
    case SSL_ERROR_WANT_READ:
      return tls_step::wants_read;
    case SSL_ERROR_WANT_WRITE:
      return tls_step::wants_write;
    case SSL_ERROR_ZERO_RETURN:
      return tls_step::ended;
    default:
      failed_ = true;
      return tls_step::broken; // also an end without close_notify
    }
  }

  session_ptr ssl_;
  bool failed_ = false;
};

class server_context final : public tls_server {
public:
  server_context(context_ptr context, method_ptr method)
      : method_(std::move(method)), context_(std::move(context)) {}

  std::unique_ptr<tls_session> accept(int socket) override {
    session_ptr ssl{SSL_new(context_.get())};
    BIO* bio = BIO_new(method_.get());
    if (!ssl || bio == nullptr) {
      BIO_free(bio);
      return nullptr;
    }
    BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl.get(), bio, bio);
    SSL_set_accept_state(ssl.get());
    return std::make_unique<session>(std::move(ssl));
  }

private:
  method_ptr method_; // outlives the sessions' BIOs with the listener that owns this
  context_ptr context_;
};

std::string last_error() {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_peek_last_error(), text.data(), text.size());
  return text.data();
}

} // namespace

result<std::unique_ptr<tls_server>> tls_server::load(const std::string& certificate_chain,
                                                     const std::string& private_key) {
  ERR_clear_error();
  context_ptr context{SSL_CTX_new(TLS_server_method())};
  if (!context)
    return failure{errc::invalid_argument, "TLS: " + last_error()};
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE
                                      | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                                      | SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_chain.c_str()) != 1)
    return failure{errc::invalid_argument,
                   "TLS certificate chain " + certificate_chain + ": " + last_error()};
  if (SSL_CTX_use_PrivateKey_file(context.get(), private_key.c_str(), SSL_FILETYPE_PEM) != 1)
    return failure{errc::invalid_argument, "TLS private key " + private_key + ": " + last_error()};
  auto method = make_socket_method();
  return std::unique_ptr<tls_server>{
      std::make_unique<server_context>(std::move(context), std::move(method))};
}

} // namespace troupe::http::detail
