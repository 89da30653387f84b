#include "sandbox/surface.hpp"

#include <nlohmann/json.hpp>

#include <charconv>

namespace sandbox {

std::string percent_decoded(std::string_view s) {
  std::string out;
  for (std::size_t i = 0; i < s.size(); ++i) {
    unsigned byte = 0;
    if (s[i] == '%' && i + 2 < s.size()
        && std::from_chars(s.data() + i + 1, s.data() + i + 3, byte, 16).ptr == s.data() + i + 3) {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += s[i] == '+' ? ' ' : s[i];
    }
  }
  return out;
}

std::string query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const auto equals = pair.find('=');
    if (pair.substr(0, equals) == name)
      return equals == pair.npos ? std::string{} : percent_decoded(pair.substr(equals + 1));
  }
  return {};
}

answer error_answer(const call& c, const fault& f, bool in_array) {
  answer a;
  a.status = f.status;
  a.retry = f.retry;
  a.until_midnight = f.until_midnight;
  if (!f.raw.empty())
    a.content_type = f.raw_type;
  switch (c.spoken) {
  case dialect::gemini:
  case dialect::vertex:
    a.body = gemini_error(f, in_array);
    return a;
  case dialect::openai:
    a.body = openai_error(f);
    break;
  case dialect::anthropic:
    a.body = anthropic_error(f);
    break;
  }
  // Google announces a wait in the body alone, these two in a header alone.
  if (f.retry)
    a.headers.emplace_back(
        "retry-after", std::to_string(std::chrono::ceil<std::chrono::seconds>(*f.retry).count()));
  return a;
}

std::string greeting(std::string_view model, std::string_view said) {
  auto text = "Hello from the troupe sandbox, where " + std::string{model}
              + " is only played. No model was asked.";
  if (!said.empty())
    text += " You said: \"" + beginning_of(said, 80) + "\"";
  return text;
}

} // namespace sandbox
