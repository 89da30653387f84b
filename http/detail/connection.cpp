#include "http/detail/connection.hpp"

#include "http/detail/timeouts.hpp"

#include <sys/uio.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace troupe::http::detail {

namespace {

constexpr std::size_t input_bytes_first = 4 * 1024;
constexpr std::size_t chunked_input_bytes = 16 * 1024;
constexpr std::size_t input_bytes_kept = 16 * 1024;
constexpr std::size_t body_bytes_first = 16 * 1024;
constexpr std::size_t body_bytes_step_max = 1024 * 1024;
constexpr std::size_t body_bytes_kept = 8 * 1024; ///< memory kept from request to request
constexpr std::size_t head_bytes_kept = 8 * 1024;
constexpr int receives_in_a_row = 16; ///< then other connections get their turn

constexpr duration linger_time = std::chrono::seconds{5};
constexpr std::size_t linger_bytes_max = 16 * 1024 * 1024;

/// The target of a head that was never parsed, to tell which surface was called.
std::string_view rough_target(std::string_view head) {
  const auto line = head.substr(0, head.find('\r'));
  const auto space = line.find(' ');
  if (space == std::string_view::npos)
    return {};
  const auto rest = line.substr(space + 1);
  return rest.substr(0, rest.find(' '));
}

/// Why a body was not even read.
std::string_view words_of(int status) {
  switch (status) {
  case 401:
    return "The credential is missing or not known to this gateway.";
  case 403:
    return "The credential may not do this.";
  case 404:
    return "There is no such path.";
  case 405:
    return "This path does not take this method.";
  case 411:
    return "A body for this path needs a content-length.";
  case 413:
    return "The body is larger than this path takes.";
  case 429:
    return "Too many failed logins came from this address; try again later.";
  default:
    return "The request is refused.";
  }
}

} // namespace

connection::connection(server_part& part, int socket, std::unique_ptr<tls_session> tls,
                       std::string peer, bool over_limit)
    : part_(part),
      stream_(part.loop(), socket, std::move(tls),
              part.options().unix_path.empty() ? stream::kind::tcp : stream::kind::local),
      peer_(std::move(peer)),
      deadline_(
          timeouts_of(part.loop()), [](void* self) { static_cast<connection*>(self)->on_due(); },
          this),
      reading_(part.loop().internals()),
      writing_(part.loop().internals()),
      parser_(message_, {part.options().header_bytes_max, part.options().body_bytes_max}),
      over_limit_(over_limit) {
  reading_.on_end([](void* self) { static_cast<connection*>(self)->on_read(); }, this);
}

connection::~connection() = default;

void connection::begin() {
  spawn(run());
}

task<void> connection::run() {
  set_deadline(std::min(part_.options().header_timeout, part_.options().idle_timeout));
  bool open = stream_.usable();
  if (open && stream_.is_tls())
    open = co_await shake_hands();
  while (open) {
    step next = head_step();
    for (; next == step::more; next = head_step())
      co_await reading_;
    if (next == step::ready)
      for (next = body_step(); next == step::more; next = body_step())
        co_await reading_;
    if (next == step::refuse)
      co_await refuse();
    if (next != step::ready)
      break;
    begin_exchange();
    co_await part_.handler().serve(*this);
    open = end_exchange();
  }
  if (stream_.is_open() && !broken_)
    co_await linger();
  stream_.close();
  co_await reading_;
  co_await writing_;
  deadline_.clear();
  part_.remove(*this);
}

task<bool> connection::shake_hands() {
  phase_ = phase::handshake;
  for (;;) {
    const bool given_up = timed_out_ || closing_ || broken_;
    const auto now = given_up ? stream::outcome{stream::status::broken} : stream_.try_handshake();
    if (now.what == stream::status::ok)
      break;
    if (now.what != stream::status::blocked) {
      broken_ = true;
      co_return false;
    }
    if (stream_.wants_write()) {
      stream_.wait_writable(writing_);
      co_await writing_;
    } else {
      // Not through `reading_`: its end would count bytes.
      waiter readable{part_.loop().internals()};
      stream_.wait_readable(readable);
      co_await readable;
    }
  }
  phase_ = phase::idle;
  co_return true;
}

