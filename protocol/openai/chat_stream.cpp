#include "protocol/gemini/answer.hpp"
#include "protocol/json/writer.hpp"
#include "protocol/openai/chat.hpp"
#include "protocol/openai/chat_answer.hpp"

#include <algorithm>
#include <utility>

/// A state machine fed one upstream event at a time (docs/protocol/mapping.md section 4).
///
///   waiting --first chunk--> open --on_end--> ended
///      |                       |
///      +------- an error ------+--> failed     (terminal, like `ended`)
///
/// `waiting` holds everything back: until the first chunk the request can still go to another
/// key. Finish reasons, usage and citations are remembered and told at the end, because only
/// then is known whether the answer is whole. What is kept does not grow with the answer.

namespace troupe::openai {

using gemini::answer_candidate;
using gemini::answer_part;
using gemini::part_kind;

namespace {

enum class phase : std::uint8_t { waiting, open, failed, ended };

/// What is remembered of one choice.
struct choice_state {
  std::uint32_t index = 0;
  std::uint32_t calls = 0;
  bool role_sent = false;
  bool visible = false;      ///< the client saw content, an image or a call
  std::string finish_reason; ///< Gemini's; empty: none yet
  std::string grounding;     ///< chunks and supports, as JSON
  text_index places;         ///< where citations lie
};

} // namespace

struct chat_stream::state {
  chat_facts facts;
  translation_options options;
  answer_context context;
  phase now = phase::waiting;
  std::string prefix;      ///< the part that begins every chunk, once the id is known
  std::string response_id; ///< the first one
  std::string block_reason;
  std::string error_payload;
  int error_status = 0;
  gemini::usage_counts usage;
  std::vector<choice_state> choices; ///< by index

  void read_candidate(const gemini::answer& from, const answer_candidate& candidate,
                      std::string& out);
  void write_part(choice_state& choice, const answer_part& part,
                  std::optional<simdjson::dom::object>& logprobs, std::string& out);
  void write_text(choice_state& choice, const answer_part& part,
                  std::optional<simdjson::dom::object>& logprobs, std::string& out);
  void write_image(choice_state& choice, const answer_part& part, std::string& out);
  void write_finish(choice_state& choice, std::string& out);
  void write_usage(std::string& out);
  std::optional<client_error> judge_end();

  choice_state& choice_at(std::uint32_t index);
  void open_chunk(choice_state& choice, std::string& out);
  void close_chunk(std::string& out, std::string_view finish = {});
  void begin_frame(std::string& out);
  void end_frame(std::string& out);
};

chat_stream::chat_stream(chat_facts facts, const translation_options& options,
                         answer_context context)
    : state_(std::make_unique<state>()) {
  state_->facts = std::move(facts);
  state_->options = options;
  state_->context = context;
}

chat_stream::~chat_stream() = default;
chat_stream::chat_stream(chat_stream&&) noexcept = default;

chat_stream::step chat_stream::on_event(std::string_view payload, std::string& out) {
  auto& s = *state_;
  if (s.now == phase::failed || s.now == phase::ended)
    return step::error;
  const auto* from = gemini::read_answer(payload);
  if (!from || from->is_error) {
    s.now = phase::failed;
    s.error_payload = payload;
    s.error_status = from ? from->error_status : 502;
    return step::error;
  }
  if (s.response_id.empty())
    s.response_id = from->response_id;
  if (!from->block_reason.empty())
    s.block_reason = from->block_reason;
  if (from->usage.reported)
    s.usage = from->usage;
  for (const auto& candidate : from->candidates)
    s.read_candidate(*from, candidate, out);
  return step::more;
}

std::optional<client_error> chat_stream::on_end(std::string& out) {
  auto& s = *state_;
  if (auto error = s.judge_end()) {
    s.now = phase::failed;
    return error;
  }
  if (s.choices.empty())
    s.choice_at(0); // blocked: a choice that only refuses (R15)
  for (auto& choice : s.choices)
    s.write_finish(choice, out);
  if (s.facts.include_usage)
    s.write_usage(out);
  out += "data: [DONE]\n\n";
  s.now = phase::ended;
  return std::nullopt;
}

bool chat_stream::begun() const {
  return !state_->prefix.empty();
}

std::string_view chat_stream::upstream_error() const {
  return state_->error_payload;
}

int chat_stream::upstream_error_status() const {
  return state_->error_status;
}

token_usage chat_stream::usage() const {
  return state_->usage.summed();
}

/// ST10: what a clean end of the upstream's body amounts to. A choice that never got a finish
/// reason was cut, even when another one did.
std::optional<client_error> chat_stream::state::judge_end() {
  if (now == phase::failed || now == phase::ended)
    return client_error{.what = fault::upstream_error};
  if (choices.empty())
    return block_reason.empty() ? std::optional{client_error{.what = fault::empty_response}}
                                : std::nullopt;
  const bool whole = std::all_of(choices.begin(), choices.end(),
                                 [](const auto& c) { return !c.finish_reason.empty(); });
  if (!whole)
    return client_error{.what = fault::stream_truncated};
  return std::nullopt;
}

/// The choice of that index; made, and kept in order, when it is new.
choice_state& chat_stream::state::choice_at(std::uint32_t index) {
  const auto at = std::lower_bound(choices.begin(), choices.end(), index,
                                   [](const auto& c, std::uint32_t i) { return c.index < i; });
  if (at != choices.end() && at->index == index)
    return *at;
  choice_state fresh;
  fresh.index = index;
  return *choices.insert(at, std::move(fresh));
}

void chat_stream::state::read_candidate(const gemini::answer& from,
                                        const answer_candidate& candidate, std::string& out) {
  auto& choice = choice_at(candidate.index);
  if (!candidate.finish_reason.empty())
    choice.finish_reason = candidate.finish_reason;
  if (candidate.grounding)
    keep_grounding(*candidate.grounding, choice.grounding);
  auto logprobs = candidate.logprobs;
  for (const auto& part : from.parts_of(candidate))
    write_part(choice, part, logprobs, out);
}

/// One chunk for each part that the client can see (ST3). Logprobs go with the first content
/// of their event (ST6) and are then taken away.
void chat_stream::state::write_part(choice_state& choice, const answer_part& part,
                                    std::optional<simdjson::dom::object>& logprobs,
                                    std::string& out) {
  switch (part.kind) {
  case part_kind::thought:
    if (part.text.empty())
      return;
    open_chunk(choice, out);
    out += R"("reasoning_content":)";
    json::append_string(out, part.text);
    close_chunk(out);
    return;
  case part_kind::call:
    open_chunk(choice, out);
    out += R"("tool_calls":[)";
    append_call(out, part, {.choice = choice.index, .position = choice.calls++},
                {.facts = facts, .options = options, .id_seed = context.id_seed, .streamed = true});
    out += ']';
    close_chunk(out);
    choice.visible = true;
    return;
  case part_kind::image:
    write_image(choice, part, out);
    return;
  case part_kind::text:
  case part_kind::code:
  case part_kind::code_result:
    write_text(choice, part, logprobs, out);
    return;
  }
}

void chat_stream::state::write_text(choice_state& choice, const answer_part& part,
                                    std::optional<simdjson::dom::object>& logprobs,
                                    std::string& out) {
  const bool content = is_content(part, options);
  const bool is_signed =
      part.kind == part_kind::text && !part.signature.empty() && options.signature_in_extra_content;
  if (!content && !is_signed)
    return;
  open_chunk(choice, out);
  if (content) {
    out += R"("content":")";
    append_content(out, part, &choice.places);
    out += '"';
    choice.visible = true;
  }
  if (is_signed) {
    out += content ? R"(,"extra_content":)" : R"("extra_content":)";
    append_signature(out, part.signature);
  }
  if (!content || !logprobs) {
    close_chunk(out);
    return;
  }
  out += R"(},"finish_reason":null,"logprobs":)";
  append_logprobs(out, *std::exchange(logprobs, std::nullopt));
  out += "}]";
  end_frame(out);
}

