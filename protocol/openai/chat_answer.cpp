#include "protocol/openai/chat_answer.hpp"

#include "protocol/json/writer.hpp"

#include <algorithm>
#include <array>

namespace troupe::openai {
namespace {

using json::as_array;
using json::as_object;
using json::as_string;
using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

/// Spreads every bit of `x` over the result (the finalizer of splitmix64).
std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

std::string_view text_member(const object& o, std::string_view name) {
  std::string_view text;
  return o[name].get(text) == simdjson::SUCCESS ? text : std::string_view{};
}

std::uint64_t count_member(const object& o, std::string_view name) {
  element value;
  return o[name].get(value) == simdjson::SUCCESS ? gemini::read_count(value) : 0;
}

/// A code block that holds `body` whatever backticks are in it: the fence is longer than any.
std::string code_block(std::string_view language, std::string_view body) {
  std::size_t longest = 0, run = 0;
  for (const char c : body) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(std::max<std::size_t>(3, longest + 1), '`');
  while (body.ends_with('\n'))
    body.remove_suffix(1);
  std::string block{"\n\n"};
  block.append(fence).append(language).append("\n");
  block.append(body).append("\n").append(fence).append("\n\n");
  return block;
}

std::string inserted_text(const gemini::answer_part& part) {
  switch (part.kind) {
  case gemini::part_kind::image: {
    std::string text{"\n\n![image](data:"};
    text.append(part.name).append(";base64,").append(part.text).append(")\n\n");
    return text;
  }
  case gemini::part_kind::code: {
    std::string language;
    if (part.name != "LANGUAGE_UNSPECIFIED")
      for (const char c : part.name)
        language += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return code_block(language, part.text);
  }
  case gemini::part_kind::code_result: {
    std::string body;
    if (!part.name.empty() && part.name != "OUTCOME_OK")
      body.append("[").append(part.name).append("]\n");
    return code_block("text", body.append(part.text));
  }
  case gemini::part_kind::text:
  case gemini::part_kind::thought:
  case gemini::part_kind::call:
    break;
  }
  return {};
}

/// S2: standard base64 re-coded to the URL-safe alphabet without padding, so that the id stays
/// valid for every client.
void append_url_safe(std::string& out, std::string_view base64) {
  for (const char c : base64) {
    if (c == '=')
      continue;
    out += c == '+' ? '-' : c == '/' ? '_' : c;
  }
}

/// C6: takes off the `_` that the request put before a name.
std::string_view client_name(std::string_view upstream, const chat_facts& facts) {
  const auto bare = upstream.substr(upstream.starts_with('_') ? 1 : 0);
  const auto& prefixed = facts.prefixed_functions;
  return std::find(prefixed.begin(), prefixed.end(), bare) != prefixed.end() ? bare : upstream;
}

/// Writes the members of one token into the open object.
void write_token(json::writer& w, const std::optional<object>& token) {
  const auto text = token ? text_member(*token, "token") : std::string_view{};
  w.member("token", text);
  w.key("logprob");
  element value;
  if (token && (*token)["logProbability"].get(value) == simdjson::SUCCESS && value.is_number())
    w.element(value);
  else
    w.integer(0); // protobuf leaves a zero out
  w.key("bytes");
  w.begin_array();
  for (const char c : text)
    w.integer(std::uint32_t{static_cast<unsigned char>(c)});
  w.end_array();
}

/// Writes the tokens of one member of `topCandidates` into the open array.
void write_alternatives(json::writer& w, const element& top) {
  array list;
  if (top["candidates"].get(list) != simdjson::SUCCESS)
    return;
  for (const element item : list) {
    w.begin_object();
    write_token(w, as_object(item));
    w.end_object();
  }
}

void write_citation(json::writer& w, std::uint64_t begin, std::uint64_t end, const object& web) {
  const auto uri = text_member(web, "uri");
  const auto title = text_member(web, "title");
  w.begin_object();
  w.member("type", "url_citation");
  w.key("url_citation");
  w.begin_object();
  w.key("start_index");
  w.integer(begin);
  w.key("end_index");
  w.integer(std::max(begin, end));
  w.member("title", title.empty() ? uri : title);
  w.member("url", uri);
  w.end_object();
  w.end_object();
}

std::optional<array> list_member(const object& o, std::string_view name) {
  array list;
  if (o[name].get(list) != simdjson::SUCCESS)
    return std::nullopt;
  return list;
}

/// The `web` chunks of a grounding by their index; a chunk of another kind keeps its place.
std::vector<std::optional<object>> web_chunks(const object& grounding) {
  std::vector<std::optional<object>> webs;
  if (const auto chunks = list_member(grounding, "groundingChunks"))
    for (const element item : *chunks) {
      object web;
      const bool found = item["web"].get(web) == simdjson::SUCCESS;
      webs.push_back(found ? std::optional{web} : std::nullopt);
    }
  return webs;
}

void write_support(json::writer& w, const element& item, const text_index& index,
                   const std::vector<std::optional<object>>& webs) {
  const auto support = as_object(item);
  const auto chosen = support ? list_member(*support, "groundingChunkIndices") : std::nullopt;
  if (!chosen)
    return;
  std::uint64_t begin = 0, end = 0;
  if (object segment; (*support)["segment"].get(segment) == simdjson::SUCCESS) {
    begin = index.code_point(count_member(segment, "startIndex"));
    end = index.code_point(count_member(segment, "endIndex"));
  }
  for (const element which : *chosen)
    if (const auto at = gemini::read_count(which); at < webs.size() && webs[at])
      write_citation(w, begin, end, *webs[at]);
}

} // namespace

std::string derived_id(std::uint64_t seed, std::uint64_t a, std::uint64_t b) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::uint64_t words[2];
  words[0] = mix(seed ^ mix(a + 1) ^ mix(mix(b + 1)));
  words[1] = mix(words[0] ^ seed);
  std::string id(24, '0');
  for (std::size_t i = 0; i < id.size(); ++i)
    id[i] = digits[(words[i / 16] >> (4 * (i % 16))) & 15];
  return id;
}

