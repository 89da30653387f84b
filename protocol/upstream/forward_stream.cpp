#include "protocol/upstream/forward_stream.hpp"

#include "protocol/json/writer.hpp"
#include "protocol/upstream/error_words.hpp"

#include <algorithm>

namespace troupe::upstream {
namespace {

constexpr std::string_view done_event = "data: [DONE]\n\n";

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// A type that can stand in a line of its own.
bool is_plain(std::string_view type) {
  return !type.empty() && std::all_of(type.begin(), type.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'
           || c == '.' || c == '-';
  });
}

bool ends_response(std::string_view type) {
  return type == "response.completed" || type == "response.incomplete" || type == "response.failed";
}

bool is_end(forward_form form, const forward_scan& scan) {
  switch (form) {
  case forward_form::chat:
    return scan.finished;
  case forward_form::responses:
    return ends_response(scan.type);
  case forward_form::messages:
    return scan.type == "message_stop";
  case forward_form::other:
    break;
  }
  return true;
}

upstream_kind kind_of(forward_form form) {
  return form == forward_form::messages ? upstream_kind::anthropic : upstream_kind::openai;
}

/// The Responses API's own event for it.
std::string response_error(const client_error& why, std::string_view request_id,
                           std::uint64_t sequence_number) {
  const auto words = read_error_words(render(why, surface::openai, request_id).body);
  std::string event = "event: error\ndata: ";
  json::writer w{event};
  w.begin_object();
  w.member("type", "error");
  w.member("code", words.code);
  w.member("message", words.message);
  w.key("param");
  w.null();
  w.key("sequence_number");
  w.integer(sequence_number);
  w.end_object();
  return event + "\n\n";
}

} // namespace

forward_form form_of(std::string_view path) {
  path = path.substr(0, path.find('?'));
  if (contains(path, "/messages"))
    return forward_form::messages;
  if (contains(path, "/responses"))
    return forward_form::responses;
  return contains(path, "/completions") ? forward_form::chat : forward_form::other;
}

std::optional<forward_fault> forward_stream::feed(std::string_view bytes, std::string& out) {
  events_.feed(bytes);
  std::string_view event;
  while (events_.next(event))
    if (auto fault = take(event, out))
      return fault;
  if (events_.overflowed())
    return make_client_error(fault::upstream_error,
                             "An event of the upstream's stream is over the bound of this node.");
  return std::nullopt;
}

std::optional<forward_fault> forward_stream::take(std::string_view event, std::string& out) {
  if (done_)
    return std::nullopt;
  if (event == "[DONE]") {
    take_done(out);
    return std::nullopt;
  }
  const auto scan = scan_whole(kind_of(form_), event);
  if (!scan.well_formed)
    return make_client_error(fault::upstream_error,
                             "An event of the upstream's stream is not a JSON object.");
  note(scan);
  if (scan.is_error) {
    append_event(event, scan.type, failed_event_);
    return forward_error{.status = scan.error_status, .body = std::string{event}};
  }
  append_event(event, scan.type, out);
  ++passed_;
  finished_ = finished_ || is_end(form_, scan);
  return std::nullopt;
}

void forward_stream::take_done(std::string& out) {
  // Some upstreams end every stream so; the other protocols have ends of their own.
  if (form_ != forward_form::chat && form_ != forward_form::other)
    return;
  done_ = true;
  if (passed_ > 0)
    out += done_event;
}

/// Later counts replace earlier ones, but a count that is left out was told before: Anthropic
/// tells the prompt with the first event and the output with the last.
void forward_stream::note(const forward_scan& scan) {
  if (response_id_.empty())
    response_id_ = scan.id;
  if (!scan.usage.reported)
    return;
  const auto replace = [](std::uint64_t& known, std::uint64_t told) {
    known = told != 0 ? told : known;
  };
  replace(usage_.prompt, scan.usage.prompt);
  replace(usage_.output, scan.usage.output);
  replace(usage_.thought, scan.usage.thought);
  replace(usage_.cached, scan.usage.cached);
  usage_.reported = true;
}

void forward_stream::append_event(std::string_view event, std::string_view type,
                                  std::string& out) const {
  if (form_ != forward_form::chat && is_plain(type))
    out.append("event: ").append(type).append("\n");
  out += "data: ";
  const auto begin = out.size();
  out += event;
  // Line ends inside JSON are blanks between its tokens; one line per event must remain.
  std::replace_if(
      out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(),
      [](char c) { return c == '\n' || c == '\r'; }, ' ');
  out += "\n\n";
}

std::optional<client_error> forward_stream::end(std::string& out) {
  if (passed_ == 0 && done_)
    return make_client_error(fault::empty_response, "The upstream's stream holds no event.");
  if (!finished_ && !done_)
    return make_client_error(fault::stream_truncated,
                             "The upstream ended the stream before its answer was complete.");
  if (form_ == forward_form::chat && !done_)
    out += done_event;
  return std::nullopt;
}

std::string forward_stream::broken(const client_error& why, std::string_view request_id) const {
  // A key's fault is none of the client's, and is told as everywhere.
  if (!failed_event_.empty() && why.what != fault::no_usable_key)
    return mask_keys(failed_event_);
  switch (form_) {
  case forward_form::messages:
    return render_stream_error(why, surface::anthropic, request_id);
  case forward_form::responses:
    return response_error(why, request_id, passed_);
  case forward_form::chat:
  case forward_form::other:
    break;
  }
  return render_stream_error(why, surface::openai, request_id);
}

} // namespace troupe::upstream
