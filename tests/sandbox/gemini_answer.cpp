#include "sandbox/gemini_rules.hpp"
#include "sandbox/gemini_shapes.hpp"
#include "sandbox/models.hpp"
#include "sandbox/prompt.hpp"
#include "sandbox/sampler.hpp"
#include "sandbox/surface.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <vector>

namespace sandbox {

namespace {

// One red pixel.
constexpr const char* tiny_png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8Dw"
                                 "HwAFBQIAX8jx0gAAAABJRU5ErkJggg==";

std::string text_of(const json* v) {
  return v != nullptr && v->is_string() ? v->get<std::string>() : std::string{};
}

bool is_true(const json* v) {
  return v != nullptr && v->is_boolean() && v->get<bool>();
}

/// What a request asks for, as far as the sandbox listens.
struct wish {
  std::string said; ///< the last text of the user
  std::uint64_t prompt_tokens = 0;
  std::uint64_t cached_tokens = 0;
  std::vector<std::pair<std::string, json>> calls; ///< functions to call, with their schemas
  std::vector<std::pair<std::string, json>> responses;
  const json* config = nullptr;
  bool thinks_aloud = false;
  bool wants_image = false;
  bool wants_sound = false;
  std::uint64_t candidates = 1;
  std::uint64_t tokens_max = 0;
};

void read_contents(const json& contents, wish& w) {
  const auto* last = contents.empty() ? nullptr : &contents.back();
  for (const auto& c : contents) {
    const auto* parts = member(c, "parts");
    if (parts == nullptr || !parts->is_array())
      continue;
    std::string text;
    for (const auto& p : *parts) {
      text += text_of(member(p, "text"));
      if (const auto* r = member(p, "functionResponse"); r != nullptr && &c == last) {
        const auto* response = member(*r, "response");
        w.responses.emplace_back(text_of(member(*r, "name")),
                                 response == nullptr ? json::object() : *response);
      }
    }
    if (text_of(member(c, "role")) != "model" && !text.empty())
      w.said = std::move(text);
  }
}

std::vector<std::pair<std::string, json>> declared(const json& body) {
  std::vector<std::pair<std::string, json>> all;
  const auto* tools = member(body, "tools");
  if (tools == nullptr || !tools->is_array())
    return all;
  for (const auto& t : *tools) {
    const auto* list = member(t, "functionDeclarations");
    if (list == nullptr || !list->is_array())
      continue;
    for (const auto& f : *list) {
      const auto* schema = member(f, "parameters");
      if (schema == nullptr)
        schema = member(f, "parametersJsonSchema");
      all.emplace_back(text_of(member(f, "name")), schema == nullptr ? json::object() : *schema);
    }
  }
  return all;
}

/// Which functions are called: those that the user names ("call NAME"), or with
/// mode ANY at least one. Never right after a response, or a loop would not end.
void choose_calls(const json& body, wish& w) {
  if (!w.responses.empty())
    return;
  auto functions = declared(body);
  std::string mode;
  const auto* config = member(body, "toolConfig");
  const auto* calling = config == nullptr ? nullptr : member(*config, "functionCallingConfig");
  if (calling != nullptr) {
    mode = text_of(member(*calling, "mode"));
    if (const auto* allowed = member(*calling, "allowedFunctionNames"))
      std::erase_if(functions, [&](const auto& f) {
        return std::find(allowed->begin(), allowed->end(), json(f.first)) == allowed->end();
      });
  }
  if (mode == "NONE")
    return;
  for (const auto& f : functions)
    if (w.said.find("call " + f.first) != std::string::npos)
      w.calls.push_back(f);
  if (w.calls.empty() && mode == "ANY" && !functions.empty())
    w.calls.push_back(functions.front());
}

wish read_wish(const json& body, const model_facts& model) {
  wish w;
  if (const auto* contents = member(body, "contents"))
    read_contents(*contents, w);
  w.prompt_tokens = weigh(dialect::gemini, method::generate, body).tokens;
  choose_calls(body, w);
  static const json nothing = json::object();
  w.config = member(body, "generationConfig");
  if (w.config == nullptr)
    w.config = &nothing;
  if (const auto* thinking = member(*w.config, "thinkingConfig"))
    w.thinks_aloud = is_true(member(*thinking, "includeThoughts"));
  w.wants_image = model.draws;
  w.wants_sound = model.speaks;
  if (const auto* modalities = member(*w.config, "responseModalities"); modalities != nullptr)
    w.wants_image =
        w.wants_image
        && std::find(modalities->begin(), modalities->end(), json("IMAGE")) != modalities->end();
  if (const auto* n = member(*w.config, "candidateCount"); n != nullptr && n->is_number_unsigned())
    w.candidates = n->get<std::uint64_t>();
  if (const auto* n = member(*w.config, "maxOutputTokens"); n != nullptr && n->is_number_unsigned())
    w.tokens_max = n->get<std::uint64_t>();
  return w;
}

std::string json_text(const wish& w) {
  const auto* schema = member(*w.config, "responseSchema");
  if (schema == nullptr)
    schema = member(*w.config, "responseJsonSchema");
  if (schema != nullptr)
    return sample(*schema, "sandbox").dump();
  return json{{"from", "the troupe sandbox"}, {"said", beginning_of(w.said, 80)}}.dump(
      -1, ' ', false, json::error_handler_t::replace);
}

std::string words_of(const wish& w, const call& c) {
  if (!w.responses.empty()) {
    std::string text = "The troupe sandbox received";
    for (const auto& [name, response] : w.responses)
      text += " from " + name + ": " + response.dump(-1, ' ', false, json::error_handler_t::replace)
              + ".";
    return text;
  }
  const auto mime = text_of(member(*w.config, "responseMimeType"));
  return mime == "application/json" ? json_text(w) : greeting(c.model, w.said);
}

/// Everything that one answer consists of, in order.
struct speech {
  std::vector<json> before; ///< thoughts
  std::optional<text_plan> text;
  std::vector<json> after; ///< calls, images, a signature
  std::string finish = "STOP";
  std::uint64_t thought_tokens = 0;
};

std::string signature(const call& c, std::string_view about) {
  return base64(std::string{signature_mark} + c.model + ":" + std::string{about} + ":"
                + std::to_string(c.number));
}

void call_functions(const wish& w, const call& c, speech& s) {
  for (std::size_t i = 0; i < w.calls.size(); ++i) {
    const auto& [name, schema] = w.calls[i];
    json made = {{"name", name}, {"args", sample(schema, "sandbox")}};
    if (!made["args"].is_object())
      made["args"] = json::object();
    if (c.spoken != dialect::vertex)
      made["id"] = "call-" + std::to_string(c.number) + "-" + std::to_string(i + 1);
    json part = {{"functionCall", std::move(made)}};
    if (i == 0)
      part["thoughtSignature"] = signature(c, name);
    s.after.push_back(std::move(part));
  }
}

void cut(std::string& text, const wish& w, speech& s) {
  if (const auto* stops = member(*w.config, "stopSequences"); stops != nullptr)
    for (const auto& stop : *stops)
      if (const auto found = stop.is_string() ? text.find(stop.get<std::string>()) : text.npos;
          found != text.npos)
        text.resize(found);
  if (w.tokens_max > 0 && tokens_of(text) > w.tokens_max) {
    text = beginning_of(text, w.tokens_max * 4);
    s.finish = "MAX_TOKENS";
  }
}

speech compose(const wish& w, const call& c, const rule& bent) {
  speech s;
  if (w.thinks_aloud) {
    const auto thought = "The sandbox considers \"" + beginning_of(w.said, 40) + "\".";
    s.before.push_back({{"text", thought}, {"thought", true}});
    s.thought_tokens = tokens_of(thought);
  }
  if (!w.calls.empty()) {
    call_functions(w, c, s);
  } else if (w.wants_sound) {
    s.after.push_back({{"inlineData",
                        {{"mimeType", "audio/L16;codec=pcm;rate=24000"},
                         {"data", base64(std::string(960, '\0'))}}}});
  } else {
    auto text = bent.text.value_or(words_of(w, c));
    cut(text, w, s);
    s.text.emplace(std::move(text), bent.events, bent.event_bytes);
    if (w.wants_image)
      s.after.push_back({{"inlineData", {{"mimeType", "image/png"}, {"data", tiny_png}}}});
    else if (generation_of(c.model) >= generation{3, 0})
      s.after.push_back({{"text", ""}, {"thoughtSignature", signature(c, "text")}});
  }
  if (!bent.finish_reason.empty())
    s.finish = bent.finish_reason;
  return s;
}

json usage(const wish& w, const speech& s, std::uint64_t spoken, const call& c) {
  json u = {{"promptTokenCount", w.prompt_tokens}, {"candidatesTokenCount", spoken * w.candidates}};
  u["totalTokenCount"] = w.prompt_tokens + spoken * w.candidates + s.thought_tokens;
  u["promptTokensDetails"] = json::array({{{"modality", "TEXT"}, {"tokenCount", w.prompt_tokens}}});
  if (w.cached_tokens > 0) {
    u["cachedContentTokenCount"] = w.cached_tokens;
    u["cacheTokensDetails"] =
        json::array({{{"modality", "TEXT"}, {"tokenCount", w.cached_tokens}}});
  }
  if (s.thought_tokens > 0)
    u["thoughtsTokenCount"] = s.thought_tokens;
  if (c.spoken == dialect::vertex)
    u["trafficType"] = "ON_DEMAND";
  return u;
}

json response(const wish& w, const speech& s, const call& c, json parts, std::uint64_t spoken,
              bool last) {
  json candidates = json::array();
  for (std::uint64_t i = 0; i < w.candidates; ++i) {
    json one = {{"content", {{"parts", parts}, {"role", "model"}}}};
    if (last)
      one["finishReason"] = s.finish;
    if (last && s.finish == "MALFORMED_FUNCTION_CALL")
      one["finishMessage"] = "Malformed function call: the sandbox was told to say so.";
    one["index"] = i;
    candidates.push_back(std::move(one));
  }
  return {{"candidates", std::move(candidates)},
          {"usageMetadata", usage(w, s, spoken, c)},
          {"modelVersion", c.model},
          {"responseId", "sandbox-" + std::to_string(c.number)}};
}

json blocked(const wish& w, const call& c, const std::string& reason) {
  return {{"promptFeedback", {{"blockReason", reason}}},
          {"usageMetadata",
           {{"promptTokenCount", w.prompt_tokens}, {"totalTokenCount", w.prompt_tokens}}},
          {"modelVersion", c.model},
          {"responseId", "sandbox-" + std::to_string(c.number)}};
}

std::string dump(const json& j, int indent) {
  return j.dump(indent, ' ', false, json::error_handler_t::replace);
}

/// `output` becomes the tokens of what is said.
json whole_response(const wish& w, const speech& s, const call& c, std::uint64_t& output) {
  json parts = json::array();
  std::uint64_t spoken = 0;
  for (const auto& p : s.before)
    parts.push_back(p);
  if (s.text) {
    auto text = s.text->whole();
    spoken += tokens_of(text);
    parts.push_back({{"text", std::move(text)}});
  }
  for (const auto& p : s.after)
    if (s.text && p.contains("thoughtSignature")) // whole, the text itself is signed
      parts.back()["thoughtSignature"] = p["thoughtSignature"];
    else
      parts.push_back(p);
  if (!s.text)
    spoken += 8 * s.after.size();
  output = spoken * w.candidates + s.thought_tokens;
  return response(w, s, c, std::move(parts), spoken, true);
}

/// The events of a streamed answer, made one at a time.
class gemini_events : public event_source {
public:
  gemini_events(wish w, speech s, call c, std::optional<json> only)
      : wish_(std::move(w)), speech_(std::move(s)), call_(std::move(c)), only_(std::move(only)) {
    total_ = only_ ? 1
                   : speech_.before.size() + (speech_.text ? speech_.text->pieces() : 0)
                         + speech_.after.size();
  }