std::string completion_id(std::string_view response_id, std::uint64_t seed) {
  constexpr std::size_t bytes_max = 128;
  const auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
           || std::string_view{"-_.:~"}.find(c) != std::string_view::npos;
  };
  std::string id{"chatcmpl-"};
  if (response_id.empty() || response_id.size() > bytes_max
      || !std::all_of(response_id.begin(), response_id.end(), plain))
    return id += derived_id(seed, 0, 0);
  return id += response_id;
}

bool is_filter(std::string_view gemini) {
  static constexpr std::array<std::string_view, 10> filters{"SAFETY",
                                                            "RECITATION",
                                                            "BLOCKLIST",
                                                            "PROHIBITED_CONTENT",
                                                            "SPII",
                                                            "LANGUAGE",
                                                            "IMAGE_SAFETY",
                                                            "IMAGE_PROHIBITED_CONTENT",
                                                            "IMAGE_RECITATION",
                                                            "MODEL_ARMOR"};
  return std::find(filters.begin(), filters.end(), gemini) != filters.end();
}

std::string_view finish_reason(std::string_view gemini, bool calls) {
  if (is_filter(gemini))
    return "content_filter";
  if (gemini == "MAX_TOKENS" || gemini == "CONTINUATION")
    return "length";
  return calls ? "tool_calls" : "stop"; // STOP, the faults of a model, and what is new
}

bool is_content(const gemini::answer_part& part, const translation_options& options) {
  switch (part.kind) {
  case gemini::part_kind::text:
    return !part.text.empty();
  case gemini::part_kind::image:
    return images_in_text(options);
  case gemini::part_kind::code:
  case gemini::part_kind::code_result:
    return true;
  case gemini::part_kind::thought:
  case gemini::part_kind::call:
    break;
  }
  return false;
}

void append_content(std::string& out, const gemini::answer_part& part, text_index* index) {
  if (part.kind == gemini::part_kind::text) {
    json::append_escaped(out, part.text);
    if (index)
      index->add_text(part.text);
    return;
  }
  const auto inserted = inserted_text(part);
  json::append_escaped(out, inserted);
  if (index)
    index->add_inserted(inserted);
}

void append_call(std::string& out, const gemini::answer_part& part, call_place place,
                 const call_style& style) {
  json::writer w{out};
  w.begin_object();
  if (style.streamed) {
    w.key("index");
    w.integer(place.position);
  }
  std::string id{part.id};
  if (id.empty())
    id = "call_" + derived_id(style.id_seed, place.choice + 1, place.position);
  if (!part.signature.empty() && style.options.signature_in_id)
    append_url_safe(id.append("__thought__"), part.signature);
  w.member("id", id);
  w.member("type", "function");
  w.key("function");
  w.begin_object();
  w.member("name", client_name(part.name, style.facts));
  std::string args{"{}"};
  if (part.args) {
    args.clear();
    json::append_element(args, *part.args);
  }
  w.member("arguments", args);
  w.end_object();
  if (!part.signature.empty() && style.options.signature_in_extra_content) {
    w.key("extra_content");
    w.separate();
    append_signature(out, part.signature);
  }
  w.end_object();
}

