#include "actors/front/native_answers.hpp"

#include "http/core/credentials.hpp"
#include "protocol/gemini/model_list.hpp"

#include <utility>

namespace troupe {

namespace {

client_error no_json() {
  return make_client_error(fault::upstream_error, "The upstream's answer is not JSON.");
}

client_error empty_answer() {
  return make_client_error(fault::empty_response,
                           "The upstream answered without candidates and without a reason.");
}

client_error over_bound() {
  return make_client_error(fault::upstream_error,
                           "An event of the upstream's stream is over the bound of this node.");
}

} // namespace

std::variant<std::string, inner_error, client_error> native_whole::translate(std::string body) {
  const auto scan = gemini::scan_answer(body);
  usage_ = scan.usage;
  if (!scan.well_formed)
    return no_json();
  if (scan.is_error)
    return inner_error{scan.error_status, std::move(body)};
  if (expects_candidates_ && !scan.has_candidates && !scan.blocked)
    return empty_answer();
  return body;
}

std::variant<std::string, inner_error, client_error> native_models::translate(std::string body) {
  native_whole plain{false};
  auto page = plain.translate(std::move(body));
  const auto* text = std::get_if<std::string>(&page);
  if (text == nullptr)
    return page;
  auto kept = gemini::keep_models(
      *text, [this](std::string_view id) { return http::matches_any(patterns_, id); });
  if (!kept)
    return make_client_error(fault::upstream_error, kept.error().text);
  return *std::move(kept);
}

std::optional<std::variant<inner_error, client_error>>
native_progress::take(std::string_view event) {
  const auto scan = gemini::scan_answer(event);
  if (!scan.well_formed)
    return no_json();
  if (scan.is_error)
    return inner_error{scan.error_status, std::string{event}};
  finished = finished || scan.finished;
  blocked = blocked || scan.blocked;
  if (scan.usage.reported)
    usage = scan.usage;
  return std::nullopt;
}

std::optional<client_error> native_progress::missing_end() const {
  if (finished || blocked)
    return std::nullopt;
  return make_client_error(fault::stream_truncated,
                           "The upstream ended the stream without a finish reason.");
}

std::optional<std::variant<inner_error, client_error>> native_sse::feed(std::string_view bytes,
                                                                        std::string& out) {
  events_.feed(bytes);
  std::string_view event;
  while (events_.next(event)) {
    if (auto error = progress_.take(event))
      return error;
    out += "data: ";
    const auto begin = out.size();
    out += event;
    // Line ends inside JSON are blanks between its tokens; one line per event must remain.
    for (auto i = begin; i < out.size(); ++i)
      if (out[i] == '\n' || out[i] == '\r')
        out[i] = ' ';
    out += "\r\n\r\n";
  }
  if (events_.overflowed())
    return over_bound();
  return std::nullopt;
}

std::optional<client_error> native_sse::end(std::string&) {
  return progress_.missing_end();
}

std::string native_sse::broken(const client_error& why, std::string_view request_id) const {
  return render_stream_error(why, surface::gemini, request_id);
}

std::optional<std::variant<inner_error, client_error>> native_array::feed(std::string_view bytes,
                                                                          std::string& out) {
  ready_.clear();
  const bool well_formed = elements_.feed(bytes, ready_);
  for (const auto element : ready_) {
    if (auto error = progress_.take(element))
      return error;
    out += begun_ ? "\n,\r\n" : "[";
    out += element;
    begun_ = true;
  }
  if (!well_formed)
    return no_json();
  return std::nullopt;
}

std::optional<client_error> native_array::end(std::string& out) {
  if (!elements_.complete()) {
    return make_client_error(fault::stream_truncated,
                             "The upstream ended the stream in its middle.");
  }
  if (auto error = progress_.missing_end())
    return error;
  out += "\n]\n";
  return std::nullopt;
}

std::string native_array::broken(const client_error& why, std::string_view request_id) const {
  // An array left open is no JSON: nobody can take it for a whole answer. The element tells
  // who reads piece by piece.
  return (begun_ ? "\n,\r\n" : "[") + render(why, surface::gemini, request_id).body;
}

} // namespace troupe
