#pragma once

#include "http/client.hpp"
#include "http/detail/client_connection.hpp"
#include "http/detail/client_inflate.hpp"
#include "http/detail/client_parser.hpp"
#include "http/detail/client_pool.hpp"

#include <memory>
#include <optional>
#include <string>

namespace troupe::http::detail {

/// One call on one connection: the head, then the body for who asks. It owns the connection
/// from the moment the request goes out, so that destroying it at any point ends the call.
class client_answer final : public client_response {
public:
  client_answer(std::shared_ptr<client_pool> pool, std::shared_ptr<client_connection> connection,
                const client_request& request);
  ~client_answer() override;
  client_answer(const client_answer&) = delete;
  client_answer& operator=(const client_answer&) = delete;

  /// What became of the request.
  enum class head_state : std::uint8_t {
    good,
    dead, ///< the connection ended before any byte of an answer; nobody here ended it
    failed
  };

  /// Sends `request` and reads up to the end of the head.
  task<head_state> exchange_heads(const client_request& request);

  /// After `dead` or `failed`.
  failure why() const { return *failure_; }

  int status() const override { return parser_.status(); }
  const headers& fields() const override { return fields_; }
  task<result<std::string_view>> read() override;

private:
  void write_head(const client_request& request);
  bool read_head();
  void check_coding();
  bool take_body(std::string_view& out);
  bool take_end_of_input();
  void fail(errc code, std::string_view what);
  void finish();
  void end_call();

  std::shared_ptr<client_pool> pool_;
  std::shared_ptr<client_connection> connection_; ///< none after the end
  const origin& to_;                              ///< kept with the connection; not used after it
  client_timeouts timeouts_;
  headers fields_;
  response_parser parser_;
  std::optional<inflater> inflater_;
  std::optional<failure> failure_;
};

} // namespace troupe::http::detail