  bool next(std::string& out) override {
    if (at_ == total_)
      return false;
    const auto event = only_ ? *only_ : make();
    ++at_;
    if (call_.sse) {
      out += "data: " + dump(event, -1) + "\r\n\r\n";
    } else {
      out += at_ == 1 ? "[" : "\n,\r\n";
      out += dump(event, 2);
      if (at_ == total_)
        out += "\n]\n";
    }
    return true;
  }

  std::uint64_t output_tokens() const override {
    return only_ || at_ == 0 ? 0 : spoken(at_ - 1) * wish_.candidates + speech_.thought_tokens;
  }

  std::string error_event(const fault& given) const override {
    auto f = given;
    f.raw.clear(); // a page of HTML is no event
    if (call_.sse)
      return "data: " + dump(json::parse(gemini_error(f, false)), -1) + "\r\n\r\n";
    return std::string{at_ == 0 ? "[" : "\n,\r\n"} + gemini_error(f, false) + "\n]\n";
  }

private:
  json make() {
    json part;
    auto i = at_;
    if (i < speech_.before.size()) {
      part = speech_.before[i];
    } else {
      i -= speech_.before.size();
      const auto pieces = speech_.text ? speech_.text->pieces() : 0;
      if (i < pieces) {
        auto text = speech_.text->piece(i);
        spoken_bytes_ += text.size();
        part = {{"text", std::move(text)}};
      } else {
        part = speech_.after[i - pieces];
      }
    }
    const bool last = at_ + 1 == total_;
    return response(wish_, speech_, call_, json::array({std::move(part)}), spoken(at_), last);
  }

