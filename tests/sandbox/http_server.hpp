#pragma once

#include "sandbox/exchange.hpp"
#include "sandbox/request_reader.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sandbox {

class loop;

struct server_options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0; ///< 0: any free one
  unsigned threads = 1;
  std::size_t connections_max = 60'000; ///< per loop; more are accepted and closed
  reader_limits limits;
};

/// A small HTTP/1.1 server on epoll: one loop per thread, all of them accepting
/// on the same listening socket. `start` and `stop` belong to one thread.
class http_server {
public:
  http_server(server_options options, application& app);
  ~http_server();
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  /// Listens and starts the threads. Returns the trouble, or an empty string.
  std::string start();
  /// Closes every connection and ends the threads.
  void stop();
  std::uint16_t port() const { return port_; }

private:
  std::string listen();

  server_options options_;
  application& app_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::vector<std::unique_ptr<loop>> loops_;
};

} // namespace sandbox
