#pragma once

#include "http/server.hpp"

#include <condition_variable>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

/// A running server on loopback with scripted handlers, and a client that writes and reads
/// raw bytes, for tests of what really goes over the wire.

namespace troupe::http {

/// Long enough for a machine under load; a test that waits so long has failed.
constexpr duration patience = std::chrono::seconds{20};

class quiet_log final : public log_sink {
public:
  bool wants(log_area, log_level) const override { return true; }
  void write(log_area, log_level, std::string_view, std::string_view text) override;
  std::string text() const;
  bool wait_for(std::string_view part);

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
};

/// Lets a test wait until something has happened on a loop.
class signal {
public:
  void raise();
  bool wait();

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool raised_ = false;
};

/// Resumes a handler's coroutine from outside its loop.
class gate {
public:
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting);
  void await_resume() const noexcept {}

  signal reached; ///< the handler waits
  void open(event_loop& loop);

private:
  std::coroutine_handle<> waiting_;
};

/// Answers by path with functions that a test gives. `/echo` answers method, path, query
/// and body; an unknown path gets 404.
class scripted_handler final : public server_handler {
public:
  using script = std::function<task<void>(exchange&)>;

  std::map<std::string, script, std::less<>> scripts;

  /// A head with the field `x-stranger` is not admitted.
  int refusal_of(const request& head) override { return head.fields->has("x-stranger") ? 401 : 0; }

  task<void> serve(exchange& x) override;
  std::pair<response_head, std::string> refuse(const refusal& r) override;
};

struct stage {
  explicit stage(server_options options = {}, std::size_t loop_count = 1);
  ~stage();

  /// Stops the server, then the loops.
  void shut_down();

  quiet_log log;
  std::vector<std::unique_ptr<event_loop>> loops;
  std::vector<std::thread> threads;
  scripted_handler handler; ///< shared by the loops, read only after the start
  event_loop* loop = nullptr;
  std::unique_ptr<server> web;

  /// From now on `path` is answered by `s`. What it needs besides the exchange comes in as
  /// a parameter: a coroutine lambda must not capture. Declare contexts before the stage:
  /// handlers may use them until it is gone.
  void on(std::string path, task<void> (*s)(exchange&));
  template <class Context>
  void on(std::string path, task<void> (*s)(exchange&, Context&), Context& context) {
    put(std::move(path), [s, &context](exchange& x) { return s(x, context); });
  }

private:
  void put(std::string path, scripted_handler::script s);
};

/// A blocking socket with a generous deadline.
class raw_client {
public:
  explicit raw_client(std::uint16_t port, int receive_buffer = 0);
  ~raw_client();
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;

  bool send(std::string_view bytes);
  void half_close();
  void close_with_reset();
  void close();

  /// One answer: head and, as it says, body. The rest stays for the next call.
  struct answer {
    int status = 0;
    std::string head;   ///< with status line, lower case names as sent
    std::string body;   ///< unchunked
    bool whole = false; ///< the body ended as its framing says

    std::string field(std::string_view name) const;
  };
  answer read_answer(bool head_only = false);

  /// Everything until the server closes. `reset`: it ended with a reset.
  std::string read_to_end(bool* reset = nullptr);

  /// Exactly so many bytes, or fewer at the end.
  std::string read_bytes(std::size_t count);
  bool at_end(); ///< waits for the server's end of stream or reset

  int descriptor() const { return socket_; }

private:
  bool fill();

  int socket_;
  std::string buffer_;
  bool reset_ = false;
};

/// A whole POST with its length.
std::string post(std::string_view path, std::string_view body, std::string_view more_fields = {});
std::string get(std::string_view path, std::string_view more_fields = {});

} // namespace troupe::http
