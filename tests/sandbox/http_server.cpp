#include "sandbox/http_server.hpp"

#include "sandbox/loop.hpp"

#include <cerrno>
#include <cstring>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sandbox {

http_server::http_server(server_options options, application& app)
    : options_(std::move(options)), app_(app) {}

http_server::~http_server() {
  stop();
}

std::string http_server::start() {
  if (auto trouble = listen(); !trouble.empty())
    return trouble;
  for (unsigned i = 0; i < std::max(1U, options_.threads); ++i)
    loops_.push_back(std::make_unique<loop>(listener_, options_, app_));
  for (auto& l : loops_)
    l->start();
  return {};
}

void http_server::stop() {
  for (auto& l : loops_)
    l->stop();
  loops_.clear();
  if (listener_ >= 0)
    ::close(listener_);
  listener_ = -1;
}

std::string http_server::listen() {
  const auto where = options_.address + " port " + std::to_string(options_.port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int rc = ::getaddrinfo(options_.address.c_str(), std::to_string(options_.port).c_str(),
                                   &hints, &found);
      rc != 0)
    return "cannot find " + where + ": " + ::gai_strerror(rc);
  listener_ = ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool bound =
      ::bind(listener_, found->ai_addr, found->ai_addrlen) == 0 && ::listen(listener_, 4096) == 0;
  const int why = errno;
  ::freeaddrinfo(found);
  if (!bound) {
    ::close(listener_);
    listener_ = -1;
    return "cannot listen on " + where + ": " + std::strerror(why);
  }
  sockaddr_storage bound_to{};
  socklen_t size = sizeof bound_to;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&bound_to), &size);
  port_ = ntohs(bound_to.ss_family == AF_INET6
                    ? reinterpret_cast<const sockaddr_in6*>(&bound_to)->sin6_port
                    : reinterpret_cast<const sockaddr_in*>(&bound_to)->sin_port);
  return {};
}

} // namespace sandbox