connection::step connection::refuse_with(verdict v) {
  verdict_ = v;
  return step::refuse;
}

connection::step connection::head_step() {
  if (broken_)
    return step::end;
  switch (scan_.look(input())) {
  case head_scan::state::complete:
    break;
  case head_scan::state::malformed:
    return refuse_with({400, "malformed head"});
  case head_scan::state::incomplete:
    if (end_ - begin_ >= part_.options().header_bytes_max)
      return refuse_with({431, "header fields too large"});
    if (timed_out_ && begin_ != end_)
      return refuse_with({408, "the head did not arrive in time"});
    if (ended_ || timed_out_ || (closing_ && begin_ == end_))
      return step::end;
    return await_input();
  }
  if (scan_.end() > part_.options().header_bytes_max)
    return refuse_with({431, "header fields too large"});
  const auto head = input().substr(scan_.begin(), scan_.end() - scan_.begin());
  const auto refused = parser_.parse_head(head);
  if (refused.refused())
    return refuse_with(refused);
  if (over_limit_)
    return refuse_with({503, "too many connections"});
  describe_request();
  const bool large =
      message_.frame.chunked || message_.frame.content_length.value_or(0) > unscreened_body_bytes;
  if (const int status = large ? part_.handler().refusal_of(request_) : 0; status != 0)
    return refuse_with({status, words_of(status)});
  began_at_ = first_byte_at_;
  head_bytes_ = head.size();
  consume(scan_.end());
  scan_ = {};
  message_.body.clear();
  body_bytes_ = 0;
  continued_ = false;
  phase_ = phase::body;
  return step::ready;
}

/// The head is not whole: makes sure that more is read, and sets how long that may take.
connection::step connection::await_input() {
  if (begin_ != end_ && phase_ != phase::head) {
    phase_ = phase::head;
    deadline_.set(first_byte_at_ + part_.options().header_timeout);
  }
  if (!reading_.running()) {
    if (!make_room(part_.options().header_bytes_max + input_bytes_first))
      return refuse_with({431, "header fields too large"});
    read_into_input();
  }
  return step::more;
}

connection::step connection::body_step() {
  if (message_.frame.chunked)
    return chunked_body_step();
  if (message_.frame.content_length.value_or(0) > 0)
    return sized_body_step();
  return step::ready;
}

connection::step connection::sized_body_step() {
  const auto size = static_cast<std::size_t>(*message_.frame.content_length);
  if (const auto found = std::min(size - body_bytes_, end_ - begin_); found > 0) {
    message_.body.resize(body_bytes_); // what was only made room for goes
    message_.body.append(buffer_.get() + begin_, found);
    body_bytes_ += found;
    consume(found);
  }
  if (body_bytes_ == size) {
    message_.body.resize(size);
    return step::ready;
  }
  if (broken_ || ended_)
    return step::end;
  if (timed_out_)
    return refuse_with({408, "the body did not arrive in time"});
  send_continue();
  if (!reading_.running())
    read_into_body();
  if (body_bytes_ == size)
    return step::ready;
  if (!reading_.running())
    return step::end;
  set_deadline(part_.options().body_timeout);
  return step::more;
}

connection::step connection::chunked_body_step() {
  std::size_t used = 0;
  const auto refused = parser_.parse_chunks(input(), used);
  consume(used);
  if (refused.refused())
    return refuse_with(refused);
  if (parser_.chunks_done())
    return step::ready;
  if (broken_ || ended_)
    return step::end;
  if (timed_out_)
    return refuse_with({408, "the body did not arrive in time"});
  send_continue();
  if (!reading_.running()) {
    if (!make_room(std::max(chunked_input_bytes, part_.options().header_bytes_max)))
      return refuse_with({431, "trailer or chunk header too large"});
    read_into_input();
  }
  set_deadline(part_.options().body_timeout);
  return step::more;
}