void append_signature(std::string& out, std::string_view signature) {
  out += R"({"google":{"thought_signature":)";
  json::append_string(out, signature);
  out += "}}";
}

void append_image(std::string& out, const gemini::answer_part& part) {
  out += R"({"type":"image_url","image_url":{"url":"data:)";
  json::append_escaped(out, part.name);
  out += ";base64,";
  json::append_escaped(out, part.text);
  out += "\"}}";
}

void append_usage(std::string& out, const gemini::usage_counts& usage) {
  const auto sums = usage.summed();
  // Every answer has this: written in large pieces.
  const auto count = [&out](std::string_view before, std::uint64_t number) {
    out += before;
    json::append_integer(out, number);
  };
  count(R"({"prompt_tokens":)", sums.prompt);
  count(R"(,"completion_tokens":)", sums.output);
  count(R"(,"total_tokens":)", usage.total.value_or(sums.prompt + sums.output));
  count(R"(,"prompt_tokens_details":{"cached_tokens":)", sums.cached);
  if (usage.prompt_audio)
    count(R"(,"audio_tokens":)", *usage.prompt_audio);
  count(R"(},"completion_tokens_details":{"reasoning_tokens":)", sums.thought);
  if (usage.candidates_audio)
    count(R"(,"audio_tokens":)", *usage.candidates_audio);
  out += "}}";
}

void append_logprobs(std::string& out, const object& result) {
  const auto chosen = list_member(result, "chosenCandidates");
  const auto top = list_member(result, "topCandidates");
  json::writer w{out};
  w.begin_object();
  w.key("content");
  w.begin_array();
  std::size_t position = 0;
  auto alternatives = top ? std::optional{top->begin()} : std::nullopt;
  if (chosen)
    for (const element item : *chosen) {
      w.begin_object();
      write_token(w, as_object(item));
      w.key("top_logprobs");
      w.begin_array();
      if (alternatives && position < top->size()) {
        write_alternatives(w, **alternatives);
        ++*alternatives;
      }
      ++position;
      w.end_array();
      w.end_object();
    }
  w.end_array();
  w.key("refusal");
  w.null();
  w.end_object();
}

bool append_annotations(std::string& out, const object& grounding, const text_index& index) {
  const auto webs = web_chunks(grounding);
  const auto before = out.size();
  json::writer w{out};
  w.begin_array();
  const auto begun = out.size();
  const auto supports = list_member(grounding, "groundingSupports");
  if (supports && supports->size() > 0) {
    for (const element item : *supports)
      write_support(w, item, index, webs);
  } else {
    for (const auto& web : webs)
      if (web)
        write_citation(w, 0, 0, *web);
  }
  if (out.size() == begun) {
    out.resize(before);
    return false;
  }
  w.end_array();
  return true;
}

void append_sources(std::string& out, const object& grounding, text_index& index) {
  std::string list;
  for (const auto& web : web_chunks(grounding))
    if (web) {
      const auto uri = text_member(*web, "uri");
      const auto title = text_member(*web, "title");
      list += list.empty() ? "\n\n---\n\n- [" : "\n- [";
      list.append(title.empty() ? uri : title).append("](").append(uri).append(")");
    }
  json::append_escaped(out, list);
  if (!list.empty())
    index.add_inserted(list);
}

void keep_grounding(const object& grounding, std::string& kept) {
  std::string fresh;
  json::writer w{fresh};
  w.begin_object();
  for (const auto field : grounding)
    if (field.key == "groundingChunks" || field.key == "groundingSupports") {
      w.foreign_key(field.key);
      w.element(field.value);
    }
  w.end_object();
  if (fresh != "{}")
    kept = std::move(fresh);
}

citations cite(const std::string& kept, const translation_options& options, text_index& index) {
  citations cited;
  if (kept.empty())
    return cited;
  simdjson::dom::parser parser;
  object grounding;
  if (parser.parse(kept).get(grounding) != simdjson::SUCCESS)
    return cited;
  if (options.grounding != grounding_output::markdown)
    append_annotations(cited.annotations, grounding, index);
  if (options.grounding != grounding_output::annotations)
    append_sources(cited.sources, grounding, index);
  return cited;
}

} // namespace troupe::openai
