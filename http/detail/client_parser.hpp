#pragma once

#include "http/headers.hpp"

#include <boost/beast/http/basic_parser.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

/// Takes an upstream's answer apart, in the memory it was read into. No I/O.
///
/// Framing is judged strictly, because a wrong guess about where an answer ends would hand
/// one caller's bytes to the next: both `content-length` and `transfer-encoding`, several
/// lengths that differ, codings other than exactly `chunked`, chunks in HTTP/1.0, and an
/// upgrade nobody asked for are malformed. Interim answers (1xx) are skipped; their bytes
/// count towards the bound of the head.

namespace troupe::http::detail {

/// Beast's parser with our ears: fields go straight into `headers`, the body is not copied.
class beast_response_parser final : public boost::beast::http::basic_parser<false> {
public:
  explicit beast_response_parser(headers& fields) : fields_(fields) {}

  int status = 0;
  bool foreign_coding = false; ///< a transfer coding that we did not ask for
  bool coded = false;          ///< any `transfer-encoding`
  bool old = false;            ///< HTTP/1.0
  std::string_view piece;      ///< body bytes of the latest `put`

private:
  using string_view = boost::beast::string_view;
  using error_code = boost::beast::error_code;

  void on_request_impl(boost::beast::http::verb, string_view, string_view, int,
                       error_code&) override {}
  void on_response_impl(int code, string_view reason, int version, error_code& error) override;
  void on_field_impl(boost::beast::http::field id, string_view name, string_view value,
                     error_code& error) override;
  void on_header_impl(error_code& error) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& error) override;
  std::size_t on_body_impl(string_view body, error_code& error) override;
  void on_chunk_header_impl(std::uint64_t size, string_view extensions, error_code& error) override;
  std::size_t on_chunk_body_impl(std::uint64_t left, string_view body, error_code& error) override;
  void on_finish_impl(error_code& error) override;

  headers& fields_;
  bool in_head_ = true; ///< trailers are read and forgotten
};

class response_parser {
public:
  enum class state : std::uint8_t { more, done, malformed };

  struct step {
    state is;
    std::size_t used;           ///< bytes of the input that are dealt with
    std::string_view body = {}; ///< in the memory of the input
  };

  /// Both live as long as the parser is used.
  response_parser(headers& fields, bool head_request, std::size_t head_bytes_max);

  /// Until it says `done`, with all bytes that were not used before.
  step head(const char* data, std::size_t size);

  /// After the head. Takes all the body that is there; pieces of several chunks are moved
  /// together within the input. Says `done` with the last piece or after it.
  step body(char* data, std::size_t size);

  /// The upstream closed its side. True: that is the end of this body.
  bool ends_with_input();

  /// The whole answer was seen.
  bool complete() const { return complete_; }

  int status() const { return status_; }
  bool has_body() const { return has_body_; }

  /// After `complete`: the framing and both sides' words allow another exchange.
  bool keeps_alive() const { return keeps_alive_ && complete_; }

  /// Why it is malformed; a fixed text.
  std::string_view problem() const { return problem_; }

private:
  step malformed(std::size_t used, std::string_view why);
  void begin();
  std::string_view faulty_head() const;

  headers& fields_;
  std::optional<beast_response_parser> parser_;
  std::size_t head_bytes_max_;
  std::size_t head_bytes_ = 0;
  std::string_view problem_;
  int status_ = 0;
  bool head_request_;
  bool has_body_ = false;
  bool keeps_alive_ = false;
  bool complete_ = false;
};

} // namespace troupe::http::detail
