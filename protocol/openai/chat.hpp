#pragma once

#include "protocol/base/time.hpp"
#include "protocol/client_error.hpp"
#include "protocol/translation_options.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// OpenAI chat completions to and from Gemini's native methods, by the rules of
/// docs/protocol/mapping.md. Pure: time, random seeds and fetched media come in as arguments.
/// No JSON tree: requests are read from simdjson's tape and written straight to a buffer.

namespace troupe::openai {

/// What the translation of the answer must know of the request.
struct chat_facts {
  std::string model_asked; ///< what the client sees in `model` (N5)
  std::string model;       ///< what the upstream is asked for
  bool stream = false;
  bool include_usage = false;
  /// Names of functions, as the client wrote them, that the upstream knows with a leading `_`
  /// (C6): in the answer the `_` is taken off again.
  std::vector<std::string> prefixed_functions;
};

struct chat_request {
  std::string path; ///< below the host, with query
  std::string body;
  chat_facts facts;
  std::string ignored; ///< for the header `x-troupe-ignored` (G6): names, joined by commas
};

/// Remote media that the request names and that must be fetched first (P3); ask again with
/// them in `request_context::fetched`.
struct needs_media {
  std::vector<std::string> urls;
};

/// Reads and translates the body of `POST /v1/chat/completions`.
std::variant<chat_request, needs_media, client_error>
translate_chat_request(std::string_view body, const translation_options& options,
                       const request_context& context);

/// For ids and timestamps of an answer: values that only a shell can make.
struct answer_context {
  std::chrono::seconds created{}; ///< since the epoch
  std::uint64_t id_seed = 0;      ///< random; ids that the upstream does not give derive from it
  std::string_view request_id;
};

/// A whole answer (status 200) as the body of a chat completion, or the error that it amounts
/// to: `fault::empty_response` (R16) when another key should be tried.
std::variant<std::string, client_error> translate_chat_response(std::string_view body,
                                                                const chat_facts& facts,
                                                                const translation_options& options,
                                                                const answer_context& context,
                                                                token_usage* usage = nullptr);

/// One streamed answer. Feed it the payload of each upstream SSE event; it appends whole SSE
/// frames for the client. Nothing is appended before the first good event, so until `begun`
/// the request can still go to another key.
class chat_stream {
public:
  chat_stream(chat_facts facts, const translation_options& options, answer_context context);
  ~chat_stream();
  chat_stream(chat_stream&&) noexcept;

  enum class step : std::uint8_t {
    more,
    error, ///< the event was an error (`upstream_error()`); nothing was appended for it
  };

  step on_event(std::string_view payload, std::string& out);

  /// The upstream's body ended cleanly. Appends the finish chunks, usage and `[DONE]`; or
  /// returns the error that the end amounts to (R16, ST10) and appends nothing.
  std::optional<client_error> on_end(std::string& out);

  bool begun() const; ///< a client frame exists

  /// After `step::error`: the event's payload, `{"error":{...}}`, to be classified like an
  /// answer whose status is `error.code`.
  std::string_view upstream_error() const;
  int upstream_error_status() const;

  /// The last `usageMetadata`, for settling and statistics.
  token_usage usage() const;

private:
  struct state;
  std::unique_ptr<state> state_;
};

/// `data: [DONE]` etc. are part of `on_end`; a failure in mid-stream is
/// `render_stream_error(error, surface::openai, ...)` and a cut.

} // namespace troupe::openai