void chat_stream::state::write_image(choice_state& choice, const answer_part& part,
                                     std::string& out) {
  open_chunk(choice, out);
  if (images_in_text(options)) {
    out += R"("content":")";
    append_content(out, part, &choice.places);
    out += '"';
  }
  if (images_in_field(options)) {
    out += images_in_text(options) ? R"(,"images":[)" : R"("images":[)";
    append_image(out, part);
    out += ']';
  }
  close_chunk(out);
  choice.visible = true;
}

/// ST5: the last chunk of a choice, with what only the end can tell.
void chat_stream::state::write_finish(choice_state& choice, std::string& out) {
  const auto [sources, annotations] = cite(choice.grounding, options, choice.places);
  if (!sources.empty()) {
    open_chunk(choice, out);
    out.append(R"("content":")").append(sources).append("\"");
    close_chunk(out);
    choice.visible = true;
  }
  open_chunk(choice, out);
  const char* comma = "";
  if (!annotations.empty()) {
    out.append(R"("annotations":)").append(annotations);
    comma = ",";
  }
  const bool blocked = choice.finish_reason.empty(); // else judge_end() had refused
  if (blocked || (is_filter(choice.finish_reason) && !choice.visible)) {
    out.append(comma).append(R"("refusal":)");
    json::append_string(out, blocked ? "Prompt blocked by Gemini: " + block_reason
                                     : "Blocked by Gemini: " + choice.finish_reason);
  }
  close_chunk(out,
              blocked ? "content_filter" : finish_reason(choice.finish_reason, choice.calls > 0));
}

void chat_stream::state::write_usage(std::string& out) {
  begin_frame(out);
  out += R"(],"usage":)";
  append_usage(out, usage);
  out += "}\n\n";
}

/// Begins a chunk up to its open `delta`; before the first one of a choice comes its role.
void chat_stream::state::open_chunk(choice_state& choice, std::string& out) {
  const bool first = !std::exchange(choice.role_sent, true);
  for (int frames = first ? 2 : 1; frames > 0; --frames) {
    begin_frame(out);
    out += R"({"index":)";
    json::append_integer(out, std::uint64_t{choice.index});
    out += R"(,"delta":{)";
    if (frames == 2) {
      out += R"("role":"assistant","content":"")";
      close_chunk(out);
    }
  }
}

void chat_stream::state::close_chunk(std::string& out, std::string_view finish) {
  if (finish.empty())
    out += R"(},"finish_reason":null}])";
  else
    out.append(R"(},"finish_reason":")").append(finish).append(R"("}])");
  end_frame(out);
}

void chat_stream::state::begin_frame(std::string& out) {
  if (prefix.empty()) {
    now = phase::open;
    prefix = "data: ";
    json::writer w{prefix};
    w.begin_object();
    w.member("id", completion_id(response_id, context.id_seed));
    w.member("object", "chat.completion.chunk");
    w.key("created");
    w.integer(std::int64_t{context.created.count()});
    w.member("model", facts.model_asked);
    w.key("choices");
    w.begin_array();
  }
  out += prefix;
}

void chat_stream::state::end_frame(std::string& out) {
  out += facts.include_usage ? ",\"usage\":null}\n\n" : "}\n\n";
}

} // namespace troupe::openai