/// A client that waits for our word before it sends the body gets it, once. One that has
/// already begun to send needs none.
void connection::send_continue() {
  if (std::exchange(continued_, true) || !message_.frame.expects_continue || body_bytes_ > 0
      || begin_ != end_ || !message_.body.empty())
    return;
  constexpr std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
  const iovec piece{const_cast<char*>(text.data()), text.size()};
  // Nothing else is under way to this client, so only a broken socket takes less.
  if (stream_.try_write(&piece, 1).bytes != text.size())
    broken_ = true;
}

void connection::consume(std::size_t bytes) {
  begin_ += bytes;
  if (begin_ == end_ && !reading_.running())
    begin_ = end_ = 0;
  else
    first_byte_at_ = last_read_at_; // of what is left, as near as we know
}

/// False: the buffer is full and may not grow. Not while a read goes into it.
bool connection::make_room(std::size_t capacity_max) {
  if (begin_ == end_)
    begin_ = end_ = 0;
  if (end_ < capacity_)
    return true;
  const auto size = end_ - begin_;
  if (size < capacity_ / 2) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, size);
  } else {
    if (capacity_ >= capacity_max)
      return false;
    const auto bigger = capacity_ == 0 ? input_bytes_first : std::min(capacity_ * 2, capacity_max);
    auto grown = std::make_unique_for_overwrite<char[]>(bigger);
    if (size > 0)
      std::memcpy(grown.get(), buffer_.get() + begin_, size);
    buffer_ = std::move(grown);
    capacity_ = bigger;
  }
  begin_ = 0;
  end_ = size;
  return true;
}

void connection::read_into_input() {
  reads_body_ = false;
  stream_.start_read(buffer_.get() + end_, capacity_ - end_, reading_);
}

/// Large bodies are received where they stay. Takes what is there, then begins to wait.
void connection::read_into_body() {
  const auto size = static_cast<std::size_t>(*message_.frame.content_length);
  for (int i = 0;; ++i) {
    if (body_bytes_ == size)
      return;
    // Memory follows what has arrived, not what was announced.
    if (body_bytes_ == message_.body.size())
      message_.body.resize(std::min(
          size, body_bytes_ + std::clamp(body_bytes_, body_bytes_first, body_bytes_step_max)));
    auto* to = message_.body.data() + body_bytes_;
    const auto room = message_.body.size() - body_bytes_;
    const auto got = i < receives_in_a_row ? stream_.try_read(to, room)
                                           : stream::outcome{stream::status::blocked};
    if (got.what == stream::status::blocked) {
      reads_body_ = true;
      stream_.start_read(to, room, reading_);
      return;
    }
    ended_ = ended_ || got.what == stream::status::ended;
    broken_ = broken_ || got.what == stream::status::broken;
    if (got.what != stream::status::ok)
      return;
    body_bytes_ += got.bytes;
  }
}

/// The end of every read, before whoever awaits it is resumed.
void connection::on_read() {
  if (reading_.error()) {
    if (reading_.end_of_stream())
      ended_ = true;
    else if (!reading_.aborted())
      ended_ = broken_ = true;
    if (phase_ == phase::serving && (ended_ || broken_) && answer_ != answer::cut)
      gone_.cancel();
    return;
  }
  last_read_at_ = part_.loop().now();
  if (std::exchange(reads_body_, false)) {
    body_bytes_ += reading_.bytes();
    return;
  }
  if (begin_ == end_)
    first_byte_at_ = last_read_at_;
  end_ += reading_.bytes();
  if (phase_ == phase::serving && make_room(capacity_))
    read_into_input(); // else the next requests must wait, and a leaving goes unnoticed
}

