#pragma once

#include "http/detail/server_part.hpp"
#include "http/detail/stream.hpp"
#include "http/detail/unix_socket.hpp"
#include "http/detail/waiter.hpp"
#include "http/task.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::http::detail {

/// A bound, listening, non-blocking socket and its name: a port, or a file.
struct bound_socket {
  int socket;
  std::uint16_t port = 0;
  socket_file file;

  bound_socket(int s, std::uint16_t p) : socket(s), port(p) {}
  bound_socket(int s, socket_file f) : socket(s), file(std::move(f)) {}
};

/// Binds without SO_REUSEPORT: a second process on the same port must fail, not share.
/// The text of a failure names address and port.
result<bound_socket> bind_and_listen(const std::string& address, std::uint16_t port);

/// Accepts connections on the first loop and deals them to all loops in turn. Shared by its
/// coroutine and the server; ends with `close`. Loop's thread.
class listener : public std::enable_shared_from_this<listener> {
public:
  listener(std::shared_ptr<server_shared> shared, std::vector<std::shared_ptr<server_part>> parts,
           bound_socket bound);
  ~listener();

  void begin();
  void close();

private:
  static task<void> run(std::shared_ptr<listener> self);
  void deal(int socket, std::string peer);

  std::shared_ptr<server_shared> shared_;
  std::vector<std::shared_ptr<server_part>> parts_;
  int socket_; ///< until `begin` gives it to the stream
  socket_file file_;
  std::optional<stream> stream_;
  waiter readable_;
  std::size_t next_ = 0;
  bool closed_ = false;
};

} // namespace troupe::http::detail
