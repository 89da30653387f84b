#include "http/core/credentials.hpp"
#include "protocol/gemini/classify.hpp"
#include "protocol/gemini/native.hpp"
#include "protocol/sse/parser.hpp"
#include "tests/vector_runner/run.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <sstream>

namespace troupe::vectors {
namespace {

std::optional<std::string> decode_base64(const std::string& text) {
  static const std::string alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=')
      break;
    const auto value = alphabet.find(c);
    if (value == std::string::npos)
      return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>((bits >> count) & 0xFF);
    }
  }
  return bytes;
}

std::optional<wall_time> read_instant(const std::string& iso) {
  int year = 0, hour = 0, minute = 0, second = 0;
  unsigned month = 0, day = 0;
  if (std::sscanf(iso.c_str(), "%d-%u-%uT%d:%d:%dZ", &year, &month, &day, &hour, &minute, &second)
      != 6)
    return std::nullopt;
  const std::chrono::sys_days date{std::chrono::year{year} / static_cast<int>(month)
                                   / static_cast<int>(day)};
  return wall_time{date} + std::chrono::hours{hour} + std::chrono::minutes{minute}
         + std::chrono::seconds{second};
}

std::optional<surface> surface_named(const std::string& name) {
  if (name == "openai")
    return surface::openai;
  if (name == "anthropic")
    return surface::anthropic;
  if (name == "gemini")
    return surface::gemini;
  return std::nullopt;
}

/// The value of a header in `fields` as `render` writes them.
std::optional<std::string> field_of(const std::string& fields, const std::string& name) {
  std::istringstream lines{fields};
  for (std::string line; std::getline(lines, line);)
    if (line.rfind(name + ": ", 0) == 0) {
      line.erase(0, name.size() + 2);
      if (!line.empty() && line.back() == '\r')
        line.pop_back();
      return line;
    }
  return std::nullopt;
}

json key_effect_of(const gemini::verdict& v) {
  json effect;
  effect["class"] = std::string{to_string(v.what)};
  effect["scope"] = std::string{to_string(v.scope)};
  effect["retry_after_s"] = nullptr;
  if (v.retry_after)
    effect["retry_after_s"] = static_cast<double>(v.retry_after->count()) / 1000;
  effect["retryable_on_other_key"] = v.other_key_helps;
  return effect;
}

} // namespace

void match_text(const json& expected, const std::string& text, const std::string& path,
                matcher& found) {
  if (const auto value = parse_json(text))
    found.match(expected, *value, path);
  else
    found.report(path, "JSON", text);
}

void match_error(const json& expected, const client_error& error, surface s, matcher& found) {
  const auto rendered = render(error, s, "r-1");
  found.match(expected.at("status"), json(rendered.status), "status");
  match_text(expected.at("body"), rendered.body, "body", found);
  if (!expected.contains("headers"))
    return;
  for (const auto& header : expected["headers"].items()) {
    const auto value = field_of(rendered.fields, header.key());
    if (value)
      found.match(header.value(), json(*value), "headers." + header.key());
    else
      found.report("headers." + header.key(), header.value().dump(), "(absent)");
  }
}

bool run_error(const json& vector, matcher& found) {
  const auto& input = vector.at("input");
  const auto& expected = vector.at("expected");
  const auto s = surface_named(vector.at("to").get<std::string>());
  if (!s)
    return false;
  gemini::answer_facts facts{.model = "gemini-2.5-flash"};
  if (vector.at("context").contains("now")) {
    const auto now = read_instant(vector["context"]["now"].get<std::string>());
    if (!now)
      return false;
    facts.now = *now;
  }
  const auto status = input.at("status").get<int>();
  const auto body =
      input.contains("body_text") ? input["body_text"].get<std::string>() : input.at("body").dump();
  const auto verdict = gemini::classify(status, body, facts);
  match_error(expected, gemini::to_client_error(verdict, status, body), *s, found);
  if (expected.contains("key_effect"))
    found.match(expected["key_effect"], key_effect_of(verdict), "key_effect");
  return true;
}

bool run_sse(const json& vector, matcher& found) {
  sse::parser parser{std::size_t{64} << 20};
  json data = json::array();
  for (const auto& chunk : vector.at("input").at("chunks_base64")) {
    const auto bytes = decode_base64(chunk.get<std::string>());
    if (!bytes) {
      found.report("input.chunks_base64", "base64", chunk.dump());
      return true;
    }
    parser.feed(*bytes);
    for (std::string_view payload; parser.next(payload);)
      data.push_back(std::string{payload});
  }
  found.match(vector.at("expected").at("data"), data, "data");
  return true;
}