void connection::on_due() {
  timed_out_ = true;
  switch (phase_) {
  case phase::handshake:
  case phase::idle:
  case phase::head:
  case phase::body:
    stream_.cancel();
    return;
  case phase::serving:
  case phase::refusing: // a client that takes no bytes
    broken_ = true;
    stream_.close_with_reset();
    return;
  case phase::lingering:
    stream_.close();
    return;
  }
}

void connection::describe_request() {
  request_.method = message_.method;
  request_.target = message_.target.target;
  request_.path = message_.target.path;
  request_.query = message_.target.query;
  request_.fields = &message_.fields;
  request_.body = &message_.body;
  request_.peer = peer_;
}

void connection::begin_exchange() {
  phase_ = phase::serving;
  deadline_.clear();
  part_.count_request();
  id_ = part_.next_request_id();
  answer_ = answer::none;
  keep_alive_ = message_.frame.keep_alive;
  if (ended_)
    gone_.cancel();
  if (reading_.running() || ended_)
    return;
  if (begin_ == end_ && capacity_ > input_bytes_kept) {
    buffer_.reset();
    capacity_ = 0;
  }
  if (make_room(std::max(capacity_, input_bytes_first)))
    read_into_input();
}

/// True: the connection is good for another request.
bool connection::end_exchange() {
  phase_ = phase::idle;
  if (answer_ != answer::finished && stream_.is_open())
    cut();
  if (message_.body.capacity() > body_bytes_kept)
    message_.body = {};
  if (head_bytes_ > head_bytes_kept)
    message_.fields = {};
  message_.method = message_.whole_target = {}; // a refusal must not speak of this request
  lingers_ = begin_ != end_;
  if (broken_ || answer_ != answer::finished || !keep_alive_)
    return false;
  if (part_.draining() && begin_ == end_)
    return false;
  set_deadline(part_.options().idle_timeout);
  return true;
}

task<void> connection::refuse() {
  phase_ = phase::refusing;
  deadline_.clear();
  timed_out_ = false;
  keep_alive_ = false;
  lingers_ = true;
  answer_ = answer::none;
  id_ = part_.next_request_id();
  part_.count_refusal();
  const bool parsed = !message_.whole_target.empty();
  const auto target = parsed ? message_.whole_target : rough_target(input());
  const refusal why{verdict_.status, verdict_.reason, target, request_id(),
                    parsed && message_.fields.has("anthropic-version")};
  auto& log = part_.shared().log;
  if (log.wants(log_area::security, log_level::info))
    log.write(log_area::security, log_level::info, request_id(),
              "refused a request of " + peer_ + " with " + std::to_string(why.status) + ": "
                  + std::string{why.reason});
  const auto shown = part_.handler().refuse(why);
  co_await respond(shown.first, shown.second);
}

/// Ends our side and, if the client may still be sending, takes its bytes for a while:
/// closing at once would answer them with a reset, which can destroy our last answer
/// before the client has read it (RFC 9112, 9.6).
task<void> connection::linger() {
  phase_ = phase::lingering;
  stream_.shut_down_writing();
  if (!lingers_ || ended_)
    co_return;
  timed_out_ = false;
  set_deadline(linger_time);
  for (std::size_t taken = 0; taken < linger_bytes_max; taken += end_) {
    if (!reading_.running() && !ended_ && !broken_ && stream_.is_open()) {
      begin_ = end_ = 0;
      make_room(input_bytes_first);
      read_into_input();
    }
    co_await reading_;
    if (ended_ || broken_ || timed_out_ || closing_ || reading_.error())
      co_return;
  }
}

void connection::drain() {
  if (phase_ != phase::idle && phase_ != phase::handshake)
    return;
  closing_ = true;
  stream_.cancel();
}

void connection::stop() {
  broken_ = closing_ = true;
  const bool serving = phase_ == phase::serving;
  stream_.close_with_reset();
  if (serving)
    gone_.cancel();
}

} // namespace troupe::http::detail
