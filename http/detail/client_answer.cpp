#include "http/detail/client_answer.hpp"

#include "http/detail/client_open.hpp"

#include <charconv>
#include <utility>

namespace troupe::http::detail {

namespace {

void append_number(std::string& out, std::size_t n) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, n).ptr);
}

} // namespace

client_answer::client_answer(std::shared_ptr<client_pool> pool,
                             std::shared_ptr<client_connection> connection,
                             const client_request& request)
    : pool_(std::move(pool)),
      connection_(std::move(connection)),
      to_(connection_->home().to),
      timeouts_(request.timeouts),
      fields_(pool_->take_fields()),
      parser_(fields_, request.method == "HEAD", pool_->options().head_bytes_max) {}

client_answer::~client_answer() {
  end_call();
  pool_->give_fields(std::move(fields_));
}

void client_answer::end_call() {
  if (connection_ == nullptr)
    return;
  connection_->abandon_waiting();
  // Who knows from the body itself that it is whole need not ask for its end.
  if (!failure_ && parser_.complete() && (!inflater_ || inflater_->at_end()))
    finish();
  else
    connection_->close(ended_by::owner);
}

void client_answer::write_head(const client_request& request) {
  auto& head = connection_->head_memory;
  head.clear();
  head.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\nhost: ");
  head.append(connection_->home().host_field).append("\r\naccept-encoding: identity\r\n");
  if (request.has_body) {
    head.append("content-length: ");
    append_number(head, request.body.size());
    head.append("\r\n");
  }
  head.append(request.header_lines).append("\r\n");
}

task<client_answer::head_state> client_answer::exchange_heads(const client_request& request) {
  auto& c = *connection_;
  write_head(request);
  if (request.before_bytes.run != nullptr && c.ended() == ended_by::nobody)
    request.before_bytes.run(request.before_bytes.argument);
  c.sending_silence(timeouts_.silence);
  c.send(c.head_memory, request.has_body ? request.body : std::string_view{});
  bool waits_for_first = !c.sending();
  if (waits_for_first)
    c.limit_wait(ended_by::first_byte_limit, timeouts_.first_byte);
  else
    c.limit_wait(ended_by::silence_limit, timeouts_.silence);
  bool any_byte = false;
  while (true) {
    c.start_read();
    while (c.reading() && c.ended() == ended_by::nobody) {
      co_await c.event();
      if (!waits_for_first && !c.sending()) {
        waits_for_first = true;
        c.limit_wait(ended_by::first_byte_limit, timeouts_.first_byte);
      }
    }
    if (c.ended() != ended_by::nobody) {
      failure_.emplace(failure_of(c.ended(), to_));
      co_return head_state::failed;
    }
    if (!c.input().empty()) {
      any_byte = true;
      if (read_head())
        break;
      if (failure_)
        co_return head_state::failed;
    }
    if (c.input_ended() != input_end::none) {
      fail(errc::upstream_broken, "closed the connection before the end of its head");
      co_return any_byte ? head_state::failed : head_state::dead;
    }
    if (c.input_full()) {
      fail(errc::upstream_malformed, "its head is too large");
      co_return head_state::failed;
    }
    if (any_byte)
      c.limit_wait(ended_by::silence_limit, timeouts_.silence);
  }
  // An answer before the end of the request: the upstream has heard enough.
  if (c.sending())
    c.refuse_to_send();
  c.limit_total_only();
  check_coding();
  co_return failure_ ? head_state::failed : head_state::good;
}

/// True: the head is whole.
bool client_answer::read_head() {
  auto& in = connection_->input();
  const auto step = parser_.head(in.data(), in.size());
  in.use(step.used);
  if (step.is == response_parser::state::malformed)
    fail(errc::upstream_malformed, parser_.problem());
  return step.is == response_parser::state::done;
}

void client_answer::check_coding() {
  if (failure_ || !parser_.has_body())
    return;
  const auto encoding = fields_.get("content-encoding");
  if (encoding.empty())
    return;
  const auto coding = read_coding(encoding);
  if (!coding.known) {
    fail(errc::upstream_malformed, "a content coding that was not asked for");
    return;
  }
  if (!coding.packed)
    return;
  inflater_.emplace(*coding.packed);
  // What the caller sees is not packed and not of that length.
  headers unpacked;
  for (std::size_t i = 0; i < fields_.size(); ++i)
    if (const auto f = fields_[i];
        !same_name(f.name, "content-encoding") && !same_name(f.name, "content-length"))
      unpacked.add(f.name, f.value);
  fields_ = std::move(unpacked);
}

task<result<std::string_view>> client_answer::read() {
  while (true) {
    if (failure_)
      co_return *failure_;
    if (connection_ == nullptr)
      co_return std::string_view{};
    auto& c = *connection_;
    if (c.ended() != ended_by::nobody) {
      failure_.emplace(failure_of(c.ended(), to_));
      continue;
    }
    std::string_view bytes;
    if (take_body(bytes))
      co_return bytes;
    if (failure_ || connection_ == nullptr || take_end_of_input())
      continue;
    c.start_read();
    if (c.reading())
      c.limit_wait(ended_by::silence_limit, timeouts_.silence);
    while (c.reading() && c.ended() == ended_by::nobody)
      co_await c.event();
    c.limit_total_only();
    if (c.input_full())
      fail(errc::upstream_malformed, "a line between its chunks is too long");
  }
}

/// True: `out` is the next piece. Otherwise the body ended or failed, or more input is needed.
bool client_answer::take_body(std::string_view& out) {
  auto& in = connection_->input();
  while (true) {
    if (inflater_) {
      auto unpacked = inflater_->next();
      if (!unpacked) {
        fail(errc::upstream_malformed, unpacked.error().text);
        return false;
      }
      out = *unpacked;
      if (!out.empty())
        return true;
    }
    if (parser_.complete()) {
      if (inflater_ && !inflater_->at_end())
        fail(errc::upstream_broken, "its packed body ends too early");
      else
        finish();
      return false;
    }
    if (in.empty())
      return false;
    const auto step = parser_.body(in.data(), in.size());
    in.use(step.used);
    if (step.is == response_parser::state::malformed) {
      fail(errc::upstream_malformed, parser_.problem());
      return false;
    }
    if (!step.body.empty() && !inflater_) {
      out = step.body;
      return true;
    }
    if (inflater_)
      inflater_->feed(step.body);
    if (step.body.empty() && step.is == response_parser::state::more)
      return false;
  }
}

/// True: the input has ended, and with it the body or the call.
bool client_answer::take_end_of_input() {
  switch (connection_->input_ended()) {
  case input_end::none:
    return false;
  case input_end::clean:
    if (parser_.ends_with_input())
      return true;
    [[fallthrough]];
  case input_end::broken:
    fail(errc::upstream_broken, "closed the connection before the end of its body");
    return true;
  }
  return false;
}

void client_answer::fail(errc code, std::string_view what) {
  failure_.emplace(code, with_port(to_) + ": " + std::string{what});
  connection_->close(ended_by::owner);
}

/// The body ended as its framing says. The connection goes back, or is closed.
void client_answer::finish() {
  auto connection = std::move(connection_);
  connection_ = nullptr;
  if (parser_.keeps_alive())
    pool_->give_back(std::move(connection));
  else
    connection->close(ended_by::owner);
}

} // namespace troupe::http::detail
