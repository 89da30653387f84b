#pragma once

#include "sandbox/exchange.hpp"
#include "sandbox/request_reader.hpp"

#include <cstdint>
#include <optional>

namespace sandbox {

/// One client connection: reads a request, plays its reply, reads the next.
/// Pipelined requests wait in the input until the reply before them is out.
/// Owned by one loop, on its thread; never blocks.
///
/// The socket is watched edge-triggered and registered once, so that a simple
/// exchange costs one wait, one read and one write.
class connection {
public:
  connection(int fd, application& app, const reader_limits& limits);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// What epoll reported. False when the connection is over and may be dropped.
  bool on_events(std::uint32_t events);
  /// The moment asked for by `due` has come. False as above.
  bool on_due();
  /// When `on_due` wants to be called, if at all.
  std::optional<instant> due() const { return due_; }

private:
  bool read_some();
  bool work();
  bool take_request();
  bool play();
  bool finish_reply(act then);
  bool linger();
  bool flush();
  void refuse(int status);
  void reset_now();
  void end_performance(departure how);

  int fd_;
  std::string source_; ///< the address of the other end
  application& app_;
  std::size_t input_max_;
  std::string in_;
  std::size_t in_at_ = 0;
  std::string out_;
  std::size_t out_at_ = 0;
  request_reader reader_;
  std::unique_ptr<performance> playing_;
  step step_;
  bool step_waits_ = false;
  instant step_due_{};
  std::optional<instant> due_;
  std::optional<act> ending_; ///< to be done once `out_` is empty
  std::size_t requests_ = 0;
  bool readable_ = false;
  bool writable_ = true;
  bool peer_done_ = false;
  bool lingering_ = false;
  bool hanging_ = false;
};

} // namespace sandbox