namespace {

/// The native request as the front handles it: credential, path, headers, pool key.
json native_upstream_call(const json& input, const json& context, const vector_context& c) {
  const auto& headers = input.at("headers");
  const auto target = input.at("path").get<std::string>();
  const auto mark = std::min(target.find('?'), target.size());
  const auto path = target.substr(0, mark);
  const auto query = target.substr(std::min(mark + 1, target.size()));
  const auto header = [&](const char* name) { return headers.value(name, std::string{}); };
  const auto authorization = header("authorization"), x_api_key = header("x-api-key"),
             x_goog_api_key = header("x-goog-api-key");
  const auto shown = http::presented_in({.authorization = authorization,
                                         .x_api_key = x_api_key,
                                         .x_goog_api_key = x_goog_api_key,
                                         .query = query});
  const auto error_json = [](const client_error& e) {
    const auto rendered = render(e, surface::gemini, "r-1");
    const auto body = parse_json(rendered.body);
    return json{{"error", {{"status", rendered.status}, {"body", body ? *body : json{}}}}};
  };
  const http::credential_set allowed{
      {http::credential_of("client", context.at("client_token").get<std::string>())}};
  if (!allowed.find(shown))
    return error_json({.what = fault::bad_credential});

  const auto body =
      input.contains("raw_body") ? input["raw_body"].get<std::string>() : input.at("body").dump();
  const auto routed = gemini::route_native(input.at("method").get<std::string>(), path, query, body,
                                           c.options, c.request);
  if (const auto* error = std::get_if<client_error>(&routed))
    return error_json(*error);
  const auto& call = *std::get_if<gemini::native_call>(&routed);
  json out{{"method", input["method"]}, {"path", call.path}, {"headers", json::object()}};
  for (const auto& field : headers.items())
    if (gemini::forwards_header(field.key()))
      out["headers"][field.key()] = field.value();
  out["headers"]["x-goog-api-key"] = context.at("pool_key");
  out["raw_body"] = call.body_changed ? call.body : body;
  return out;
}

} // namespace

bool run_native(const json& vector, matcher& found) {
  const vector_context context{vector.at("context")};
  const auto got = native_upstream_call(vector.at("input"), vector.at("context"), context);
  const auto& expected = vector.at("expected");
  if (expected.contains("error") || got.contains("error")) {
    found.match(expected, got, "");
    return true;
  }
  found.match(expected.at("method"), got["method"], "method");
  found.match(expected.at("path"), got["path"], "path");
  for (const auto& header : expected.at("headers").items())
    found.match(header.value(), got["headers"].value(header.key(), json{}),
                "headers." + header.key());
  if (expected.contains("absent_headers"))
    for (const auto& name : expected["absent_headers"])
      if (got["headers"].contains(name.get<std::string>()))
        found.report("headers." + name.get<std::string>(), "(absent)", "present");
  if (expected.contains("raw_body"))
    found.match(expected["raw_body"], got["raw_body"], "raw_body");
  else
    match_text(expected.at("body"), got["raw_body"].get<std::string>(), "body", found);
  return true;
}

namespace {

template <class Enum>
void read_choice(const json& value, std::initializer_list<std::pair<const char*, Enum>> names,
                 Enum& into, std::string& error) {
  for (const auto& [name, meaning] : names)
    if (value == name) {
      into = meaning;
      return;
    }
  error += value.dump() + " is not a value of its option; ";
}

void read_option(const std::string& name, const json& value, vector_context& c) {
  auto& o = c.options;
  if (name == "remote_media")
    read_choice(value,
                {{"fetch", remote_media::fetch},
                 {"file_uri", remote_media::file_uri},
                 {"reject", remote_media::reject}},
                o.media, c.error);
  else if (name == "thoughts")
    read_choice(value,
                {{"on_request", thoughts_policy::on_request},
                 {"always", thoughts_policy::always},
                 {"never", thoughts_policy::never}},
                o.thoughts, c.error);
  else if (name == "image_output")
    read_choice(value,
                {{"markdown", image_output::markdown},
                 {"images", image_output::images},
                 {"both", image_output::both}},
                o.images, c.error);
  else if (name == "grounding_output")
    read_choice(value,
                {{"annotations", grounding_output::annotations},
                 {"markdown", grounding_output::markdown},
                 {"both", grounding_output::both}},
                o.grounding, c.error);
  else if (name == "schema_mode")
    read_choice(value,
                {{"auto", schema_mode::automatic},
                 {"subset", schema_mode::subset},
                 {"json_schema", schema_mode::json_schema}},
                o.schemas, c.error);
  else if (name == "upstream")
    read_choice(value, {{"gemini", upstream_kind::gemini}, {"vertex", upstream_kind::vertex}},
                c.request.upstream, c.error);
  else if (name == "signature_carriers") {
    o.signature_in_extra_content = std::count(value.begin(), value.end(), "extra_content") > 0;
    o.signature_in_id = std::count(value.begin(), value.end(), "id") > 0;
  } else if (name == "safety_settings")
    o.safety_settings = value.dump();
  else if (name == "max_media_bytes")
    o.media_bytes_max = value.get<std::size_t>();
  else
    c.error += "no option is called " + name + "; ";
}

} // namespace

vector_context::vector_context(const json& context) {
  if (context.contains("config"))
    for (const auto& option : context["config"].items())
      read_option(option.key(), option.value(), *this);
  if (context.contains("known_models")) {
    for (const auto& model : context["known_models"])
      models.insert(model.get<std::string>());
    request.models = &models;
  }
  if (context.contains("fetched")) {
    for (const auto& media : context["fetched"].items())
      fetched[media.key()] = {media.value().at("mime").get<std::string>(),
                              media.value().at("base64").get<std::string>()};
    request.fetched = &fetched;
  }
}

bool run(const json& vector, matcher& found) {
  const auto direction = vector.at("direction").get<std::string>();
  const auto endpoint = vector.at("endpoint").get<std::string>();
  if (endpoint == "sse-parser")
    return run_sse(vector, found);
  if (direction == "error")
    return run_error(vector, found);
  if (endpoint == "native")
    return direction == "request" && run_native(vector, found);
  if (endpoint != "/v1/chat/completions")
    return false;
  if (direction == "request")
    return run_request(vector, found);
  if (direction == "response")
    return run_response(vector, found);
  if (direction == "stream")
    return run_stream(vector, found);
  return direction == "roundtrip" && run_round_trip(vector, found);
}

} // namespace troupe::vectors
