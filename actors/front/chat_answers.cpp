#include "actors/front/chat_answers.hpp"

#include "protocol/gemini/native.hpp"

namespace troupe {

std::variant<std::string, inner_error, client_error> chat_whole::translate(std::string body) {
  auto answer = openai::translate_chat_response(body, facts_, options_, context_, &usage_);
  if (auto* text = std::get_if<std::string>(&answer))
    return std::move(*text);
  // Only what could not be translated is looked at once more: it may be an error of its own.
  const auto scan = gemini::scan_answer(body);
  if (scan.is_error)
    return inner_error{scan.error_status, std::move(body)};
  return std::get<client_error>(std::move(answer));
}

std::optional<std::variant<inner_error, client_error>> chat_chunks::feed(std::string_view bytes,
                                                                         std::string& out) {
  events_.feed(bytes);
  std::string_view event;
  while (events_.next(event))
    if (stream_.on_event(event, out) == openai::chat_stream::step::error)
      return inner_error{stream_.upstream_error_status(), std::string{stream_.upstream_error()}};
  if (events_.overflowed()) {
    return make_client_error(fault::upstream_error,
                             "An event of the upstream's stream is over the bound of this node.");
  }
  return std::nullopt;
}

} // namespace troupe
