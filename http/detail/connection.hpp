#pragma once

#include "http/core/head_scan.hpp"
#include "http/core/timeout_wheel.hpp"
#include "http/detail/request_parser.hpp"
#include "http/detail/server_part.hpp"
#include "http/detail/stream.hpp"
#include "http/detail/waiter.hpp"
#include "http/exchange.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::http::detail {

/// One client's connection: reads requests one after the other, hands each to the handler
/// as the exchange that it is itself, and sends the answers.
///
/// One read is outstanding nearly always. While a handler runs it tells that the client
/// left; bytes that come instead are the next requests, kept in the input buffer until it
/// is full, and not looked at before the handler has ended. What is read is copied out of
/// the buffer before the handler runs, so the buffer may move.
///
/// Lives on its loop, owned by its `server_part`; ends itself with `server_part::remove`.
/// Reading and the life of the connection are in connection.cpp, answers in
/// connection_answer.cpp.
class connection final : public exchange {
public:
  connection(server_part& part, int socket, std::unique_ptr<tls_session> tls, std::string peer,
             bool over_limit);
  ~connection() override;

  void begin();
  void drain();
  void stop();

  server_part& part() { return part_; }
  std::size_t place = 0; ///< in the part's list; the part's business

  const request& req() const override { return request_; }
  std::string_view request_id() const override { return {id_.data(), id_.size()}; }
  task<bool> respond(const response_head& head, std::string_view body) override;
  task<bool> start(const response_head& head) override;
  task<bool> write(std::string_view bytes) override;
  task<bool> finish() override;
  void cut() override;
  cancel_source& gone() override { return gone_; }
  duration age() const override { return part_.loop().now() - began_at_; }

private:
  enum class phase { handshake, idle, head, body, serving, refusing, lingering };
  enum class step { more, ready, refuse, end };
  enum class answer { none, streaming, finished, cut };
  enum class progress { sent, blocked, broken };
  enum class body_form { length, chunks, to_the_end, none };

  task<void> run();
  task<bool> shake_hands();
  task<void> refuse();
  task<void> linger();

  // Reading: what each finds in memory, without waiting.
  step head_step();
  step body_step();
  step sized_body_step();
  step chunked_body_step();
  step refuse_with(verdict v);
  void send_continue();
  step await_input();
  void read_into_input();
  void read_into_body();
  bool make_room(std::size_t capacity_max);
  void on_read();
  void on_due();
  void describe_request();
  void begin_exchange();
  bool end_exchange();

  // Answering.
  void append_head(const response_head& head, body_form form, std::size_t body_bytes);
  bool may_answer() const { return answer_ != answer::cut && !broken_; }
  bool is_head_request() const { return message_.method == "HEAD"; }
  progress push();
  void wait_until_writable();
  void flush_head_soon();

  std::string_view input() const { return {buffer_.get() + begin_, end_ - begin_}; }
  void consume(std::size_t bytes);
  void set_deadline(duration span) { deadline_.set(part_.loop().now() + span); }

  server_part& part_;
  stream stream_;
  std::string peer_;
  timeout deadline_;
  waiter reading_;
  waiter writing_;
  cancel_source gone_;
  phase phase_ = phase::idle;

  // Input: bytes [begin_, end_) of the buffer are still to be looked at.
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool reads_body_ = false;    ///< the outstanding read goes to the body
  std::size_t body_bytes_ = 0; ///< so much of the body's memory is filled
  std::size_t head_bytes_ = 0; ///< of the request that is served
  time_point first_byte_at_{};
  time_point last_read_at_{};
  time_point began_at_{}; ///< when the request's first byte came

  request_message message_;
  request_parser parser_;
  head_scan scan_;
  request request_;
  verdict verdict_;
  std::array<char, server_part::id_bytes> id_{};

  bool over_limit_;
  bool ended_ = false;  ///< the client sends no more
  bool broken_ = false; ///< nothing can be sent any more
  bool timed_out_ = false;
  bool closing_ = false;   ///< idle, and shall go
  bool lingers_ = false;   ///< bytes may be under way that would turn our end into a reset
  bool keep_alive_ = true; ///< after this answer
  bool continued_ = false; ///< `100 Continue` was due

  // Output: text_ from text_sent_ on, then body_, then tail_.
  answer answer_ = answer::none;
  body_form form_ = body_form::none;
  std::string text_;
  std::size_t text_sent_ = 0;
  std::string_view body_;
  std::string_view tail_;
  bool head_waits_ = false; ///< for the first write, or the end of this turn
};

} // namespace troupe::http::detail
