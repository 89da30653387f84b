#include "actors/admin/preconditions.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace troupe {

namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string lower(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return out;
}

} // namespace

if_match read_if_match(std::string_view field) {
  const auto text = trimmed(field);
  if (text.empty() || text == "*")
    return {};
  if_match read;
  read.good = false;
  if (text.size() < 3 || text.front() != '"' || text.back() != '"')
    return read;
  const auto digits = text.substr(1, text.size() - 2);
  std::uint64_t revision = 0;
  const auto end = digits.data() + digits.size();
  const auto number = std::from_chars(digits.data(), end, revision);
  if (number.ec != std::errc{} || number.ptr != end)
    return read;
  return {true, revision};
}

bool same_origin(std::string_view origin, std::string_view host) {
  if (origin.empty())
    return true;
  const auto from = lower(trimmed(origin));
  auto to = lower(trimmed(host));
  const auto scheme_end = from.find("://");
  if (scheme_end == std::string::npos || to.empty())
    return false; // also `null`, the origin of a page that hides where it is from
  // A browser leaves out the port that its scheme has anyway, in both fields; others may not.
  const std::string usual = from.starts_with("https:") ? ":443" : ":80";
  auto authority = from.substr(scheme_end + 3);
  for (auto* name : {&authority, &to})
    if (name->ends_with(usual) && name->size() > usual.size())
      name->resize(name->size() - usual.size());
  return authority == to;
}

bool is_media_type(std::string_view content_type, std::string_view type) {
  const auto end = std::min(content_type.find(';'), content_type.size());
  if (lower(trimmed(content_type.substr(0, end))) != type)
    return false;
  auto rest = content_type.substr(end);
  while (!rest.empty()) {
    rest.remove_prefix(1); // the semicolon
    const auto stop = std::min(rest.find(';'), rest.size());
    auto parameter = lower(trimmed(rest.substr(0, stop)));
    rest.remove_prefix(stop);
    std::erase(parameter, '"');
    if (parameter.starts_with("charset=") && parameter != "charset=utf-8"
        && parameter != "charset=us-ascii")
      return false;
  }
  return true;
}

} // namespace troupe