  /// The tokens that have been said with that event.
  std::uint64_t spoken(std::uint64_t event) const {
    return speech_.text ? (spoken_bytes_ + bytes_per_token - 1) / bytes_per_token : 8 * (event + 1);
  }

  wish wish_;
  speech speech_;
  call call_;
  std::optional<json> only_;
  std::uint64_t at_ = 0;
  std::uint64_t total_ = 0;
  std::uint64_t spoken_bytes_ = 0;
};

json without_candidates(const wish& w, const speech& s, const call& c) {
  auto r = response(w, s, c, json::array(), 0, true);
  r.erase("candidates");
  return r;
}

answer generate(const call& c, const rule& bent, const json& body, world& known) {
  auto w = read_wish(body, facts_of(c.model));
  w.cached_tokens = c.cached_tokens;
  if (const auto name = text_of(member(body, "cachedContent")); !name.empty()) {
    const auto cache = known.find_resource(name, c.key);
    if (!cache) {
      auto f = make_fault("resource_forbidden", {});
      f.message = "CachedContent not found (or permission denied)";
      return error_answer(c, f);
    }
    w.cached_tokens = cache->tokens;
    w.prompt_tokens += cache->tokens;
  }
  auto s = compose(w, c, bent);
  answer a;
  a.tokens_per_event =
      std::max<std::uint64_t>(1, bent.event_bytes > 0 ? (bent.event_bytes + 3) / 4 : 4);
  std::optional<json> only;
  if (!bent.block_reason.empty())
    only = blocked(w, c, bent.block_reason);
  else if (bent.empty)
    only = without_candidates(w, s, c);
  if (!c.streams) {
    a.body = dump(only ? *only : whole_response(w, s, c, a.output_tokens), 2) + "\n";
    return a;
  }
  if (c.sse)
    a.content_type = "text/event-stream";
  auto mine = c;
  mine.body = {};
  mine.query = {};
  w.config = nullptr; // it points into the body, which does not live as long
  a.events =
      std::make_unique<gemini_events>(std::move(w), std::move(s), std::move(mine), std::move(only));
  return a;
}

std::optional<fault> check_count(const call& c, const json& body, const json*& request) {
  request = &body;
  if (auto bad = check_shape(body, "CountTokensRequest", c.spoken == dialect::vertex))
    return bad;
  const auto* inner = member(body, "generateContentRequest");
  const bool outer = member(body, "contents") != nullptr;
  if (inner != nullptr && outer)
    return bad_request("* CountTokensRequest: contents and generate_content_request cannot both be "
                       "set.\n");
  if (inner == nullptr && !outer)
    return bad_request("* CountTokensRequest.contents: contents is not specified\n");
  if (inner == nullptr)
    return {};
  request = inner;
  const auto model = text_of(member(*inner, "model"));
  if (model != "models/" + c.model)
    return bad_request("* CountTokensRequest.generate_content_request.model: must be models/"
                       + c.model + "\n");
  return check_rules(*inner, c.model);
}

answer count_tokens(const call& c, const json& body) {
  const json* request = nullptr;
  if (const auto bad = check_count(c, body, request))
    return error_answer(c, *bad);
  const auto w = read_wish(*request, facts_of(c.model));
  answer a;
  a.body = dump({{"totalTokens", w.prompt_tokens},
                 {"promptTokensDetails",
                  json::array({{{"modality", "TEXT"}, {"tokenCount", w.prompt_tokens}}})}},
                2)
           + "\n";
  return a;
}

answer list_models(const call& c, const world& w) {
  std::vector<std::string> names;
  for (const auto& m : gemini_models())
    names.emplace_back(m.name);
  for (const auto& extra : w.options().models)
    if (!is_gemini_model(extra))
      names.push_back(extra);
  const auto number = [&](const char* name, std::size_t otherwise) {
    const auto text = query_value(c.query, name);
    return text.empty() ? otherwise
                        : static_cast<std::size_t>(std::strtoul(text.c_str(), nullptr, 10));
  };
  const auto size = std::clamp<std::size_t>(number("pageSize", 50), 1, 1000);
  const auto token = query_value(c.query, "pageToken");
  std::size_t from = 0;
  if (!token.empty()) {
    if (!token.starts_with("page-"))
      return error_answer(c, bad_request("Invalid page token."));
    from = std::strtoul(token.c_str() + 5, nullptr, 10);
  }
  json list = json::array();
  for (auto i = from; i < std::min(from + size, names.size()); ++i)
    list.push_back(model_resource(names[i]));
  json body = {{"models", std::move(list)}};
  if (from + size < names.size())
    body["nextPageToken"] = "page-" + std::to_string(from + size);
  answer a;
  a.body = dump(body, 2) + "\n";
  return a;
}

} // namespace

answer gemini_answer(const call& c, const rule& bent, world& w) {
  if (c.what == method::models)
    return list_models(c, w);
  if (c.what == method::caches)
    return cached_contents(c, w);
  if (!is_gemini_model(c.model) && !w.knows_extra_model(c.model)) {
    fault_facts about;
    about.model = c.model;
    return error_answer(c, make_fault("not_found", about));
  }
  if (c.what == method::model) {
    answer a;
    a.body = dump(model_resource(c.model), 2) + "\n";
    return a;
  }
  const auto& body = *c.sent;
  if (body.is_discarded())
    return error_answer(c, bad_request("Invalid JSON payload received. Unexpected token."));
  if (c.what == method::count)
    return count_tokens(c, body);
  if (const auto bad = check_shape(body, "GenerateContentRequest", c.spoken == dialect::vertex))
    return error_answer(c, *bad);
  if (const auto bad = check_rules(body, c.model))
    return error_answer(c, *bad);
  return generate(c, bent, body, w);
}

} // namespace sandbox
