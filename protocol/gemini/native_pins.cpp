#include "protocol/gemini/native.hpp"
#include "protocol/gemini/native_body.hpp"
#include "protocol/json/scan.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

// Which files and caches a request names. Asked of every request, and answered for nearly all of
// them by one fast look over the body.

namespace troupe::gemini {
namespace {

using simdjson::dom::element;

/// `files/ID` of a URI below the Files API of any version, or of a bare name; else nothing.
std::string file_name(std::string_view uri) {
  constexpr std::string_view collection = "files/";
  std::size_t at = 0;
  if (!uri.starts_with(collection)) {
    at = uri.find("/files/");
    if (at == uri.npos || at == 0 || !uri.substr(uri.rfind('/', at - 1) + 1).starts_with("v1"))
      return {};
    ++at;
  }
  auto name = uri.substr(at);
  const auto end = std::find_if(name.begin() + collection.size(), name.end(), [](char c) {
    return c == '/' || c == '?' || c == '#' || c == ':';
  });
  name = name.substr(0, static_cast<std::size_t>(end - name.begin()));
  return name.size() > collection.size() ? std::string{name} : std::string{};
}

/// Whether `text`, behind a quote, is `key` up to its closing quote, or may be: an escaped letter
/// is not read here.
bool may_be(std::string_view text, std::string_view key) {
  for (std::size_t i = 0; i < key.size(); ++i)
    if (i >= text.size() || text[i] != key[i]) {
      const auto odd = text.substr(std::min(i, text.size()));
      return odd.starts_with("\\u00") && odd.size() > 4 && odd[4] >= '2' && odd[4] <= '7';
    }
  return true;
}

bool names_pin(std::string_view text) {
  static constexpr std::array<std::string_view, 4> keys{"fileUri\"", "file_uri\"",
                                                        "cachedContent\"", "cached_content\""};
  return std::any_of(keys.begin(), keys.end(),
                     [text](std::string_view key) { return may_be(text, key); });
}

/// The first quote in `body` from `at` on behind which a name of ours may begin: with its first
/// letter, or with an escape.
std::size_t next_candidate(std::string_view body, std::size_t at) {
  const auto begins = [](char c) { return c == 'f' || c == 'c' || c == '\\'; };
#if defined(__SSE2__)
  const auto same = [](__m128i bytes, char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); };
  for (; body.size() - at > 16; at += 16) {
    const auto here = json::load16(body.data() + at), after = json::load16(body.data() + at + 1);
    const auto first =
        _mm_or_si128(_mm_or_si128(same(after, 'f'), same(after, 'c')), same(after, '\\'));
    if (const auto found = json::bits(_mm_and_si128(same(here, '"'), first)))
      return at + static_cast<std::size_t>(__builtin_ctz(found));
  }
#endif
  for (; at + 1 < body.size(); ++at)
    if (body[at] == '"' && begins(body[at + 1]))
      return at;
  return body.npos;
}

/// Whether a member that can pin is named anywhere: most bodies name none and are then not
/// parsed. Members are looked for, not values, which may be escaped (`\/`).
bool may_pin(std::string_view body) {
  for (auto at = next_candidate(body, 0); at != body.npos; at = next_candidate(body, at + 1))
    if (names_pin(body.substr(at + 1)))
      return true;
  return false;
}

void collect_pins(const element& value, std::vector<std::string>& names) {
  const auto add = [&names](std::string name) {
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(std::move(name));
  };
  if (const auto list = json::as_array(value)) {
    for (const element item : *list)
      collect_pins(item, names);
    return;
  }
  const auto object = json::as_object(value);
  if (!object)
    return;
  for (const auto field : *object) {
    const auto text = json::as_string(field.value);
    if (!text)
      collect_pins(field.value, names);
    else if (field.key == "fileUri" || field.key == "file_uri")
      add(file_name(*text));
    else if ((field.key == "cachedContent" || field.key == "cached_content")
             && text->starts_with("cachedContents/"))
      add(std::string{*text});
  }
}

} // namespace

std::vector<std::string> pinned_resources(std::string_view request_body) {
  std::vector<std::string> names;
  if (!may_pin(request_body))
    return names;
  const auto parsed = native_reader().parse(request_body);
  if (const auto* root = std::get_if<element>(&parsed))
    collect_pins(*root, names);
  return names;
}

} // namespace troupe::gemini
