#include "protocol/upstream/forward.hpp"

#include "protocol/json/reader.hpp"
#include "protocol/json/writer.hpp"
#include "protocol/upstream/error_words.hpp"
#include "protocol/upstream/member_walk.hpp"

#include <algorithm>
#include <optional>

namespace troupe::upstream {
namespace {

using json::as_array;
using json::as_object;
using json::as_string;
using json::find_member;
using simdjson::dom::element;
using simdjson::dom::object;

/// One thread's parser: a stream must not have one of its own, of some 250 KiB.
json::reader& own_reader() {
  static thread_local json::reader own;
  return own;
}

std::optional<object> read_object(std::string_view text) {
  const auto parsed = own_reader().parse(text);
  const auto* root = std::get_if<element>(&parsed);
  return root ? as_object(*root) : std::nullopt;
}

std::string_view text_of(const object& holder, std::string_view name) {
  const auto member = find_member(holder, name);
  return member ? as_string(*member).value_or("") : std::string_view{};
}

/// A count, if it is there and none that overflows when summed.
std::optional<std::uint64_t> count_of(const object& holder, std::string_view name) {
  const auto member = find_member(holder, name);
  const auto number = member ? json::as_integer(*member) : std::nullopt;
  if (!number || *number < 0)
    return std::nullopt;
  return std::min<std::uint64_t>(static_cast<std::uint64_t>(*number), std::uint64_t{1} << 60);
}

std::uint64_t detail_of(const object& usage, std::string_view details, std::string_view name) {
  const auto member = find_member(usage, details);
  const auto holder = member ? as_object(*member) : std::nullopt;
  return holder ? count_of(*holder, name).value_or(0) : 0;
}

/// Of the chat and the Responses API, which name the same counts differently.
token_usage openai_usage(const object& usage) {
  token_usage u;
  const auto input = count_of(usage, "input_tokens"), prompt = count_of(usage, "prompt_tokens");
  const auto output = count_of(usage, "output_tokens"),
             completion = count_of(usage, "completion_tokens");
  u.reported = input || prompt || output || completion;
  u.prompt = prompt.value_or(input.value_or(0));
  u.output = completion.value_or(output.value_or(0));
  u.cached = std::max(detail_of(usage, "prompt_tokens_details", "cached_tokens"),
                      detail_of(usage, "input_tokens_details", "cached_tokens"));
  u.thought = std::max(detail_of(usage, "completion_tokens_details", "reasoning_tokens"),
                       detail_of(usage, "output_tokens_details", "reasoning_tokens"));
  return u;
}

/// Anthropic counts what it read from and wrote to its cache beside the rest of the prompt.
token_usage anthropic_usage(const object& usage) {
  token_usage u;
  const auto input = count_of(usage, "input_tokens");
  const auto output = count_of(usage, "output_tokens");
  u.reported = input || output;
  u.cached = count_of(usage, "cache_read_input_tokens").value_or(0);
  u.prompt =
      input.value_or(0) + u.cached + count_of(usage, "cache_creation_input_tokens").value_or(0);
  u.output = output.value_or(0);
  return u;
}

void read_usage(upstream_kind kind, const object& holder, forward_scan& scan) {
  const auto member = find_member(holder, "usage");
  const auto usage = member ? as_object(*member) : std::nullopt;
  if (usage)
    scan.usage = kind == upstream_kind::anthropic ? anthropic_usage(*usage) : openai_usage(*usage);
}

bool has_elements(const object& holder, std::string_view name) {
  const auto member = find_member(holder, name);
  const auto list = member ? as_array(*member) : std::nullopt;
  return list && list->begin() != list->end();
}

bool some_choice_is_finished(const object& root) {
  const auto member = find_member(root, "choices");
  const auto list = member ? as_array(*member) : std::nullopt;
  return list && std::any_of(list->begin(), list->end(), [](const element& item) {
           const auto choice = as_object(item);
           return choice && find_member(*choice, "finish_reason").has_value();
         });
}

/// Whether a whole answer holds nothing, and nothing says why. A message of Anthropic may end
/// its turn without a word; a response in the background has none yet.
bool is_empty_answer(const object& root) {
  if (has_elements(root, "choices") || has_elements(root, "content") || has_elements(root, "output")
      || has_elements(root, "data"))
    return false;
  if (!text_of(root, "stop_reason").empty())
    return false;
  const auto status = text_of(root, "status");
  return status.empty() || status == "completed";
}

bool calls_itself_error(const object& root) {
  if (find_member(root, "error") || text_of(root, "type") == "error"
      || text_of(root, "object") == "error")
    return true;
  const auto member = find_member(root, "response");
  const auto response = member ? as_object(*member) : std::nullopt;
  return response && find_member(*response, "error");
}

/// What an event wraps: the message or response that it begins or ends.
std::optional<object> wrapped(const object& root) {
  for (const std::string_view name : {"response", "message"})
    if (const auto member = find_member(root, name))
      if (const auto holder = as_object(*member))
        return holder;
  return std::nullopt;
}

} // namespace

forward_facts scan_forward(std::string_view body) {
  forward_facts facts;
  const auto root = read_object(body);
  if (!root)
    return facts;
  facts.well_formed = true;
  facts.model = text_of(*root, "model");
  if (const auto stream = find_member(*root, "stream"))
    facts.stream = json::as_bool(*stream).value_or(false);
  facts.previous_response_id = text_of(*root, "previous_response_id");
  facts.has_previous_response_id = find_member(*root, "previous_response_id").has_value();
  own_reader().release_large(); // some fifteen times the size of the body
  return facts;
}

std::string with_model(std::string_view body, std::string_view model) {
  std::string changed;
  changed.reserve(body.size() + model.size() + 16);
  std::size_t copied = 0;
  bool any = false, found = false;
  for (member_walk member{body}; member.next(); any = true) {
    if (!member.is_named("model"))
      continue;
    const auto at = member.value();
    changed.append(body.substr(copied, at.begin - copied));
    json::append_string(changed, model);
    copied = at.end;
    found = true;
  }
  const auto begin = skip_spaces(body, 0);
  if (!found && begin < body.size() && body[begin] == '{') {
    changed.append(body.substr(0, begin + 1)).append(R"("model":)");
    json::append_string(changed, model);
    if (any)
      changed += ',';
    copied = begin + 1;
  }
  return changed.append(body.substr(copied));
}

forward_scan scan_whole(upstream_kind kind, std::string_view body) {
  forward_scan scan;
  const auto root = read_object(body);
  if (!root)
    return scan;
  scan.well_formed = true;
  scan.type = text_of(*root, "type");
  scan.is_error = calls_itself_error(*root);
  if (scan.is_error)
    scan.error_status = implied_status(read_error_words(body));
  scan.finished = some_choice_is_finished(*root);
  scan.empty = !scan.is_error && is_empty_answer(*root);
  scan.id = text_of(*root, "id");
  read_usage(kind, *root, scan);
  if (const auto inner = wrapped(*root)) {
    if (scan.id.empty())
      scan.id = text_of(*inner, "id");
    if (!scan.usage.reported)
      read_usage(kind, *inner, scan);
  }
  own_reader().release_large();
  return scan;
}

} // namespace troupe::upstream
